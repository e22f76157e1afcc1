// Simulated against real: one row for each figure, whether it is within the bar, and how people and pages read it. Pure.
import { escapeCell, table } from './markdown.ts';
import type { Figure, ReplayCase } from './replay-case.ts';
import type { Machine } from './replay-real.ts';
import type { ResilienceRow } from './resilience-page.ts';
import { digits } from './sim-summary.ts';

/** Real and simulated may differ by so much. */
const FACTOR = 2;

/** A row that docs/resilience.md can take as it is: `median` and `worst` are what the real run gave. */
export interface ReplayRow extends ResilienceRow {
  /** Median of the seeds, least, and most. */
  readonly simulated: number;
  readonly simulatedLeast: number;
  readonly simulatedMost: number;
  readonly real: number;
  /** Differences up to here are none, whatever the ratio. */
  readonly floor: number;
}

/** One case: its rows, and what the machine did to its processes. */
export interface Replayed {
  readonly rows: readonly ReplayRow[];
  readonly callers: Machine;
  readonly servers: Machine;
  readonly calls: number;
  readonly seconds: number;
}

/** Within a factor of `factor`, or no further away than the floor. Both never is kept, one never is not. */
export function isAlike(simulated: number, real: number, floor: number, factor: number = FACTOR): boolean {
  if (!Number.isFinite(simulated) || !Number.isFinite(real)) return simulated === real;
  return Math.abs(real - simulated) <= floor || (real <= simulated * factor && real >= simulated / factor);
}

/** `runs`: figures of the simulation, seed after seed. `factor`: what the bar is. @default 2 */
export function rowsOf(
  { scenario, name, isControl }: Pick<ReplayCase, 'scenario' | 'name' | 'isControl'>,
  runs: readonly (readonly Figure[])[],
  figures: readonly Figure[],
  factor: number = FACTOR,
): ReplayRow[] {
  return figures.map(({ what, value: real, floor }, i) => {
    const sorted = runs.map((run) => (run[i] as Figure).value).sort((a, b) => a - b);
    const simulated = sorted[sorted.length >> 1] as number;
    return {
      scenario,
      case: name,
      isControl: isControl === true,
      what,
      median: real,
      worst: real,
      bar: barText(simulated, floor, factor),
      kept: isAlike(simulated, real, floor, factor) ? 'yes' : 'no',
      simulated,
      simulatedLeast: sorted[0] as number,
      simulatedMost: sorted.at(-1) as number,
      real,
      floor,
    };
  });
}

function barText(simulated: number, floor: number, factor: number): string {
  if (!Number.isFinite(simulated)) return digits(simulated);
  const least = Math.max(0, Math.min(simulated / factor, simulated - floor));
  return `${digits(least)} to ${digits(Math.max(simulated * factor, simulated + floor))}`;
}

/** Real ÷ simulated, or why there is none. */
function ratioText({ simulated, real }: ReplayRow): string {
  if (simulated === real) return '1';
  return simulated > 0 && Number.isFinite(real / simulated) ? digits(real / simulated) : '–';
}

function rangeText({ simulatedLeast, simulatedMost }: ReplayRow): string {
  return simulatedLeast === simulatedMost ? '' : `${digits(simulatedLeast)}–${digits(simulatedMost)}`;
}

/** `sign`: what stands before a figure that is within its bar, or not. */
export function asText({ rows, callers, servers, calls, seconds }: Replayed, sign: (isKept: boolean) => string): string {
  const [first] = rows;
  if (first === undefined) return '';
  const lines = rows.map((row) => {
    const cells = [
      digits(row.simulated).padStart(9),
      rangeText(row).padStart(14),
      digits(row.real).padStart(9),
      ratioText(row).padStart(7),
    ];
    return `    ${sign(row.kept === 'yes')} ${row.what.padEnd(34)}${cells.join('')}   ${row.bar}`;
  });
  const late = (of: Machine): string => `${of.lateP99Ms.toFixed(0)} ms (most ${of.lateMaxMs.toFixed(0)})`;
  const machine = `${calls} calls in ${seconds.toFixed(0)} s; late at p99: calls by ${late(callers)}, work by ${late(servers)}`;
  return [`  ${first.isControl ? '(control) ' : ''}${first.case}   ${machine}`, ...lines].join('\n');
}

/** Above the columns of `asText`. */
export const TEXT_HEAD = `      ${''.padEnd(34)}${'simulated'.padStart(9)}${'seeds'.padStart(14)}${'real'.padStart(9)}${'ratio'.padStart(7)}   bar`;

/** For a page: one table for all. */
export function asMarkdown(rows: readonly ReplayRow[]): string {
  let last = '';
  const lines = rows.map((row) => {
    const label = `${row.scenario} ${row.isControl ? '_control:_ ' : ''}${escapeCell(row.case)}`;
    const cell = label === last ? '' : label;
    last = label;
    const real = row.kept === 'yes' ? digits(row.real) : `**${digits(row.real)}**`;
    return [cell, escapeCell(row.what), digits(row.simulated), rangeText(row), real, ratioText(row), row.bar];
  });
  return table(['case', 'figure', 'simulated', 'seeds', 'real', 'ratio', 'bar'], lines);
}
