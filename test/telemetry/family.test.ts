import { describe, expect, it } from 'vitest';
import { Family } from '../../src/telemetry/family.ts';
import { METRICS, type MetricDefinition } from '../../src/telemetry/metrics.ts';
import { Counter } from '../../src/telemetry/series.ts';

function family(seriesMax: number): Family<Counter> {
  return new Family(METRICS[0] as MetricDefinition, (attributes) => new Counter(attributes), seriesMax);
}

describe('Family', () => {
  it('has one series for equal labels', () => {
    const series = family(10);
    expect(series.of({ a: '1' })).toBe(series.of({ a: '1' }));
    expect(series.of({ a: '1' })).not.toBe(series.of({ a: '2' }));
    expect(series.size).toBe(2);
  });

  it('does not take one label for another', () => {
    const series = family(10);
    const labels = [{ a: '1', b: '' }, { a: '1,b:' }, { a: '1' }, { a: 1 }, { b: '1' }];
    expect(new Set(labels.map((label) => series.of(label))).size).toBe(labels.length);
  });

  it('puts what is beyond the limit in one series, counted in the limit', () => {
    const series = family(4);
    for (let i = 0; i < 10; i++) series.of({ a: `${i}` }).add(1);
    expect([...series].map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ a: '0' }, 1],
      [{ a: '1' }, 1],
      [{ a: '2' }, 1],
      [{ 'otel.metric.overflow': true }, 7],
    ]);
    expect(series.size).toBe(4);
    expect(series.of({ a: '1' }).attributes).toEqual({ a: '1' });
    expect(series.of(null)).toBe(series.of({ a: '11' }));
  });

  it('has room again when a series is removed', () => {
    const series = family(2);
    series.of({ a: '1' });
    series.remove({ a: '1' });
    expect(series.of({ a: '2' }).attributes).toEqual({ a: '2' });
  });
});
