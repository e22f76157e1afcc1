import { describe, expect, it } from 'vitest';
import type { Call, Reply } from '../../src/core/call.ts';
import type { Random } from '../../src/core/clock.ts';
import { wrap } from '../../src/core/service.ts';
import { BREAKER_DEFAULTS, LIMITS_DEFAULTS, THROTTLE_DEFAULTS } from '../../src/model/destination.ts';
import { admissionLayer } from '../../src/resilience/admission-layer.ts';
import { Breaker } from '../../src/resilience/breaker.ts';
import { loadTrip, type Trip } from '../../src/resilience/breaker-trip.ts';
import { criticalityLayer } from '../../src/resilience/criticality-layer.ts';
import { Limits } from '../../src/resilience/limits.ts';
import { Throttle } from '../../src/resilience/throttle.ts';
import { throttleLayer } from '../../src/resilience/throttle-layer.ts';
import { type FakeServer, type Seen, pair, testCall, testError } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Rig {
  readonly clock: VirtualClock;
  readonly throttle: Throttle;
  readonly breaker: Breaker;
  readonly limits: Limits;
  readonly server: FakeServer;
  send(init?: { attempt?: number; criticality?: number }): { attempt: Call; answer: Promise<Reply> };
  /** Sends attempts that end as told. */
  play(times: number, end: (seen: Seen) => void): Promise<void>;
}

/** Admission above the throttle, as in the stack. */
function rig(random: Random = () => 0): Rig {
  const clock = new VirtualClock(100_000);
  const [leaf, server] = pair({ clock });
  const throttle = new Throttle(THROTTLE_DEFAULTS);
  const limits = new Limits();
  const breaker = new Breaker(BREAKER_DEFAULTS, loadTrip(BREAKER_DEFAULTS) as Trip, { random: () => 1, onChange: () => {} });
  const service = wrap(leaf, [
    admissionLayer({ breaker, limits, policy: LIMITS_DEFAULTS, clock, name: 'reviews' }),
    throttleLayer(throttle, { breaker, clock, random, name: 'reviews' }),
  ]);
  const one: Rig = {
    clock,
    throttle,
    breaker,
    limits,
    server,
    send({ attempt: number = 1, criticality = -1 } = {}) {
      const call = testCall({ startedAtMs: clock.now() });
      call.criticality = criticality;
      const attempt = call.fork(number, clock.now());
      const answer = service(attempt);
      answer.catch(() => {});
      return { attempt, answer };
    },
    async play(times, end) {
      for (let i = 0; i < times; i++) {
        one.send();
        end(await server.next());
      }
    },
  };
  return one;
}

const answerWith =
  (status: number) =>
  (seen: Seen): void => {
    seen.reply(status);
    seen.end();
  };

describe('throttleLayer', () => {
  it('lets everything through while the service takes everything', async () => {
    const one = rig();
    await one.play(300, answerWith(200));
    expect(one.server.seen).toHaveLength(300);
  });

  it('refuses with the numbers, counts for nobody, and gives back what was taken', async () => {
    const one = rig();
    await one.play(40, answerWith(200));
    await one.play(60, answerWith(429));
    const { attempt, answer } = one.send();
    await expect(answer).rejects.toMatchObject({ code: 'throttled', family: 'refused', where: { destination: 'reviews' } });
    await expect(answer).rejects.toThrow(
      /reviews took 40 of the last 101 calls \(10000 ms\), so 21 % are refused here, the least critical first/,
    );
    expect(attempt.outcome?.kind).toBe('ignored');
    expect(one.server.seen).toHaveLength(100);
    expect(one.limits.requests).toBe(0);
    expect(one.breaker.state).toBe('closed');
  });

  it.each<[string, (seen: Seen) => void, number]>([
    ['429', answerWith(429), 1],
    ['503', answerWith(503), 1],
    ['a timeout', (seen) => seen.fail(testError('attempt_timeout')), 1],
    ['500', answerWith(500), 0],
    ['a reset', (seen) => seen.fail(testError('connection_lost')), 0],
  ])('takes %s for what it is', async (_, end, overloaded) => {
    const one = rig();
    await one.play(1, end);
    const { throttle, clock } = one;
    expect([throttle.requests(clock.now()), throttle.accepts(clock.now())]).toEqual([1, 1 - overloaded]);
  });

  it('counts no abort, no distrust, and no refusal of others', async () => {
    const one = rig();
    one.send().attempt.cancel('gone');
    await one.server.next();
    await one.play(1, (seen) => seen.fail(testError('peer_untrusted')));
    await one.play(1, (seen) => seen.fail(testError('no_endpoint')));
    one.breaker.isolate();
    await expect(one.send().answer).rejects.toMatchObject({ code: 'circuit_open' });
    expect(one.throttle.requests(one.clock.now())).toBe(0);
  });

  it('spares what is critical while there is something else, and takes a retry for one level less', async () => {
    const one = rig();
    const mixed = [0, 1, 2, 3];
    for (let i = 0; i < 100; i++) {
      one.send({ criticality: mixed[i % 4] as number });
      answerWith(i % 20 < 8 ? 200 : 429)(await one.server.next());
    }
    const refused = async (criticality: number, attempt = 1): Promise<boolean> => {
      const before = one.server.seen.length;
      one.send({ criticality, attempt });
      return one.server.seen.length === before;
    };
    // 40 of 100 were taken: 20 are to be refused, and 25 are sheddable.
    expect(await refused(1)).toBe(false);
    expect(await refused(2)).toBe(false);
    expect(await refused(3)).toBe(false);
    expect(await refused(0)).toBe(true);
    expect(await refused(1, 2)).toBe(true);
    expect(await refused(2, 2)).toBe(false);
  });

  it('lets the probe of a half-open circuit through: it was not made to be refused here', async () => {
    const one = rig();
    await one.play(10, (seen) => seen.fail(testError('attempt_timeout')));
    for (let i = 0; i < 100; i++) one.throttle.record(2, false, one.clock.now());
    expect(one.throttle.probability(one.clock.now())).toBeGreaterThan(0.8);
    expect(one.breaker.state).toBe('open');
    const before = one.server.seen.length;
    one.clock.advance(1_000);
    one.send();
    expect(one.server.seen).toHaveLength(before + 1);
    expect(one.breaker.state).toBe('halfOpen');
  });
});

describe('criticalityLayer', () => {
  it.each([
    // own, of the route, expected
    [3, 1, 3],
    [0, 1, 0],
    [-1, 1, 1],
    [-1, 0, 0],
  ])('own %i, route %i: %i', (own, route, expected) => {
    const [leaf, server] = pair();
    const call = testCall();
    call.criticality = own;
    void criticalityLayer(route)(leaf)(call);
    expect(server.seen[0]?.call.criticality).toBe(expected);
    expect(call.fork(1, 0).criticality).toBe(expected);
  });
});
