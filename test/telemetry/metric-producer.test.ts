import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/call.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { hrTime, metricProducer } from '../../src/telemetry/metric-producer.ts';
import type { HttpMetricsOption } from '../../src/telemetry/undici-listeners.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const OK: Outcome = { kind: 'success', status: 200, error: null, endedAtMs: 0 };

let instrumentation: UndiciInstrumentation | null = null;
afterEach(() => {
  instrumentation?.disable();
  instrumentation = null;
});

function setUp(httpMetrics?: HttpMetricsOption) {
  const clock = new VirtualClock();
  const meter = new Meter({ clock });
  const options = httpMetrics === undefined ? { version: '1.2.3' } : { version: '1.2.3', httpMetrics };
  const producer: MetricProducer = metricProducer(meter, clock, options);
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 1e6,
    exportTimeoutMillis: 1e5,
    metricProducers: [producer],
  });
  const provider = new MeterProvider({ readers: [reader] });
  /** What an exporter gets, by name. */
  const collect = async (): Promise<Map<string, MetricData>> => {
    exporter.reset();
    await provider.forceFlush();
    const scopes = exporter.getMetrics().flatMap((batch) => batch.scopeMetrics);
    const ours = scopes.filter(({ scope }) => scope.name === 'inmesh' && scope.version === '1.2.3');
    return new Map(ours.flatMap(({ metrics }) => metrics.map((metric) => [metric.descriptor.name, metric])));
  };
  return { clock, meter, collect, provider };
}

describe('metricProducer', () => {
  it('hands histograms, counters and gauges to a reader of the SDK', async () => {
    const { clock, meter, collect, provider } = setUp();
    const started = hrTime(clock.wall());
    const calls = meter.service('reviews');
    calls.end('default', OK, 3);
    calls.end('default', OK, 30);
    calls.inFlight = 4;
    meter.destination('reviews', 'reviews', 'default').retried('503');
    meter.observe('inmesh.retry.budget.tokens', { 'inmesh.service': 'reviews' }, () => 19.5);
    clock.advance(5_000);
    const metrics = await collect();

    const duration = metrics.get('inmesh.call.duration');
    expect(duration?.descriptor).toMatchObject({ unit: 's', description: expect.stringContaining('Duration of a call') });
    expect(duration).toMatchObject({ dataPointType: DataPointType.HISTOGRAM, aggregationTemporality: AggregationTemporality.CUMULATIVE });
    expect(duration?.dataPoints).toEqual([
      {
        startTime: started,
        endTime: hrTime(clock.wall()),
        attributes: { 'inmesh.service': 'reviews', 'inmesh.route': 'default', 'inmesh.status_class': '2xx' },
        value: {
          count: 2,
          sum: 0.033,
          min: 0.003,
          max: 0.03,
          buckets: {
            boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
            counts: [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
          },
        },
      },
    ]);
    expect(metrics.get('inmesh.retries')).toMatchObject({
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: [{ value: 1 }],
    });
    expect(metrics.get('inmesh.active_calls')).toMatchObject({
      dataPointType: DataPointType.SUM,
      isMonotonic: false,
      dataPoints: [{ value: 4 }],
    });
    expect(metrics.get('inmesh.retry.budget.tokens')).toMatchObject({ dataPointType: DataPointType.GAUGE, dataPoints: [{ value: 19.5 }] });
    expect(metrics.has('inmesh.ejections')).toBe(false);
    await provider.shutdown();
  });

  it('is cumulative, and hands out copies', async () => {
    const { meter, collect, provider } = setUp();
    const calls = meter.service('reviews');
    const value = async () =>
      (await collect()).get('inmesh.call.duration')?.dataPoints[0]?.value as { count: number; buckets: { counts: number[] } };
    calls.end('default', OK, 1);
    const first = await value();
    calls.end('default', OK, 1);
    expect([first.count, first.buckets.counts[0]]).toEqual([1, 1]);
    expect((await value()).count).toBe(2);
    await provider.shutdown();
  });

  it.each([
    [undefined, true, false],
    ['auto', true, false],
    [true, true, true],
    [false, false, false],
  ] as const)(
    'with httpMetrics %s reports http.client.request.duration: %s alone, %s beside the instrumentation',
    async (option, alone, beside) => {
      const { meter, collect, provider } = setUp(option);
      meter.destination('reviews', 'reviews', 'default').recordAttempt('GET', OK, 1);
      expect((await collect()).has('http.client.request.duration')).toBe(alone);
      instrumentation = new UndiciInstrumentation();
      expect((await collect()).has('http.client.request.duration')).toBe(beside);
      await provider.shutdown();
    },
  );

  it('reports a reader that throws, and everything else', async () => {
    const clock = new VirtualClock();
    const meter = new Meter({ clock });
    meter.service('reviews').end('default', OK, 1);
    meter.observe('inmesh.circuit.state', { 'inmesh.service': 'reviews' }, () => {
      throw new Error('gone');
    });
    const { errors, resourceMetrics } = await metricProducer(meter, clock, { version: '1' }).collect();
    expect(errors).toEqual([new Error('gone')]);
    expect(resourceMetrics.scopeMetrics[0]?.metrics.map((metric) => metric.descriptor.name)).toContain('inmesh.call.duration');
  });
});

describe('hrTime', () => {
  it.each([
    [0, [0, 0]],
    [1_700_000_000_123, [1_700_000_000, 123_000_000]],
    [1.5, [0, 1_500_000]],
  ])('%d', (wallMs, expected) => {
    expect(hrTime(wallMs)).toEqual(expected);
  });
});
