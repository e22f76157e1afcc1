import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { BUDGET_DEFAULTS, RETRY_DEFAULTS } from '../../src/model/destination.ts';
import {
  ENVOY_BUDGET_DEFAULTS,
  GATEWAY_API_BUDGET_DEFAULTS,
  GRPC_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
} from '../../src/model/retry-budget.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { makeBudget } from '../../src/resilience/make-budget.ts';
import { retryLayer } from '../../src/resilience/retry-layer.ts';
import { testCall, testError } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { retryRig as rig } from './retry-rig.ts';

describe('retryLayer, one attempt', () => {
  it('hands a good answer through as it is, and the call ends with its last byte', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const seen = await one.server.next();
    const reply = seen.reply(200);
    expect(await answer).toBe(reply);
    expect(reply.log).toEqual([]);
    expect(ends).toEqual([]);
    seen.end();
    expect(ends).toEqual(['success 200']);
    expect(call.tried).toBeNull();
    expect(one.log).toEqual([]);
  });

  it('the attempt starts when the call started, and its head is due in time', async () => {
    const one = rig({ perTryTimeoutMs: 400 });
    one.send();
    const { call } = await one.server.next();
    expect([call.attempt, call.startedAtMs, call.attemptDeadlineMs, call.deadlineMs]).toEqual([1, 1_000, 1_400, 31_000]);
  });

  it.each([
    [10_000, 1_700, 1_700],
    [0, 1_700, 1_700],
    [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('perTryTimeout %i under a deadline of %i: due at %i', async (perTryTimeoutMs, deadlineMs, expected) => {
    const one = rig({ perTryTimeoutMs });
    one.send({ deadlineMs });
    expect((await one.server.next()).call.attemptDeadlineMs).toBe(expected);
  });

  it.each([
    [200, 1.2],
    [404, 1.2],
    [500, 1],
  ])('status %i leaves %d tokens of one', async (status, expected) => {
    const one = rig();
    for (let i = 0; i < 19; i++) one.budget.tryWithdraw(one.clock.now());
    const { answer } = one.send();
    (await one.server.next()).reply(status);
    expect((await answer).status).toBe(status);
    expect(one.budget.balance(one.clock.now())).toBeCloseTo(expected, 9);
    expect(one.log).toEqual([]);
  });

  it('passes an error on as it is; the call has ended before', async () => {
    const one = rig();
    const { answer, ends } = one.send();
    const error = testError('peer_untrusted');
    (await one.server.next()).fail(error);
    await expect(answer).rejects.toBe(error);
    expect(ends).toEqual(['ignored peer_untrusted']);
  });

  it('with retries off never repeats, and still commits and counts', async () => {
    const one = rig({ attempts: 0, perTryTimeoutMs: 300 });
    for (let i = 0; i < 20; i++) one.budget.tryWithdraw(one.clock.now());
    const first = one.send();
    (await one.server.next()).reply(503);
    expect((await first.answer).status).toBe(503);
    one.server.seen[0]?.end();
    expect(first.ends).toEqual(['failure 503']);
    const second = one.send();
    const seen = await one.server.next();
    expect(seen.call.attemptDeadlineMs).toBe(1_300);
    seen.reply(200);
    seen.end();
    expect(second.ends).toEqual(['success 200']);
    expect(one.budget.balance(one.clock.now())).toBeCloseTo(0.2, 9);
    expect(one.log).toEqual([]);
  });
});

describe('retryLayer, repeating', () => {
  it('waits, tries again, and lets the better answer through', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const bad = (await one.server.next()).reply(503);
    await one.clock.run(24);
    expect(one.server.waiting).toBe(0);
    await one.clock.run(1);
    const second = await one.server.next();
    expect([second.call.attempt, second.call.startedAtMs, second.call.parent === call]).toEqual([2, 1_025, true]);
    const good = second.reply(200);
    expect(await answer).toBe(good);
    expect(bad.log).toEqual(['hold', 'discard']);
    second.end();
    expect(ends).toEqual(['success 200']);
    expect(one.log).toEqual(['retry 503']);
    expect(one.budget.balance(one.clock.now())).toBeCloseTo(19.2, 9);
    expect(one.clock.armed).toBe(0);
  });

  it('repeats at once, without a timer, what never reached the service', async () => {
    const one = rig();
    const { answer } = one.send({ method: 'POST' });
    (await one.server.next()).fail(testError('connect_failed'));
    const second = await one.server.next();
    expect(second.call.startedAtMs).toBe(1_000);
    second.reply(201);
    expect((await answer).status).toBe(201);
    expect(one.budget.balance(one.clock.now())).toBe(20);
  });

  it('ends with the last real answer, its body unread', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    for (let attempt = 1; attempt <= 3; attempt++) {
      (await one.server.next()).reply(502 + attempt - 1);
      await one.clock.run(100);
    }
    const reply = await answer;
    expect(reply.status).toBe(504);
    expect(one.server.seen).toHaveLength(3);
    expect(one.log).toEqual(['retry 502', 'retry 503', 'denied attempts']);
    expect(call.retryDenied).toBe('attempts');
    one.server.seen[2]?.end();
    expect(ends).toEqual(['failure 504']);
  });

  it('at most three free repetitions beside the attempts', async () => {
    const one = rig();
    const { answer, ends } = one.send();
    for (let attempt = 1; attempt <= 6; attempt++) {
      (await one.server.next()).fail(testError('connect_failed'));
      await one.clock.run(300);
    }
    await expect(answer).rejects.toMatchObject({ code: 'connect_failed' });
    expect(one.server.seen).toHaveLength(6);
    expect(one.budget.balance(one.clock.now())).toBe(18);
    expect(ends).toEqual(['failure connect_failed']);
  });

  it('remembers the endpoints tried, each once', async () => {
    const one = rig();
    const { call } = one.send();
    const endpoint = (address: string): Endpoint => ({ address }) as unknown as Endpoint;
    for (const address of ['a', 'b', 'a']) {
      const seen = await one.server.next();
      seen.call.endpoint = address === 'b' ? endpoint('b') : (call.tried?.[0] ?? endpoint('a'));
      seen.fail(testError('connect_failed'));
      await one.clock.run(300);
    }
    expect(call.tried?.map(({ address }) => address)).toEqual(['a', 'b']);
  });

  it('keeps to Retry-After, and tells who asked', async () => {
    const asked: unknown[] = [];
    const one = rig({}, { onRetryAfter: (endpoint, forMs) => asked.push([endpoint.address, forMs]) });
    one.send();
    const seen = await one.server.next();
    seen.call.endpoint = { address: 'a' } as unknown as Endpoint;
    seen.reply(429, { 'retry-after': '2' });
    await one.clock.run(1_999);
    expect(one.server.waiting).toBe(0);
    await one.clock.run(1);
    expect(one.server.waiting).toBe(1);
    expect(asked).toEqual([['a', 2_000]]);
  });

  it.each([
    [['7', '1'], 'retry-after'],
    ['7', 'retry-after'],
  ])('gives the answer back when Retry-After %j is too long', async (value, reason) => {
    const one = rig();
    const { call, answer } = one.send();
    const reply = (await one.server.next()).reply(503, { 'retry-after': value as string });
    expect(await answer).toBe(reply);
    expect(reply.log).toEqual([]);
    expect(call.retryDenied).toBe(reason);
  });

  it('makes no attempt that cannot finish', async () => {
    const one = rig({}, { fastestMs: () => 50 });
    const { call, answer } = one.send({ deadlineMs: 1_070 });
    const reply = (await one.server.next()).reply(503);
    expect(await answer).toBe(reply);
    expect(call.retryDenied).toBe('deadline');
    expect(one.clock.armed).toBe(1);
    one.server.seen[0]?.end();
    expect(one.clock.armed).toBe(0);
  });

  it('repeats an attempt that timed out, within its own time', async () => {
    const one = rig({ perTryTimeoutMs: 200 });
    const { answer } = one.send();
    await one.clock.run(225);
    expect(one.server.seen[0]?.call.outcome?.error?.code).toBe('attempt_timeout');
    const second = one.server.seen[1];
    expect(second?.call.attemptDeadlineMs).toBe(1_425);
    second?.reply(200);
    expect((await answer).status).toBe(200);
  });
});

