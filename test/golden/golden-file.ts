// A golden file: documents as they are written, what inmesh makes of them, and what it says of them, in one place. Written
// anew with UPDATE_GOLDEN=1; whoever does so reads the difference.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { stringify } from 'yaml';
import type { MeshConfig, ServiceConfig } from '../../src/model/config.ts';
import type { ConfigIssue } from '../../src/model/issue.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { loadConfig } from '../../src/yaml/load.ts';

export interface Golden {
  readonly path: string;
  readonly title: string;
  readonly input: string;
  readonly model: string;
  readonly issues: string;
}

const SECTION = /^## (Input|Model|Issues)\n\n```(?:yaml|text)\n([\s\S]*?)```$/gm;

export function readGolden(path: string): Golden {
  const text = readFileSync(path, 'utf8');
  const sections = new Map([...text.matchAll(SECTION)].map(([, name = '', body = '']) => [name, body]));
  const title = /^# (.*)$/m.exec(text)?.[1] ?? basename(path);
  const part = (name: string): string => sections.get(name) ?? '';
  return { path, title, input: part('Input'), model: part('Model'), issues: part('Issues') };
}

export function writeGolden({ path, title, input, model, issues }: Golden): void {
  const block = (name: string, language: string, body: string): string => `## ${name}\n\n\`\`\`${language}\n${body}\`\`\`\n`;
  writeFileSync(
    path,
    `# ${title}\n\n${[block('Input', 'yaml', input), block('Model', 'yaml', model), block('Issues', 'text', issues)].join('\n')}`,
  );
}

export const isUpdate: boolean = process.env.UPDATE_GOLDEN === '1';

/** What inmesh says of the input now. `# lenient` in its first line asks for lenient. */
export async function played(golden: Golden): Promise<Golden> {
  const regex = await loadRegex();
  const result = await loadConfig('input.yaml', {
    env: {},
    cwd: '/',
    lenient: golden.input.startsWith('# lenient'),
    checkRegex: (pattern) => regex.check(pattern),
    readFile: () => Promise.resolve(golden.input),
  });
  const issues = 'issues' in result ? result.issues : result.warnings;
  return { ...golden, model: 'issues' in result ? '' : modelText(result.config), issues: issues.map(issueText).join('') };
}

function issueText({ severity, position, message, suggestion, code }: ConfigIssue): string {
  const hint = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
  return `${severity} ${position?.line}:${position?.column} ${message.replaceAll('input.yaml:', '')}${hint}${code === undefined ? '' : ` [${code}]`}\n`;
}

/** Services without what all of them have, and who is let in. Places are `line:column`. */
function modelText({ services, unnamed, unknownHosts, passHosts, telemetry, inbound: { policies, limits } }: MeshConfig): string {
  const texts = Object.values(services).map((service) => stringify({ [service.name]: differences(service, unnamed) }, { lineWidth: 0 }));
  if (unknownHosts !== 'pass') texts.push(stringify({ unknownHosts }));
  for (const [name, value] of Object.entries({ passHosts, telemetry, inboundLimits: limits })) {
    if (value !== undefined) texts.push(stringify({ [name]: compact(value) }, { lineWidth: 0 }));
  }
  if (policies !== undefined) texts.push(stringify({ policies: policies.map(compact) }, { lineWidth: 0 }));
  return texts.join('');
}

function differences(service: ServiceConfig, base: ServiceConfig): Record<string, unknown> {
  const plain = (value: unknown): string => JSON.stringify(value);
  const own = Object.entries(service).filter(
    ([key, value]) => key !== 'name' && key !== 'routes' && plain(value) !== plain(base[key as keyof ServiceConfig]),
  );
  const isDefault = service.routes.length === 1 && service.routes[0]?.dialect === 'inmesh';
  const fields = { ...Object.fromEntries(own), ...(isDefault ? {} : { routes: service.routes }) };
  return compact(fields) as Record<string, unknown>;
}

/** Without what says nothing. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  if ('file' in value && 'line' in value && 'column' in value) return `${String(value.line)}:${String(value.column)}`;
  const kept = Object.entries(value).flatMap(([key, one]) => (isSilent(key, one) ? [] : [[key, compact(one)] as const]));
  return Object.fromEntries(kept);
}

function isSilent(key: string, value: unknown): boolean {
  if (key === 'invert' || key === 'idempotent') return value === false;
  if (key === 'dialect') return true;
  const isEmptyList = Array.isArray(value) && value.length === 0 && key !== 'matches';
  return isEmptyList || (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0);
}
