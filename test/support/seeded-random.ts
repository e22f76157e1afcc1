// Chance for tests: the generator that users get too, and one that is scripted.
import type { Random } from '../../src/core/clock.ts';

export { seededRandom } from '../../src/sim/seeded-random.ts';

/** Gives the values in turn, then the last one for ever. */
export function scriptedRandom(...values: number[]): Random {
  let index = 0;
  return () => values[Math.min(index++, values.length - 1)] ?? 0;
}
