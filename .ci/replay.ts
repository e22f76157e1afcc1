// `npm run replay`: scenarios of the simulator once more with real processes on loopback, and each figure of both worlds
// side by side. Takes under five minutes, all in real time. --only S1,S3, --seeds 11 (of the simulation), --json,
// --write-docs; the exit code says whether simulated and real are alike.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from '../bench/child.ts';
import { sign } from '../src/cli/paint.ts';
import { type Figure, type ReplayCase, type ReplayScenario } from './lib/replay-case.ts';
import { REPLAYED } from './lib/replay-cases.ts';
import { real } from './lib/replay-real.ts';
import { asMarkdown, asText, type Replayed, rowsOf, TEXT_HEAD } from './lib/replay-report.ts';
import { simulated } from './lib/replay-simulated.ts';

const PAGE = fileURLToPath(new URL('../docs/simulation.md', import.meta.url));
const START = '<!-- replay:start -->';
const END = '<!-- replay:end -->';
const SEEDS_DEFAULT = 11;
/** The arrivals of the real run are those of this seed. */
const REAL_SEED = 1;
/** About what a case takes beside its own time: processes begin and end. */
const STARTING_MS = 4_000;
const CLEAR = '\r\u001b[K';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string' },
    json: { type: 'boolean', default: false },
    'write-docs': { type: 'boolean', default: false },
  },
});

function chosen(): readonly ReplayScenario[] {
  const only = options.only?.toLowerCase().split(',');
  const wanted = REPLAYED.filter(({ id }) => only === undefined || only.includes(id.toLowerCase()));
  if (wanted.length === 0) throw new Error(`--only ${options.only}: there are ${REPLAYED.map(({ id }) => id).join(', ')}`);
  return wanted;
}

/** Says on a terminal, once a second, what is going on. Returns how to stop it. */
function follow(what: string, doneMs: number, wholeMs: number): () => void {
  if (!process.stderr.isTTY) return () => {};
  const startMs = performance.now();
  const show = (): void => {
    const atMs = doneMs + performance.now() - startMs;
    process.stderr.write(`${CLEAR}${what}   ${Math.round(atMs / 1_000)} of about ${Math.round(wholeMs / 1_000)} s`);
  };
  show();
  const timer = setInterval(show, 1_000);
  return () => {
    clearInterval(timer);
    process.stderr.write(CLEAR);
  };
}

async function play(one: ReplayCase, seeds: readonly number[]): Promise<Replayed> {
  const startMs = performance.now();
  const runs: (readonly Figure[])[] = [];
  for (const seed of seeds) runs.push(one.figures(await simulated(one, seed)));
  const { result, callers, servers } = await real(one, REAL_SEED);
  const rows = rowsOf(one, runs, one.figures(result));
  return { rows, callers, servers, calls: result.stats().calls, seconds: (performance.now() - startMs) / 1_000 };
}

function writeDocs(played: readonly Replayed[], seeds: number): void {
  const rows = played.flatMap((one) => one.rows);
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(START), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`docs/simulation.md has lost its markers ${START} and ${END}`);
  const alike = rows.filter(({ kept }) => kept === 'yes').length;
  const machine = `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores`;
  const lateMs = Math.max(...played.flatMap(({ callers, servers }) => [callers.lateP99Ms, servers.lateP99Ms]));
  const late = `the machine let its processes be late by up to ${lateMs.toFixed(0)} ms at p99`;
  const head = `${alike} of ${rows.length} figures alike (${machine}; ${late}). Simulated with ${seeds} seeds: median, least and most.`;
  writeFileSync(PAGE, `${page.slice(0, from + START.length)}\n${head}\n\n${asMarkdown(rows)}\n${page.slice(to)}`);
}

/** `seeds`, `scenarios` and `rows` are what the page of the simulated scenarios takes. */
function asJson(wanted: readonly ReplayScenario[], seeds: readonly number[], played: readonly Replayed[]): string {
  const scenarios = wanted.map(({ id, title }) => ({ id, title: `${title}, with real processes` }));
  const runs = played.map(({ rows, ...run }) => ({ scenario: rows[0]?.scenario, case: rows[0]?.case, ...run }));
  const report = { seeds, scenarios, rows: played.flatMap(({ rows }) => rows), runs };
  return JSON.stringify(report, (_, value: unknown) => (value === Number.POSITIVE_INFINITY ? 'never' : value), 2);
}

async function main(): Promise<number> {
  const seeds = Array.from({ length: Number(options.seeds ?? SEEDS_DEFAULT) }, (_, i) => i + 1);
  const wanted = chosen();
  const wholeMs = wanted.flatMap(({ cases }) => cases).reduce((sum, { durationMs }) => sum + durationMs + STARTING_MS, 0);
  const startMs = performance.now();
  const played: Replayed[] = [];
  for (const { id, title, cases } of wanted) {
    if (!options.json) console.log(`\n${id}  ${title}\n${TEXT_HEAD}`);
    for (const one of cases) {
      const stop = follow(`${id} ${one.name}`, performance.now() - startMs, wholeMs);
      played.push(await play(one, seeds).finally(stop));
      if (!options.json) console.log(asText(played.at(-1) as Replayed, (isKept) => sign(isKept ? 'ok' : 'error')));
    }
  }
  const rows = played.flatMap((one) => one.rows);
  const alike = rows.filter(({ kept }) => kept === 'yes').length;
  if (options.json) console.log(asJson(wanted, seeds, played));
  else console.log(`\n${alike} of ${rows.length} figures alike; ${((performance.now() - startMs) / 60_000).toFixed(1)} minutes.`);
  if (options['write-docs']) writeDocs(played, seeds.length);
  return alike === rows.length ? 0 : 1;
}

process.exitCode = await main().finally(() => Child.stopAll());
