import { describe, expect, it } from 'vitest';
import type { Call, Reply } from '../../src/core/call.ts';
import { COALESCE_DEFAULTS } from '../../src/model/traffic.ts';
import { coalesceLayer } from '../../src/resilience/coalesce-layer.ts';
import { type FakeReply, type Seen, type TestCallInit, testCall, testError } from '../support/fake-service.ts';
import { settle } from '../support/virtual-clock.ts';
import { type Caller, coalesceRig, sendHead, texts } from './coalesce-rig.ts';
import { startReading } from './read-body.ts';

describe('coalesceLayer: one for all', () => {
  it('gives all callers the answer of one, each with its own bytes and its own end', async () => {
    const one = coalesceRig({}, (next) => (call) => {
      call.destination = { service: 'reviews', subset: 'v2', name: 'reviews/v2' };
      return next(call);
    });
    const callers = [one.send(), one.send(), one.send()];
    const [seen, reply] = await sendHead(one, 200, { 'x-a': '1', 'transfer-encoding': 'chunked' });
    reply.send(Buffer.from('hel'));
    expect(callers.map((caller) => caller.reply !== null)).toEqual([true, false, false]);
    reply.send(Buffer.from('lo'));
    seen.end();
    await settle();
    expect(one.server.seen).toHaveLength(1);
    expect(texts(...callers)).toEqual(['hello', 'hello', 'hello']);
    for (const { call, outcomes } of callers) {
      expect(outcomes).toEqual([expect.objectContaining({ kind: 'success', status: 200, error: null })]);
      expect(call.destination?.name).toBe('reviews/v2');
    }
    expect(callers[1]?.reply?.headers).toEqual({ 'x-a': '1', 'content-length': '5' });
    callers[1]?.reading?.chunks[0]?.fill(0);
    expect(texts(callers[2] as Caller)).toEqual(['hello']);
    expect([one.counted, one.flights.size, one.clock.armed]).toEqual([['coalesced', 'coalesced'], 0, 0]);
  });

  it('goes down as a call of its own that knows the route, the trace and the deadline of the first', async () => {
    const one = coalesceRig();
    const { call } = one.send({ headers: ['a', '1'], idempotent: true });
    call.span = 'trace';
    const { call: shared } = await one.server.next();
    expect(shared).not.toBe(call);
    expect([shared.parent, shared.route, shared.deadlineMs, shared.startedAtMs]).toEqual([
      null,
      call.route,
      call.deadlineMs,
      call.startedAtMs,
    ]);
    expect([shared.idempotent, shared.headers, shared.attempt]).toEqual([true, ['a', '1'], 0]);
  });

  it('joins callers until the last byte has come, and begins anew after it', async () => {
    const one = coalesceRig();
    const first = one.send();
    const [seen, reply] = await sendHead(one);
    reply.send(Buffer.from('x'));
    const late = one.send();
    seen.end();
    await settle();
    const next = one.send();
    await settle();
    expect(one.server.seen).toHaveLength(2);
    expect(texts(first, late, next)).toEqual(['x', 'x', undefined]);
  });

  it.each<[string, TestCallInit]>([
    ['path', { path: '/b' }],
    ['scheme', { scheme: 'https' }],
    ['host', { authority: 'ratings' }],
    ['a header of the policy', { headers: ['Accept', 'b'] }],
    ['the same header twice', { headers: ['accept', 'a', 'accept', 'b'] }],
    ['credentials', { headers: ['authorization', 'b'] }],
    ['a condition', { headers: ['accept', 'a', 'if-none-match', '"a"'] }],
    ['a wish', { headers: ['accept', 'a', 'cache-control', 'no-cache'] }],
    ['method', { method: 'HEAD' }],
    ['upgrade', {}],
  ])('never joins calls that differ in %s', async (what, other) => {
    const one = coalesceRig();
    one.send({ headers: ['accept', 'a'] });
    if (what === 'upgrade') {
      const call = testCall({ headers: ['accept', 'a'] });
      call.upgrade = 'websocket';
      void coalesceLayer(one.flights)(() => {
        one.counted.push('alone');
        return new Promise(() => {});
      })(call);
      expect(one.counted).toEqual(['alone']);
      return;
    }
    one.send({ headers: ['accept', 'a'], ...other });
    await settle();
    expect(one.server.seen).toHaveLength(2);
  });

  it('never joins calls of different criticality: none must be dropped for what another matters', async () => {
    const one = coalesceRig();
    const service = coalesceLayer(one.flights)(() => {
      one.counted.push('sent');
      return new Promise(() => {});
    });
    for (const criticality of [-1, 0, 2, 3]) {
      const call = testCall();
      call.criticality = criticality;
      void service(call);
    }
    await settle();
    // One that says nothing is as critical as level 2.
    expect(one.counted).toEqual(['sent', 'sent', 'coalesced', 'sent']);
  });

  it('joins calls that differ in nothing that matters', async () => {
    const one = coalesceRig();
    one.send({ headers: ['x-request-id', '1'], authority: 'Reviews' });
    one.send({ headers: ['x-request-id', '2'], authority: 'reviews' });
    await settle();
    expect(one.server.seen).toHaveLength(1);
  });

  it('sends on their own those who come when enough wait', async () => {
    const one = coalesceRig({ waitersMax: 1 });
    const callers = [one.send(), one.send(), one.send()];
    await settle();
    expect(one.server.seen).toHaveLength(2);
    expect(one.server.seen[1]?.call).toBe(callers[2]?.call);
    one.flights.update({ ...COALESCE_DEFAULTS, waitersMax: 2, headers: [] });
    one.send();
    await settle();
    expect(one.server.seen).toHaveLength(2);
  });
});

