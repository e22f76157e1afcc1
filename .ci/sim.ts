// `npm run sim`: the scenarios of test/sim, each with several seeds; for every figure the median and the worst, held against
// the bar of the specification. Takes minutes. --seeds 5, --only S3,S4a, --hands 2, --json, --write-docs; the exit code says
// whether every bar is kept, or its miss explained.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Picture } from '../src/testing.ts';
import { SCENARIOS } from '../test/sim/scenarios/all.ts';
import type { Figure, Scenario } from '../test/sim/scenarios/scenario.ts';
import { replaceGenerated, type ResilienceRow, resilienceFiles } from './lib/resilience-page.ts';
import { runAll } from './lib/sim-crew.ts';
import { digits, summaries } from './lib/sim-summary.ts';
import type { SimTask } from './lib/sim-worker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = 'docs/resilience.md';
/** Beside the page. */
const PICTURES = 'pictures';
const SEEDS_DEFAULT = 5;
const PICTURE_CASE = -1;
const PICTURE_SEED = 1;

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string' },
    only: { type: 'string' },
    hands: { type: 'string' },
    json: { type: 'boolean', default: false },
    'write-docs': { type: 'boolean', default: false },
  },
});

/** What one case gave with one seed. */
interface Run {
  readonly scenario: string;
  readonly case: string;
  readonly isControl: boolean;
  readonly seed: number;
  readonly figures: readonly Figure[];
}

interface Finished {
  readonly scenario: Scenario;
  readonly rows: readonly ResilienceRow[];
  readonly runs: readonly Run[];
  readonly picture: Picture | readonly Picture[] | null;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const startedAt = performance.now();
  const seeds = Array.from({ length: Number(options.seeds ?? SEEDS_DEFAULT) }, (_, i) => i + 1);
  const finished = await runScenarios(seeds);
  const rows = finished.flatMap((one) => one.rows);
  const barred = rows.filter(({ bar }) => bar !== '');
  const missed = barred.filter(({ kept }) => kept !== 'yes');
  const minutes = (performance.now() - startedAt) / 60_000;
  const runs = finished.flatMap((one) => one.runs);
  if (options.json)
    console.log(JSON.stringify({ seeds, rows, runs }, (_, value) => (value === Number.POSITIVE_INFINITY ? 'never' : value), 2));
  else {
    const text = `${barred.length - missed.length} of ${barred.length} bars kept by each of ${seeds.length} seeds`;
    console.log(`\n${text}, ${missed.filter(({ why }) => why !== undefined).length} misses explained; ${minutes.toFixed(1)} minutes.`);
  }
  if (options['write-docs']) writeDocs(seeds, finished);
  return missed.every(({ why }) => why !== undefined) ? 0 : 1;
}

async function runScenarios(seeds: readonly number[]): Promise<Finished[]> {
  const only = options.only?.toLowerCase().split(',');
  const wanted = SCENARIOS.filter(({ id }) => only === undefined || only.includes(id.toLowerCase()));
  if (wanted.length === 0) throw new Error(`--only ${options.only}: there are ${SCENARIOS.map(({ id }) => id).join(', ')}`);
  const left = new Map(wanted.map((scenario) => [SCENARIOS.indexOf(scenario), 0]));
  const tasks = wanted.flatMap((scenario) => tasksOf(scenario, seeds));
  for (const { scenario } of tasks) left.set(scenario, (left.get(scenario) ?? 0) + 1);
  const figures = new Map<string, readonly Figure[]>();
  const pictures = new Map<number, Picture | readonly Picture[]>();
  const took = new Map<number, number>();
  const finished: Finished[] = [];
  let done = 0;
  await runAll(tasks, Number(options.hands ?? availableParallelism()), (task, answer) => {
    const { scenario: index } = task;
    const scenario = SCENARIOS[index] as Scenario;
    if (answer.failure !== '') throw new Error(`${scenario.id}, ${scenario.cases[task.case]?.name}, seed ${task.seed}: ${answer.failure}`);
    figures.set(keyOf(task), answer.figures);
    if (answer.picture !== null) pictures.set(index, answer.picture);
    took.set(index, (took.get(index) ?? 0) + answer.tookMs);
    left.set(index, (left.get(index) as number) - 1);
    if (process.stderr.isTTY) process.stderr.write(`\r${++done} of ${tasks.length} runs, now ${scenario.id}\u001b[K\r`);
    if (left.get(index) !== 0) return;
    const runs = scenario.cases.map((one, number) => {
      const source = { scenario: scenario.id, case: one.name, isControl: one.isControl === true };
      return seeds.map((seed) => ({ ...source, seed, figures: figures.get(keyOf({ scenario: index, case: number, seed })) ?? [] }));
    });
    const rows = runs.flatMap((own) =>
      summaries(
        own[0] as Run,
        own.map((run) => run.figures),
      ),
    );
    finished.push({ scenario, rows, runs: runs.flat(), picture: pictures.get(index) ?? null });
    if (!options.json) print(scenario, rows, (took.get(index) as number) / 1_000);
  });
  return finished.sort((a, b) => wanted.indexOf(a.scenario) - wanted.indexOf(b.scenario));
}

function tasksOf(scenario: Scenario, seeds: readonly number[]): SimTask[] {
  const index = SCENARIOS.indexOf(scenario);
  const runs = scenario.cases.flatMap((_, number) => seeds.map((seed) => ({ scenario: index, case: number, seed })));
  const hasPicture = options['write-docs'] && scenario.picture !== undefined;
  return hasPicture ? [...runs, { scenario: index, case: PICTURE_CASE, seed: PICTURE_SEED }] : runs;
}

function keyOf({ scenario, case: number, seed }: SimTask): string {
  return `${scenario} ${number} ${seed}`;
}

function print({ id, title }: Scenario, rows: readonly ResilienceRow[], seconds: number): void {
  console.log(`\n${id}  ${title}   ${seconds.toFixed(1)} s`);
  let last = '';
  for (const { case: name, isControl, what, median, worst, bar, kept } of rows) {
    if (name !== last) console.log(`  ${isControl ? '(control) ' : ''}${name}`);
    last = name;
    const verdict = { yes: 'ok  ', median: 'SOME', no: 'MISS', '': '    ' }[kept];
    console.log(`    ${verdict} ${what.padEnd(30)} ${digits(median).padStart(9)} ${digits(worst).padStart(9)}   ${bar}`);
  }
}

function writeDocs(seeds: readonly number[], finished: readonly Finished[]): void {
  const { markdown, pictures } = resilienceFiles(
    {
      seeds,
      scenarios: finished.map(({ scenario }) => scenario),
      rows: finished.flatMap(({ rows }) => rows),
      pictures: finished.flatMap(({ scenario, picture }) => (picture === null ? [] : [{ scenario: scenario.id, picture }])),
    },
    PICTURES,
  );
  const path = join(ROOT, PAGE);
  writeFileSync(path, replaceGenerated(readFileSync(path, 'utf8'), markdown));
  const folder = join(dirname(path), PICTURES);
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of pictures) writeFileSync(join(folder, name), svg);
  console.log(`wrote ${PAGE} and ${pictures.size} pictures`);
}
