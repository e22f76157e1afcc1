import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import type { Body } from '../../src/core/call.ts';
import { GRPC_BUDGET_DEFAULTS } from '../../src/model/retry-budget.ts';
import { type TestCallInit, testError } from '../support/fake-service.ts';
import { type HedgeRig, hedgeRig as rig, type SentCall } from './hedge-rig.ts';

/** A rig with one call under way whose second attempt has just been sent. */
async function late(
  init: Parameters<typeof rig>[0] = {},
  call: Parameters<HedgeRig['send']>[0] = {},
): Promise<{ one: HedgeRig; sent: SentCall }> {
  const one = rig(init);
  const sent = one.send(call);
  await one.clock.run(50);
  return { one, sent };
}

function body(other: Partial<Body> = {}): Body {
  return { length: 3, replayable: true, shareable: true, failure: undefined, open: () => null, release() {}, ...other };
}

describe('a hedge', () => {
  it('is not sent while the first attempt is in time; the delay then shrinks', async () => {
    const one = rig();
    const { settled: before, ...sent } = one.send();
    await one.clock.run(49);
    const reply = one.attempt(1).reply(200);
    await one.clock.run(0);
    expect(one.clock.armed).toBe(1);
    await one.clock.run(1_000);
    expect(await sent.answer).toBe(reply);
    expect([one.server.seen.length, one.log, before]).toEqual([1, [], '']);
    expect(one.hedging.delay.delayMs).toBeCloseTo(50 * 0.999, 9);
    expect(one.clock.armed).toBe(1);
    reply.end();
    expect([one.clock.armed, sent.ends, one.limits.requests]).toEqual([0, ['success 200'], 0]);
  });

  it('goes out when the first attempt is late: an ordinary attempt beside it, elsewhere, in its own time', async () => {
    const { one, sent } = await late({ policy: { perTryTimeoutMs: 400 } });
    const [first, second] = [one.attempt(1).call, one.attempt(2).call];
    expect([second.attempt, second.startedAtMs, second.attemptDeadlineMs]).toEqual([2, 1_050, 1_450]);
    expect([first.parent === sent.call, second.parent === sent.call]).toEqual([true, true]);
    expect(sent.call.tried).toEqual([first.endpoint]);
    expect([one.limits.requests, one.limits.retries]).toEqual([2, 1]);
    expect([one.hedging.sent, one.log]).toEqual([1, ['hedge.sent']]);
    expect(one.budget.balance(0)).toBe(19);
    expect(one.hedging.tokens).toBeCloseTo(4, 9);
    expect(one.hedging.delay.delayMs).toBeCloseTo(50 * 1.019, 9);
  });

  it('that is answered first wins; the first attempt is stopped and its body is no longer in the way', async () => {
    const { one, sent } = await late();
    const reply = one.attempt(2).reply(200);
    expect(await sent.answer).toBe(reply);
    expect(one.attempt(1).call.outcome).toMatchObject({ kind: 'ignored', error: { code: 'canceled' } });
    expect([reply.log, sent.ends, sent.call.outcome]).toEqual([[], [], null]);
    reply.end();
    expect([sent.ends, one.limits.requests, one.limits.retries]).toEqual([['success 200'], 0, 0]);
    expect([one.hedging.won, one.log]).toEqual([1, ['hedge.sent', 'hedge.won']]);
    expect(one.budget.balance(0)).toBeCloseTo(19.2, 9);
  });

  it('that is answered last loses, and the winner can still be read', async () => {
    const { one, sent } = await late();
    const reply = one.attempt(1).reply(200);
    await sent.answer;
    expect(one.attempt(2).call.outcome?.kind).toBe('ignored');
    let text = '';
    reply.attach({ onData: (chunk) => (text += chunk) !== '', onEnd: () => (text += '.'), onError: () => (text += '!') });
    reply.send(Buffer.from('body'));
    reply.end();
    expect([text, sent.ends, one.hedging.won]).toEqual(['body.', ['success 200'], 0]);
  });

  it('a loser that ignores its cancellation delays nobody; what it says later is thrown away, what it held is given back', async () => {
    const { one, sent } = await late();
    one.attempt(1).call.pending = { cancel() {} };
    one.attempt(2).reply(200);
    await one.clock.run(0);
    expect([sent.settled, one.limits.requests]).toEqual(['200', 2]);
    one.attempt(2).end();
    const ignored = one.attempt(1).reply(200);
    await one.clock.run(0);
    expect([ignored.log, one.limits.requests, sent.ends]).toEqual([['discard'], 0, ['success 200']]);
    expect(one.clock.armed).toBe(0);
  });

  it('after the winner the caller can still cancel its body', async () => {
    const { one, sent } = await late();
    one.attempt(2).reply(200);
    await sent.answer;
    sent.call.cancel('gone');
    expect(sent.ends).toEqual(['ignored canceled']);
    expect(one.limits.requests).toBe(0);
  });

  it('at most one for each call, and none for its retries', async () => {
    const { one } = await late();
    await one.clock.run(5_000);
    expect(one.server.seen).toHaveLength(2);
    one.attempt(1).reply(503);
    one.attempt(2).reply(503);
    await one.clock.run(5_000);
    expect(one.server.seen.map(({ call }) => call.attempt)).toEqual([1, 2, 3]);
    expect(one.log).toEqual(['hedge.sent', 'retry 503']);
  });
});

