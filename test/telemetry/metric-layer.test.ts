import { metrics } from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { wrap } from '../../src/core/service.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { attemptMetricLayer, callMetricLayer, type DurationSink } from '../../src/telemetry/metric-layer.ts';
import { Histogram } from '../../src/telemetry/series.ts';
import { pair, testError } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { forkLayer, newCall } from './otel.ts';

afterEach(() => metrics.disable());

function setUp(attempts: number, sink: DurationSink | null = null) {
  const clock = new VirtualClock();
  const meter = new Meter({ clock });
  const [leaf, server] = pair({ clock });
  const calls = meter.service('reviews');
  const destination = meter.destination('reviews', 'reviews/v2', 'mobile');
  const service = wrap(leaf, [callMetricLayer(calls, sink), forkLayer(attempts), attemptMetricLayer(destination, sink)]);
  const durations = (name: 'inmesh.call.duration' | 'http.client.request.duration') =>
    [...(meter.families.get(name) ?? [])].map((series) => (series instanceof Histogram ? [series.count, series.sum] : []));
  return { clock, server, calls, destination, service, durations };
}

describe('metric layers', () => {
  it('take the time of a call from its start to its last byte, and of each attempt', async () => {
    const { clock, server, calls, destination, service, durations } = setUp(2);
    const reply = service(newCall());
    const first = await server.next();
    expect([calls.inFlight, destination.inFlight]).toEqual([1, 1]);
    clock.advance(30);
    first.reply(503);
    const second = await server.next();
    expect([calls.inFlight, destination.inFlight]).toEqual([1, 1]);
    clock.advance(20);
    second.reply(200);
    await reply;
    clock.advance(100);
    expect(calls.tally.total).toBe(0);
    second.end();
    expect([calls.inFlight, destination.inFlight]).toEqual([0, 0]);
    expect(calls.tally).toMatchObject({ success: 1, failure: 0, ignored: 0 });
    expect(destination.tally).toMatchObject({ success: 1, failure: 1, ignored: 0 });
    expect(durations('inmesh.call.duration')).toEqual([[1, 150]]);
    expect(durations('http.client.request.duration')).toEqual([
      [1, 30],
      [1, 150],
    ]);
  });

  it('see refusals and aborts', async () => {
    const { server, calls, destination, service } = setUp(1);
    const refused = service(newCall());
    (await server.next()).fail(testError('circuit_open'));
    await expect(refused).rejects.toMatchObject({ code: 'circuit_open' });
    const call = newCall();
    const aborted = service(call);
    await server.next();
    call.cancel('gone');
    await expect(aborted).rejects.toMatchObject({ code: 'canceled' });
    expect([calls.inFlight, destination.inFlight]).toEqual([0, 0]);
    expect(calls.tally).toMatchObject({ success: 0, failure: 0, ignored: 2 });
  });

  it('do not take a function for an HTTP request', async () => {
    const { server, destination, service, durations } = setUp(1);
    const reply = service(newCall({ scheme: 'function', method: 'CALL' }));
    (await server.next()).reply(200);
    (await reply).discard();
    expect(destination.tally.success).toBe(1);
    expect(durations('http.client.request.duration')).toEqual([]);
    expect(durations('inmesh.call.duration')).toHaveLength(1);
  });

  it('tell the sink only while a MeterProvider is registered', async () => {
    const told: string[] = [];
    const sink: DurationSink = {
      call: (_series, ms) => told.push(`call ${ms}`),
      attempt: (_series, ms) => told.push(`attempt ${ms}`),
      rpc: () => told.push('rpc'),
    };
    const { clock, server, service } = setUp(1, sink);
    for (const isRegistered of [false, true]) {
      if (isRegistered) metrics.setGlobalMeterProvider({ getMeter: () => ({}) as never });
      const reply = service(newCall());
      clock.advance(1);
      (await server.next()).reply(200);
      (await reply).discard();
    }
    expect(told).toEqual(['attempt 2', 'call 2']);
  });
});
