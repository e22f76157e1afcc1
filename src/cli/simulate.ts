// `inmesh simulate`: what a configuration makes of a bad day, before there is one. Runs in virtual time; opens no socket
// and asks no name server.
import { writeFile } from 'node:fs/promises';
import { parse as parsePath, resolve } from 'node:path';
import { systemClock } from '../core/clock.ts';
import type { CheckedSource } from '../mesh/config-source.ts';
import { parseDuration } from '../model/duration.ts';
import { nearest } from '../model/nearest.ts';
import { loadRegex } from '../route/regex.ts';
import { drawRuns, type Picture } from '../sim/draw-runs.ts';
import { isPathologyName, pathologies, type PathologyName } from '../sim/pathologies.ts';
import { simConfig, type SimConfig } from '../sim/sim-config.ts';
import { DURATION_MS_MIN, type Site, type SiteOptions } from '../sim/site.ts';
import { openBench, type Trial, unfit } from '../sim/trial.ts';
import { formatIssues, loadConfig } from '../yaml/load.ts';
import type { CommandInput, Terminal } from './command.ts';
import { configPaths, UsageError } from './command.ts';
import { type Expectation, foundText, judge, type Judgment, parseExpectation, unknownScenario } from './expectation.ts';
import { faint, sign } from './paint.ts';
import { Progress } from './progress.ts';
import { siteText, trialTable } from './trial-table.ts';

type Values = CommandInput['values'];

interface Skipped {
  readonly scenario: PathologyName;
  readonly why: string;
}

interface ServiceTrials {
  readonly service: string;
  readonly site: Site;
  readonly trials: readonly Trial[];
  readonly skipped: readonly Skipped[];
}

const ENDPOINTS_DEFAULT = 3;
const CLIENTS_MAX = 1_000;

export async function simulate({ positionals, values, terminal }: CommandInput): Promise<number> {
  if (values.list === true) {
    terminal.out(listText());
    return 0;
  }
  const scenarios = scenariosOf(values);
  const options = optionsOf(values);
  const expectations = texts(values.expect).map(parseExpectation);
  const behindNames = whole(values, 'endpoints', CLIENTS_MAX) ?? ENDPOINTS_DEFAULT;
  const paths = configPaths(positionals, terminal.env).map((path) => resolve(terminal.cwd, path));
  const source = await read(paths, values, terminal);
  if (source === null) return 1;
  const from = await simConfig(source, terminal.env, behindNames);
  const services = servicesOf(from, texts(values.service));
  const results = await runAll(from, services, scenarios, options, terminal);
  const judgments = results.flatMap(({ trials }) => judgmentsOf(expectations, trials));
  const pictures = typeof values.svg === 'string' ? await draw(results, resolve(terminal.cwd, values.svg)) : [];
  const ok = judgments.every(({ isMet }) => isMet);
  terminal.out(values.json === true ? jsonText(ok, results, judgments) : humanText(results, judgments, pictures));
  return ok ? 0 : 1;
}

function listText(): string {
  const rows = Object.entries(pathologies);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, { title }]) => `${name.padEnd(width)}  ${title}\n`).join('');
}

/** null: it has faults, which are printed with their places. */
async function read(paths: readonly string[], values: Values, { env, cwd, out, err }: Terminal): Promise<CheckedSource | null> {
  const regex = await loadRegex();
  const lenient = values.lenient === true;
  const loaded = await loadConfig(paths, { env, cwd, lenient, checkRegex: (pattern) => regex.check(pattern) });
  if (!('issues' in loaded)) return { checked: loaded.config, hash: loaded.hash };
  if (values.json === true) out(`${JSON.stringify({ ok: false, issues: loaded.issues }, null, 2)}\n`);
  else err(`${formatIssues(loaded.issues)}\n`);
  return null;
}

async function runAll(
  from: SimConfig,
  services: readonly string[],
  scenarios: readonly PathologyName[],
  options: SiteOptions,
  { err }: Terminal,
): Promise<ServiceTrials[]> {
  const progress = new Progress(services.length * (scenarios.length + 1), {
    clock: systemClock,
    write: err,
    isTerminal: process.stderr.isTTY === true,
  });
  const results: ServiceTrials[] = [];
  for (const service of services) {
    progress.begin(`${service}, a good day`);
    const { site, run } = await openBench(from, service, options);
    const trials: Trial[] = [];
    const skipped: Skipped[] = [];
    for (const scenario of scenarios) {
      progress.begin(`${service}, ${scenario}`);
      const why = unfit(site, pathologies[scenario]);
      if (why === null) trials.push(await run(scenario));
      else skipped.push({ scenario, why });
    }
    results.push({ service, site, trials, skipped });
  }
  progress.end();
  return results;
}

function judgmentsOf(expectations: readonly Expectation[], trials: readonly Trial[]): Judgment[] {
  return expectations.flatMap((expectation) => trials.map((trial) => judge(expectation, trial)).filter((judgment) => judgment !== null));
}

