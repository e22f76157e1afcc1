// A golden file: documents as they are written, what inmesh makes of them, what it says of them, what it writes for another
// mesh, and what is lost on the way, in one place. Written anew with UPDATE_GOLDEN=1; whoever does so reads the difference.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { stringify } from 'yaml';
import type { MeshConfig, ServiceConfig } from '../../src/model/config.ts';
import type { ConfigIssue } from '../../src/model/issue.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { EXPORT_TARGETS, exportConfig, type ExportTarget } from '../../src/yaml/export.ts';
import { importConfig } from '../../src/yaml/import.ts';
import { type LoadedConfig, loadConfig } from '../../src/yaml/load.ts';
import type { Loss } from '../../src/yaml/losses.ts';

export interface Golden {
  readonly path: string;
  readonly title: string;
  readonly input: string;
  readonly model: string;
  readonly issues: string;
  /** Empty when there are errors. */
  readonly output: string;
  readonly losses: string;
}

/** What the files of a folder are written as; those of `concise` say it by their names, or the beginning of them. */
const TARGETS: Readonly<Record<string, ExportTarget | 'concise'>> = {
  'app-mesh': 'istio',
  'gateway-api': 'istio',
  import: 'concise',
  istio: 'gateway-api',
  'istio-security': 'concise',
  linkerd: 'smi',
  smi: 'linkerd',
};

function targetOf(path: string): ExportTarget | 'concise' {
  const [folder, name] = [basename(dirname(path)), basename(path, '.md')];
  const own = TARGETS[folder === 'corners' ? name.replace(/-(?:faults|tls)$/, '') : folder];
  return own ?? EXPORT_TARGETS.find((target) => name === target || name.startsWith(`${target}-`)) ?? 'concise';
}

const SECTION = /^## (Input|Model|Issues|Output|Losses)\n\n```(?:yaml|text)\n([\s\S]*?)```$/gm;

export function readGolden(path: string): Golden {
  const text = readFileSync(path, 'utf8');
  const sections = new Map([...text.matchAll(SECTION)].map(([, name = '', body = '']) => [name, body]));
  const title = /^# (.*)$/m.exec(text)?.[1] ?? basename(path);
  const part = (name: string): string => sections.get(name) ?? '';
  return {
    path,
    title,
    input: part('Input'),
    model: part('Model'),
    issues: part('Issues'),
    output: part('Output'),
    losses: part('Losses'),
  };
}

export function writeGolden({ path, title, input, model, issues, output, losses }: Golden): void {
  const block = (name: string, language: string, body: string): string => `## ${name}\n\n\`\`\`${language}\n${body}\`\`\`\n`;
  const blocks = [block('Input', 'yaml', input), block('Model', 'yaml', model), block('Issues', 'text', issues)];
  if (output !== '') blocks.push(block('Output', 'yaml', output), block('Losses', 'text', losses));
  writeFileSync(path, `# ${title}\n\n${blocks.join('\n')}`);
}

export const isUpdate: boolean = process.env.UPDATE_GOLDEN === '1';

/** What inmesh says of the input now. `# lenient` in its first line asks for lenient, `model` that another file has the model. */
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
  const said = { ...golden, issues: issues.map(issueText).join('') };
  if ('issues' in result) return { ...said, model: '', output: '', losses: '' };
  const model = /^#.*\bmodel\b/.test(golden.input) ? '' : modelText(result.config);
  return { ...said, model, ...(await written(result, targetOf(golden.path))) };
}

async function written(loaded: LoadedConfig, target: ExportTarget | 'concise'): Promise<Pick<Golden, 'output' | 'losses'>> {
  const command = target === 'concise' ? '# inmesh import\n' : `# inmesh export --to ${target}\n`;
  if (target === 'concise') {
    const { text, losses } = await importConfig(loaded);
    return { output: command + text, losses: lossesText(losses) };
  }
  const { documents, losses } = await exportConfig(loaded, target);
  return { output: command + documents.map(({ text }) => text).join('---\n'), losses: lossesText(losses) };
}

/** Defaults that nobody wrote are counted. */
function lossesText(losses: readonly Loss[]): string {
  const said = losses.filter(({ verdict, position }) => position !== undefined || verdict === 'lost');
  const lines = said.map(({ verdict, position, field, also = [], from, to, why }) => {
    const place = position === undefined ? '' : ` ${position.line}:${position.column}`;
    return `${verdict}${place} ${[field, ...also].join(', ')}: ${from}${to === '' ? '' : ` -> ${to}`}${why === '' ? '' : ` (${why})`}\n`;
  });
  return `${lines.join('')}${losses.length - said.length} defaults\n`.replaceAll('input.yaml:', '');
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
