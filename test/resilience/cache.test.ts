import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CACHE_DEFAULTS } from '../../src/model/traffic.ts';
import { AnswerCache, loadCacheEngine } from '../../src/resilience/cache.ts';
import { type CacheRequest, cacheRequest } from '../../src/resilience/cache-request.ts';
import { KeptAnswer } from '../../src/resilience/kept-answer.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function request(path: string, headers: string[] = [], method = 'GET'): CacheRequest {
  return cacheRequest(testCall({ path, headers, method })) as CacheRequest;
}

interface Store {
  readonly clock: VirtualClock;
  readonly cache: AnswerCache;
  /** False when the rules say no. */
  keep(of: CacheRequest, headers: Record<string, string>, body?: string): boolean;
  body(of: CacheRequest): string | null;
}

async function store(policy: Partial<typeof CACHE_DEFAULTS> = {}): Promise<Store> {
  const clock = new VirtualClock();
  const cache = new AnswerCache({ ...CACHE_DEFAULTS, jitter: 0, ...policy }, { clock, random: seededRandom(1) }, await loadCacheEngine());
  return {
    clock,
    cache,
    keep(of, headers, body = '') {
      const sentAt = { nowMs: clock.now(), wallMs: clock.wall() };
      const head = { status: 200, statusText: '', headers };
      const ruling = cache.rule(of, head, sentAt);
      if (ruling === null) return false;
      cache.keep(of, new KeptAnswer(head, Buffer.from(body), ruling, sentAt), cache.epoch);
      return true;
    },
    body(of) {
      const kept = cache.find(of);
      return kept === null ? null : Buffer.from(kept.body).toString();
    },
  };
}

describe('AnswerCache', () => {
  it('drops the least recently used first', async () => {
    const { keep, body, cache } = await store({ entriesMax: 2 });
    keep(request('/a'), {}, 'a');
    keep(request('/b'), {}, 'b');
    expect(body(request('/a'))).toBe('a');
    keep(request('/c'), {}, 'c');
    expect([body(request('/a')), body(request('/b')), body(request('/c'))]).toEqual(['a', null, 'c']);
    expect(cache.entries).toBe(2);
  });

  it('takes no answer that is larger than the whole of it', async () => {
    const { keep, body } = await store({ bytesMax: 200 });
    keep(request('/a'), {}, 'a');
    keep(request('/b'), {}, 'b'.repeat(200));
    expect([body(request('/a')), body(request('/b'))]).toEqual(['a', null]);
  });

  it('keeps what fits when the policy changes, the most recently used first', async () => {
    const { keep, body, cache } = await store();
    for (const path of ['/a', '/b', '/c']) keep(request(path), {}, path);
    body(request('/a'));
    cache.update({ ...CACHE_DEFAULTS, entriesMax: 2 });
    expect([body(request('/a')), body(request('/b')), body(request('/c'))]).toEqual(['/a', null, '/c']);
    keep(request('/d'), {}, '/d');
    expect(cache.entries).toBe(2);
    cache.invalidate(request('/d').uri);
    expect(body(request('/d'))).toBeNull();
    cache.update({ ...CACHE_DEFAULTS, entriesMax: 2, fresh: false });
    expect(cache.entries).toBe(1);
  });

  it('forgets no invalidation, however many there were', async () => {
    const { cache, clock } = await store();
    const of = request('/a');
    const sentAt = { nowMs: clock.now(), wallMs: clock.wall() };
    const head = { status: 200, statusText: '', headers: {} };
    const ruling = cache.rule(of, head, sentAt);
    if (ruling === null) throw new Error('not storable');
    const before = cache.epoch;
    cache.invalidate(of.uri);
    for (let i = 0; i < 2_000; i++) cache.invalidate(request(`/${i}`).uri);
    cache.keep(of, new KeptAnswer(head, Buffer.from(''), ruling, sentAt), before);
    expect(cache.entries).toBe(0);
    cache.keep(of, new KeptAnswer(head, Buffer.from(''), ruling, sentAt), cache.epoch);
    expect(cache.entries).toBe(1);
  });
});

