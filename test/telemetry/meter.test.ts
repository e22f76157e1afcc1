import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/call.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import type { MetricName } from '../../src/telemetry/metrics.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { Histogram } from '../../src/telemetry/series.ts';
import { testError } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const meterOf = (seriesMax?: number): Meter =>
  new Meter(seriesMax === undefined ? { clock: new VirtualClock() } : { clock: new VirtualClock(), seriesMax });

const OK: Outcome = { kind: 'success', status: 200, error: null, endedAtMs: 0 };
const FAILED: Outcome = { kind: 'failure', status: 503, error: null, endedAtMs: 0 };
const GONE: Outcome = { kind: 'ignored', status: 0, error: testError('canceled'), endedAtMs: 0 };

function values(meter: Meter, name: MetricName): [Record<string, unknown>, number][] {
  return [...(meter.families.get(name) ?? [])].map((series) => [
    series.attributes,
    series instanceof Histogram ? series.count : series.value,
  ]);
}

describe('Meter', () => {
  it('has a family for each metric of the table', () => {
    expect([...meterOf().families.keys()]).toEqual(METRICS.map((metric) => metric.name));
  });

  it('counts calls by route and class of status', () => {
    const meter = meterOf();
    const series = meter.service('reviews');
    expect(meter.service('reviews')).toBe(series);
    series.end('mobile', OK, 10);
    series.end('mobile', OK, 20);
    series.end('default', FAILED, 30);
    series.end('', GONE, 40);
    expect(values(meter, 'inmesh.call.duration')).toEqual([
      [{ 'inmesh.service': 'reviews', 'inmesh.route': 'mobile', 'inmesh.status_class': '2xx' }, 2],
      [{ 'inmesh.service': 'reviews', 'inmesh.route': 'default', 'inmesh.status_class': '5xx' }, 1],
      [{ 'inmesh.service': 'reviews', 'inmesh.route': '', 'error.type': 'canceled' }, 1],
    ]);
  });

  it('counts attempts by method and status', () => {
    const meter = meterOf();
    const series = meter.destination('reviews', 'reviews/v2', 'mobile');
    expect(meter.destination('reviews', 'reviews/v2', 'mobile')).toBe(series);
    series.recordAttempt('GET', OK, 10);
    series.recordAttempt('GET', FAILED, 10);
    series.recordAttempt('BREW', OK, 10);
    const labels = { 'inmesh.service': 'reviews', 'inmesh.route': 'mobile', 'inmesh.destination': 'reviews/v2' };
    const http = { 'server.address': 'reviews', ...labels };
    expect(values(meter, 'http.client.request.duration')).toEqual([
      [{ 'http.request.method': 'GET', 'http.response.status_code': 200, ...http }, 1],
      [{ 'http.request.method': 'GET', 'http.response.status_code': 503, 'error.type': '503', ...http }, 1],
      [{ 'http.request.method': '_OTHER', 'http.response.status_code': 200, ...http }, 1],
    ]);
    series.retried('503');
    series.retried('503');
    series.retryDenied('budget');
    series.retryDenied('because the budget of 10.0.0.1 is empty');
    expect(values(meter, 'inmesh.retries')).toEqual([[{ ...labels, 'inmesh.retry.reason': '503' }, 2]]);
    expect(values(meter, 'inmesh.retries.denied')).toEqual([
      [{ ...labels, 'inmesh.retry.denied': 'budget' }, 1],
      [{ ...labels, 'inmesh.retry.denied': '_OTHER' }, 1],
    ]);
  });

  it('counts events', () => {
    const meter = meterOf();
    const { onEvent } = meter;
    onEvent({ type: 'configLoaded', hash: 'a' });
    onEvent({ type: 'configRejected', message: 'no' });
    onEvent({ type: 'configRejected', message: 'no' });
    onEvent({
      type: 'endpointEjected',
      service: 'reviews',
      endpoint: '10.0.0.1:1',
      rule: 'consecutive',
      reason: '5 errors in a row',
      forMs: 1,
    });
    onEvent({ type: 'endpointEjected', service: 'reviews', endpoint: '10.0.0.2:1', rule: 'peers', reason: 'rate 0.31 of 17', forMs: 1 });
    onEvent({ type: 'endpointReturned', service: 'reviews', endpoint: '10.0.0.1:1' });
    onEvent({ type: 'endpointsChanged', service: 'reviews', added: [], removed: [] });
    onEvent({ type: 'circuitOpened', service: 'reviews', reason: 'ratio', forMs: 1 });
    onEvent({ type: 'circuitHalfOpened', service: 'reviews' });
    onEvent({ type: 'circuitClosed', service: 'reviews' });
    onEvent({ type: 'discoveryFailed', service: 'reviews', message: 'NXDOMAIN' });
    onEvent({ type: 'peerUntrusted', service: 'reviews', endpoint: '10.0.0.1:1', message: 'expired' });
    onEvent({ type: 'eventLoopStalled', forMs: 300 });
    onEvent({ type: 'eventLoopStalled', forMs: 200 });
    const service = { 'inmesh.service': 'reviews' };
    expect(values(meter, 'inmesh.config.loads')).toEqual([
      [{ 'inmesh.state': 'accepted' }, 1],
      [{ 'inmesh.state': 'rejected' }, 2],
    ]);
    expect(values(meter, 'inmesh.ejections')).toEqual([
      [{ ...service, 'inmesh.reason': 'consecutive' }, 1],
      [{ ...service, 'inmesh.reason': 'peers' }, 1],
    ]);
    expect(values(meter, 'inmesh.circuit.transitions').map(([labels]) => labels['inmesh.state'])).toEqual(['open', 'half-open', 'closed']);
    expect(values(meter, 'inmesh.discovery.failures')).toEqual([[service, 1]]);
    expect(values(meter, 'inmesh.peers.untrusted')).toEqual([[service, 1]]);
    expect(values(meter, 'inmesh.event_loop.stalls')).toEqual([[{}, 2]]);
    expect(values(meter, 'inmesh.event_loop.stalled')).toEqual([[{}, 0.5]]);
  });

  it('reads what is observed until told to stop', () => {
    const meter = meterOf();
    const service = { 'inmesh.service': 'reviews' };
    let tokens = 20;
    const stop = meter.observe('inmesh.retry.budget.tokens', service, () => tokens);
    tokens = 7;
    expect(values(meter, 'inmesh.retry.budget.tokens')).toEqual([[service, 7]]);
    const stopOther = meter.observe('inmesh.retry.budget.tokens', { ...service }, () => 1);
    expect(values(meter, 'inmesh.retry.budget.tokens')).toEqual([[service, 8]]);
    stop();
    expect(values(meter, 'inmesh.retry.budget.tokens')).toEqual([[service, 1]]);
    stopOther();
    expect(values(meter, 'inmesh.retry.budget.tokens')).toEqual([]);
  });

  it('never has more than 2000 series of a metric, whatever 100 000 names it is given', () => {
    const meter = meterOf();
    const random = seededRandom(7);
    const word = (): string => `w${Math.floor(random() * 1e9)}`;
    for (let i = 0; i < 100_000; i++) {
      const name = word();
      meter.service(name).end(word(), OK, 1);
      meter.service('fixed').end(word(), OK, 1);
      const destination = meter.destination(name, word(), word());
      destination.recordAttempt(word(), OK, 1);
      destination.retried(word());
      destination.retryDenied(word());
      meter.counter('inmesh.ejections', { 'inmesh.service': name }).add(1);
      meter.observe('inmesh.circuit.state', { 'inmesh.service': name }, () => 1);
      meter.onEvent({ type: 'circuitOpened', service: name, reason: word(), forMs: 1 });
    }
    for (const family of meter.families.values()) expect(family.size).toBeLessThanOrEqual(2_000);
    for (const name of ['inmesh.call.duration', 'http.client.request.duration', 'inmesh.retries', 'inmesh.ejections'] as const) {
      const all = values(meter, name);
      expect(all).toHaveLength(2_000);
      expect(all.at(-1)?.[0]).toEqual({ 'otel.metric.overflow': true });
      expect(all.reduce((sum, [, count]) => sum + count, 0)).toBe(name === 'inmesh.call.duration' ? 200_000 : 100_000);
    }
    expect(meter.service('fixed').histograms().length).toBeLessThanOrEqual(2_000);
    expect(meter.destination(word(), word(), word())).toBe(meter.destination(word(), word(), word()));
    expect(meter.service(word())).toBe(meter.service(word()));
    const snapshot = meter.snapshot();
    expect(snapshot.services.length).toBeLessThanOrEqual(2_000);
    expect(snapshot.services.flatMap((service) => service.destinations).length).toBeLessThanOrEqual(2_000);
  }, 60_000);
});

