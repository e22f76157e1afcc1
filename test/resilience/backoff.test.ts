import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/resilience/backoff.ts';
import { scriptedRandom, seededRandom } from '../support/seeded-random.ts';

const POLICY = { baseMs: 25, maxMs: 250 };
const ALMOST_ONE = 1 - 2 ** -53;

describe('backoffMs', () => {
  it.each([
    [1, 25, 50],
    [2, 25, 100],
    [3, 25, 200],
    [4, 25, 250],
    [5, 25, 250],
    [60, 25, 250],
  ])('retry %i waits between %i and %i ms', (retry, least, most) => {
    expect(backoffMs(POLICY, retry, () => 0)).toBe(least);
    expect(backoffMs(POLICY, retry, () => ALMOST_ONE)).toBeCloseTo(most, 6);
    expect(backoffMs(POLICY, retry, () => 0.5)).toBe((least + most) / 2);
  });

  it('keeps to the maximum when it is below the base', () => {
    expect(backoffMs({ baseMs: 25, maxMs: 10 }, 1, () => 0)).toBe(10);
    expect(backoffMs({ baseMs: 25, maxMs: 10 }, 1, () => ALMOST_ONE)).toBe(10);
  });

  it('waits nothing when the policy says nothing', () => {
    expect(backoffMs({ baseMs: 0, maxMs: 0 }, 1, scriptedRandom(0.9))).toBe(0);
  });

  it('stays in its bounds for every policy and retry', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e4, noNaN: true }),
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (baseMs, maxMs, retry, chance) => {
          const delayMs = backoffMs({ baseMs, maxMs }, retry, () => chance);
          const capMs = Math.min(maxMs, baseMs === 0 ? 0 : baseMs * 2 ** retry);
          return delayMs >= Math.min(baseMs, capMs) && delayMs <= capMs;
        },
      ),
    );
  });

  it('spreads a thousand callers that failed together evenly over the window', () => {
    const random = seededRandom(7);
    const bins = new Array<number>(20).fill(0);
    for (let caller = 0; caller < 1_000; caller++) {
      const bin = Math.floor((backoffMs(POLICY, 3, random) - 25) / 10);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(Math.max(...bins)).toBeLessThan(100);
    expect(bins.slice(0, 17).every((count) => count > 20)).toBe(true);
  });
});
