import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyBaseline } from '../../src/resilience/latency-baseline.ts';
import { LatencyHistogram } from '../../src/resilience/latency-histogram.ts';

describe('the histogram', () => {
  it('knows quantiles to within a bucket', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.02, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, share) => {
          const histogram = new LatencyHistogram();
          for (const value of values) histogram.record(value);
          const exact = [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] as number;
          expect(Math.abs(Math.log2(histogram.quantile(share) / exact))).toBeLessThanOrEqual(1 / 16 + 1e-9);
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('takes what is no time, and what is an age', () => {
    const histogram = new LatencyHistogram();
    for (const ms of [0, -1, 1e-9, 1e12]) histogram.record(ms);
    expect(histogram.count).toBe(4);
    expect(histogram.quantile(0.5)).toBeLessThan(0.02);
    expect(histogram.quantile(1)).toBeGreaterThan(1e7);
  });

  it('is empty again after a reset', () => {
    const histogram = new LatencyHistogram();
    histogram.record(5);
    histogram.reset();
    expect([histogram.count, histogram.quantile(0.5)]).toEqual([0, 0]);
  });
});

describe('the baseline', () => {
  /** Ten seconds of calls. */
  const slot = (baseline: LatencyBaseline, index: number, ms: number, calls = 30): void => {
    for (let i = 0; i < calls; i++) baseline.record(ms, index * 10_000 + i);
  };
  const near = (ms: number): number => expect.closeTo(ms, Math.log10(ms) > 1 ? -1 : 0) as unknown as number;

  it('is not known before the twentieth call', () => {
    const baseline = new LatencyBaseline(0);
    for (let i = 0; i < 19; i++) baseline.record(20, i);
    expect(baseline.ms).toBe(0);
    baseline.record(20, 19);
    expect(baseline.ms).toEqual(near(20));
  });

  it('is the least median of ten minutes', () => {
    const baseline = new LatencyBaseline(0);
    slot(baseline, 0, 50);
    slot(baseline, 1, 20);
    for (let i = 2; i < 61; i++) slot(baseline, i, 80);
    expect(baseline.ms).toEqual(near(20));
    slot(baseline, 62, 80);
    slot(baseline, 63, 80);
    expect(baseline.ms).toEqual(near(80));
  });

  it('learns nothing from too few calls', () => {
    const baseline = new LatencyBaseline(0);
    slot(baseline, 0, 20);
    slot(baseline, 1, 1, 19);
    slot(baseline, 2, 20);
    slot(baseline, 3, 20);
    expect(baseline.ms).toEqual(near(20));
  });

  it('is not raised by overload, however long it lasts, but lowered', () => {
    const baseline = new LatencyBaseline(0);
    slot(baseline, 0, 20);
    for (let i = 1; i < 200; i++) {
      baseline.record(100, i * 10_000);
      baseline.overloaded();
      slot(baseline, i, 100);
    }
    expect(baseline.ms).toEqual(near(20));
    baseline.record(5, 2_000_000);
    baseline.overloaded();
    slot(baseline, 200, 5);
    slot(baseline, 201, 100);
    expect(baseline.ms).toEqual(near(5));
  });

  it('can be taught', () => {
    const baseline = new LatencyBaseline(0);
    slot(baseline, 0, 20);
    slot(baseline, 1, 20);
    baseline.relearn(200);
    expect(baseline.ms).toBe(200);
    slot(baseline, 3, 210);
    slot(baseline, 4, 210);
    expect(baseline.ms).toEqual(near(210));
  });
});