describe('snapshot', () => {
  it('is plain JSON', () => {
    const clock = new VirtualClock();
    const meter = new Meter({ clock });
    const calls = meter.service('reviews');
    const v1 = meter.destination('reviews', 'reviews/v1', 'default');
    calls.inFlight = 2;
    v1.inFlight = 1;
    for (let i = 0; i < 98; i++) {
      calls.end('default', OK, 20);
      v1.recordAttempt('GET', OK, 20);
    }
    calls.end('default', FAILED, 900);
    v1.recordAttempt('GET', FAILED, 900);
    calls.end('default', GONE, 1);
    v1.recordRun(GONE);
    v1.retried('503');
    v1.retryDenied('budget');
    meter.onEvent({ type: 'configLoaded', hash: 'a' });
    const snapshot = meter.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.startedAtMs).toBe(clock.wall());
    const [service] = snapshot.services;
    expect(service).toMatchObject({ service: 'reviews', calls: 100, successes: 98, failures: 1, ignored: 1, inFlight: 2 });
    expect(service?.p50Ms).toBeGreaterThan(10);
    expect(service?.p50Ms).toBeLessThanOrEqual(25);
    expect(service?.p99Ms).toBeGreaterThan(10);
    expect(service?.destinations).toMatchObject([
      {
        destination: 'reviews/v1',
        route: 'default',
        attempts: 100,
        successes: 98,
        failures: 1,
        ignored: 1,
        inFlight: 1,
        retries: { 503: 1 },
        retriesDenied: { budget: 1 },
      },
    ]);
    expect(snapshot.values).toContainEqual({ name: 'inmesh.config.loads', attributes: { 'inmesh.state': 'accepted' }, value: 1 });
    expect(snapshot.values).toContainEqual({ name: 'inmesh.active_calls', attributes: { 'inmesh.service': 'reviews' }, value: 2 });
  });
});
