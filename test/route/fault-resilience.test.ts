// What faults at the place of an attempt are for: retries, timeouts, limits and the circuit meet them as they would meet a
// sick endpoint, and the endpoints themselves are not blamed.
import { describe, expect, it } from 'vitest';
import { balancer } from '../../src/balance/balancer.ts';
import { EndpointSet } from '../../src/balance/endpoint-set.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import { wrap } from '../../src/core/service.ts';
import {
  BALANCER_DEFAULTS,
  BREAKER_DEFAULTS,
  BUDGET_DEFAULTS,
  LIMITS_DEFAULTS,
  OUTLIER_DEFAULTS,
  RETRY_DEFAULTS,
} from '../../src/model/destination.ts';
import { FAULT_DEFAULTS, type FaultPolicy } from '../../src/model/traffic.ts';
import { admissionLayer } from '../../src/resilience/admission-layer.ts';
import { Breaker } from '../../src/resilience/breaker.ts';
import { loadTrip, type Trip } from '../../src/resilience/breaker-trip.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { Limits } from '../../src/resilience/limits.ts';
import { retryLayer } from '../../src/resilience/retry-layer.ts';
import { Fault } from '../../src/route/fault.ts';
import { faultLayer } from '../../src/route/fault-layer.ts';
import { pair, testCall } from '../support/fake-service.ts';
import { scriptedRandom, seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const trip = (await loadTrip(BREAKER_DEFAULTS)) as Trip;

/** retry ▸ admission ▸ fault ▸ balancer over two endpoints that answer 200 after 10 ms. */
function world(policy: Partial<FaultPolicy>, chances: number[]) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const [leaf, server] = pair({ clock });
  const set = new EndpointSet(BALANCER_DEFAULTS, { leaf: () => leaf });
  set.update(
    ['a', 'b'].map((name) => ({ address: `${name}:1`, labels: {}, locality: '', weight: 1 })),
    clock.now(),
  );
  const limits = new Limits();
  const breaker = new Breaker(BREAKER_DEFAULTS, trip, { random, onChange: () => {} });
  const fault = new Fault(
    { ...FAULT_DEFAULTS, headers: {}, by: 'random', ...policy },
    { clock, random: scriptedRandom(...chances), regex: () => () => true },
  );
  const outlier = new Outlier(OUTLIER_DEFAULTS, { service: 'reviews', set, random, emit: () => {} });
  const budget = new Budget(BUDGET_DEFAULTS, clock.now());
  const retries: string[] = [];
  const service = wrap(
    balancer({ set, labels: null, spillTo: [], picker: makePicker(BALANCER_DEFAULTS, random), outlier, clock, destinationName: 'reviews' }),
    [
      retryLayer(
        { ...RETRY_DEFAULTS, perTryTimeoutMs: 50, backoff: { baseMs: 0, maxMs: 0 } },
        { clock, random: () => 0, budget, fastestMs: () => 0, onRetry: (condition) => retries.push(condition), onDenied() {} },
      ),
      admissionLayer({ breaker, limits, policy: LIMITS_DEFAULTS, clock, name: 'reviews' }),
      faultLayer(fault, { clock }),
    ],
  );
  const send = async (): Promise<string> => {
    const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 5_000 });
    const before = server.seen.length;
    const answered = service(call).then(
      (reply) => String(reply.status),
      (error: { code: string }) => error.code,
    );
    for (let i = 0; i < 20 && call.outcome === null; i++) {
      await clock.run(10);
      for (const seen of server.seen.slice(before)) if (seen.call.outcome === null) seen.reply(200).end();
    }
    return `${await answered} after ${clock.now() - call.startedAtMs} ms`;
  };
  return { clock, set, server, limits, fault, retries, send, breaker };
}

const latencies = (set: EndpointSet, nowMs: number) => set.all.map((endpoint) => Math.round(endpoint.latencyMs(nowMs)));

describe('faults in front of attempts', () => {
  it('an abort is retried, and no endpoint has seen it', async () => {
    const { send, server, retries, fault, set, clock } = world({ abort: { status: 503, percent: 50 } }, [0, 0.9]);
    expect(await send()).toBe('200 after 20 ms');
    expect([retries, server.seen.length, fault.aborts]).toEqual([['503'], 1, 1]);
    expect(latencies(set, clock.now()).every((latencyMs) => latencyMs <= 30)).toBe(true);
  });

  it('a delay beyond the time of the attempt is a timeout, which is retried', async () => {
    const { send, server, retries, limits } = world({ delay: { fixedMs: 500, percent: 50 } }, [0, 0.9]);
    expect(await send()).toBe('200 after 60 ms');
    expect([retries, server.seen.length, limits.requests]).toEqual([['per-try-timeout'], 1, 0]);
  });

  it('a delay within it makes the attempt slow, and the endpoint behind it no slower', async () => {
    const { send, set, clock, server } = world({ delay: { fixedMs: 40, percent: 100 } }, [0]);
    expect(await send()).toBe('200 after 50 ms');
    // 30 ms is what an endpoint is taken for before it has answered.
    expect([server.seen.length, latencies(set, clock.now()).every((latencyMs) => latencyMs <= 30)]).toEqual([1, true]);
  });

  it('while it waits it takes its place in the limits', async () => {
    const { limits, clock, send } = world({ delay: { fixedMs: 40, percent: 100 } }, [0]);
    const sent = send();
    await Promise.resolve();
    expect(limits.requests).toBe(1);
    await sent;
    expect([limits.requests, clock.armed]).toEqual([0, 0]);
  });

  it('aborts open the circuit and eject nobody', async () => {
    const { send, breaker, set, server } = world({ abort: { status: 503, percent: 100 } }, [0]);
    const answers = new Set<string>();
    for (let i = 0; i < 12; i++) answers.add(await send());
    expect([...answers]).toContain('circuit_open after 10 ms');
    expect([breaker.state, server.seen.length, set.all.every((endpoint) => endpoint.standing.state === 'in')]).toEqual(['open', 0, true]);
  });
});
