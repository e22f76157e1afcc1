// Sources that fetch or issue, and what all of them share; the watch over the TLS of a policy.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { callbackSource, type FetchedIdentity } from '../../src/identity/callback-source.ts';
import { linksSeen, seesIntermediates } from '../../src/identity/chain-probe.ts';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import { devSource } from '../../src/identity/dev-source.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import type { IdentitySource } from '../../src/identity/identity-source.ts';
import { RotatingTls } from '../../src/identity/rotating-tls.ts';
import { missingTls } from '../../src/identity/tls-context.ts';
import type { TlsPolicy } from '../../src/model/destination.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settle, type VirtualClock } from '../support/virtual-clock.ts';
import { authority } from './certificates.ts';
import { StrictClock } from './strict-clock.ts';

const NOW_MS = Date.now();
const HOUR_MS = 3_600_000;
const root = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
const ID = 'spiffe://a.test/ns/x/sa/y';
const folder = mkdtempSync(join(tmpdir(), 'inmesh-sources-'));

afterAll(() => rmSync(folder, { recursive: true }));

function fetched(nowMs = NOW_MS, more: Partial<FetchedIdentity> = {}): FetchedIdentity {
  const { chain, key } = root.issue({ spiffeId: ID, nowMs, lifeMs: HOUR_MS });
  return { cert: chain.join(''), key, ca: root.cert, ...more };
}

function deps(random = seededRandom(1)): { readonly clock: VirtualClock; readonly random: () => number; readonly jitterMaxMs: number } {
  return { clock: new StrictClock(1_000, NOW_MS), random, jitterMaxMs: 0 };
}

function newsOf(source: IdentitySource): string[] {
  const news: string[] = [];
  source.subscribe(
    ({ version }) => news.push(`version ${version}`),
    ({ message }) => news.push(message),
  );
  return news;
}

describe('an identity that a function fetches', () => {
  it('is asked for again after two thirds of its life', async () => {
    const { clock, ...rest } = deps(() => 0.5);
    const source = callbackSource(() => fetched(clock.wall()), { clock, ...rest });
    const news = newsOf(source);
    await settle();
    // The certificate begins five minutes before, for clocks that differ.
    const waitMs = (HOUR_MS + 300_000) * (2 / 3) - 300_000;
    expect(Math.abs(clock.nextDueMs - clock.now() - waitMs)).toBeLessThan(1_001);
    await clock.run(waitMs + 1_000);
    expect(news).toEqual(['version 1', 'version 2']);
    source.close();
    expect(clock.armed).toBe(0);
  });

  it('or as often as is said', async () => {
    const { clock, ...rest } = deps();
    const source = callbackSource(async () => fetched(clock.wall(), { ca: { 'a.test': root.cert } }), {
      clock,
      ...rest,
      refreshMs: 10_000,
    });
    const news = newsOf(source);
    await settle();
    await clock.run(20_000);
    expect(news).toEqual(['version 1', 'version 2', 'version 3']);
    source.close();
  });

  it('is asked for ever less often while the answer is no good', async () => {
    const { clock, ...rest } = deps(() => 1);
    const source = callbackSource(() => fetched(NOW_MS, { ca: 'garbage' }), { clock, ...rest });
    await settle();
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      waits.push(clock.nextDueMs - clock.now());
      await clock.run(waits[i] as number);
    }
    const [first = 0] = waits;
    expect(waits).toEqual([first, 2 * first, 4 * first]);
    source.close();
  });

  it('keeps the last good one while the answer fails to come, and asks ever less often', async () => {
    const { clock, ...rest } = deps(() => 1);
    let asked = 0;
    const source = callbackSource(
      () => {
        asked++;
        if (asked === 1) return fetched();
        if (asked === 2) throw new Error('vault is sealed');
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what others throw
        if (asked === 3) return Promise.reject('no error');
        if (asked === 4) return { ...fetched(), key: 'garbage' };
        return fetched(clock.wall());
      },
      { clock, ...rest, refreshMs: 1_000 },
    );
    const news = newsOf(source);
    await settle();
    await clock.run(1_000);
    expect(source.lastError?.cause).toMatchObject({ message: 'vault is sealed' });
    await clock.run(1_000);
    await clock.run(2_000);
    expect(news).toEqual([
      'version 1',
      'no identity could be fetched: vault is sealed',
      'no identity could be fetched: no error',
      'the private key cannot be read',
    ]);
    await clock.run(3_999);
    expect(news.length).toBe(4);
    await clock.run(1);
    expect(news.at(-1)).toBe('version 2');
    source.close();
  });

  it('closed while it waits for the answer: nothing is taken, nothing armed', async () => {
    const { clock, ...rest } = deps();
    const answer = Promise.withResolvers<FetchedIdentity>();
    const source = callbackSource(() => answer.promise, { clock, ...rest });
    source.close();
    answer.resolve(fetched());
    await settle();
    expect([source.current, clock.armed]).toEqual([null, 0]);
  });

  it('closed while it waits for an answer that does not come', async () => {
    const { clock, ...rest } = deps();
    const source = callbackSource(() => Promise.reject(new Error('late')), { clock, ...rest });
    source.close();
    await settle();
    expect([source.lastError, clock.armed]).toEqual([null, 0]);
  });

  it('a life that is all but over is no reason for a loop', async () => {
    const { clock, ...rest } = deps(() => 0.5);
    const source = callbackSource(() => fetched(NOW_MS - HOUR_MS + 10_000), { clock, ...rest });
    await settle();
    expect(clock.nextDueMs - clock.now()).toBe(1_000);
    source.close();
  });
});

