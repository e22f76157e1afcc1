// How long to wait before a retry: full jitter, because of all the usual forms it has the least total wait, and spreads
// a burst of callers that failed in the same millisecond. Pure; knows nothing of calls.
import type { Random } from '../core/clock.ts';
import type { BackoffPolicy } from '../model/destination.ts';

/**
 * Wait before the `retry`-th retry (1, 2, …), ms: uniform over `[min(baseMs, cap), cap)` with
 * `cap = min(maxMs, baseMs · 2^retry)`. With 25 and 250: 25 to 50, 25 to 100, 25 to 200, then 25 to 250.
 * The lower bound keeps a retry from hitting the very millisecond of the failure.
 */
export function backoffMs(policy: BackoffPolicy, retry: number, random: Random): number {
  return jitteredMs(policy.baseMs, doubledMs(policy.baseMs, retry), policy.maxMs, random);
}

/** Uniform over `[min(lowMs, cap), cap)`, cap = min(maxMs, highMs). */
export function jitteredMs(lowMs: number, highMs: number, maxMs: number, random: Random): number {
  const capMs = Math.min(maxMs, highMs);
  const fromMs = Math.min(lowMs, capMs);
  return fromMs + random() * (capMs - fromMs);
}

/** `baseMs · 2^times`; a number for any count, for 0 · Infinity is none. */
export function doubledMs(baseMs: number, times: number): number {
  return baseMs * 2 ** Math.min(times, 50);
}
