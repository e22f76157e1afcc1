// From the figures of many runs to one line for each: median and worst over the seeds, held against the bar. Pure.
import { type Figure, isKept } from '../../test/sim/scenarios/scenario.ts';
import type { ResilienceRow } from './resilience-page.ts';

/** Where the figures come from. */
export interface SummarySource {
  readonly scenario: string;
  readonly case: string;
  readonly isControl: boolean;
}

/** One row for each figure of a case; `runs` has the figures of one seed after the other. */
export function summaries({ scenario, case: name, isControl }: SummarySource, runs: readonly (readonly Figure[])[]): ResilienceRow[] {
  return (runs[0] ?? []).map(({ what, most, least, why }, index) => {
    const figures = runs.map((run) => run[index] as Figure);
    const sorted = figures.map(({ value }) => value).sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1] as number;
    const hasBar = most !== undefined || least !== undefined;
    const worst = hasBar ? (figures.toSorted((a, b) => margin(a) - margin(b))[0] as Figure).value : (sorted.at(-1) as number);
    const keptBy = figures.filter(isKept).length;
    const isMedianKept = isKept({ ...(figures[0] as Figure), value: median });
    return {
      scenario,
      case: name,
      isControl,
      what,
      median,
      worst,
      bar: barText(least, most),
      kept: !hasBar ? '' : keptBy === figures.length ? 'yes' : isMedianKept ? 'median' : 'no',
      ...(why === undefined || keptBy === figures.length ? {} : { why }),
    };
  });
}

/** How far inside its bars a figure is; negative outside. */
function margin({ value, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Figure): number {
  return Math.min(most - value, value - least);
}

function barText(least: number | undefined, most: number | undefined): string {
  if (least === undefined && most === undefined) return '';
  if (least !== undefined && most !== undefined) return least === most ? digits(least) : `${digits(least)} to ${digits(most)}`;
  return least === undefined ? `<= ${digits(most ?? 0)}` : `>= ${digits(least)}`;
}

/** Three figures that count. */
export function digits(value: number | 'never'): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'never';
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return String(Number(value.toFixed(places)));
}
