// `npm run sim`: the scenarios of test/sim, each with several seeds; for every figure the median and the worst, held against
// its bound. Takes minutes. --seeds 5, --only S3,S4a, --json; the exit code says whether all bounds are kept.
import { parseArgs } from 'node:util';
import { SCENARIOS } from '../test/sim/scenarios/all.ts';
import { type Figure, isKept } from '../test/sim/scenarios/scenario.ts';

const SEEDS_DEFAULT = 5;

interface Row {
  readonly scenario: string;
  readonly case: string;
  readonly isControl: boolean;
  readonly what: string;
  readonly median: number;
  readonly worst: number;
  readonly bound: string;
  readonly isKept: boolean;
}

const { values: options } = parseArgs({
  options: { seeds: { type: 'string' }, only: { type: 'string' }, json: { type: 'boolean', default: false } },
});
const seeds = Array.from({ length: Number(options.seeds ?? SEEDS_DEFAULT) }, (_, i) => i + 1);
const only = options.only?.toLowerCase().split(',');
const wanted = SCENARIOS.filter(({ id }) => only === undefined || only.includes(id.toLowerCase()));
if (wanted.length === 0) throw new Error(`--only ${options.only}: there are ${SCENARIOS.map(({ id }) => id).join(', ')}`);

const rows: Row[] = [];
for (const scenario of wanted) {
  if (!options.json) console.log(`\n${scenario.id}  ${scenario.title}`);
  for (const one of scenario.cases) {
    const startedAt = performance.now();
    const runs: (readonly Figure[])[] = [];
    for (const seed of seeds) {
      if (process.stderr.isTTY) process.stderr.write(`\r  ${one.name}: seed ${seed}\u001b[K\r`);
      runs.push(await one.run(seed));
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const own = summaries(runs).map((summary) => ({
      scenario: scenario.id,
      case: one.name,
      isControl: one.isControl === true,
      ...summary,
    }));
    rows.push(...own);
    if (!options.json) print(one.name, one.isControl === true, own, seconds);
  }
}

if (options.json) console.log(JSON.stringify({ seeds, rows }, (_, value) => (value === Number.POSITIVE_INFINITY ? 'never' : value), 2));
const missed = rows.filter(({ isKept: kept }) => !kept);
if (!options.json) console.log(`\n${rows.length - missed.length} of ${rows.length} figures within their bounds, ${seeds.length} seeds.`);
process.exitCode = missed.length === 0 ? 0 : 1;

/** One line for each figure of a case, over all seeds. The worst is the one nearest to its bound, or furthest beyond. */
function summaries(runs: readonly (readonly Figure[])[]): Omit<Row, 'scenario' | 'case' | 'isControl'>[] {
  return (runs[0] ?? []).map(({ what, most, least }, index) => {
    const figures = runs.map((run) => run[index] as Figure);
    const sorted = figures.map(({ value }) => value).sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1] as number;
    const worst = figures.toSorted((a, b) => margin(a) - margin(b))[0] as Figure;
    return {
      what,
      median,
      worst: Number.isFinite(margin(worst)) || worst.value === Number.POSITIVE_INFINITY ? worst.value : median,
      bound: boundText(least, most),
      isKept: figures.every(isKept),
    };
  });
}

/** How far inside its bounds a figure is; negative outside. */
function margin({ value, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Figure): number {
  return Math.min(most - value, value - least);
}

function boundText(least: number | undefined, most: number | undefined): string {
  if (least === undefined && most === undefined) return '';
  if (least !== undefined && most !== undefined) return `${number(least)} to ${number(most)}`;
  return least === undefined ? `<= ${number(most ?? 0)}` : `>= ${number(least)}`;
}

function print(name: string, isControl: boolean, own: readonly Row[], seconds: number): void {
  console.log(`  ${isControl ? '(control) ' : ''}${name}   ${seconds.toFixed(1)} s`);
  for (const { what, median, worst, bound, isKept: kept } of own) {
    console.log(`    ${kept ? 'ok  ' : 'MISS'} ${what.padEnd(28)} ${number(median).padStart(9)} ${number(worst).padStart(9)}   ${bound}`);
  }
}

function number(value: number): string {
  if (!Number.isFinite(value)) return 'never';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return String(Number(value.toFixed(digits)));
}