describe('retryLayer, when no better answer comes', () => {
  it.each([
    ['lost', (): unknown => testError('connection_lost', { sent: 'head' }), null],
    ['refused by the circuit', (): unknown => testError('circuit_open'), 'limit'],
    ['refused for want of an endpoint', (): unknown => testError('no_endpoint'), 'limit'],
    ['out of time', (): unknown => testError('deadline_exceeded'), null],
  ])('the second attempt is %s: the answer held is returned', async (_name, error, denied) => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const held = (await one.server.next()).reply(503);
    await one.clock.run(25);
    (await one.server.next()).fail(error() as never);
    expect(await answer).toBe(held);
    expect(held.log).toEqual(['hold']);
    expect(ends).toEqual(['failure 503']);
    expect(call.retryDenied).toBe(denied ?? '');
  });

  it('an answer that could not be held whole is not returned', async () => {
    const one = rig();
    const { answer, ends } = one.send();
    const held = (await one.server.next()).reply(503);
    await one.clock.run(25);
    held.intact = false;
    (await one.server.next()).fail(testError('connection_lost', { sent: 'head' }));
    await expect(answer).rejects.toMatchObject({ code: 'connection_lost' });
    expect(held.log).toEqual(['hold', 'discard']);
    expect(ends).toEqual(['failure connection_lost']);
  });

  it('a refused retry after a failure: the failure says more', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const error = testError('connect_failed');
    (await one.server.next()).fail(error);
    (await one.server.next()).fail(testError('overloaded'));
    await expect(answer).rejects.toBe(error);
    expect(ends).toEqual(['failure connect_failed']);
    expect(call.retryDenied).toBe('limit');
  });

  it('the caller may still cancel an answer that was held and returned', async () => {
    const one = rig();
    const { call, answer } = one.send();
    const first = await one.server.next();
    const held = first.reply(503);
    held.hold = () => void held.log.push('hold');
    await one.clock.run(25);
    (await one.server.next()).fail(testError('connection_lost', { sent: 'head' }));
    await answer;
    expect(call.outcome).toBeNull();
    call.cancel('gone');
    expect(first.call.outcome?.error?.code).toBe('canceled');
    expect(call.outcome?.kind).toBe('ignored');
  });
});

