// How bad it was, in one word, and whether the policies helped. Pure.

/** Figures that a verdict looks at. */
export interface Harm {
  /** Share of the calls that were answered well in time, 0 to 1. */
  readonly goodput: number;
  readonly p99Ms: number;
  /** From the end of the trouble; Infinity: not within the run. */
  readonly recoveryMs: number;
}

/**
 * `unharmed`: as many calls answered as on a good day, nearly as fast. `slowed`: as many, but late. `hurt`: fewer, and well
 * again afterwards. `down`: not well again by the end.
 */
export type Verdict = 'unharmed' | 'slowed' | 'hurt' | 'down';

export type Comparison = 'better' | 'same' | 'worse';

/** Calls that may be lost more than on a good day. */
const LOST_MAX = 0.001;
/** p99 that still counts as fast, in multiples of a good day's. */
const SLOWER_MAX = 2;

export function verdictOf(run: Harm, healthy: Harm): Verdict {
  if (run.recoveryMs === Number.POSITIVE_INFINITY) return 'down';
  if (run.goodput < healthy.goodput - LOST_MAX) return 'hurt';
  return run.p99Ms <= SLOWER_MAX * healthy.p99Ms ? 'unharmed' : 'slowed';
}

/** Differences that are no difference. */
const GOODPUT_TOLERANCE = 0.002;
const TIME_TOLERANCE = 0.15;
const RECOVERY_TOLERANCE_MS = 1_000;

/** The first figure that differs decides: whether it ever recovers, calls answered, p99, recovery. */
export function compare(run: Harm, other: Harm): Comparison {
  const isDown = run.recoveryMs === Number.POSITIVE_INFINITY;
  if (isDown !== (other.recoveryMs === Number.POSITIVE_INFINITY)) return isDown ? 'worse' : 'better';
  if (Math.abs(run.goodput - other.goodput) > GOODPUT_TOLERANCE) return run.goodput > other.goodput ? 'better' : 'worse';
  const [fast, slow] = run.p99Ms < other.p99Ms ? [run.p99Ms, other.p99Ms] : [other.p99Ms, run.p99Ms];
  if (slow > fast * (1 + TIME_TOLERANCE)) return run.p99Ms === fast ? 'better' : 'worse';
  if (isDown || Math.abs(run.recoveryMs - other.recoveryMs) <= RECOVERY_TOLERANCE_MS) return 'same';
  return run.recoveryMs < other.recoveryMs ? 'better' : 'worse';
}