describe('AnswerCache, whatever happens', () => {
  it('gives an answer without asking exactly while RFC 9111 says that it is fresh', async () => {
    const seconds = fc.integer({ min: 0, max: 300 });
    const optional = fc.option(seconds, { nil: null });
    const answer = fc.record({
      maxAge: optional,
      /** Seconds after Date; null: no Expires. */
      expires: optional,
      age: optional,
      isDated: fc.boolean(),
      noCache: fc.boolean(),
      /** Between request and head, ms. */
      delayMs: fc.nat(20_000),
    });
    const wish = fc.record({ maxAge: optional, minFresh: optional, maxStale: optional, noCache: fc.boolean() });
    const sample = await store();
    await fc.assert(
      fc.asyncProperty(answer, wish, fc.nat(400_000), async (given, wanted, residentMs) => {
        const { clock, cache } = sample;
        const sentAt = { nowMs: clock.now(), wallMs: clock.wall() };
        clock.advance(given.delayMs);
        const directives = [given.maxAge === null ? '' : `max-age=${given.maxAge}`, given.noCache ? 'no-cache' : ''];
        const headers: Record<string, string> = {
          'cache-control': directives.filter((one) => one !== '').join(', '),
          ...(given.age === null ? {} : { age: String(given.age) }),
          ...(given.isDated ? { date: new Date(sentAt.wallMs).toUTCString() } : {}),
          ...(given.expires === null ? {} : { expires: new Date(sentAt.wallMs + given.expires * 1_000).toUTCString() }),
        };
        const head = { status: 200, statusText: '', headers };
        const of = request('/');
        const ruling = cache.rule(of, head, sentAt);
        if (ruling === null) throw new Error('not storable');
        const kept = new KeptAnswer(head, Buffer.from(''), ruling, sentAt);
        clock.advance(residentMs);

        // RFC 9111 §4.2.1 and §4.2.3, by hand. HTTP dates have whole seconds, and so has the clock of the test.
        const ageSeconds = (given.age ?? 0) + (given.delayMs + residentMs) / 1_000;
        const lifetime = given.noCache ? 0 : (given.maxAge ?? given.expires ?? 0);
        const isFresh =
          lifetime > ageSeconds &&
          !wanted.noCache &&
          (wanted.maxAge === null || ageSeconds <= wanted.maxAge) &&
          (wanted.minFresh === null || lifetime - ageSeconds >= wanted.minFresh);
        const mayBeStale =
          lifetime <= ageSeconds &&
          !given.noCache &&
          !wanted.noCache &&
          wanted.maxStale !== null &&
          (wanted.maxAge === null || ageSeconds <= wanted.maxAge) &&
          (wanted.minFresh === null || lifetime - ageSeconds >= wanted.minFresh) &&
          ageSeconds - lifetime < wanted.maxStale;
        const wishes = [
          wanted.noCache ? 'no-cache' : '',
          wanted.maxAge === null ? '' : `max-age=${wanted.maxAge}`,
          wanted.minFresh === null ? '' : `min-fresh=${wanted.minFresh}`,
          wanted.maxStale === null ? '' : `max-stale=${wanted.maxStale}`,
        ].filter((one) => one !== '');
        const asking = request('/', wishes.length === 0 ? [] : ['cache-control', wishes.join(', ')]);
        expect(cache.judge(kept, asking)).toBe(isFresh ? 'fresh' : mayBeStale ? 'stale' : 'ask');
        expect(kept.init('hit', 'GET', clock).headers['age']).toBe(String(Math.floor(ageSeconds + 1e-9)));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('shortens freshness by no more than the jitter, and never lengthens it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1e6 }), async (jitter, maxAge) => {
        const { cache, clock } = await store({ jitter });
        const sentAt = { nowMs: clock.now(), wallMs: clock.wall() };
        const headers = { 'cache-control': `max-age=${maxAge}` };
        const ruling = cache.rule(request('/'), { status: 200, statusText: '', headers }, sentAt);
        const lifetime = ruling?.lifetimeSeconds() ?? Number.NaN;
        expect(lifetime).toBeLessThanOrEqual(maxAge);
        expect(lifetime).toBeGreaterThanOrEqual(maxAge * (1 - jitter) - 1e-6);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('gives no answer to a call whose headers differ in what Vary names, or in its credentials', async () => {
    const name = fc.constantFrom('a', 'b', 'authorization', 'cookie');
    const value = fc.constantFrom('1', '2', '1, 2', 'x=1');
    const headers = fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => pairs.flat());
    const vary = fc.subarray(['a', 'b', 'Cookie', 'c']);
    const step = fc.record({ headers, vary, path: fc.constantFrom('/x', '/y') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), fc.array(step, { maxLength: 20 }), async (kept, asked) => {
        const { keep, body } = await store();
        for (const [index, one] of kept.entries()) {
          keep(request(one.path, one.headers), { 'cache-control': 'max-age=60', vary: one.vary.join(', ') }, String(index));
        }
        const valuesOf = (pairs: string[], wanted: string): string[] =>
          pairs.filter((_, i) => i % 2 === 1 && pairs[i - 1] === wanted.toLowerCase());
        for (const one of [...asked, ...kept]) {
          const found = body(request(one.path, one.headers));
          if (found === null) continue;
          const origin = kept[Number(found)] as (typeof kept)[number];
          expect(origin.path).toBe(one.path);
          for (const wanted of [...origin.vary, 'authorization', 'cookie']) {
            expect(valuesOf(one.headers, wanted).join(', ')).toBe(valuesOf(origin.headers, wanted).join(', '));
          }
        }
        // The newest of its kind is found again: a cache that keeps nothing would pass what is above.
        const last = kept.at(-1) as (typeof kept)[number];
        expect(body(request(last.path, last.headers))).toBe(String(kept.length - 1));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('never exceeds its entries or bytes, and counts what it holds', async () => {
    const act = fc.record({
      kind: fc.constantFrom('keep', 'keep', 'keep', 'find', 'drop', 'invalidate', 'update'),
      path: fc.nat(12).map((n) => `/${n}`),
      variant: fc.nat(3).map(String),
      vary: fc.constantFrom('', 'a', 'a, b'),
      size: fc.nat(400),
      entriesMax: fc.integer({ min: 1, max: 8 }),
      bytesMax: fc.integer({ min: 1, max: 2_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        let limits = { entriesMax: 5, bytesMax: 1_000 };
        const { cache, keep, body } = await store(limits);
        for (const { kind, path, variant, vary, size, entriesMax, bytesMax } of acts) {
          const of = request(path, ['a', variant]);
          if (kind === 'keep') keep(of, vary === '' ? {} : { vary }, 'x'.repeat(size));
          else if (kind === 'find') body(of);
          else if (kind === 'drop') cache.drop(of);
          else if (kind === 'invalidate') {
            cache.invalidate(of.uri);
            for (const other of ['0', '1', '2', '3']) expect(body(request(path, ['a', other]))).toBeNull();
          } else {
            limits = { entriesMax, bytesMax };
            cache.update({ ...CACHE_DEFAULTS, ...limits });
          }
          expect(cache.entries).toBeLessThanOrEqual(limits.entriesMax);
          expect(cache.bytes).toBeLessThanOrEqual(limits.bytesMax);
          const reachable = new Set<KeptAnswer>();
          for (let n = 0; n <= 12; n++) {
            for (const other of ['0', '1', '2', '3']) {
              const kept = cache.find(request(`/${n}`, ['a', other]));
              if (kept !== null) reachable.add(kept);
            }
          }
          // What cannot be found any more must not take room.
          expect(reachable.size).toBe(cache.entries);
          const bodies = [...reachable].reduce((sum, { body: { byteLength } }) => sum + byteLength, 0);
          expect(bodies).toBeLessThanOrEqual(cache.bytes);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
