import { describe, expect, it } from 'vitest';
import { BOUNDS_S, Counter, Gauge, Histogram } from '../../src/telemetry/series.ts';

function histogram(...durationsMs: number[]): Histogram {
  const out = new Histogram({});
  for (const durationMs of durationsMs) out.record(durationMs);
  return out;
}

describe('Histogram', () => {
  it.each([
    [0, 0],
    [4.9, 0],
    [5, 0],
    [5.1, 1],
    [10, 1],
    [10_000, 13],
    [10_000.1, 14],
    [1e9, 14],
    [-3, 0],
    [Number.NaN, 0],
  ])('puts %d ms in bucket %i', (durationMs, bucket) => {
    const counts = histogram(durationMs).counts;
    expect(counts).toHaveLength(BOUNDS_S.length + 1);
    expect(counts.indexOf(1)).toBe(bucket);
  });

  it('keeps count, sum, least and most', () => {
    const series = histogram(3, 30, 300);
    expect([series.count, series.sum, series.least, series.most]).toEqual([3, 333, 3, 300]);
  });

  it('never lets NaN or a clock set back into the sum', () => {
    expect(histogram(Number.NaN, -5, 1).sum).toBe(1);
  });

  it('merges', () => {
    const series = histogram(3, 30);
    series.merge(histogram(1, 20_000));
    expect([series.count, series.sum, series.least, series.most]).toEqual([4, 20_034, 1, 20_000]);
  });

  it('estimates quantiles within a bucket, never beyond what was seen', () => {
    expect(histogram().quantile(0.5)).toBe(0);
    expect(histogram(42).quantile(0.5)).toBe(42);
    expect(histogram(42).quantile(0.99)).toBe(42);
    expect(histogram(20_000, 30_000).quantile(0.99)).toBeLessThanOrEqual(30_000);
    const uniform = histogram(...Array.from({ length: 1_000 }, (_, i) => i + 1));
    expect(uniform.quantile(0.5)).toBeCloseTo(500, -1);
    expect(uniform.quantile(0.99)).toBeCloseTo(990, -1);
    expect(uniform.quantile(1)).toBe(1_000);
    const skewed = histogram(...Array.from({ length: 99 }, () => 2), 400);
    expect(skewed.quantile(0.5)).toBeLessThan(5);
    expect(skewed.quantile(0.999)).toBeGreaterThan(250);
  });
});

describe('Counter', () => {
  it('adds', () => {
    const counter = new Counter({ a: 'b' });
    counter.add(2);
    counter.add(0.5);
    expect(counter.value).toBe(2.5);
  });
});

describe('Gauge', () => {
  it('adds up its readers, until they go', () => {
    const gauge = new Gauge({});
    const remove = gauge.addReader(() => 2);
    gauge.addReader(() => 3);
    expect([gauge.value, gauge.isRead]).toEqual([5, true]);
    remove();
    expect([gauge.value, gauge.isRead]).toEqual([3, true]);
  });
});
