// One text put before the readers, and what is wrong with how they took it: a crash, a hang, an error without a place, a
// message that shows the program's own nothing, or a configuration that no mesh could run.
import { systemClock } from '../../../src/core/clock.ts';
import type { MeshConfig } from '../../../src/model/config.ts';
import type { ConfigIssue } from '../../../src/model/issue.ts';
import { createMesh } from '../../../src/mesh/mesh.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import { formatIssues, loadConfig, type LoadResult } from '../../../src/yaml/load.ts';

/** Longest that the readers may take for one text, ms. */
export const READ_MS_MAX = 100;

export type Load = (text: string, lenient: boolean) => Promise<LoadResult>;

export interface TrialOptions {
  /** Whether what was read is also compiled and explained. */
  readonly runs: boolean;
  /** @default the readers */
  readonly load?: Load;
}

const regex = await loadRegex();

export interface Trial {
  /** null: the readers did well. */
  readonly fault: string | null;
  /** Lines of the errors that they found. */
  readonly errorLines: readonly number[];
}

export async function tryText(text: string, options: TrialOptions): Promise<Trial> {
  const strict = await tryWith(text, false, options);
  if (strict.fault !== null) return strict;
  const { fault } = await tryWith(text, true, options);
  return { ...strict, fault: fault === null ? null : `lenient: ${fault}` };
}

async function tryWith(text: string, lenient: boolean, { runs, load = loadText }: TrialOptions): Promise<Trial> {
  const failed = (fault: string | null): Trial => ({ fault, errorLines: [] });
  let result: LoadResult;
  try {
    result = await load(text, lenient);
    if (await isSlow(() => load(text, lenient))) return failed(`takes more than ${READ_MS_MAX} ms`);
  } catch (error) {
    return failed(`throws ${error instanceof Error ? error.stack : String(error)}`);
  }
  const issues = 'issues' in result ? result.issues : result.warnings;
  for (const issue of issues) {
    const fault = issueFault(issue, text);
    if (fault !== null) return failed(fault);
  }
  if (!('issues' in result)) return failed(targetFault(result.config) ?? (runs ? await runFault(result.config) : null));
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return failed('refuses without an error');
  return { fault: null, errorLines: errors.map(({ position }) => position?.line ?? 0) };
}

export function loadText(text: string, lenient: boolean): Promise<LoadResult> {
  return loadConfig('mesh.yaml', {
    env: {},
    cwd: '/app',
    readFile: () => Promise.resolve(text),
    checkRegex: (pattern) => regex.check(pattern),
    lenient,
  });
}

/** The time that this process had of the processor; a second look, because others and the compiler take time, too. */
async function isSlow(load: () => Promise<LoadResult>): Promise<boolean> {
  const start = systemClock.now();
  await load();
  if (systemClock.now() - start <= READ_MS_MAX) return false;
  for (let i = 0; i < 4; i++) {
    const before = process.cpuUsage();
    await load();
    const { user, system } = process.cpuUsage(before);
    if (user + system <= READ_MS_MAX * 1_000) return false;
  }
  return true;
}

/** Words that only a program would say. */
const NONSENSE = /\[object \w+\]|\bundefined\b|\bNaN\b|\bfunction \w+\(/;

function issueFault(issue: ConfigIssue, text: string): string | null {
  const shown = `${issue.severity} ${JSON.stringify(issue.path)}: ${issue.message}`;
  const { position } = issue;
  if (issue.message === '') return `has no message: ${shown}`;
  if (position === undefined) return `has no position: ${shown}`;
  const lines = text.split('\n');
  const line = lines[position.line - 1];
  if (line === undefined || position.column < 1 || position.column > line.length + 1) {
    return `stands nowhere (${position.line}:${position.column}): ${shown}`;
  }
  if (issue.frame === undefined) return `has no frame: ${shown}`;
  if (NONSENSE.test(issue.message) && !NONSENSE.test(text)) return `talks nonsense: ${shown}`;
  return formatIssues([issue]).length > 20_000 ? `goes on for too long: ${shown.slice(0, 500)}` : null;
}

/** Every target is there, or says what its calls are answered. */
function targetFault({ services }: MeshConfig): string | null {
  for (const [name, service] of Object.entries(services)) {
    if (service.name !== name) return `service ${name} is called ${service.name}`;
    const end = service.routes.at(-1);
    if (end === undefined || !service.routes.some(({ matches }) => matches.length === 0)) return `service ${name} has no last route`;
    for (const { targets, mirrors } of service.routes) {
      for (const target of [...targets, ...mirrors.map(({ target: one }) => one)]) {
        const found = services[target.service];
        if (found === undefined) return `service ${name} has the target ${target.service}, which is not there`;
        const isKnown = target.subset === undefined || target.fails !== undefined || Object.hasOwn(found.subsets, target.subset);
        if (!isKnown) return `service ${name} has the target ${target.service}/${target.subset}, which is not there`;
      }
    }
  }
  return null;
}

async function runFault(config: MeshConfig): Promise<string | null> {
  try {
    const services = Object.fromEntries(
      Object.entries(config.services).map(([name, service]) => [
        name,
        { ...service, endpoints: { kind: 'static', endpoints: [] } as const },
      ]),
    );
    const mesh = await createMesh({
      config: { checked: { ...config, identity: null, services }, hash: 'fuzz' },
      telemetry: { spans: 'off' },
      readyMs: 1,
    });
    try {
      for (const { hosts } of Object.values(services)) {
        const host = hosts.find((one) => !one.startsWith('*') && URL.canParse(`http://${one}/`));
        if (host !== undefined) mesh.explain({ url: `http://${host}/a?x=1`, headers: { 'x-user': 'a' } });
      }
    } finally {
      await mesh.close();
    }
    return null;
  } catch (error) {
    // There are no files here.
    if (error instanceof Error && error.message.includes('cannot be read from')) return null;
    return `is accepted, but does not run: ${error instanceof Error ? error.stack : String(error)}`;
  }
}
