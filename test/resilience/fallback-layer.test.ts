import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call, EndListener, Outcome, Reply } from '../../src/core/call.ts';
import type { MeshErrorCode } from '../../src/core/errors.ts';
import type { FallbackAnswer, FallbackPolicy, FallbackReason } from '../../src/model/traffic.ts';
import { fallbackLayer } from '../../src/resilience/fallback-layer.ts';
import { type FakeServer, type Seen, pair, type TestCallInit, testCall, testError } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { readBody } from './read-body.ts';

const FIXED: FallbackAnswer = { status: 203, headers: { 'Content-Type': 'text/plain' }, body: 'instead' };

interface Rig {
  readonly clock: VirtualClock;
  readonly server: FakeServer;
  /** How often the fallback answered. */
  readonly counted: string[];
  /** Everything that was said of the ends of the calls. */
  readonly outcomes: Outcome[];
  send(init?: TestCallInit): { call: Call; answer: Promise<Reply> };
}

function rig(answer: FallbackPolicy['answer'] = FIXED, statuses: FallbackPolicy['statuses'] = [[500, 599]]): Rig {
  const clock = new VirtualClock();
  const [leaf, server] = pair({ clock });
  const counted: string[] = [];
  const outcomes: Outcome[] = [];
  const service = fallbackLayer({ statuses, answer }, { clock, onAction: (action) => counted.push(action) })(leaf);
  const onEnd: EndListener = (_call, outcome) => outcomes.push(outcome);
  return {
    clock,
    server,
    counted,
    outcomes,
    send(init = {}) {
      const call = testCall({ startedAtMs: clock.now(), ...init });
      call.onEnd(onEnd);
      const answered = service(call);
      answered.catch(() => {});
      return { call, answer: answered };
    },
  };
}

async function answerWith(one: Rig, status: number): Promise<Seen> {
  const seen = await one.server.next();
  seen.reply(status);
  seen.end();
  return seen;
}

