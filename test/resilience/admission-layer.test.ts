import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BREAKER_DEFAULTS, LIMITS_DEFAULTS, type LimitsPolicy } from '../../src/model/destination.ts';
import { admissionLayer } from '../../src/resilience/admission-layer.ts';
import { Breaker } from '../../src/resilience/breaker.ts';
import { loadTrip, type Trip } from '../../src/resilience/breaker-trip.ts';
import { Limits } from '../../src/resilience/limits.ts';
import type { Call, Reply } from '../../src/core/call.ts';
import { type FakeServer, pair, testCall, testError } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Rig {
  readonly clock: VirtualClock;
  readonly limits: Limits;
  readonly breaker: Breaker;
  readonly server: FakeServer;
  /** Sends attempt number `attempt` of a new call. */
  send(attempt?: number): { attempt: Call; answer: Promise<Reply> };
}

function rig(policy: Partial<LimitsPolicy> = {}): Rig {
  const clock = new VirtualClock();
  const limits = new Limits();
  const breaker = new Breaker(BREAKER_DEFAULTS, loadTrip(BREAKER_DEFAULTS) as Trip, { random: () => 1, onChange: () => {} });
  const [leaf, server] = pair({ clock });
  const service = admissionLayer({ breaker, limits, policy: { ...LIMITS_DEFAULTS, ...policy }, clock, name: 'reviews' })(leaf);
  const send = (number = 1): { attempt: Call; answer: Promise<Reply> } => {
    const attempt = testCall({ startedAtMs: clock.now() }).fork(number, clock.now());
    const answer = service(attempt);
    answer.catch(() => {});
    return { attempt, answer };
  };
  return { clock, limits, breaker, server, send };
}

async function fail(one: Rig, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    one.send();
    (await one.server.next()).fail(testError('connection_lost'));
  }
}

