import { describe, expect, it } from 'vitest';
import { testError } from '../support/fake-service.ts';
import { settle } from '../support/virtual-clock.ts';
import { cacheRig, httpDate } from './cache-rig.ts';
import { readBody, startReading } from './read-body.ts';

const MINUTE = { 'cache-control': 'max-age=60' };

describe('cacheLayer: fresh answers', () => {
  it('gives an answer again without asking, with its age, and ends the call', async () => {
    const one = await cacheRig();
    const first = await one.get(
      {},
      { headers: { ...MINUTE, 'content-type': 'text/plain', connection: 'keep-alive, x-hop', 'x-hop': '1' }, body: 'hello' },
    );
    expect([first.asked, first.text, first.headers['x-inmesh-cache']]).toEqual([true, 'hello', undefined]);
    one.clock.advance(42_900);
    const second = await one.get();
    expect([second.asked, second.status, second.text]).toEqual([false, 200, 'hello']);
    expect(second.headers).toEqual({
      ...MINUTE,
      'content-type': 'text/plain',
      'content-length': '5',
      age: '42',
      'x-inmesh-cache': 'hit',
    });
    expect(second.call.outcome).toMatchObject({ kind: 'success', status: 200, endedAtMs: one.clock.now() });
    expect(one.counted).toEqual(['cache.miss', 'cache.hit']);
    one.clock.advance(17_100);
    expect((await one.get()).asked).toBe(true);
  });

  it('gives every reader its own bytes', async () => {
    const one = await cacheRig();
    const { call, answer } = one.start();
    const seen = await one.server.next();
    const chunk = Buffer.from('hello');
    seen.reply(200, MINUTE).send(chunk);
    const reading = startReading(await answer);
    chunk.fill(0x78);
    seen.end();
    expect([reading.text, call.outcome?.kind]).toEqual(['xxxxx', 'success']);
    const second = startReading(await one.start().answer);
    second.chunks[0]?.fill(0x79);
    expect((await one.get()).text).toBe('hello');
  });

  it('counts the way there and the Age of the answer', async () => {
    const one = await cacheRig();
    const { answer } = one.start();
    const seen = await one.server.next();
    one.clock.advance(10_000);
    seen.reply(200, { ...MINUTE, age: '20' });
    startReading(await answer);
    seen.end();
    const hit = await one.get();
    expect([hit.asked, hit.headers['age']]).toEqual([false, '30']);
    one.clock.advance(30_000);
    expect((await one.get()).asked).toBe(true);
  });

  it('believes the clock that says more', async () => {
    const one = await cacheRig();
    await one.get({}, { headers: MINUTE });
    const { wall } = one.clock;
    one.clock.wall = () => wall.call(one.clock) + 70_000;
    expect((await one.get({}, { headers: MINUTE })).asked).toBe(true);
    one.clock.wall = () => wall.call(one.clock) - 70_000;
    one.clock.advance(61_000);
    expect((await one.get()).asked).toBe(true);
  });

  it.each<[string, Record<string, string>, number]>([
    ['max-age', { 'cache-control': 'max-age=60' }, 60],
    ['whatever the case', { 'cache-control': 'Private, Max-Age=60' }, 60],
    ['max-age over Expires', { 'cache-control': 'max-age=60', expires: 'in:5' }, 60],
    ['Expires', { expires: 'in:60', date: 'in:0' }, 60],
    ['Expires without Date', { expires: 'in:60' }, 60],
    ['must-revalidate, as long as it is fresh', { 'cache-control': 'max-age=60, must-revalidate' }, 60],
    ['private: this is a private cache', { 'cache-control': 'private, max-age=60' }, 60],
    ['not s-maxage: that is for shared ones', { 'cache-control': 's-maxage=60' }, 0],
    ['not no-cache', { 'cache-control': 'no-cache, max-age=60' }, 0],
    ['not by a guess from Last-Modified', { 'last-modified': 'in:-864000', date: 'in:0' }, 0],
    ['not a bad Expires', { expires: '0' }, 0],
    ['not immutable alone', { 'cache-control': 'immutable' }, 0],
    ['the first of two', { 'cache-control': 'max-age=60, max-age=600' }, 60],
    ['a negative Age as none', { 'cache-control': 'max-age=60', age: '-600' }, 60],
  ])('is fresh by %s', async (_, headers, seconds) => {
    const one = await cacheRig();
    const dated = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.startsWith('in:') ? httpDate(one.clock, Number(value.slice(3))) : value]),
    );
    await one.get({}, { headers: dated });
    if (seconds > 0) {
      one.clock.advance(seconds * 1_000 - 1);
      expect((await one.get({}, { headers: dated })).asked).toBe(false);
      one.clock.advance(1);
    }
    expect((await one.get({}, { headers: dated })).asked).toBe(true);
  });

  it('shortens freshness by up to the jitter', async () => {
    const one = await cacheRig({ policy: { jitter: 0.5 }, random: () => 0.5 });
    await one.get({}, { headers: MINUTE });
    one.clock.advance(44_999);
    expect((await one.get()).asked).toBe(false);
    one.clock.advance(1);
    expect((await one.get()).asked).toBe(true);
  });
});