describe('the async context', () => {
  it('of the second attempt is that of the caller, not that of whoever moves the time', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const one = rig({ onAttempt: () => seen.push(storage.getStore()) });
    storage.run('caller', () => one.send());
    await storage.run('timer', () => one.clock.run(50));
    expect(seen).toEqual(['caller', 'caller']);
  });
});

describe('a first attempt that fails', () => {
  it('before the delay: is left to the retries, and teaches nothing', async () => {
    const one = rig();
    const sent = one.send();
    await one.clock.run(10);
    one.attempt(1).fail(testError('connection_lost', { sent: 'head', retryable: true }));
    await one.clock.run(25);
    expect([one.attempt(2).call.attempt, one.log, one.hedging.delay.delayMs]).toEqual([2, ['retry reset-on-reused-connection'], 50]);
    one.attempt(2).reply(200);
    expect((await sent.answer).status).toBe(200);
  });

  it.each([
    [503, 200],
    [429, 200],
    [500, 404],
  ])('while the hedge is under way, with %i: the hedge is waited for, and answers %i', async (first, second) => {
    const { one, sent } = await late();
    const bad = one.attempt(1).reply(first);
    await one.clock.run(100);
    expect(sent.settled).toBe('');
    const good = one.attempt(2).reply(second);
    await one.clock.run(0);
    expect([sent.settled, bad.log, good.log]).toEqual([String(second), ['discard'], []]);
  });

  it('an answer over an error: the hedge is lost, the first answered 500 before', async () => {
    const { one, sent } = await late();
    const answer = one.attempt(1).reply(500);
    one.attempt(2).fail(testError('connection_lost', { sent: 'head' }));
    expect(await sent.answer).toBe(answer);
    expect([answer.log, one.log]).toEqual([[], ['hedge.sent']]);
    answer.end();
    expect(sent.ends).toEqual(['failure 500']);
  });

  it('but not an answer that broke off meanwhile', async () => {
    const { one, sent } = await late();
    const answer = one.attempt(1).reply(500);
    await one.clock.run(0);
    answer.intact = false;
    const error = testError('connection_lost', { sent: 'head' });
    one.attempt(2).fail(error);
    await expect(sent.answer).rejects.toBe(error);
  });

  it('an error over a refusal of ours', async () => {
    const { one, sent } = await late();
    const error = testError('connection_lost', { sent: 'head' });
    one.attempt(1).fail(error);
    one.attempt(2).fail(testError('circuit_open'));
    await expect(sent.answer).rejects.toBe(error);
    expect(sent.ends).toEqual(['failure connection_lost']);
  });

  it('the hedge fails, the first is waited for; of two failed answers the later one is repeated, and both endpoints are avoided', async () => {
    const { one, sent } = await late();
    const dropped = one.attempt(2).reply(503);
    await one.clock.run(0);
    one.attempt(1).reply(502);
    await one.clock.run(25);
    expect([dropped.log, one.attempt(3).call.attempt, one.log]).toEqual([['discard'], 3, ['hedge.sent', 'retry 502']]);
    expect(sent.call.tried?.map(({ address }) => address)).toEqual(['e1', 'e2']);
    one.attempt(3).reply(200);
    expect((await sent.answer).status).toBe(200);
    one.attempt(3).end();
    expect([sent.ends, one.limits.requests]).toEqual([['success 200'], 0]);
  });

  it('out of its own time: the hedge has its own', async () => {
    const { one, sent } = await late({ policy: { perTryTimeoutMs: 200 } });
    await one.clock.run(150);
    expect([one.attempt(1).call.outcome?.error?.code, sent.settled]).toEqual(['attempt_timeout', '']);
    one.attempt(2).reply(200);
    expect((await sent.answer).status).toBe(200);
  });

  it('with retries off the better of the two is what the caller gets', async () => {
    const { one, sent } = await late({ policy: { attempts: 0 } });
    one.attempt(1).reply(503);
    one.attempt(2).fail(testError('connection_lost', { sent: 'head' }));
    expect((await sent.answer).status).toBe(503);
    expect(one.server.seen).toHaveLength(2);
  });

  it('for gRPC throttling both failures count', async () => {
    const { one } = await late({ budget: { ...GRPC_BUDGET_DEFAULTS, tokensMax: 100 } });
    one.attempt(1).reply(503);
    one.attempt(2).reply(503);
    await one.clock.run(0);
    expect(one.budget.balance(0)).toBe(48);
  });
});

