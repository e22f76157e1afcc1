// How a run went, step by step: what pictures and reports are drawn from. Pure.
import { quantile } from './quantile.ts';

/** One value for each step of a run; a step holds what began in it. A rest at the end that fills no step is left out. */
export interface Series {
  readonly stepMs: number;
  /** Calls that began. */
  readonly calls: readonly number[];
  /** Of these, the ones that were answered well in time. */
  readonly good: readonly number[];
  /** Attempts that left for an endpoint. */
  readonly attempts: readonly number[];
  /** Of the calls that began, failed ones with all the time they were allowed; null without calls. */
  readonly p99Ms: readonly (number | null)[];
}

/** Calls by index, attempts by time; ms since the start. */
export interface SeriesSource {
  readonly startedAtMs: ArrayLike<number>;
  readonly latencyMs: ArrayLike<number>;
  readonly isGood: (call: number) => boolean;
  readonly attemptAtMs: ArrayLike<number>;
}

const P99 = 0.99;

export function seriesOf({ startedAtMs, latencyMs, isGood, attemptAtMs }: SeriesSource, stepMs: number, durationMs: number): Series {
  const count = Math.max(1, Math.floor(durationMs / stepMs));
  const latencies: number[][] = Array.from({ length: count }, () => []);
  const good = new Array<number>(count).fill(0);
  const attempts = new Array<number>(count).fill(0);
  for (let i = 0; i < startedAtMs.length; i++) {
    const step = Math.floor((startedAtMs[i] as number) / stepMs);
    if (step >= count) continue;
    latencies[step]?.push(latencyMs[i] as number);
    if (isGood(i)) good[step] = (good[step] as number) + 1;
  }
  for (let i = 0; i < attemptAtMs.length; i++) {
    const step = Math.floor((attemptAtMs[i] as number) / stepMs);
    if (step < count) attempts[step] = (attempts[step] as number) + 1;
  }
  return {
    stepMs,
    calls: latencies.map(({ length }) => length),
    good,
    attempts,
    p99Ms: latencies.map((of) => (of.length === 0 ? null : quantile(Float64Array.from(of).sort(), P99))),
  };
}