describe('retryLayer and the abort of the caller', () => {
  it('in an attempt: not repeated, counted for nobody', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    await one.server.next();
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(ends).toEqual(['ignored canceled']);
    expect(one.server.seen).toHaveLength(1);
    expect(one.clock.armed).toBe(0);
  });

  it('in the pause: ends at once, without another attempt, and lets the held answer go', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const held = (await one.server.next()).reply(503, { 'retry-after': '3' });
    await one.clock.run(10);
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone', where: { service: 'reviews' } });
    expect(one.clock.now()).toBe(1_010);
    expect(one.clock.armed).toBe(0);
    expect(held.log).toEqual(['hold', 'discard']);
    expect(ends).toEqual(['ignored canceled']);
    await one.clock.run(10_000);
    expect(one.server.seen).toHaveLength(1);
  });

  it('in the second attempt: the held answer is let go', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const held = (await one.server.next()).reply(503);
    await one.clock.run(25);
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    expect(held.log).toEqual(['hold', 'discard']);
    expect(ends).toEqual(['ignored canceled']);
  });

  it('between the head and the decision: nobody wants the answer', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    const reply = (await one.server.next()).reply(503);
    reply.discard = () => void reply.log.push('discard');
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    expect(reply.log).toEqual(['discard']);
    expect(ends).toEqual(['ignored canceled']);
    expect(one.server.seen).toHaveLength(1);
  });
});

describe('retryLayer and layers that break the contract', () => {
  it('ends an attempt that a layer left open by throwing', async () => {
    const clock = new VirtualClock();
    const thrown = new Error('a bug');
    const budget = new Budget(BUDGET_DEFAULTS, 0);
    const layer = retryLayer(RETRY_DEFAULTS, { clock, random: () => 0, budget, fastestMs: () => 0, onRetry() {}, onDenied() {} });
    const call = testCall();
    const service = layer(() => {
      throw thrown;
    });
    await expect(service(call)).rejects.toBe(thrown);
    expect(call.outcome).toMatchObject({ kind: 'failure', error: { code: 'call_failed', cause: thrown } });
  });
});