describe('coalesceLayer: aborts', () => {
  it('of one who waits ends nobody else', async () => {
    const one = coalesceRig();
    const [first, second, third] = [one.send(), one.send(), one.send()];
    await settle();
    second.call.cancel('gone');
    const [seen, reply] = await sendHead(one);
    reply.send(Buffer.from('x'));
    seen.end();
    await settle();
    expect(second.error).toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(second.outcomes).toEqual([expect.objectContaining({ kind: 'ignored' })]);
    expect(texts(first, third)).toEqual(['x', 'x']);
  });

  it('of the first ends nobody else, before the head and in the middle of the body', async () => {
    for (const when of ['before', 'during'] as const) {
      const one = coalesceRig();
      const [first, second] = [one.send(), one.send()];
      await settle();
      if (when === 'before') first.call.cancel('gone');
      const [seen, reply] = await sendHead(one);
      reply.send(Buffer.from('x'));
      if (when === 'during') first.call.cancel('gone');
      reply.send(Buffer.from('y'));
      seen.end();
      await settle();
      expect(texts(second)).toEqual(['xy']);
      expect(first.outcomes).toEqual([expect.objectContaining({ kind: 'ignored', status: when === 'before' ? 0 : 200 })]);
      if (when === 'before') expect(first.error).toMatchObject({ code: 'canceled' });
      else expect(first.reading).toMatchObject({ ended: false, error: 'gone' });
    }
  });

  it('of the last ends the shared call', async () => {
    const one = coalesceRig();
    const [first, second] = [one.send(), one.send()];
    const { call } = await one.server.next();
    first.call.cancel('gone');
    expect(call.canceled).toBe(false);
    second.call.cancel('gone');
    expect([call.canceled, call.outcome?.kind, one.flights.size]).toEqual([true, 'ignored', 0]);
    await settle();
    one.send();
    await settle();
    expect(one.server.seen).toHaveLength(2);
  });
});

