// What must hold, as people write it: `goodput>=0.99`, `slow-replica:p99<=200ms`. Read and judged here; exit codes are the
// business of the command.
import { formatDuration, parseDuration } from '../model/duration.ts';
import { nearest } from '../model/nearest.ts';
import { isPathologyName, pathologies } from '../sim/pathologies.ts';
import type { Trial, TrialRun } from '../sim/trial.ts';
import { UsageError } from './command.ts';

export interface Expectation {
  /** As it was written. */
  readonly text: string;
  /** null: every scenario. */
  readonly scenario: string | null;
  readonly figure: string;
  readonly operator: string;
  readonly value: number;
}

export interface Judgment {
  readonly text: string;
  readonly service: string;
  readonly scenario: string;
  readonly found: number;
  readonly isMet: boolean;
}

/** What can be asked of a run. null: it has no such figure. */
const FIGURES: Readonly<Record<string, (run: TrialRun) => number | null>> = {
  goodput: ({ goodput }) => goodput,
  p50: ({ p50Ms }) => p50Ms,
  p99: ({ p99Ms }) => p99Ms,
  'p99.9': ({ p999Ms }) => p999Ms,
  attempts: ({ amplification }) => amplification,
  recovery: ({ recoveryMs }) => recoveryMs,
  worst: ({ worstShare }) => worstShare,
};
const TIMES: ReadonlySet<string> = new Set(['p50', 'p99', 'p99.9', 'recovery']);

const OPERATORS: Readonly<Record<string, (found: number, value: number) => boolean>> = {
  '>=': (found, value) => found >= value,
  '<=': (found, value) => found <= value,
  '>': (found, value) => found > value,
  '<': (found, value) => found < value,
};

const FORM = /^\s*(?:([a-z-]+):)?\s*([a-z0-9.]+)\s*(>=|<=|>|<)\s*(\S+)\s*$/;

/** Throws a UsageError. */
export function parseExpectation(text: string): Expectation {
  const [, scenario = null, figure = '', operator = '', written = ''] = FORM.exec(text) ?? [];
  const shown = JSON.stringify(text);
  if (figure === '') throw new UsageError(`the expectation ${shown} is not like 'goodput>=0.99' or 'slow-replica:p99<=200ms'`);
  if (scenario !== null && !isPathologyName(scenario)) throw new UsageError(`the expectation ${shown}: ${unknownScenario(scenario)}`);
  if (!Object.hasOwn(FIGURES, figure))
    throw new UsageError(`the expectation ${shown}: no figure ${JSON.stringify(figure)}; there are ${Object.keys(FIGURES).join(', ')}`);
  const isTime = TIMES.has(figure);
  const value = isTime ? parseDuration(written) : shareOf(written);
  if (value === null) throw new UsageError(`the expectation ${shown}: ${written} is no ${isTime ? 'duration such as 200ms' : 'number'}`);
  return { text: text.trim(), scenario, figure, operator, value };
}

/** For the scenarios that it is about. */
export function judge({ text, scenario, figure, operator, value }: Expectation, { pathology, service, inmesh }: Trial): Judgment | null {
  if (scenario !== null && scenario !== pathology) return null;
  const found = (FIGURES[figure] as (run: TrialRun) => number | null)(inmesh);
  if (found === null) return null;
  return { text, service, scenario: pathology, found, isMet: (OPERATORS[operator] as (a: number, b: number) => boolean)(found, value) };
}

/** What was found, in the unit of the figure. */
export function foundText({ text, found }: Judgment): string {
  if (found === Number.POSITIVE_INFINITY) return 'never';
  const figure = FORM.exec(text)?.[2] ?? '';
  return TIMES.has(figure) ? formatDuration(Math.round(found)) : String(Number(found.toFixed(4)));
}

export function unknownScenario(name: string): string {
  const names = Object.keys(pathologies);
  const near = nearest(name, names);
  return `no scenario ${JSON.stringify(name)}; ${near === undefined ? `there are ${names.join(', ')}` : `did you mean ${JSON.stringify(near)}?`}`;
}

/** `0.99`, `99%`. */
function shareOf(written: string): number | null {
  const match = /^([0-9]+(?:\.[0-9]+)?)(%?)$/.exec(written);
  return match === null ? null : Number(match[1]) / (match[2] === '%' ? 100 : 1);
}
