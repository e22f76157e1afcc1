import { describe, expect, it } from 'vitest';
import { headerOf, type Call } from '../../src/core/call.ts';
import { CACHE_DEFAULTS } from '../../src/model/traffic.ts';
import { testError } from '../support/fake-service.ts';
import { settle } from '../support/virtual-clock.ts';
import { cacheRig, httpDate } from './cache-rig.ts';
import { startReading } from './read-body.ts';

const ETAG = { 'cache-control': 'max-age=60', etag: '"one"', 'x-version': '1' };

function conditions(call: Call | undefined): (string | undefined)[] {
  return ['if-none-match', 'if-modified-since'].map((name) => headerOf(call?.headers ?? [], name));
}

describe('cacheLayer: asking whether it still holds', () => {
  it('takes a 304 for the old body under the new headers', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: { ...ETAG, 'content-type': 'text/plain' }, body: 'hello' });
    one.clock.advance(70_000);
    const { call, answer } = one.start();
    await settle();
    const seen = await one.server.next();
    expect(conditions(seen.call)).toEqual(['"one"', undefined]);
    expect(conditions(call)).toEqual([undefined, undefined]);
    const reply = seen.reply(304, {
      etag: '"one"',
      'x-version': '2',
      'cache-control': 'max-age=30',
      'content-length': '0',
      'content-type': 'x',
    });
    const got = await answer;
    expect(startReading(got).text).toBe('hello');
    expect(got.status).toBe(200);
    expect(got.headers).toEqual({
      'cache-control': 'max-age=30',
      etag: '"one"',
      'x-version': '2',
      'content-type': 'text/plain',
      'content-length': '5',
      age: '0',
      'x-inmesh-cache': 'revalidated',
    });
    expect(reply.log).toEqual(['discard']);
    expect(call.outcome).toMatchObject({ kind: 'success', status: 200 });
    one.clock.advance(29_999);
    expect((await one.get()).headers['x-version']).toBe('2');
    one.clock.advance(1);
    expect((await one.get({}, { status: 304 })).asked).toBe(true);
    expect(one.counted).toEqual(['cache.miss', 'cache.revalidated', 'cache.hit', 'cache.revalidated']);
  });

  it('takes a new answer for what it is', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: ETAG, body: 'old' });
    one.clock.advance(70_000);
    const got = await one.get({}, { headers: { ...ETAG, etag: '"two"' }, body: 'new' });
    expect([got.text, got.headers['x-inmesh-cache'], got.call.outcome?.kind]).toEqual(['new', undefined, 'success']);
    expect((await one.get()).text).toBe('new');
  });

  it('asks with Last-Modified, too, and for HEAD with strong validators only', async () => {
    const one = await cacheRig();
    const lastModified = httpDate(one.clock, -1_000);
    const headers = { etag: 'W/"one"', 'last-modified': lastModified };
    await one.get({}, { headers });
    await one.get({}, { status: 304 });
    expect(conditions(one.server.seen[1]?.call)).toEqual(['W/"one"', lastModified]);
    await one.get({ method: 'HEAD' }, { headers });
    await one.get({ method: 'HEAD' }, { headers });
    expect(conditions(one.server.seen[3]?.call)).toEqual([undefined, undefined]);
  });

  it.each<[string, Record<string, string>, Record<string, string>, boolean]>([
    ['the same ETag', { etag: '"a"' }, { etag: '"a"' }, true],
    ['the same one, weak', { etag: 'W/"a"' }, { etag: '"a"' }, true],
    ['no validator at all', { etag: '"a"' }, {}, true],
    ['another ETag', { etag: '"a"' }, { etag: '"b"' }, false],
    ['another date', { 'last-modified': 'a' }, { 'last-modified': 'b' }, false],
    ['an ETag where there was a date', { 'last-modified': 'a' }, { etag: '"b"' }, true],
  ])('a 304 with %s', async (_, kept, news, holds) => {
    const one = await cacheRig();
    await one.get({}, { headers: kept, body: 'kept' });
    const { call, answer } = one.start();
    (await one.server.next()).reply(304, news);
    await settle();
    if (!holds) {
      // Asked again, without conditions: the 304 was of an answer that we do not have.
      const again = await one.server.next();
      expect(conditions(again.call)).toEqual([undefined, undefined]);
      expect(call.outcome).toBeNull();
      again.reply(200, { etag: '"b"' }).send(Buffer.from('new'));
      const reading = startReading(await answer);
      again.end();
      expect([reading.text, call.outcome]).toEqual(['new', expect.objectContaining({ kind: 'success', status: 200 })]);
    } else expect(startReading(await answer).text).toBe('kept');
  });

  it('a 304 that forbids keeping is given once', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: { etag: '"a"' }, body: 'kept' });
    expect((await one.get({}, { status: 304, headers: { 'cache-control': 'no-store' } })).text).toBe('kept');
    expect(one.cache.entries).toBe(0);
  });

  it('computes Expires from the Date of the 304', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: { etag: '"a"', date: httpDate(one.clock), expires: httpDate(one.clock, 60) } });
    one.clock.advance(100_000);
    await one.get({}, { status: 304, headers: { expires: httpDate(one.clock, 60) } });
    one.clock.advance(59_000);
    expect((await one.get()).asked).toBe(false);
    one.clock.advance(1_000);
    expect((await one.get({}, { status: 304 })).asked).toBe(true);
  });

  it('fresh: false asks every time', async () => {
    const one = await cacheRig({ policy: { fresh: false } });
    await one.get({}, { headers: ETAG, body: 'kept' });
    const got = await one.get({}, { status: 304 });
    expect([got.asked, got.text]).toEqual([true, 'kept']);
    one.cache.update({ ...CACHE_DEFAULTS, fresh: true });
    expect((await one.get()).asked).toBe(false);
  });

  it('the abort of the caller reaches the question', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: ETAG });
    one.clock.advance(70_000);
    const { call, answer } = one.start();
    await one.server.next();
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone' });
    expect(call.outcome?.kind).toBe('ignored');
    expect(one.counted).toEqual(['cache.miss']);
  });

  it('what was learnt on the way is told of the call', async () => {
    const one = await cacheRig({
      below: (next) => (call) => {
        call.destination = { service: 'reviews', subset: 'v2', name: 'reviews/v2' };
        return next(call);
      },
    });
    await one.get({}, { headers: ETAG });
    one.clock.advance(70_000);
    expect((await one.get({ destination: null }, { status: 304 })).call.destination?.name).toBe('reviews/v2');
  });
});

