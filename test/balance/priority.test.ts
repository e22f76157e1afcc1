import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priorityLoad } from '../../src/balance/priority.ts';

describe('priorityLoad', () => {
  // Percent of the endpoints that are healthy. Source: Envoy docs, "Priority levels".
  it.each([
    [
      [100, 100],
      [100, 0],
    ],
    [
      [72, 100],
      [100, 0],
    ],
    [
      [71, 100],
      [99, 1],
    ],
    [
      [50, 100],
      [70, 30],
    ],
    [
      [25, 100],
      [35, 65],
    ],
    [
      [0, 100],
      [0, 100],
    ],
    [
      [25, 25],
      [50, 50],
    ],
    [
      [25, 25, 20],
      [36, 36, 28],
    ],
    [
      [0, 0, 100],
      [0, 0, 100],
    ],
  ])('healthy %j: load %j', (healthy, load) => {
    const total = healthy.map(() => 100);
    expect(priorityLoad(healthy, total, 1.4, 0)).toEqual({ load, panic: healthy.map(() => false) });
  });

  // Endpoints and healthy ones of each, at a threshold of 50 %. Source: Envoy, load_balancer_impl_test.cc, GentleFailover.
  it.each([
    ['all well', [1, 1], [1, 1], [100, 0], ''],
    ['half of the first', [2, 2], [1, 1], [70, 30], ''],
    ['below the threshold, but together enough: no panic', [4, 2], [1, 2], [35, 65], ''],
    ['not enough together: those below the threshold panic', [4, 4], [1, 1], [50, 50], '01'],
    ['all panic: by number', [4, 6], [0, 1], [40, 60], '01'],
    ['three', [4, 4, 4], [1, 1, 1], [35, 35, 30], ''],
    ['rounding goes to the first', [5, 5, 5], [1, 1, 1], [34, 33, 33], '012'],
    ['the last alone is enough', [5, 5, 5], [0, 0, 4], [0, 0, 100], ''],
    ['the last alone is not', [5, 5, 5], [0, 0, 2], [34, 33, 33], '012'],
    ['nobody', [5, 3, 2], [0, 0, 0], [50, 30, 20], '012'],
    ['all of the rounding goes to the first when all panic', [5, 6, 3], [0, 2, 1], [37, 42, 21], '012'],
    ['the first has none at all', [0, 6, 3], [0, 0, 0], [0, 67, 33], '012'],
  ])('%s', (_name, total, healthy, load, panic) => {
    const found = priorityLoad(healthy, total, 1.4, 50);
    expect(found.load).toEqual(load);
    expect(found.panic.flatMap((one, i) => (one ? [i] : [])).join('')).toBe(panic);
  });

  it('OverProvisioningFactor: 1 gives what is there', () => {
    expect(priorityLoad([2, 2], [4, 4], 1, 50).load).toEqual([50, 50]);
    expect(priorityLoad([2, 2], [4, 4], 1.4, 50).load).toEqual([70, 30]);
  });

  it('without a threshold nobody panics, and the first is given what nobody can take', () => {
    expect(priorityLoad([0, 0], [3, 3], 1.4, 0)).toEqual({ load: [100, 0], panic: [false, false] });
    expect(priorityLoad([0], [0], 1.4, 0)).toEqual({ load: [100], panic: [false] });
  });

  const pools = fc.array(
    fc.integer({ min: 0, max: 12 }).chain((total) => fc.tuple(fc.integer({ min: 0, max: total }), fc.constant(total))),
    { minLength: 1, maxLength: 6 },
  );
  const loadOf = (some: readonly (readonly [number, number])[], factor: number, panic: number): ReturnType<typeof priorityLoad> =>
    priorityLoad(
      some.map(([healthy]) => healthy),
      some.map(([, total]) => total),
      factor,
      panic,
    );

  it('always gives away 100 %, to those who have somebody', () => {
    fc.assert(
      fc.property(pools, fc.constantFrom(1, 1.4, 2), fc.integer({ min: 0, max: 100 }), (some, factor, threshold) => {
        const { load, panic } = loadOf(some, factor, threshold);
        expect(load.reduce((sum, one) => sum + one, 0)).toBe(100);
        expect(load.every((one) => one >= 0)).toBe(true);
        const isAnybodyWell = some.some(([healthy]) => healthy > 0);
        if (isAnybodyWell && !panic.every(Boolean)) {
          for (const [i, [healthy]] of some.entries()) if (healthy === 0) expect(load[i]).toBe(0);
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('never takes from the first when it gets better, nor gives more to those behind it', () => {
    fc.assert(
      fc.property(pools, fc.constantFrom(1, 1.4, 2), (some, factor) => {
        const [[healthy, total], ...others] = some as [[number, number], ...(readonly [number, number])[]];
        fc.pre(healthy < total);
        const before = loadOf(some, factor, 0).load as [number, ...number[]];
        const after = loadOf([[healthy + 1, total], ...others], factor, 0).load as [number, ...number[]];
        expect(after[0]).toBeGreaterThanOrEqual(before[0]);
        // What is left over by rounding may come to rest one place further on.
        for (const [i, one] of after.entries()) if (i > 0) expect(one).toBeLessThanOrEqual((before[i] as number) + 1);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