describe('cacheLayer: what is not kept', () => {
  it.each<[string, object, object]>([
    ['no-store of the answer', {}, { headers: { 'cache-control': 'no-store, max-age=60' } }],
    ['no-store of the caller', { headers: ['cache-control', 'No-Store'] }, { headers: MINUTE }],
    ['an answer with a cookie', {}, { headers: { ...MINUTE, 'set-cookie': 'a=b' } }],
    ['Vary: *', {}, { headers: { ...MINUTE, vary: '*' } }],
    ['a part', {}, { status: 206, headers: MINUTE }],
    ['an error', {}, { status: 500, headers: MINUTE }],
    ['a body that is too long', {}, { headers: MINUTE, body: 'x'.repeat(101) }],
    ['a body that says it is too long', {}, { headers: { ...MINUTE, 'content-length': '101' }, body: 'x' }],
    ['a body that is shorter than it says', {}, { headers: { ...MINUTE, 'content-length': '5' }, body: 'x' }],
    ['a call with a range', { headers: ['Range', 'bytes=0-1'] }, { headers: MINUTE }],
    ['a call with conditions of its own', { headers: ['If-None-Match', '"a"'] }, { headers: MINUTE }],
    ['POST', { method: 'POST' }, { headers: MINUTE }],
    ['a function', { scheme: 'function' }, { headers: MINUTE }],
  ])('%s', async (_, init, played) => {
    const one = await cacheRig({ policy: { bodyBytesMax: 100 } });
    await one.get(init, played);
    expect(one.cache.entries).toBe(0);
    expect((await one.get(init, played)).asked).toBe(true);
  });

  it('what serves nobody: neither fresh, nor to be asked about, nor to stand in', async () => {
    const one = await cacheRig({ policy: { staleIfErrorMs: 0 } });
    await one.get();
    expect(one.cache.entries).toBe(0);
  });

  it('a body that breaks off, is not read, or whose reader goes away', async () => {
    const one = await cacheRig();
    const broken = one.start();
    const seen = await one.server.next();
    seen.reply(200, MINUTE).send(Buffer.from('he'));
    const reading = startReading(await broken.answer);
    const error = testError('connection_lost');
    seen.fail(error);
    expect(reading.error).toBe(error);

    const unread = one.start();
    const reply = (await one.server.next()).reply(200, MINUTE);
    (await unread.answer).discard();
    expect(reply.log).toEqual(['discard']);

    const aborted = one.start();
    (await one.server.next()).reply(200, MINUTE).send(Buffer.from('he'));
    startReading(await aborted.answer);
    aborted.call.cancel('gone');
    expect(one.cache.entries).toBe(0);
  });

  it('pauses, resumes and holds reach the reply', async () => {
    const one = await cacheRig();
    const { answer } = one.start();
    const reply = (await one.server.next()).reply(200, MINUTE);
    const kept = await answer;
    kept.hold();
    kept.pause();
    kept.resume();
    expect([reply.log, kept.intact]).toEqual([['hold', 'pause', 'resume'], true]);
  });
});