describe('fallbackLayer with a fixed answer', () => {
  it('lets a good answer through untouched', async () => {
    const one = rig();
    const { answer } = one.send();
    const reply = (await one.server.next()).reply(200);
    expect(await answer).toBe(reply);
    expect(one.counted).toEqual([]);
  });

  it('answers instead of a failed status, discards its body, and the call ends as the failure it was', async () => {
    const one = rig();
    const { call, answer } = one.send();
    const reply = (await one.server.next()).reply(503);
    const made = await answer;
    expect([made.status, made.headers]).toEqual([
      203,
      { 'content-type': 'text/plain', 'x-inmesh-fallback': 'value', 'content-length': '7' },
    ]);
    expect(readBody(made)).toBe('instead');
    expect(reply.log).toEqual(['discard']);
    expect(call.outcome).toMatchObject({ kind: 'failure', status: 503, error: null });
    expect(one.outcomes).toHaveLength(1);
    expect(one.counted).toEqual(['fallback']);
  });

  it.each<MeshErrorCode>(['circuit_open', 'no_endpoint', 'overloaded', 'connect_failed', 'attempt_timeout', 'deadline_exceeded'])(
    'answers instead of %s, and the call ends with it',
    async (code) => {
      const one = rig();
      const { call, answer } = one.send();
      (await one.server.next()).fail(testError(code));
      expect((await answer).headers['x-inmesh-fallback']).toBe('value');
      expect(call.outcome?.error?.code).toBe(code);
      expect(one.outcomes).toHaveLength(1);
    },
  );

  it('stands in for the statuses of the policy, and for no others', async () => {
    const one = rig(FIXED, [
      [404, 404],
      [502, 504],
    ]);
    for (const [status, expected] of [
      [403, 403],
      [404, 203],
      [405, 405],
      [500, 500],
      [502, 203],
      [504, 203],
      [505, 505],
    ] as const) {
      const { call, answer } = one.send();
      await answerWith(one, status);
      expect([status, (await answer).status, call.outcome?.kind]).toEqual([status, expected, status >= 500 ? 'failure' : 'success']);
    }
  });

  it('ends the call although nobody drains the body that it discards', async () => {
    const one = rig();
    const { call, answer } = one.send();
    const seen = await one.server.next();
    const reply = seen.reply(500);
    reply.discard = () => {};
    expect((await answer).status).toBe(203);
    expect(call.outcome).toMatchObject({ kind: 'failure', status: 500 });
  });

  it('gives no body to HEAD, and 200 when no status is said', async () => {
    const one = rig({ body: 'x' });
    const { answer } = one.send({ method: 'HEAD' });
    await answerWith(one, 500);
    const made = await answer;
    expect(made.status).toBe(200);
    expect(readBody(made)).toBe('');
  });

  it('never stands in for the abort of the caller, nor for an upgrade', async () => {
    const one = rig();
    const aborted = one.send();
    aborted.call.cancel('gone');
    await expect(aborted.answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(aborted.call.outcome?.kind).toBe('ignored');
    await one.server.next();

    const { call, answer } = one.send();
    call.upgrade = 'websocket';
    const failed = testError('connect_failed');
    (await one.server.next()).fail(failed);
    await expect(answer).rejects.toBe(failed);
    expect(one.counted).toEqual([]);
  });

  it('does not stand in when the caller aborts between the head and the layer', async () => {
    const one = rig();
    const { call, answer } = one.send();
    const reply = (await one.server.next()).reply(503);
    call.cancel('gone');
    expect(await answer).toBe(reply);
    expect(call.outcome?.error?.code).toBe('canceled');
    expect(one.counted).toEqual([]);
  });

  it('ends a call that a layer below threw out of', async () => {
    const clock = new VirtualClock();
    const layer = fallbackLayer({ statuses: [], answer: FIXED }, { clock, onAction: () => {} });
    const call = testCall();
    expect((await layer(() => Promise.reject(new TypeError('oops')))(call)).status).toBe(203);
    expect(call.outcome?.error?.code).toBe('call_failed');
  });
});

describe('fallbackLayer with a function', () => {
  it('tells it why, and waits for it; the call stays open meanwhile and ends as the failure', async () => {
    const reasons: FallbackReason[] = [];
    const { promise, resolve } = Promise.withResolvers<FallbackAnswer>();
    const one = rig((reason) => {
      reasons.push(reason);
      return promise;
    });
    const { call, answer } = one.send({ method: 'POST', path: '/orders?x=1' });
    const reply = (await one.server.next()).reply(503);
    await settle();
    expect(reasons).toEqual([{ status: 503, error: undefined, method: 'POST', path: '/orders?x=1' }]);
    expect(call.outcome).toBeNull();
    resolve({ body: 'late' });
    const made = await answer;
    expect(made.headers['x-inmesh-fallback']).toBe('function');
    expect(readBody(made)).toBe('late');
    expect(reply.log).toEqual(['discard']);
    expect(call.outcome).toMatchObject({ kind: 'failure', status: 503 });
    expect(one.outcomes).toHaveLength(1);
  });

  it('is handed the error, and what was learnt below is kept', async () => {
    const errors: unknown[] = [];
    const one = rig(({ error }) => {
      errors.push(error);
      return {};
    });
    const { call, answer } = one.send({ destination: null });
    const seen = await one.server.next();
    seen.call.destination = { service: 'reviews', subset: 'v2', name: 'reviews/v2' };
    const failure = testError('connection_lost');
    seen.fail(failure);
    expect((await answer).status).toBe(200);
    expect(errors).toEqual([failure]);
    expect(call.outcome?.error).toBe(failure);
    expect(call.destination?.name).toBe('reviews/v2');
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    [
      'throws at once',
      () => {
        throw new Error('no');
      },
    ],
    ['answers nonsense', () => undefined as unknown as FallbackAnswer],
  ])('leaves the failure as it was when it %s', async (_, respond) => {
    const one = rig(respond);
    const first = one.send();
    const failure = testError('circuit_open');
    (await one.server.next()).fail(failure);
    await expect(first.answer).rejects.toBe(failure);
    expect(first.call.outcome?.error).toBe(failure);

    const second = one.send();
    const seen = await one.server.next();
    const reply = seen.reply(502);
    reply.send(Buffer.from('the real one'));
    expect(await second.answer).toBe(reply);
    expect(second.call.outcome).toBeNull();
    seen.end();
    expect(readBody(reply)).toBe('the real one');
    expect(second.call.outcome).toMatchObject({ kind: 'failure', status: 502 });
    expect(one.counted).toEqual([]);
  });

  it('lets the caller abort while it is asked: nothing is answered, the failed body is let go', async () => {
    const one = rig(() => new Promise(() => {}));
    const { call, answer } = one.send();
    const reply = (await one.server.next()).reply(500);
    await settle();
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(call.outcome).toMatchObject({ kind: 'ignored', status: 500 });
    expect(reply.log).toEqual(['discard']);
  });

  it('passes a good answer on, and an abort before it reaches the leaf', async () => {
    const one = rig(() => ({}));
    const first = one.send();
    await answerWith(one, 200);
    expect((await first.answer).status).toBe(200);
    expect(first.call.outcome?.kind).toBe('success');
    const second = one.send();
    second.call.cancel('gone');
    await expect(second.answer).rejects.toMatchObject({ code: 'canceled' });
    expect(second.call.outcome?.kind).toBe('ignored');
  });

  it('keeps the timeout of the call for what is below', async () => {
    const one = rig(() => ({}));
    one.send({ timeoutMs: 70 });
    expect((await one.server.next()).call.timeoutMs).toBe(70);
  });
});

describe('a fallback, under any interleaving', () => {
  it('never masks an abort, and the call ends once, as what happened', async () => {
    const ending = fc.constantFrom<'ok' | 'status' | 'error'>('ok', 'status', 'error');
    const story = fc.record({
      isFunction: fc.boolean(),
      ending,
      /** When the caller aborts: before the ending, right after it, while the function is asked, after the answer, never. */
      abort: fc.constantFrom('before', 'with', 'asked', 'after', 'never'),
      functionFails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ isFunction, ending, abort, functionFails }) => {
        const gate = Promise.withResolvers<FallbackAnswer>();
        gate.promise.catch(() => {});
        const one = rig(isFunction ? () => gate.promise : FIXED);
        const { call, answer } = one.send();
        const settled = answer.then(
          (reply) => ({ reply, error: null as unknown, wasCanceled: call.canceled }),
          (error: unknown) => ({ reply: null, error, wasCanceled: call.canceled }),
        );
        const seen = await one.server.next();
        if (abort === 'before') call.cancel('gone');
        if (seen.call.outcome === null) {
          if (ending === 'error') seen.fail(testError('connection_lost'));
          else seen.reply(ending === 'ok' ? 200 : 503);
        }
        if (abort === 'with') call.cancel('gone');
        await settle();
        if (abort === 'asked') call.cancel('gone');
        if (functionFails) gate.reject(new Error('no'));
        else gate.resolve({ body: 'x' });
        await settle();
        if (abort === 'after') call.cancel('gone');
        const { reply, error, wasCanceled } = await settled;
        const isStandIn = reply?.headers['x-inmesh-fallback'] !== undefined;
        // Whoever was told that the caller is gone gives nothing of its own.
        if (wasCanceled && abort !== 'after') expect(isStandIn).toBe(false);
        // An ending that came first stands.
        if (error !== null && wasCanceled && (abort === 'before' || abort === 'asked')) expect(error).toMatchObject({ code: 'canceled' });
        if (isStandIn) expect(call.outcome?.kind).toBe('failure');
        if (reply !== null && !isStandIn && call.outcome === null) seen.end();
        expect(one.outcomes).toHaveLength(1);
        if (call.outcome?.error?.code === 'canceled') expect(call.outcome.kind).toBe('ignored');
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