describe('no hedge', () => {
  it.each<[string, Parameters<HedgeRig['send']>[0], boolean]>([
    ['GET', {}, true],
    ['an upgrade', { upgrade: 'websocket' }, false],
    ['POST', { method: 'POST' }, false],
    ['POST with a key', { method: 'POST', headers: ['idempotency-key', 'a'] }, true],
    ['POST of an idempotent route', { method: 'POST', idempotent: true }, true],
    ['PUT with a body at hand', { method: 'PUT', body: body() }, true],
    ['PUT with a body that can be sent once', { method: 'PUT', body: body({ replayable: false }) }, false],
    ['PUT with a body that only one attempt can read at a time', { method: 'PUT', body: body({ shareable: false }) }, false],
  ])('%s: hedged %s', async (_name, init, expected) => {
    const { one } = await late({}, init);
    expect(one.server.seen).toHaveLength(expected ? 2 : 1);
    expect(one.clock.armed).toBe(expected ? 2 : 1);
  });

  it.each<[string, Parameters<typeof rig>[0], TestCallInit]>([
    ['the switch is pulled', { deps: { gate: { isPaused: true } } }, {}],
    ['maxRetries is reached', { limits: { maxRetries: 1 }, deps: { mayRetry: () => false } }, {}],
    ['it could not finish in time', { deps: { fastestMs: () => 60 } }, { deadlineMs: 1_110 }],
    ['too few calls were answered', { tokens: 0 }, {}],
    ['the retry budget is empty', { budget: { kind: 'successes', tokensMax: 0, tokensPerSecond: 0, tokensPerSuccess: 0 } }, {}],
  ])('when %s; the delay learns all the same', async (_name, init, call) => {
    const { one, sent } = await late(init, call);
    expect([one.server.seen.length, one.hedging.denied, one.hedging.sent, one.log]).toEqual([1, 1, 0, ['hedge.denied']]);
    expect(one.hedging.delay.delayMs).toBeCloseTo(50 * 1.019, 9);
    one.attempt(1).reply(200);
    expect((await sent.answer).status).toBe(200);
    expect(one.hedging.delay.delayMs).toBeCloseTo(50 * 1.019, 9);
  });

  it('an empty retry budget does not cost a token of the hedges', async () => {
    const { one } = await late({ budget: { kind: 'successes', tokensMax: 0, tokensPerSecond: 0, tokensPerSuccess: 0 } });
    expect(one.hedging.tokens).toBeCloseTo(5, 9);
  });

  it('when admission refuses it: denied, and the first attempt goes on', async () => {
    const { one, sent } = await late({ limits: { maxRequests: 1 } });
    expect([one.server.seen.length, one.hedging.sent, one.log]).toEqual([1, 0, ['hedge.denied']]);
    one.attempt(1).reply(200);
    expect((await sent.answer).status).toBe(200);
    one.attempt(1).end();
    expect([sent.ends, one.limits.requests, one.limits.retries]).toEqual([['success 200'], 0, 0]);
  });

  it('when the head came in the very turn in which the delay passed', async () => {
    const one = rig();
    const sent = one.send();
    await one.clock.run(0);
    one.attempt(1).reply(200);
    one.clock.advance(60);
    expect((await sent.answer).status).toBe(200);
    expect([one.server.seen.length, one.log]).toEqual([1, []]);
    expect(one.hedging.delay.delayMs).toBeCloseTo(50 * 0.999, 9);
  });
});

describe('the abort of the caller', () => {
  it('before the delay', async () => {
    const one = rig();
    const { call, answer, ends } = one.send();
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    await one.clock.run(1_000);
    expect([ends, one.server.seen.length, one.clock.armed, one.limits.requests]).toEqual([['ignored canceled'], 1, 0, 0]);
    expect(one.hedging.delay.delayMs).toBe(50);
  });

  it('reaches both attempts', async () => {
    const { one, sent } = await late();
    sent.call.cancel('gone');
    await expect(sent.answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(one.server.seen.map(({ call }) => call.outcome?.error?.code)).toEqual(['canceled', 'canceled']);
    expect([sent.ends, one.clock.armed, one.limits.requests]).toEqual([['ignored canceled'], 0, 0]);
  });

  it('while a failed answer waits for the hedge: nobody wants it', async () => {
    const { one, sent } = await late();
    const bad = one.attempt(1).reply(503);
    await one.clock.run(0);
    sent.call.cancel('gone');
    await expect(sent.answer).rejects.toMatchObject({ code: 'canceled' });
    expect([bad.log, sent.ends, one.limits.requests]).toEqual([['discard'], ['ignored canceled'], 0]);
  });

  it.each([1, 2])('is not held up by attempt %i, which ignores it', async (number) => {
    const { one, sent } = await late();
    one.attempt(number).call.pending = { cancel() {} };
    sent.call.cancel('gone');
    await one.clock.run(0);
    expect([sent.settled, sent.ends]).toEqual(['canceled', ['ignored canceled']]);
  });
});
