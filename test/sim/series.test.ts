import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile } from '../../src/sim/quantile.ts';
import { seriesOf } from '../../src/sim/series.ts';
import { simulate } from '../../src/testing.ts';

const RUNS = { numRuns: 1_000, seed: 1 };

interface OneCall {
  readonly atMs: number;
  readonly latencyMs: number;
  readonly isGood: boolean;
}

const call: fc.Arbitrary<OneCall> = fc.record({
  atMs: fc.double({ min: 0, max: 12_000, noNaN: true }),
  latencyMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
  isGood: fc.boolean(),
});

function seriesFrom(calls: readonly OneCall[], attemptAtMs: readonly number[], stepMs: number, durationMs: number) {
  return seriesOf(
    {
      startedAtMs: calls.map(({ atMs }) => atMs),
      latencyMs: calls.map(({ latencyMs }) => latencyMs),
      isGood: (i) => calls[i]?.isGood === true,
      attemptAtMs,
    },
    stepMs,
    durationMs,
  );
}

describe('a series', () => {
  it('puts every call and attempt into its step', () => {
    const calls = [
      { atMs: 0, latencyMs: 5, isGood: true },
      { atMs: 999.9, latencyMs: 7, isGood: false },
      { atMs: 2_000, latencyMs: 9, isGood: true },
      { atMs: 3_100, latencyMs: 11, isGood: true },
    ];
    expect(seriesFrom(calls, [0, 1_000, 2_999, 3_000], 1_000, 3_400)).toEqual({
      stepMs: 1_000,
      calls: [2, 0, 1],
      good: [1, 0, 1],
      attempts: [1, 1, 1],
      p99Ms: [7, null, 9],
    });
  });

  it('property: loses no call of a whole step, and counts none twice', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), fc.integer({ min: 100, max: 3_000 }), (calls, stepMs) => {
        const series = seriesFrom(calls, [], stepMs, 10_000);
        const untilMs = Math.floor(10_000 / stepMs) * stepMs;
        const within = calls.filter(({ atMs }) => atMs < untilMs);
        expect(series.calls.reduce((sum, one) => sum + one, 0)).toBe(within.length);
        expect(series.good.reduce((sum, one) => sum + one, 0)).toBe(within.filter(({ isGood }) => isGood).length);
      }),
      RUNS,
    );
  });

  it('property: p99 is one of the latencies of its step, and at most one in a hundred is above it', () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 300 }), (calls) => {
        const { p99Ms } = seriesFrom(calls, [], 4_000, 12_000);
        for (const [step, p99] of p99Ms.entries()) {
          const own = calls.filter(({ atMs }) => Math.floor(atMs / 4_000) === step).map(({ latencyMs }) => latencyMs);
          if (p99 === null) expect(own).toEqual([]);
          else {
            expect(own).toContain(p99);
            expect(own.filter((latency) => latency > p99).length).toBeLessThanOrEqual(own.length / 100);
            // Nearest rank: one value less would be too low.
            expect(own.filter((latency) => latency >= p99).length).toBeGreaterThanOrEqual(Math.floor(own.length / 100));
          }
        }
      }),
      RUNS,
    );
  });

  it('of a run agrees with its figures', async () => {
    const faults = [{ fromMs: 1_000, untilMs: 2_000, is: { errors: 0.3 } }] as const;
    const result = await simulate({ load: 200, durationMs: 4_000, faults, config: { services: { a: { timeout: '1s' } } } });
    const { calls, good, attempts, p99Ms } = result.series();
    for (const i of [0, 1, 2, 3]) {
      const stats = result.stats(i * 1_000, (i + 1) * 1_000);
      expect([calls[i], p99Ms[i]]).toEqual([stats.calls, stats.p99Ms]);
      expect((good[i] as number) / stats.calls).toBeCloseTo(stats.goodput, 12);
      expect((attempts[i] as number) / stats.calls).toBeCloseTo(stats.amplification, 12);
    }
    expect(result.series(500).calls).toHaveLength(8);
  });
});

describe('quantile', () => {
  it('property: is between the least and the greatest, and grows with q', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, share, share, (list, a, b) => {
        const sorted = Float64Array.from(list).sort();
        const [low, high] = [quantile(sorted, Math.min(a, b)), quantile(sorted, Math.max(a, b))];
        expect(low).toBeGreaterThanOrEqual(sorted[0] as number);
        expect(high).toBeLessThanOrEqual(sorted.at(-1) as number);
        expect(low).toBeLessThanOrEqual(high);
      }),
      RUNS,
    );
  });

  it.each([
    [0, 1],
    [0.25, 3],
    [0.5, 6],
    [0.99, 10],
    [1, 10],
  ])('%d of the numbers from 1 to 10 is %d', (q, expected) => {
    expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], q)).toBe(expected);
  });

  it('of nothing is 0', () => {
    expect(quantile([], 0.5)).toBe(0);
  });
});