describe('an identity of the development CA', () => {
  it('renews itself', async () => {
    const { clock, ...rest } = deps();
    const other = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
    const source = devSource(root, { spiffeId: ID, dns: ['y'], lifeMs: HOUR_MS }, { clock, ...rest, otherRoots: [other.cert] });
    const news = newsOf(source);
    await settle();
    expect(source.current?.bundles.get('a.test')).toEqual([root.cert, other.cert]);
    await clock.run(HOUR_MS);
    expect(news).toEqual(['version 1', 'version 2']);
    source.close();
  });

  it('without other roots', async () => {
    const source = devSource(root, { spiffeId: ID }, deps());
    expect((await source.ready()).bundles.get('a.test')).toEqual([root.cert]);
    source.close();
  });
});

describe('what sources share', () => {
  const offered = (): Parameters<HeldIdentity['offer']>[0] => {
    const { cert, key } = fetched();
    return { chain: cert, key, roots: root.cert };
  };

  it('listeners are told of the current one at once, and of nothing after they left', () => {
    const held = new HeldIdentity(deps());
    held.offer(offered());
    const versions: number[] = [];
    const leave = held.subscribe(({ version }) => versions.push(version));
    held.offer(offered());
    held.fail(new Error('x'));
    leave();
    held.offer(offered());
    expect(versions).toEqual([1, 2]);
  });

  it('closed, nothing is taken', () => {
    const held = new HeldIdentity(deps());
    held.close();
    held.offer(offered());
    expect(held.current).toBeNull();
  });

  it('the same failure again is no news', () => {
    const held = new HeldIdentity(deps());
    const news = newsOf(held);
    for (const text of ['a', 'a', 'b', 'a']) held.fail(new Error(text));
    expect(news).toEqual(['a', 'b', 'a']);
  });

  it('the swap waits a tenth of what is left of the old one at most', () => {
    const { clock } = deps();
    const held = new HeldIdentity({ clock, random: () => 0.999 });
    const short = root.issue({ spiffeId: ID, nowMs: NOW_MS, lifeMs: 10_000 });
    held.offer({ chain: short.chain.join(''), key: short.key, roots: root.cert });
    held.offer(offered());
    const waitMs = clock.nextDueMs - clock.now();
    expect(waitMs).toBeGreaterThan(800);
    expect(waitMs).toBeLessThanOrEqual(1_000);
    held.offer(offered());
    expect(clock.armed).toBe(1);
    clock.advance(1_000);
    expect(held.current?.version).toBe(2);
    held.offer(offered());
    held.withdraw(new Error('taken back'));
    expect([held.current, clock.armed]).toEqual([null, 0]);
  });

  it('a leaf with a SPIFFE ID that is none is refused; one of another kind has roots of no domain', () => {
    const a = authority('x');
    const held = new HeldIdentity(deps());
    const wrong = a.issue({ uris: ['spiffe://x'] });
    held.offer({ chain: wrong.cert, key: wrong.key, roots: a.cert });
    expect(held.lastError?.message).toBe('the SPIFFE ID of the certificate is none, or one of several');
    const plain = a.issue({ dns: ['x'] });
    held.offer({ chain: plain.cert, key: plain.key, roots: a.cert });
    expect([...(held.current?.bundles.keys() ?? [])]).toEqual(['']);
    held.offer({ chain: plain.cert, key: plain.key, roots: a.cert, trustDomain: 'td' });
    expect([...(held.current?.bundles.keys() ?? [])]).toEqual(['td']);
    const web = a.issue({ uris: ['https://x'] });
    held.offer({ chain: web.cert, key: web.key });
    expect([held.current?.spiffeId, held.current?.bundles.size]).toEqual(['', 0]);
    const { chain, key } = root.issue({ spiffeId: ID, nowMs: NOW_MS });
    held.offer({ chain: chain.join(''), key });
    expect(held.lastError?.message).toContain('the roots of a.test do not vouch');
  });
});