describe('coalesceLayer: deadlines', () => {
  it('of one who waits holds for it alone', async () => {
    const one = coalesceRig();
    const first = one.send();
    const second = one.send({ deadlineMs: one.clock.now() + 100 });
    await one.clock.run(100);
    expect(second.error).toMatchObject({ code: 'deadline_exceeded', where: { destination: 'reviews' } });
    expect(second.outcomes).toEqual([expect.objectContaining({ kind: 'failure' })]);
    const [seen] = await sendHead(one);
    seen.end();
    await settle();
    expect(texts(first)).toEqual(['']);
    expect(one.clock.armed).toBe(0);
  });

  it('of the first counts as a timeout of the service, and those with time left ask again, once', async () => {
    const one = coalesceRig();
    const first = one.send({ deadlineMs: one.clock.now() + 100 });
    const later = [1, 2, 3].map((n) => one.send({ deadlineMs: one.clock.now() + 1_000 * n }));
    await settle();
    await one.clock.run(100);
    expect(first.error).toMatchObject({ code: 'deadline_exceeded' });
    expect(one.server.seen.map(({ call }) => call.outcome?.error?.code)).toEqual(['deadline_exceeded', undefined]);
    const again = one.server.seen[1]?.call as Call;
    // Led by the one with the most time.
    expect([again.startedAtMs, again.deadlineMs]).toEqual([one.clock.now(), later[2]?.call.deadlineMs]);
    await one.clock.run(1_000);
    expect(later[0]?.error).toMatchObject({ code: 'deadline_exceeded' });
    await one.server.next();
    const [seen, reply] = await sendHead(one);
    reply.send(Buffer.from('x'));
    seen.end();
    await settle();
    expect(texts(...later)).toEqual([undefined, 'x', 'x']);
    expect(later.map(({ outcomes }) => outcomes.length)).toEqual([1, 1, 1]);
    expect(one.clock.armed).toBe(0);
  });

  it('in the middle of the body ends the first, and the others ask again', async () => {
    const one = coalesceRig();
    const first = one.send({ deadlineMs: one.clock.now() + 100 });
    const second = one.send();
    const [, reply] = await sendHead(one);
    reply.send(Buffer.from('x'));
    await one.clock.run(100);
    expect(first.reading?.error).toMatchObject({ code: 'deadline_exceeded' });
    const [seen] = await sendHead(one);
    seen.end();
    await settle();
    expect(texts(second)).toEqual(['']);
  });
});

describe('coalesceLayer: failures', () => {
  it('are shared, each with its own error and place', async () => {
    const one = coalesceRig();
    const callers = [one.send(), one.send({ route: { name: 'other', service: 'reviews', timeoutMs: 1 } }), one.send()];
    const cause = testError('connection_lost', { sent: 'head', retryable: true, where: { endpoint: '10.0.0.1:80', attempt: 2 } });
    (await one.server.next()).fail(cause);
    await settle();
    expect(callers[0]?.error).toBe(cause);
    expect(callers[1]?.error).toMatchObject({
      code: 'connection_lost',
      sent: 'head',
      retryable: true,
      cause,
      where: { route: 'other', endpoint: '10.0.0.1:80', attempt: 2 },
    });
    expect(callers[1]?.error).not.toBe(callers[2]?.error);
    for (const { outcomes, error } of callers) expect(outcomes).toEqual([expect.objectContaining({ kind: 'failure', status: 0, error })]);
    expect(one.flights.size).toBe(0);
  });

  it('in the middle of the body break it for the first, and fail the others', async () => {
    const one = coalesceRig();
    const [first, second] = [one.send(), one.send()];
    const [seen, reply] = await sendHead(one);
    reply.send(Buffer.from('x'));
    const cause = testError('connection_lost');
    seen.fail(cause);
    await settle();
    expect([first.reading?.error, first.outcomes[0]?.error]).toEqual([cause, cause]);
    expect(second.error).toMatchObject({ code: 'connection_lost', cause });
  });

  it('answers of 500 are answers', async () => {
    const one = coalesceRig();
    const callers = [one.send(), one.send()];
    const [seen] = await sendHead(one, 500);
    seen.end();
    await settle();
    expect(callers.map(({ reply, outcomes }) => [reply?.status, outcomes[0]?.kind])).toEqual([
      [500, 'failure'],
      [500, 'failure'],
    ]);
  });

  it('of a layer that throws at once, or without ending its call, leave nobody waiting', async () => {
    for (const below of [
      () => {
        throw new TypeError('oops');
      },
      () => Promise.reject(new TypeError('oops')),
    ]) {
      const one = coalesceRig({}, () => below);
      const [first, second] = [one.send(), one.send()];
      await settle();
      expect(first.error).toBeInstanceOf(TypeError);
      expect(second.error).toMatchObject({ code: 'call_failed' });
      expect([first, second].map(({ outcomes }) => outcomes.length)).toEqual([1, 1]);
      expect(one.flights.size).toBe(0);
    }
  });
});

