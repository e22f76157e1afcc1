// Chance that repeats: mulberry32. Equal seeds give equal sequences.
import type { Random } from '../../src/core/clock.ts';

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Gives the values in turn, then the last one for ever. */
export function scriptedRandom(...values: number[]): Random {
  let index = 0;
  return () => values[Math.min(index++, values.length - 1)] ?? 0;
}