describe('the TLS of a policy through time', () => {
  interface Bench {
    readonly tls: RotatingTls;
    readonly clock: VirtualClock;
    readonly failures: string[];
    changes: number;
  }

  function bench(policy: TlsPolicy, identity: HeldIdentity | null, clock = new StrictClock(1_000, NOW_MS)): Bench {
    const failures: string[] = [];
    const tls = new RotatingTls(policy, { clock, identity, onFailure: ({ message }) => failures.push(message) });
    const made: Bench = { tls, clock, failures, changes: 0 };
    tls.onChange(() => made.changes++);
    tls.start();
    tls.start();
    return made;
  }

  function held(clock: VirtualClock, isEmpty = false): HeldIdentity {
    const one = new HeldIdentity({ clock, random: () => 0, jitterMaxMs: 0 });
    if (!isEmpty) offer(one);
    return one;
  }

  function offer(one: HeldIdentity): void {
    const { cert, key } = fetched();
    one.offer({ chain: cert, key, roots: root.cert });
  }

  it('follows the identity of the mesh', () => {
    const clock = new StrictClock(1_000, NOW_MS);
    const identity = held(clock);
    const one = bench({ mode: 'mutual' }, identity, clock);
    const first = one.tls.current;
    identity.fail(new Error('no'));
    expect([one.changes, one.tls.current === first]).toEqual([0, true]);
    offer(identity);
    expect([one.changes, one.tls.current === first]).toEqual([1, false]);
    const second = one.tls.current;
    one.tls.close();
    offer(identity);
    expect([one.changes, one.tls.current === second]).toEqual([1, true]);
  });

  it('tells whoever wants to know, until they leave or it is closed', () => {
    const clock = new StrictClock(1_000, NOW_MS);
    const identity = held(clock);
    const tls = new RotatingTls({ mode: 'mutual' }, { clock, identity, onFailure: () => {} });
    const told: string[] = [];
    const leave = tls.onChange(() => told.push('who leaves'));
    tls.onChange(() => {
      told.push('who closes');
      if (told.length > 3) tls.close();
    });
    tls.onChange(() => told.push('the last'));
    tls.start();
    offer(identity);
    leave();
    offer(identity);
    expect(told).toEqual(['who leaves', 'who closes', 'the last', 'who closes']);
  });

  it('what is text is not watched; what verifies nobody needs no identity', () => {
    const { cert, key } = fetched();
    const one = bench({ mode: 'mutual', cert, key, verify: 'none' }, null);
    expect([one.clock.armed, one.tls.current.unusable()]).toEqual([0, null]);
    one.tls.close();
  });

  it('before the first, and after it was taken back, nothing can be connected', () => {
    const clock = new StrictClock(1_000, NOW_MS);
    const identity = held(clock, true);
    const one = bench({ mode: 'mutual' }, identity, clock);
    expect(one.tls.current.unusable()?.message).toBe('this process has no certificate yet');
    offer(identity);
    expect(one.tls.current.unusable()).toBeNull();
    clock.advance(2 * HOUR_MS);
    expect(one.tls.current.unusable()?.message).toContain('the certificate of this process expired at 20');
    identity.withdraw(new Error('redacted'));
    expect(one.tls.current.unusable()?.message).toBe('this process has no certificate: redacted');
    expect(one.tls.current.checkPeer('x', {} as never)?.message).toContain('no certificate: redacted');
    expect(missingTls({ mode: 'mutual', serverName: 'x' }, '').serverName).toBe('x');
    one.tls.close();
  });

  it('simple, and policies that have all they need, do not ask for it', () => {
    const clock = new StrictClock(1_000, NOW_MS);
    const identity = held(clock);
    const { cert, key } = fetched();
    const own: TlsPolicy = { mode: 'mutual', cert, key };
    const all = ([{ mode: 'simple' }, { ...own, ca: root.cert }, { ...own, webRoots: true }] as const).map((policy) =>
      bench(policy, identity, clock),
    );
    const mixed = (
      [
        { ...own, verify: 'chain' },
        { ...own, verify: 'none' },
        { mode: 'mutual', ca: root.cert, minTls: '1.2' },
      ] as const
    ).map((policy) => bench(policy, identity, clock));
    offer(identity);
    expect([all.map(({ changes }) => changes), mixed.map(({ changes }) => changes)]).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
    expect(mixed[1]?.tls.current.checkPeer('x', {} as never)).toBeUndefined();
    clock.advance(24 * HOUR_MS);
    expect(all.map(({ tls }) => tls.current.unusable())).toEqual([null, null, null]);
  });

  it('roots of no domain: the host is checked as on the web', () => {
    const clock = new StrictClock(1_000, NOW_MS);
    const a = authority('x');
    const { cert, key } = a.issue({ dns: ['x'] });
    const identity = new HeldIdentity({ clock, random: () => 0 });
    identity.offer({ chain: cert, key, roots: a.cert });
    const one = bench({ mode: 'mutual' }, identity, clock);
    expect(one.tls.current.checkPeer('y', { subject: { CN: 'x' } } as never)?.message).toContain('y');
  });

  const path = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const write = ({ cert, key }: FetchedIdentity): TlsPolicy => ({
    mode: 'mutual',
    cert: path('c.pem', cert),
    key: path('k.pem', key),
    ca: path('a.pem', root.cert),
  });

  it('follows its files, and waits for a writer that is between two', () => {
    const one = bench(write(fetched()), null);
    write(fetched());
    one.clock.advance(30_000);
    expect(one.changes).toBe(1);
    const next = fetched();
    path('c.pem', next.cert);
    one.clock.advance(30_000);
    path('k.pem', next.key);
    one.clock.advance(200);
    expect([one.changes, one.failures]).toEqual([2, []]);
    one.clock.advance(30_000 - 200);
    path('a.pem', '');
    one.clock.advance(30_000);
    // Five times, 200 ms apart.
    one.clock.advance(799);
    expect(one.failures).toEqual([]);
    one.clock.advance(1);
    expect([one.changes, one.failures]).toEqual([3, ['the ca holds no certificate']]);
    path('a.pem', 'garbage');
    one.clock.advance(29_200);
    path('a.pem', root.cert);
    one.tls.close();
    expect(one.clock.armed).toBe(0);
  });

  it('another change while it waits begins anew', async () => {
    const one = bench(write(fetched()), null);
    // The file system tells of a change in its own time: then one timer more is armed.
    const armed = async (timers: number): Promise<void> => {
      while (one.clock.armed < timers) await settle();
    };
    const POLL = 1;
    path('k.pem', 'garbage');
    await armed(POLL + 1);
    one.clock.advance(100);
    expect(one.clock.armed).toBe(POLL + 1);
    path('k.pem', 'other garbage');
    await armed(POLL + 2);
    one.clock.advance(100);
    expect(one.clock.armed).toBe(POLL + 1);
    one.clock.advance(799);
    expect(one.failures).toEqual([]);
    one.clock.advance(1);
    expect([one.changes, one.failures.length]).toEqual([0, 1]);
    one.tls.close();
  });
});

describe('what this Node shows of a chain', () => {
  // nodejs/node#65579
  const isBlind = process.version === 'v24.21.0';

  it('is found out once', async () => {
    const seen = await seesIntermediates(NOW_MS);
    expect(seen).toBe(!isBlind);
    expect(await seesIntermediates(0)).toBe(seen);
  });

  it('is all of it, or the leaf alone', async () => {
    expect(await linksSeen(NOW_MS)).toBe(isBlind ? 1 : 3);
  });
});