describe('cacheLayer: standing in', () => {
  it('for an error, with its age, and the call ends as the failure it was', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: ETAG, body: 'kept' });
    one.clock.advance(70_000);
    const { call, answer } = one.start();
    const failure = testError('circuit_open');
    (await one.server.next()).fail(failure);
    const got = await answer;
    expect([got.status, startReading(got).text]).toEqual([200, 'kept']);
    expect(got.headers).toMatchObject({ age: '70', 'x-inmesh-cache': 'stale', 'x-inmesh-fallback': 'stale' });
    expect(got.headers).not.toHaveProperty('warning');
    expect(call.outcome?.error).toBe(failure);
    expect(one.counted).toEqual(['cache.miss', 'cache.stale']);
  });

  it('for a 5xx, whose body is let go', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: ETAG, body: 'kept' });
    one.clock.advance(70_000);
    const { call, answer } = one.start();
    const reply = (await one.server.next()).reply(503);
    expect(startReading(await answer).text).toBe('kept');
    expect(reply.log).toEqual(['discard']);
    expect(call.outcome).toMatchObject({ kind: 'failure', status: 503 });
  });

  it.each<[string, string, number, number, boolean]>([
    // Cache-Control, of the policy ms, stale for s
    ['within the time of the policy', 'max-age=60', 600_000, 599, true],
    ['not after it', 'max-age=60', 600_000, 600, false],
    ['as long as the answer says', 'max-age=60, stale-if-error=10', 600_000, 9, true],
    ['not longer than that', 'max-age=60, stale-if-error=10', 600_000, 10, false],
    ['when only the answer allows it', 'max-age=60, stale-if-error=10', 0, 5, true],
    ['not with stale-if-error=0', 'max-age=60, stale-if-error=0', 600_000, 0, false],
    ['not when it must be validated', 'max-age=60, must-revalidate', 600_000, 1, false],
    ['not with no-cache', 'no-cache', 600_000, 1, false],
    ['not when the policy says never', 'max-age=60', 0, 1, false],
  ])('%s', async (_, cacheControl, staleIfErrorMs, staleSeconds, standsIn) => {
    const one = await cacheRig({ policy: { staleIfErrorMs } });
    await one.get({}, { headers: { etag: '"a"', 'cache-control': cacheControl } });
    one.clock.advance((60 + staleSeconds) * 1_000);
    const { answer } = one.start();
    (await one.server.next()).fail(testError('connect_failed'));
    if (standsIn) expect((await answer).headers['x-inmesh-cache']).toBe('stale');
    else await expect(answer).rejects.toMatchObject({ code: 'connect_failed' });
  });

  it.each([[['cache-control', 'no-cache']], [['cache-control', 'max-age=0']], [['pragma', 'no-cache']]])(
    'not for a caller that asks for %s',
    async (headers) => {
      const one = await cacheRig();
      await one.get({}, { headers: ETAG });
      one.clock.advance(1);
      const { answer } = one.start({ headers });
      (await one.server.next()).fail(testError('connect_failed'));
      await expect(answer).rejects.toMatchObject({ code: 'connect_failed' });
    },
  );

  it('an answer that never was fresh may, too', async () => {
    const one = await cacheRig();
    await one.get({}, { body: 'kept' });
    const { answer } = one.start();
    (await one.server.next()).reply(500);
    expect(startReading(await answer).text).toBe('kept');
  });

  it('without an answer to give, the failure is passed on, body and all', async () => {
    const one = await cacheRig({ policy: { staleIfErrorMs: 0 } });
    await one.get({}, { headers: ETAG });
    one.clock.advance(70_000);
    const got = await one.get({}, { status: 503, body: 'sorry' });
    expect([got.status, got.text, got.call.outcome?.kind]).toEqual([503, 'sorry', 'failure']);
  });
});