describe('coalesceLayer: what cannot be shared', () => {
  it.each<[string, Record<string, string>]>([
    ['a cookie', { 'set-cookie': 'session=1' }],
    ['Vary: *', { vary: '*' }],
    ['a length beyond the limit', { 'content-length': '1001' }],
    ['a stream of events', { 'content-type': 'text/event-stream; charset=utf-8' }],
  ])('%s goes to the first, as if it had been alone; the others go on their own', async (_, headers) => {
    const one = coalesceRig({ bodyBytesMax: 1_000 });
    const [first, second] = [one.send(), one.send()];
    const [seen, reply] = await sendHead(one, 200, headers);
    expect(first.reply).toBe(reply);
    expect(one.server.seen).toHaveLength(2);
    const alone = one.server.seen[1] as Seen;
    expect([alone.call.parent, alone.call.deadlineMs]).toEqual([second.call, second.call.deadlineMs]);
    alone.reply(200).send(Buffer.from('own'));
    reply.send(Buffer.from('x'));
    seen.end();
    await settle();
    alone.end();
    expect(texts(first, second)).toEqual(['x', 'own']);
    expect([first, second].map(({ outcomes }) => outcomes.map(({ kind }) => kind))).toEqual([['success'], ['success']]);
    // Who comes now begins anew.
    one.send();
    await settle();
    expect(one.server.seen).toHaveLength(3);
  });

  it('the abort of the first reaches its answer, that of one on its own way its own', async () => {
    const one = coalesceRig();
    const [first, second] = [one.send(), one.send()];
    await sendHead(one, 200, { 'set-cookie': 'a=b' });
    first.call.cancel('gone');
    expect(first.reading?.error).toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(first.outcomes).toEqual([expect.objectContaining({ kind: 'ignored' })]);
    second.call.cancel('gone, too');
    await settle();
    expect(second.error).toMatchObject({ code: 'canceled', cause: 'gone, too' });
    expect(one.server.seen[1]?.call.canceled).toBe(true);
  });

  it('sends off only those whose headers differ in what Vary names', async () => {
    const one = coalesceRig();
    const callers = ['a', 'b', 'a'].map((tenant) => one.send({ headers: ['x-tenant', tenant] }));
    const [seen, reply] = await sendHead(one, 200, { vary: 'X-Tenant, Accept' });
    expect(one.server.seen.map(({ call }) => call.header('x-tenant'))).toEqual(['a', 'b']);
    const late = [one.send({ headers: ['x-tenant', 'b'] }), one.send({ headers: ['x-tenant', 'a'] })];
    await settle();
    expect(one.server.seen).toHaveLength(3);
    reply.send(Buffer.from('of a'));
    seen.end();
    await settle();
    expect(texts(...callers, ...late)).toEqual(['of a', undefined, 'of a', undefined, 'of a']);
  });

  it('a body that turns out too long goes on to the first; the others go on their own', async () => {
    const one = coalesceRig({ bodyBytesMax: 3 });
    const [first, second] = [one.send(), one.send()];
    const [seen, reply] = await sendHead(one);
    reply.send(Buffer.from('abc'));
    expect(one.server.seen).toHaveLength(1);
    reply.send(Buffer.from('d'));
    expect(one.server.seen).toHaveLength(2);
    reply.send(Buffer.from('e'));
    seen.end();
    one.server.seen[1]?.reply(200);
    await settle();
    one.server.seen[1]?.end();
    expect(texts(first, second)).toEqual(['abcde', '']);
  });

  it('a body that turns out too long when the first is gone ends the shared call', async () => {
    const one = coalesceRig({ bodyBytesMax: 3 });
    const [first, second] = [one.send(), one.send()];
    const [seen, reply] = await sendHead(one);
    first.call.cancel('gone');
    reply.send(Buffer.from('abcd'));
    expect([seen.call.canceled, one.server.seen.length]).toEqual([true, 2]);
    one.server.seen[1]?.reply(200);
    await settle();
    one.server.seen[1]?.end();
    expect(texts(second)).toEqual(['']);
  });

  it('with a cookie when the first is gone sends all off, and lets the answer go', async () => {
    const one = coalesceRig();
    const [first] = [one.send(), one.send()];
    await settle();
    first.call.cancel('gone');
    const [, reply] = await sendHead(one, 200, { 'set-cookie': 'a=b' });
    expect(reply.log).toEqual(['discard']);
    expect(one.server.seen).toHaveLength(2);
  });
});