describe('retryLayer and budgets of other meshes', () => {
  const inFlight = { requests: 0 };

  it('Envoy: a retry counts from the decision until its head, and the abort of the caller gives it back', async () => {
    const budget = makeBudget(ENVOY_BUDGET_DEFAULTS, { nowMs: 0, inFlight });
    const one = rig({}, { budget });
    const { answer } = one.send();
    (await one.server.next()).reply(503);
    await one.clock.run(0);
    expect(budget.balance(0)).toBe(2);
    await one.clock.run(25);
    (await one.server.next()).reply(200);
    await answer;
    expect(budget.balance(0)).toBe(3);
    const { call } = one.send();
    (await one.server.next()).reply(503);
    await one.clock.run(0);
    call.cancel('gone');
    await one.clock.run(0);
    expect(budget.balance(0)).toBe(3);
  });

  it.each([
    [ENVOY_BUDGET_DEFAULTS, 3],
    [{ ...LINKERD_BUDGET_DEFAULTS, retriesPerSecondMin: 1 }, 10],
    [{ ...GATEWAY_API_BUDGET_DEFAULTS, rateMinCount: 2 }, 2],
    [BUDGET_DEFAULTS, 4],
  ])('%j: free retries of %i calls at once', async (policy, expected) => {
    const budget = makeBudget(policy, { nowMs: 1_000, inFlight });
    const one = rig({ attempts: 1 }, { budget });
    const calls = Array.from({ length: 4 * expected }, () => one.send());
    for (const seen of one.server.seen.slice()) seen.fail(testError('connect_failed'));
    await one.clock.run(0);
    expect(one.server.seen.length - calls.length).toBe(policy.kind === 'successes' ? calls.length : expected);
  });

  it('Linkerd: answers pay in, failures that may be repeated do not', async () => {
    const budget = makeBudget({ ...LINKERD_BUDGET_DEFAULTS, retriesPerSecondMin: 0 }, { nowMs: 0, inFlight });
    const one = rig({}, { budget });
    for (const status of [200, 404, 503, 200]) {
      one.send();
      (await one.server.next()).reply(status);
      await one.clock.run(0);
    }
    expect(budget.balance(one.clock.now())).toBeCloseTo(0.6, 9);
    expect(one.log).toEqual(['denied budget']);
  });

  it('Gateway API: every call is counted once, with its retries beside it', async () => {
    const budget = makeBudget({ ...GATEWAY_API_BUDGET_DEFAULTS, rateMinCount: 1, percent: 10 }, { nowMs: 0, inFlight });
    const one = rig({}, { budget });
    for (let i = 0; i < 19; i++) one.send();
    expect(budget.balance(one.clock.now())).toBeCloseTo(1.9, 9);
    one.server.seen[0]?.reply(503);
    await one.clock.run(0);
    expect(budget.balance(one.clock.now())).toBeCloseTo(1, 9);
  });

  it.each([
    [503, 2, 4],
    [500, 2, 5],
    [404, 2, 5],
    [503, 0, 4],
    [404, 0, 5],
  ])('gRPC: %i with %i attempts leaves %i above half', async (status, attempts, expected) => {
    const budget = makeBudget(GRPC_BUDGET_DEFAULTS, { nowMs: 0, inFlight });
    const one = rig({ attempts }, { budget });
    one.send({ method: 'POST' });
    (await one.server.next()).reply(status).end();
    await one.clock.run(0);
    expect(budget.balance(0)).toBe(expected);
  });
});

describe('retryLayer, whatever happens', () => {
  const act = fc.constantFrom('200', '404', '429', '500', '503', 'after', 'none', 'lost', 'refused', 'silent', 'cancel');

  it('ends the call exactly once and every attempt too, keeps no timer, and stays within attempts and budget', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('GET', 'POST'),
        fc.integer({ min: 0, max: 3 }),
        fc.nat(),
        async (script, method, attempts, seed) => {
          const one = rig({ attempts, perTryTimeoutMs: 500 }, { random: seededRandom(seed) });
          const { call, answer, ends } = one.send({ method, deadlineMs: one.clock.now() + 2_000 });
          let settled = '';
          answer.then(
            (reply) => {
              settled = `reply ${reply.status}`;
            },
            (error) => {
              settled = `error ${error.code}`;
            },
          );
          for (const step of script) {
            const seen = one.server.seen.at(-1);
            if (step === 'cancel') call.cancel('gone');
            else if (seen === undefined || seen.call.outcome !== null || seen.call.headAtMs !== 0) await one.clock.run(50);
            else if (step === 'none') seen.fail(testError('connect_failed'));
            else if (step === 'lost') seen.fail(testError('connection_lost', { sent: 'head', retryable: true }));
            else if (step === 'refused') seen.fail(testError('circuit_open'));
            else if (step === 'silent') await one.clock.run(500);
            else if (step === 'after') seen.reply(503, { 'retry-after': '1' });
            else seen.reply(Number(step));
            await one.clock.run(0);
          }
          await one.clock.run(60_000);
          for (const seen of one.server.seen) seen.end();
          await one.clock.run(0);
          expect(settled).not.toBe('');
          expect(ends).toHaveLength(1);
          expect(one.server.seen.every((seen) => seen.call.outcome !== null)).toBe(true);
          expect(one.clock.armed).toBe(0);
          expect(one.server.seen.length).toBeLessThanOrEqual(attempts === 0 ? 1 : 1 + attempts + 3);
          expect(one.budget.balance(one.clock.now())).toBeGreaterThanOrEqual(20 - attempts);
          if (settled === 'error canceled') expect(ends).toEqual(['ignored canceled']);
        },
      ),
      { numRuns: 200 },
    );
  });
});