/** One file for each service; gives their paths. */
async function draw(results: readonly ServiceTrials[], path: string): Promise<string[]> {
  const { dir, name, ext } = parsePath(path);
  const written: string[] = [];
  for (const { service, trials } of results) {
    if (trials.length === 0) continue;
    const own = results.length === 1 ? path : resolve(dir, `${name}.${service.replace(/[^a-zA-Z0-9.-]+/g, '-')}${ext}`);
    await writeFile(own, drawRuns(trials.map(pictureOf)));
    written.push(own);
  }
  return written;
}

function pictureOf({ pathology, title, service, fromMs, untilMs, inmesh, plain }: Trial): Picture {
  return {
    title: `${service}: ${pathology}`,
    subtitle: title,
    runs: [
      { name: 'inmesh', series: inmesh.series },
      { name: 'plain', series: plain.series },
    ],
    ...(pathology === 'healthy' ? {} : { spanMs: [fromMs, untilMs] }),
  };
}

function humanText(results: readonly ServiceTrials[], judgments: readonly Judgment[], pictures: readonly string[]): string {
  const tables = results.map(({ site, trials, skipped }) => `${siteText(site)}\n${trialTable(trials, skipped)}`);
  const notes = [
    'plain: the same services, routes and timeouts, round robin, no policy.',
    'Figures are of the calls that began during the trouble; a failed call counts with all the time it had.',
    ...pictures.map((path) => `Pictures: ${path}`),
  ];
  const unmet = judgments.filter(({ isMet }) => !isMet);
  const lines = unmet.map(
    (judgment) => `${sign('error')} ${judgment.service}, ${judgment.scenario}: ${judgment.text}, it is ${foundText(judgment)}`,
  );
  if (judgments.length > 0)
    lines.push(`${sign(unmet.length === 0 ? 'ok' : 'error')} ${judgments.length - unmet.length} of ${judgments.length} expectations met`);
  return `${tables.join('\n')}\n${faint(notes.join('\n'))}\n${lines.length === 0 ? '' : `\n${lines.join('\n')}\n`}`;
}

/** Infinity becomes null: never. */
function jsonText(ok: boolean, results: readonly ServiceTrials[], expectations: readonly Judgment[]): string {
  const services = results.map(({ service, site, trials, skipped }) => {
    const { endpoints, load: _load, model, ...world } = site;
    return {
      service,
      world: { ...world, workers: model.workers, endpoints: endpoints.map(({ address }) => address) },
      scenarios: trials.map(({ healthy: _healthy, service: _service, ...trial }) => trial),
      skipped,
    };
  });
  return `${JSON.stringify({ ok, services, expectations }, null, 2)}\n`;
}

function scenariosOf(values: Values): PathologyName[] {
  const names = texts(values.scenario);
  if (names.length === 0) return Object.keys(pathologies) as PathologyName[];
  return names.map((name) => {
    if (!isPathologyName(name)) throw new UsageError(unknownScenario(name));
    return name;
  });
}

function servicesOf({ endpoints }: SimConfig, wanted: readonly string[]): readonly string[] {
  const names = [...endpoints].filter(([, own]) => own.length > 0).map(([name]) => name);
  if (names.length === 0) throw new UsageError('no service of the configuration has endpoints; nothing can be simulated');
  for (const name of wanted) {
    if (names.includes(name)) continue;
    if (endpoints.has(name)) throw new UsageError(`service ${JSON.stringify(name)} has no endpoints; it is for mesh.call only`);
    const near = nearest(name, names);
    const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
    throw new UsageError(`no service ${JSON.stringify(name)} in the configuration; ${hint}`);
  }
  return wanted.length === 0 ? names : wanted;
}

function optionsOf(values: Values): SiteOptions {
  const seed = whole(values, 'seed', Number.MAX_SAFE_INTEGER, 0);
  const rps = whole(values, 'rps', 1_000_000);
  const clients = whole(values, 'clients', CLIENTS_MAX);
  const durationMs = durationOf(values);
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(rps === undefined ? {} : { rps }),
    ...(clients === undefined ? {} : { clients }),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

function durationOf({ duration }: Values): number | undefined {
  if (typeof duration !== 'string') return undefined;
  const ms = parseDuration(duration);
  if (ms === null || ms < DURATION_MS_MIN)
    throw new UsageError(`--duration ${JSON.stringify(duration)}: give a duration of ${DURATION_MS_MIN / 1_000}s or more, such as 1m`);
  return ms;
}

function whole(values: Values, name: string, most: number, least = 1): number | undefined {
  const text = values[name];
  if (typeof text !== 'string') return undefined;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > most)
    throw new UsageError(`--${name} ${JSON.stringify(text)}: give a whole number from ${least} to ${most}`);
  return value;
}

function texts(value: Values[string]): readonly string[] {
  return (value ?? []) as readonly string[];
}
