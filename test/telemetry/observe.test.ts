import { metrics } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/call.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { metricProducer } from '../../src/telemetry/metric-producer.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { type MeterObserver, observeMeter } from '../../src/telemetry/observe.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { sdk } from './sdk.ts';

const OK: Outcome = { kind: 'success', status: 200, error: null, endedAtMs: 0 };

afterEach(() => metrics.disable());

function setUp() {
  const clock = new VirtualClock();
  const meter = new Meter({ clock });
  const observer = observeMeter(meter, 'auto', { version: '1' }) as MeterObserver;
  const call = (): void => observer.call(meter.service('reviews').end('default', OK, 30), 30);
  const attempt = (): void => observer.attempt(meter.destination('reviews', 'reviews', 'default').recordAttempt('GET', OK, 20), 20);
  return { clock, meter, observer, call, attempt };
}

describe('observeMeter', () => {
  it('shows everything through the global MeterProvider', async () => {
    const { provider, collect } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const { meter, observer, call, attempt } = setUp();
    observer.attach();
    call();
    attempt();
    meter.service('reviews').inFlight = 3;
    meter.destination('reviews', 'reviews', 'default').retried('503');
    meter.observe('inmesh.retry.budget.tokens', { 'inmesh.service': 'reviews' }, () => 7);
    const found = await collect();
    expect(found.get('inmesh.call.duration')).toMatchObject({
      dataPointType: DataPointType.HISTOGRAM,
      descriptor: { unit: 's' },
      dataPoints: [{ attributes: { 'inmesh.service': 'reviews', 'inmesh.route': 'default' }, value: { count: 1, sum: 0.03 } }],
    });
    expect(found.get('http.client.request.duration')).toMatchObject({
      dataPoints: [{ attributes: { 'http.request.method': 'GET', 'http.response.status_code': 200 }, value: { count: 1, sum: 0.02 } }],
    });
    const histogram = found.get('inmesh.call.duration')?.dataPoints[0]?.value as { buckets: { boundaries: number[] } };
    expect(histogram.buckets.boundaries[0]).toBe(0.005);
    expect(found.get('inmesh.active_calls')).toMatchObject({ dataPointType: DataPointType.SUM, dataPoints: [{ value: 3 }] });
    expect(found.get('inmesh.retries')).toMatchObject({ dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: [{ value: 1 }] });
    expect(found.get('inmesh.retry.budget.tokens')).toMatchObject({ dataPointType: DataPointType.GAUGE, dataPoints: [{ value: 7 }] });
    const known = new Set<string>(METRICS.map((metric) => metric.name));
    for (const name of found.keys()) expect(known).toContain(name);
    await provider.shutdown();
  });

  it('notices a provider that comes late, and one that is replaced', async () => {
    const { observer, call } = setUp();
    observer.attach();
    call();
    for (let i = 0; i < 2; i++) {
      const { provider, collect } = sdk();
      metrics.setGlobalMeterProvider(provider);
      call();
      const found = await collect();
      expect(found.get('inmesh.call.duration')?.dataPoints).toMatchObject([{ value: { count: 1 } }]);
      expect(found.has('inmesh.active_calls')).toBe(true);
      metrics.disable();
      call();
      await provider.shutdown();
    }
  });

  it('leaves the provider that was replaced', async () => {
    const { meter, observer } = setUp();
    const old = sdk();
    metrics.setGlobalMeterProvider(old.provider);
    observer.attach();
    metrics.disable();
    const fresh = sdk();
    metrics.setGlobalMeterProvider(fresh.provider);
    observer.attach();
    meter.service('reviews');
    expect((await old.collect()).get('inmesh.active_calls')?.dataPoints ?? []).toEqual([]);
    expect((await fresh.collect()).get('inmesh.active_calls')?.dataPoints).toHaveLength(1);
    await Promise.all([old.provider.shutdown(), fresh.provider.shutdown()]);
  });

  it('is silent once a producer was handed out', async () => {
    const { provider, collect } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const { clock, meter, observer, call } = setUp();
    observer.attach();
    metricProducer(meter, clock, { version: '1' });
    call();
    expect(await collect()).toEqual(new Map());
    await provider.shutdown();
  });

  it('is silent after detach', async () => {
    const { provider, collect } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const { observer, meter } = setUp();
    meter.service('reviews');
    observer.attach();
    expect((await collect()).has('inmesh.active_calls')).toBe(true);
    observer.detach();
    observer.detach();
    meter.service('other');
    const active = (await collect()).get('inmesh.active_calls');
    expect(active?.dataPoints.map((point) => point.attributes['inmesh.service']) ?? []).not.toContain('other');
    await provider.shutdown();
  });

  it('leaves HTTP durations to the instrumentation that measures them', async () => {
    const { provider, collect } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const { attempt, call } = setUp();
    const instrumentation = new UndiciInstrumentation();
    attempt();
    call();
    instrumentation.disable();
    const found = await collect();
    expect(found.has('inmesh.call.duration')).toBe(true);
    expect(found.get('http.client.request.duration')?.dataPoints ?? []).toEqual([]);
    await provider.shutdown();
  });

  it('breaks no call when the provider throws', () => {
    metrics.setGlobalMeterProvider({
      getMeter() {
        throw new Error('broken');
      },
    });
    const { call } = setUp();
    expect(call).not.toThrow();
  });

  it.each(['producer', 'off'] as const)('is null for %s', (option) => {
    expect(observeMeter(new Meter({ clock: new VirtualClock() }), option, { version: '1' })).toBeNull();
  });
});