describe('cacheLayer: whose answer it is', () => {
  it.each<[string, string[], string[]]>([
    ['Authorization', ['authorization', 'a'], ['Authorization', 'b']],
    ['Cookie', ['cookie', 'a=1'], []],
    ['an API key', [], ['x-api-key', '1']],
    ['what Vary names', ['accept-language', 'de'], ['accept-language', 'fr']],
    ['what Vary names and the other lacks', ['x-tenant', 'a'], []],
    ['a value that looks like another header', ['accept-language', 'de'], ['accept-language', 'de\\nx-tenant=a']],
  ])('never crosses %s', async (_, mine, theirs) => {
    const one = await cacheRig();
    const headers = { ...MINUTE, vary: 'Accept-Language, X-Tenant' };
    await one.get({ headers: mine }, { headers, body: 'mine' });
    expect((await one.get({ headers: theirs }, { headers, body: 'theirs' })).text).toBe('theirs');
    expect((await one.get({ headers: mine })).text).toBe('mine');
    expect((await one.get({ headers: theirs })).text).toBe('theirs');
  });

  it.each([
    ['method', { method: 'HEAD' }],
    ['scheme', { scheme: 'https' }],
    ['host', { authority: 'ratings' }],
    ['path', { path: '/b' }],
    ['query', { path: '/?b' }],
  ])('never crosses the %s', async (_, other) => {
    const one = await cacheRig();
    await one.get({}, { headers: MINUTE, body: 'first' });
    expect((await one.get(other, { headers: MINUTE })).asked).toBe(true);
  });

  it('is one answer for any spelling of the host, and HEAD has no body', async () => {
    const one = await cacheRig();
    await one.get({ authority: 'Reviews' }, { headers: MINUTE });
    expect((await one.get({ authority: 'reviews' })).asked).toBe(false);
    expect((await one.get({ authority: 'reviews:80' })).asked).toBe(false);
    expect((await one.get({ authority: 'reviews:443' })).asked).toBe(true);
    await one.get({ method: 'HEAD' }, { headers: { ...MINUTE, 'content-length': '1234' } });
    const hit = await one.get({ method: 'HEAD' });
    expect([hit.asked, hit.text, hit.headers['content-length']]).toEqual([false, '', '1234']);
  });

  it('a Vary that changes leaves nothing behind', async () => {
    const one = await cacheRig();
    await one.get({ headers: ['a', '1'] }, { headers: { ...MINUTE, vary: 'a' } });
    await one.get({ headers: ['a', '2'] }, { headers: { ...MINUTE, vary: 'a' } });
    expect(one.cache.entries).toBe(2);
    await one.get({ headers: ['a', '3'] }, { headers: { ...MINUTE, vary: 'b' } });
    expect(one.cache.entries).toBe(1);
    expect((await one.get({ headers: ['a', '9'] })).asked).toBe(false);
  });
});

describe('cacheLayer: wishes of the caller', () => {
  it.each<[string, string[], boolean]>([
    ['no-cache', ['cache-control', 'no-cache'], true],
    ['Pragma: no-cache', ['pragma', 'no-cache'], true],
    ['max-age below the age', ['cache-control', 'max-age=5'], true],
    ['max-age above the age', ['cache-control', 'max-age=20'], false],
    ['min-fresh beyond what is left', ['cache-control', 'min-fresh=55'], true],
    ['min-fresh within what is left', ['cache-control', 'min-fresh=45'], false],
  ])('%s', async (_, headers, asked) => {
    const one = await cacheRig();
    await one.get({}, { headers: MINUTE });
    one.clock.advance(10_000);
    expect((await one.get({ headers }, { headers: MINUTE })).asked).toBe(asked);
  });

  it('max-stale takes a stale answer, but none that must be validated', async () => {
    const one = await cacheRig();
    const headers = ['cache-control', 'max-stale=30'];
    await one.get({}, { headers: MINUTE });
    await one.get({ path: '/strict' }, { headers: { 'cache-control': 'max-age=60, must-revalidate' } });
    one.clock.advance(80_000);
    const stale = await one.get({ headers });
    expect([stale.asked, stale.headers['x-inmesh-cache'], stale.headers['x-inmesh-fallback']]).toEqual([false, 'stale', undefined]);
    expect((await one.get({ path: '/strict', headers })).asked).toBe(true);
    one.clock.advance(10_000);
    expect((await one.get({ headers })).asked).toBe(true);
  });

  it('only-if-cached never asks', async () => {
    const one = await cacheRig();
    const headers = ['cache-control', 'only-if-cached'];
    const missed = await one.get({ headers });
    expect([missed.asked, missed.status]).toEqual([false, 504]);
    await one.get({}, { headers: MINUTE });
    expect((await one.get({ headers })).status).toBe(200);
    one.clock.advance(60_000);
    expect((await one.get({ headers })).status).toBe(504);
  });
});