describe('admissionLayer', () => {
  it('does not hold it against a service that it sheds load: the circuit stays closed', async () => {
    const one = rig();
    for (let i = 0; i < 50; i++) {
      const { attempt } = one.send();
      await one.server.next();
      attempt.end({ kind: 'failure', status: 503, error: null, endedAtMs: one.clock.now(), isShed: true });
    }
    expect([one.breaker.state, one.limits.requests]).toEqual(['closed', 0]);
    await fail(one, 10);
    expect(one.breaker.state).toBe('open');
  });

  it('passes the answer through, and gives back at the last byte', async () => {
    const one = rig();
    const { answer } = one.send();
    const seen = await one.server.next();
    const reply = seen.reply(200);
    expect(await answer).toBe(reply);
    expect(one.limits.requests).toBe(1);
    seen.end();
    expect(one.limits.requests).toBe(0);
  });

  it('refuses one call too many by the name and value of the limit, and counts it for nobody', async () => {
    const one = rig({ maxRequests: 2 });
    one.send();
    one.send();
    const { attempt, answer } = one.send();
    await expect(answer).rejects.toMatchObject({ code: 'overloaded', family: 'refused', where: { destination: 'reviews' } });
    await expect(answer).rejects.toThrow(/reviews has 2 calls in flight here, 0 of them retries; maxRequests is 2/);
    expect(attempt.outcome?.kind).toBe('ignored');
    expect(one.server.seen).toHaveLength(2);
    (await one.server.next()).fail(testError('connection_lost'));
    one.send();
    expect(one.server.seen).toHaveLength(3);
  });

  it('refuses one retry too many, but no first attempt', async () => {
    const one = rig({ maxRetries: 1 });
    one.send(2);
    await expect(one.send(3).answer).rejects.toThrow(/maxRetries is 1/);
    one.send(1);
    expect(one.limits.requests).toBe(2);
    expect(one.limits.retries).toBe(1);
  });

  it('records endings with the breaker, and refuses while it is open, saying for how long', async () => {
    const one = rig();
    await fail(one, 10);
    expect(one.breaker.state).toBe('open');
    one.clock.advance(250);
    const { attempt, answer } = one.send();
    await expect(answer).rejects.toMatchObject({ code: 'circuit_open', retryAfterMs: 750 });
    await expect(answer).rejects.toThrow(/the circuit of reviews is open; calls are let through again in 750 ms/);
    expect(attempt.outcome?.kind).toBe('ignored');
    expect(one.limits.requests).toBe(0);
    expect(one.server.seen).toHaveLength(10);
  });

  it('says so when a probe is under way, and when the service is isolated', async () => {
    const one = rig();
    await fail(one, 10);
    one.clock.advance(1_000);
    one.send();
    one.clock.advance(1);
    await expect(one.send().answer).rejects.toThrow(/a probe is under way/);
    one.breaker.isolate();
    await expect(one.send().answer).rejects.toThrow(/reviews is isolated in this process/);
  });

  it('gives the probe permit back when the caller aborts', async () => {
    const one = rig();
    await fail(one, 10);
    one.clock.advance(1_000);
    const { attempt } = one.send();
    one.clock.advance(1);
    attempt.cancel('gone');
    expect(attempt.outcome?.kind).toBe('ignored');
    one.send();
    expect(one.server.seen).toHaveLength(12);
    expect(one.breaker.state).toBe('halfOpen');
  });

  it('gives the probe permit back when a success is below the quota (regression: permanently open)', async () => {
    const one = rig();
    await fail(one, 10);
    one.clock.advance(1_000);
    for (let probe = 0; probe < 3; probe++) {
      one.clock.advance(1);
      one.send();
      const seen = await one.server.next().then(async (next) => (next.call.outcome === null ? next : one.server.next()));
      seen.reply(200);
      seen.end();
    }
    expect(one.breaker.state).toBe('closed');
  });

  it('works without a breaker', async () => {
    const [leaf, server] = pair();
    const limits = new Limits();
    const service = admissionLayer({ breaker: null, limits, policy: LIMITS_DEFAULTS, clock: new VirtualClock(), name: 'r' })(leaf);
    const answer = service(testCall().fork(1, 1_000));
    (await server.next()).fail(testError('connection_lost'));
    await expect(answer).rejects.toMatchObject({ code: 'connection_lost' });
    expect(limits.requests).toBe(0);
  });

  it('conserves permits under any interleaving of success, failure, ignore, cancel and time', async () => {
    const step = fc.record({
      act: fc.constantFrom('send', 'send', 'retry', 'success', 'failure', 'failure', 'ignored', 'cancel', 'wait'),
      which: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const one = rig({ maxRequests: 8, maxRetries: 3 });
        for (const { act, which } of steps) {
          one.clock.advance(0.5);
          const open = one.server.seen.filter((seen) => seen.call.outcome === null);
          const seen = open[which % Math.max(1, open.length)];
          if (act === 'send') one.send(1);
          else if (act === 'retry') one.send(2);
          else if (act === 'wait') one.clock.advance(which * 100);
          else if (seen === undefined) continue;
          else if (act === 'success') {
            seen.reply(200);
            seen.end();
          } else if (act === 'failure') seen.fail(testError('attempt_timeout'));
          else if (act === 'ignored') seen.fail(testError('peer_untrusted'));
          else seen.call.cancel('gone');
          const left = one.server.seen.filter((one) => one.call.outcome === null);
          expect(one.limits.requests).toBe(left.length);
          expect(one.limits.retries).toBe(left.filter((one) => one.call.attempt > 1).length);
        }
        for (const seen of one.server.seen) seen.call.cancel('over');
        expect(one.limits.requests).toBe(0);
        expect(one.limits.retries).toBe(0);
        for (let probe = 0; probe < 3; probe++) {
          one.clock.advance(20_000);
          one.send();
          const seen = one.server.seen.at(-1);
          expect(seen?.call.outcome).toBeNull();
          seen?.reply(200);
          seen?.end();
        }
        expect(one.breaker.state).toBe('closed');
      }),
    );
  });
});