describe('coalesceLayer: the flow of the body', () => {
  const wants = (reply: FakeReply, text: string): boolean | undefined => reply.sink?.onData(Buffer.from(text));

  it('is held up by no single caller while others may wait, and by the first when it is alone', async () => {
    const one = coalesceRig({ bodyBytesMax: 3 });
    const first = one.send({}, false);
    const [, reply] = await sendHead(one);
    expect([wants(reply, 'a'), wants(reply, 'bc'), wants(reply, 'd')]).toEqual([true, true, false]);
    const reading = startReading(first.reply as Reply);
    expect([reading.text, reply.log]).toEqual(['abcd', ['attach', 'resume']]);
    expect(wants(reply, 'e')).toBe(true);
    first.reply?.pause();
    expect([wants(reply, 'f'), reading.text]).toEqual([false, 'abcde']);
    first.reply?.resume();
    expect(reading.text).toBe('abcdef');
  });

  it('that is closed does not close the next one', async () => {
    const one = coalesceRig({ bodyBytesMax: 3 });
    one.send();
    const [seen, reply] = await sendHead(one);
    reply.send(Buffer.from('abcd'));
    one.send();
    seen.end();
    one.send();
    await settle();
    expect([one.server.seen.length, one.flights.size]).toEqual([2, 1]);
  });

  it('that the first discards goes on for those who wait', async () => {
    const one = coalesceRig();
    const [first, second] = [one.send({}, false), one.send()];
    const [seen, reply] = await sendHead(one);
    first.reply?.discard();
    reply.send(Buffer.from('x'));
    seen.end();
    await settle();
    expect(texts(second)).toEqual(['x']);
    expect(first.outcomes).toEqual([expect.objectContaining({ kind: 'success', status: 200 })]);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['a short one is drained, so that the socket lives on', { 'content-length': '5' }, false],
    ['a long one is ended', { 'content-length': '70000' }, true],
    ['one of unknown length is ended', {}, true],
  ])('that nobody wants: %s', async (_, headers, ends) => {
    const one = coalesceRig();
    const first = one.send({}, false);
    const [seen] = await sendHead(one, 500, headers);
    first.reply?.discard();
    expect(seen.call.canceled).toBe(ends);
    if (!ends) seen.end();
    expect(first.outcomes).toEqual([expect.objectContaining({ kind: 'failure', status: 500, error: null })]);
    expect(one.flights.size).toBe(0);
  });

  it('that the first discards and the last of the others leaves is ended', async () => {
    const one = coalesceRig();
    const [first, second] = [one.send({}, false), one.send()];
    const [seen] = await sendHead(one);
    first.reply?.discard();
    expect(seen.call.canceled).toBe(false);
    second.call.cancel('gone');
    expect(seen.call.canceled).toBe(true);
    expect(first.outcomes).toEqual([expect.objectContaining({ kind: 'success', status: 200 })]);
  });

  it('that the first discards and that turns out too long is ended', async () => {
    const one = coalesceRig({ bodyBytesMax: 3 });
    const [first] = [one.send({}, false), one.send()];
    const [seen, reply] = await sendHead(one);
    first.reply?.discard();
    reply.send(Buffer.from('abcd'));
    expect([seen.call.canceled, one.server.seen.length]).toEqual([true, 2]);
    expect(first.outcomes).toEqual([expect.objectContaining({ kind: 'success', status: 200 })]);
  });
});