describe('cacheLayer: unsafe methods', () => {
  it.each<[string, number, boolean]>([
    ['PUT', 200, true],
    ['POST', 303, true],
    ['DELETE', 204, true],
    ['PATCH', 500, true],
    ['POST', 404, false],
    ['OPTIONS', 200, false],
  ])('%s answered %i invalidates all variants: %s', async (method, status, invalidates) => {
    const one = await cacheRig();
    const headers = { ...MINUTE, vary: 'a' };
    await one.get({ headers: ['a', '1'] }, { headers });
    await one.get({ headers: ['a', '2'] }, { headers });
    await one.get({ path: '/other' }, { headers });
    await one.get({ method }, { status });
    expect(one.cache.entries).toBe(invalidates ? 1 : 3);
    expect((await one.get({ headers: ['a', '1'] }, { headers })).asked).toBe(invalidates);
    expect((await one.get({ path: '/other' })).asked).toBe(false);
  });

  it.each([
    ['connection_lost', 'head', true],
    ['attempt_timeout', 'head', true],
    ['connect_failed', 'none', false],
    ['circuit_open', 'none', false],
  ] as const)('%s: may it have acted? %s, invalidates: %s', async (code, sent, invalidates) => {
    const one = await cacheRig();
    await one.get({}, { headers: MINUTE });
    const { answer } = one.start({ method: 'POST' });
    (await one.server.next()).fail(testError(code, { sent }));
    await expect(answer).rejects.toMatchObject({ code });
    expect(one.cache.entries).toBe(invalidates ? 0 : 1);
  });

  it('keeps nothing that was asked for before the change', async () => {
    const one = await cacheRig();
    const { answer } = one.start();
    const seen = await one.server.next();
    await one.get({ method: 'PUT' }, { status: 204 });
    seen.reply(200, MINUTE).send(Buffer.from('old'));
    startReading(await answer);
    seen.end();
    expect(one.cache.entries).toBe(0);
    await one.get({}, { headers: MINUTE });
    expect(one.cache.entries).toBe(1);
  });
});

describe('cacheLayer: the answer was overtaken', () => {
  it.each<[string, object, number]>([
    ['an answer that must not be kept', { headers: { 'cache-control': 'no-store' } }, 0],
    ['a longer one than is kept', { headers: { 'content-length': '5000000' } }, 0],
    ['404 replaces it', { status: 404 }, 1],
    ['429 says nothing about it', { status: 429 }, 1],
  ])('%s', async (_, played, left) => {
    const one = await cacheRig();
    await one.get({}, { headers: { 'cache-control': 'max-age=1' }, body: 'old' });
    one.clock.advance(1_000);
    await one.get({}, played);
    expect(one.cache.entries).toBe(left);
  });

  it('reads to the end, asks again, and is answered', async () => {
    const one = await cacheRig();
    const { answer } = one.start();
    const seen = await one.server.next();
    seen.reply(200, MINUTE).send(Buffer.from('x'));
    let again = '';
    const reply = await answer;
    reply.attach({
      onData: () => true,
      onEnd: () => {
        void one.start().answer.then((hit) => {
          again = readBody(hit);
        });
      },
      onError: () => {},
    });
    seen.end();
    await settle();
    expect(again).toBe('x');
  });
});