describe('cacheLayer: stale while revalidating', () => {
  const HEADERS = { etag: '"a"', 'cache-control': 'max-age=60, stale-while-revalidate=30' };

  it('gives what it has at once, and asks once beside it', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: HEADERS, body: 'old' });
    one.clock.advance(70_000);
    const route = { name: 'default', service: 'reviews', timeoutMs: 5_000 };
    const { answer, call } = one.start({ route });
    const got = await answer;
    expect([startReading(got).text, got.headers['x-inmesh-cache'], got.headers['age']]).toEqual(['old', 'stale', '70']);
    expect(call.outcome).toMatchObject({ kind: 'success', status: 200 });
    await one.start().answer;
    expect(one.server.seen).toHaveLength(2);
    const beside = one.server.seen[1]?.call as Call;
    expect([beside.parent, beside.deadlineMs, beside.criticality, beside.route]).toEqual([null, one.clock.now() + 5_000, 0, route]);
    expect(conditions(beside)).toEqual(['"a"', undefined]);
    one.server.seen[1]?.reply(200, HEADERS).send(Buffer.from('new'));
    await settle();
    one.server.seen[1]?.end();
    const fresh = await one.start().answer;
    expect([startReading(fresh).text, fresh.headers['x-inmesh-cache']]).toEqual(['new', 'hit']);
  });

  it('is renewed by a 304, and tries again after a failure', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: HEADERS, body: 'old' });
    one.clock.advance(70_000);
    await one.start().answer;
    one.server.seen[1]?.fail(testError('connection_lost'));
    await settle();
    await one.start().answer;
    expect(one.server.seen).toHaveLength(3);
    one.server.seen[2]?.reply(304);
    await settle();
    expect((await one.start().answer).headers['x-inmesh-cache']).toBe('hit');
  });

  it('an answer that will not be kept is let go, and ends what a layer threw out of', async () => {
    let isSick = false;
    const besides: Call[] = [];
    const one = await cacheRig({
      below: (next) => (call) => {
        besides.push(call);
        if (isSick) throw new TypeError('oops');
        return next(call);
      },
    });
    await one.get({}, { headers: HEADERS });
    one.clock.advance(70_000);
    await one.start().answer;
    const reply = one.server.seen[1]?.reply(200, { 'cache-control': 'no-store' });
    await settle();
    expect([reply?.log, one.cache.entries]).toEqual([['discard'], 0]);
    await one.server.next();
    await one.get({}, { headers: HEADERS });
    one.clock.advance(70_000);
    isSick = true;
    await one.start().answer;
    await settle();
    expect(besides.at(-1)?.outcome?.error?.code).toBe('call_failed');
  });

  it.each([
    ['after its time', [], 30],
    ['for a caller that asks for no-cache', ['cache-control', 'no-cache'], 5],
    ['for a caller with a max-age', ['cache-control', 'max-age=1000'], 5],
  ])('not %s', async (_, headers, staleSeconds) => {
    const one = await cacheRig();
    await one.get({}, { headers: HEADERS });
    one.clock.advance((60 + staleSeconds) * 1_000);
    let isAnswered = false;
    void one.start({ headers }).answer.then(() => {
      isAnswered = true;
    });
    await settle();
    expect([isAnswered, one.server.seen.length]).toEqual([false, 2]);
  });
});
