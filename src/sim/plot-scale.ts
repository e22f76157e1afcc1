// From values to places on a panel, and the round numbers beside it. Pure; whatever finite numbers come in, what comes out
// lies on the panel.

export interface Axis {
  /** Round numbers in order; the first is at or below every value, the last at or above. At least two. */
  readonly ticks: readonly number[];
  /** 0 at the first tick, 1 at the last; never outside. */
  readonly place: (value: number) => number;
}

/** Steps that people count in. */
const ROUND_STEPS = [1, 2, 2.5, 5, 10] as const;
/** Beyond this nothing is drawn to scale, and sums do not overflow. */
const VALUE_MAX = 1e300;
/** What binary fractions are off, in steps. */
const DIRT = 1e-9;

/** Even steps from 0, or from below it, to the greatest value. */
export function linearAxis(values: readonly number[], stepsMax = 4): Axis {
  const least = bounded(Math.min(0, ...values));
  const most = bounded(Math.max(0, ...values));
  const step = roundStep((most - least) / stepsMax);
  const from = Math.floor(least / step + DIRT);
  const to = Math.max(from + 1, Math.ceil(most / step - DIRT));
  return axis(
    Array.from({ length: to - from + 1 }, (_, i) => exact((from + i) * step)),
    (value) => value,
  );
}

const DECADE_MIN = -300;
/** Up to so many decades have ticks within. */
const DECADES_DIVIDED = 3;
const DECADES_LABELED = 8;

/** For values above 0 that span decades: ticks at 1, 2 and 5 times powers of ten, fewer when there are many decades. */
export function logAxis(values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0).map(bounded);
  const least = positive.length === 0 ? 1 : Math.min(...positive);
  const most = positive.length === 0 ? 10 : Math.max(...positive);
  const fromDecade = Math.max(DECADE_MIN, Math.floor(Math.log10(least)));
  const toDecade = Math.max(fromDecade + 1, Math.ceil(Math.log10(most)));
  const decades = toDecade - fromDecade;
  const every = Math.ceil(decades / DECADES_LABELED);
  const all: number[] = [];
  for (let decade = fromDecade; decade < toDecade + every; decade += every) {
    for (const times of decades <= DECADES_DIVIDED ? [1, 2, 5] : [1]) all.push(exact(times * 10 ** decade));
  }
  const from = Math.max(
    0,
    all.findLastIndex((tick) => tick <= least),
  );
  const reached = all.findIndex((tick) => tick >= most);
  const to = Math.max(from + 1, reached < 0 ? all.length - 1 : reached);
  return axis(all.slice(from, to + 1), (value) => Math.log10(Math.max(value, 10 ** DECADE_MIN)));
}

function axis(ticks: readonly number[], transform: (value: number) => number): Axis {
  const from = transform(ticks[0] as number);
  const span = transform(ticks.at(-1) as number) - from;
  return { ticks, place: (value) => Math.min(1, Math.max(0, (transform(bounded(value)) - from) / span)) };
}

function roundStep(rough: number): number {
  if (rough <= 1 / VALUE_MAX) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return exact((ROUND_STEPS.find((times) => times * power >= rough) ?? 10) * power);
}

/** Without the dirt of binary fractions. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}

function bounded(value: number): number {
  return Math.min(VALUE_MAX, Math.max(-VALUE_MAX, value));
}
