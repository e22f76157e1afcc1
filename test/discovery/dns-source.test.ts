import { describe, expect, it } from 'vitest';
import type { DnsResolver, SrvRecord } from '../../src/discovery/dns-resolver.ts';
import { dnsSource } from '../../src/discovery/dns-source.ts';
import type { EndpointConfig, EndpointSourceConfig } from '../../src/model/destination.ts';
import { scriptedRandom, seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type DnsConfig = Extract<EndpointSourceConfig, { kind: 'dns' }>;
/** A code is thrown; 'never' is no answer at all. */
type Answer<T> = readonly T[] | string;

/** A name service in a box: change the tables at will. */
class FakeDns implements DnsResolver {
  a: Record<string, Answer<string>> = {};
  aaaa: Record<string, Answer<string>> = {};
  srvs: Record<string, Answer<SrvRecord>> = {};
  hosts: Record<string, Answer<string>> = {};
  ttl = 10;
  /** What was asked, as `A name`. */
  readonly asked: string[] = [];

  async resolve4(name: string): Promise<{ address: string; ttl: number }[]> {
    return (await this.#answer('A', name, this.a)).map((address) => ({ address, ttl: this.ttl }));
  }
  async resolve6(name: string): Promise<{ address: string; ttl: number }[]> {
    return (await this.#answer('AAAA', name, this.aaaa)).map((address) => ({ address, ttl: this.ttl }));
  }
  resolveSrv(name: string): Promise<readonly SrvRecord[]> {
    return this.#answer('SRV', name, this.srvs);
  }
  async lookup(name: string): Promise<{ address: string; family: number }[]> {
    return (await this.#answer('system', name, this.hosts)).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  }

  #answer<T>(kind: string, name: string, table: Record<string, Answer<T>>): Promise<readonly T[]> {
    this.asked.push(`${kind} ${name}`);
    const answer = table[name] ?? 'ENOTFOUND';
    if (answer === 'never') return new Promise(() => {});
    return typeof answer === 'string'
      ? Promise.reject(Object.assign(new Error(`${kind} ${answer}`), { code: answer }))
      : Promise.resolve(answer);
  }
}

const A: DnsConfig = { kind: 'dns', host: 'reviews.internal', port: 8080, record: 'A' };

interface World {
  readonly clock: VirtualClock;
  readonly dns: FakeDns;
  readonly source: ReturnType<typeof dnsSource>;
  /** Every set that was reported, as addresses. */
  readonly sets: string[][];
  readonly endpoints: EndpointConfig[][];
  readonly failures: string[];
  start(): Promise<void>;
}

/** Chance 0.5 is the middle of the jitter: TTLs hold exactly. */
function world(config: Partial<DnsConfig> = {}, random = scriptedRandom(0.5)): World {
  const clock = new VirtualClock();
  const dns = new FakeDns();
  const source = dnsSource({ ...A, ...config }, { clock, random, resolver: dns });
  const endpoints: EndpointConfig[][] = [];
  const sets: string[][] = [];
  const failures: string[] = [];
  const start = async (): Promise<void> => {
    source.start(
      (set) => {
        endpoints.push([...set]);
        sets.push(set.map(({ address }) => address));
      },
      (message) => failures.push(message),
    );
    await clock.run(0);
  };
  return { clock, dns, source, sets, endpoints, failures, start };
}

const srv = (name: string, port: number, priority: number, weight: number, ttl?: number): SrvRecord =>
  ttl === undefined ? { name, port, priority, weight } : { name, port, priority, weight, ttl };

describe('what is asked and what comes of it', () => {
  const name = 'reviews.internal';
  const rows: {
    title: string;
    config?: Partial<DnsConfig>;
    tables: Partial<Pick<FakeDns, 'a' | 'aaaa' | 'srvs' | 'hosts'>>;
    set: string[];
    asked?: string[];
    weights?: number[];
  }[] = [
    { title: 'A', tables: { a: { [name]: ['10.0.0.2', '10.0.0.1'] } }, set: ['10.0.0.1:8080', '10.0.0.2:8080'], asked: [`A ${name}`] },
    {
      title: 'AAAA',
      config: { record: 'AAAA' },
      tables: { aaaa: { [name]: ['fd00::1'] } },
      set: ['[fd00::1]:8080'],
      asked: [`AAAA ${name}`],
    },
    {
      title: 'any: both families',
      config: { record: 'any' },
      tables: { a: { [name]: ['10.0.0.1'] }, aaaa: { [name]: ['fd00::1'] } },
      set: ['10.0.0.1:8080', '[fd00::1]:8080'],
    },
    {
      title: 'any: one family is enough',
      config: { record: 'any' },
      tables: { a: { [name]: ['10.0.0.1'] }, aaaa: { [name]: 'ENODATA' } },
      set: ['10.0.0.1:8080'],
    },
    {
      title: 'any: one family is enough, though the other fails',
      config: { record: 'any' },
      tables: { a: { [name]: ['10.0.0.1'] }, aaaa: { [name]: 'ETIMEOUT' } },
      set: ['10.0.0.1:8080'],
    },
    {
      title: 'any: a service name means SRV',
      config: { record: 'any', host: '_http._tcp.reviews' },
      tables: { srvs: { '_http._tcp.reviews': [srv('r1', 81, 0, 1)] }, a: { r1: ['10.0.0.1'] } },
      set: ['10.0.0.1:81'],
    },
    { title: 'IPv4 literal: nothing asked', config: { host: '10.1.1.1' }, tables: {}, set: ['10.1.1.1:8080'], asked: [] },
    { title: 'IPv6 literal: nothing asked', config: { host: '::1', record: 'any' }, tables: {}, set: ['[::1]:8080'], asked: [] },
    {
      title: 'localhost, known to the system only',
      config: { host: 'localhost', record: 'any' },
      tables: { hosts: { localhost: ['127.0.0.1', '::1'] } },
      set: ['127.0.0.1:8080', '[::1]:8080'],
      asked: ['A localhost', 'AAAA localhost', 'system localhost'],
    },
    {
      title: 'the system answers for the wanted family alone',
      config: { host: 'localhost' },
      tables: { a: { localhost: 'ENODATA' }, hosts: { localhost: ['127.0.0.1', '::1'] } },
      set: ['127.0.0.1:8080'],
    },
    {
      title: 'no name server at all: the system is asked',
      tables: { a: { [name]: 'ECONNREFUSED' }, hosts: { [name]: ['10.0.0.9'] } },
      set: ['10.0.0.9:8080'],
    },
    {
      title: 'an empty answer is none: the system is asked',
      tables: { a: { [name]: [] }, hosts: { [name]: ['10.0.0.9'] } },
      set: ['10.0.0.9:8080'],
    },
    {
      title: 'SRV: lowest priority only, weights taken over',
      config: { record: 'SRV' },
      tables: {
        srvs: { [name]: [srv('r2', 82, 10, 30), srv('r1', 81, 10, 70), srv('backup', 83, 20, 50)] },
        a: { r1: ['10.0.0.1'], r2: ['10.0.0.2'], backup: ['10.0.0.3'] },
      },
      set: ['10.0.0.1:81', '10.0.0.2:82'],
      weights: [70, 30],
    },
    {
      title: 'SRV: all weights 0 means no preference',
      config: { record: 'SRV' },
      tables: { srvs: { [name]: [srv('r1', 81, 0, 0), srv('r2', 81, 0, 0)] }, a: { r1: ['10.0.0.1'], r2: ['10.0.0.2'] } },
      set: ['10.0.0.1:81', '10.0.0.2:81'],
      weights: [1, 1],
    },
    {
      title: 'SRV: weight 0 beside others is hardly ever drawn',
      config: { record: 'SRV' },
      tables: { srvs: { [name]: [srv('r1', 81, 0, 0), srv('r2', 81, 0, 5)] }, a: { r1: ['10.0.0.1'], r2: ['10.0.0.2'] } },
      set: ['10.0.0.1:81', '10.0.0.2:81'],
      weights: [0.01, 5],
    },
    {
      title: 'SRV: the addresses of one target share its weight; one address under two names adds up',
      config: { record: 'SRV' },
      tables: {
        srvs: { [name]: [srv('r1', 81, 0, 10), srv('r2', 81, 0, 4)] },
        a: { r1: ['10.0.0.1'], r2: ['10.0.0.1'] },
        aaaa: { r1: ['fd00::1'] },
      },
      set: ['10.0.0.1:81', '[fd00::1]:81'],
      weights: [9, 5],
    },
    {
      title: 'SRV: a target named twice is asked once, a literal never',
      config: { record: 'SRV' },
      tables: { srvs: { [name]: [srv('r1', 81, 0, 1), srv('r1', 82, 0, 1), srv('10.0.0.7', 83, 0, 1)] }, a: { r1: ['10.0.0.1'] } },
      set: ['10.0.0.1:81', '10.0.0.1:82', '10.0.0.7:83'],
      asked: [`SRV ${name}`, 'A r1', 'AAAA r1'],
    },
    {
      title: 'SRV: a priority whose targets are all unknown is passed over',
      config: { record: 'SRV' },
      tables: { srvs: { [name]: [srv('gone', 81, 0, 1), srv('r1', 82, 5, 1)] }, a: { r1: ['10.0.0.1'] } },
      set: ['10.0.0.1:82'],
    },
  ];
  it.each(rows)('$title', async ({ config, tables, set, asked, weights }) => {
    const w = world(config);
    Object.assign(w.dns, tables);
    await w.start();
    expect(w.sets).toEqual([set]);
    expect(w.failures).toEqual([]);
    if (asked !== undefined) expect(w.dns.asked).toEqual(asked);
    if (weights !== undefined) expect(w.endpoints[0]?.map(({ weight }) => weight)).toEqual(weights);
    w.source.close();
    expect(w.clock.armed).toBe(0);
  });

  it.each([
    { title: 'no such name', tables: {}, config: {}, says: /reviews\.internal \(A: ENOTFOUND\); no endpoints are known yet$/ },
    {
      title: 'both families fail',
      tables: { a: { [name]: 'ESERVFAIL' } },
      config: { record: 'any' as const },
      says: /\(A: ESERVFAIL, AAAA: ENOTFOUND\)/,
    },
    { title: 'no such service', tables: {}, config: { record: 'SRV' as const }, says: /\(SRV\): ENOTFOUND/ },
    {
      title: 'a service that is decidedly not there',
      tables: { srvs: { [name]: [srv('.', 0, 0, 0)] } },
      config: { record: 'SRV' as const },
      says: /\(SRV\): ENODATA/,
    },
    {
      title: 'targets without address',
      tables: { srvs: { [name]: [srv('gone', 81, 0, 1)] } },
      config: { record: 'SRV' as const },
      says: /gone \(A: ENOTFOUND, AAAA: ENOTFOUND\)/,
    },
  ])('says why there is nothing: $title', async ({ tables, config, says }) => {
    const w = world(config);
    Object.assign(w.dns, tables);
    await w.start();
    expect(w.sets).toEqual([]);
    expect(w.failures).toHaveLength(1);
    expect(w.failures[0]).toMatch(says);
    w.source.close();
  });
});

describe('when it is asked again', () => {
  it.each([
    { ttl: 0, dueMs: 1_000 },
    { ttl: 1, dueMs: 1_000 },
    { ttl: 10, dueMs: 10_000 },
    { ttl: 86_400, dueMs: 300_000 },
  ])('TTL $ttl s: after $dueMs ms', async ({ ttl, dueMs }) => {
    const w = world();
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.ttl = ttl;
    await w.start();
    expect(w.clock.nextDueMs - w.clock.now()).toBe(dueMs);
    await w.clock.run(dueMs - 1);
    expect(w.dns.asked).toHaveLength(1);
    await w.clock.run(1);
    expect(w.dns.asked).toHaveLength(2);
    w.source.close();
  });

  it('never asks sooner than the floor, whatever the jitter', async () => {
    const w = world({}, scriptedRandom(0));
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.ttl = 1;
    await w.start();
    expect(w.clock.nextDueMs - w.clock.now()).toBe(1_000);
    w.source.close();
  });

  it.each([
    { title: 'a family that never answered does not shorten the TTL', known: false, dueMs: 100_000 },
    { title: 'a family that no longer answers is asked again soon', known: true, dueMs: 5_000 },
  ])('$title', async ({ known, dueMs }) => {
    const w = world({ record: 'any' });
    w.dns.ttl = 100;
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.aaaa = { 'reviews.internal': known ? ['fd00::1'] : 'ETIMEOUT' };
    await w.start();
    w.dns.aaaa = { 'reviews.internal': 'ETIMEOUT' };
    await w.clock.run(100_000);
    expect(w.clock.nextDueMs - w.clock.now()).toBe(dueMs);
    w.source.close();
  });

  it('spreads the TTL by a tenth up and down', async () => {
    const w = world({}, seededRandom(7));
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.ttl = 100;
    await w.start();
    const gaps: number[] = [];
    for (let i = 0; i < 200; i++) {
      const gap = w.clock.nextDueMs - w.clock.now();
      gaps.push(gap);
      await w.clock.run(gap);
    }
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(90_000);
    expect(Math.min(...gaps)).toBeLessThan(92_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(110_000);
    expect(Math.max(...gaps)).toBeGreaterThan(108_000);
    w.source.close();
  });

  it.each([
    { record: 'SRV' as const, srvTtl: undefined, ttl: 300, dueMs: 30_000 },
    { record: 'SRV' as const, srvTtl: 60, ttl: 300, dueMs: 60_000 },
    { record: 'SRV' as const, srvTtl: 60, ttl: 20, dueMs: 20_000 },
  ])('SRV: the smallest TTL of record ($srvTtl s) and target ($ttl s): $dueMs ms', async ({ record, srvTtl, ttl, dueMs }) => {
    const w = world({ record });
    w.dns.srvs = { 'reviews.internal': [srv('r1', 81, 0, 1, srvTtl)] };
    w.dns.a = { r1: ['10.0.0.1'] };
    w.dns.ttl = ttl;
    await w.start();
    expect(w.clock.nextDueMs - w.clock.now()).toBe(dueMs);
    w.source.close();
  });

  it('asks again after 30 s when only the system knew', async () => {
    const w = world({ host: 'localhost' });
    w.dns.hosts = { localhost: ['127.0.0.1'] };
    await w.start();
    expect(w.clock.nextDueMs - w.clock.now()).toBe(30_000);
    w.source.close();
  });

  it('reports a set only when it differs, whatever the order', async () => {
    const w = world();
    w.dns.a = { 'reviews.internal': ['10.0.0.1', '10.0.0.2'] };
    await w.start();
    w.dns.a = { 'reviews.internal': ['10.0.0.2', '10.0.0.1'] };
    await w.clock.run(60_000);
    expect(w.dns.asked.length).toBeGreaterThan(4);
    expect(w.sets).toHaveLength(1);
    w.dns.a = { 'reviews.internal': ['10.0.0.2'] };
    await w.clock.run(10_000);
    expect(w.sets[1]).toEqual(['10.0.0.2:8080']);
    w.source.close();
  });

  it('starts soon after a name service that came late: 1, 2, 4, 5, 5 s', async () => {
    const w = world({}, scriptedRandom(0));
    w.dns.a = { 'reviews.internal': 'ESERVFAIL' };
    await w.start();
    const gaps: number[] = [];
    for (let i = 0; i < 5; i++) {
      const gap = w.clock.nextDueMs - w.clock.now();
      gaps.push(gap);
      await w.clock.run(gap);
    }
    expect(gaps).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(w.failures).toHaveLength(1);
    w.source.close();
  });

  it('counts silence as an error after 10 s, and ignores the late answer', async () => {
    const w = world({}, scriptedRandom(0));
    let answerLate: (records: { address: string; ttl: number }[]) => void = () => {};
    w.dns.resolve4 = () => new Promise((resolve) => (answerLate = resolve));
    await w.start();
    await w.clock.run(10_000);
    expect(w.failures[0]).toMatch(/no answer within 10 s/);
    answerLate([{ address: '10.0.0.66', ttl: 1 }]);
    w.dns.resolve4 = async () => [{ address: '10.0.0.1', ttl: 10 }];
    await w.clock.run(1_000);
    expect(w.sets).toEqual([['10.0.0.1:8080']]);
    w.source.close();
  });
});

describe('refresh', () => {
  it('asks at once when the last look is 5 s old, later otherwise, once for many', async () => {
    const w = world({}, scriptedRandom(0.5, 0));
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.ttl = 300;
    await w.start();
    await w.clock.run(1_000);
    for (let i = 0; i < 50; i++) w.source.refresh();
    await w.clock.run(3_999);
    expect(w.dns.asked).toHaveLength(1);
    await w.clock.run(1);
    expect(w.dns.asked).toHaveLength(2);
    await w.clock.run(6_000);
    w.source.refresh();
    w.source.refresh();
    expect(w.dns.asked).toHaveLength(3);
    await w.clock.run(0);
    w.source.close();
  });

  it('never puts off a look that was due anyway', async () => {
    const w = world();
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.ttl = 2;
    await w.start();
    await w.clock.run(1_000);
    w.source.refresh();
    await w.clock.run(1_000);
    expect(w.dns.asked).toHaveLength(2);
    w.source.close();
  });

  it('asks no more than once per 5 s under constant connect failures', async () => {
    const w = world({}, seededRandom(3));
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.ttl = 300;
    await w.start();
    for (let i = 0; i < 600; i++) {
      w.source.refresh();
      await w.clock.run(100);
    }
    expect(w.dns.asked.length).toBeGreaterThanOrEqual(11);
    expect(w.dns.asked.length).toBeLessThanOrEqual(13);
    w.source.close();
  });

  it('does nothing before the start, for a literal, during a look and after close', async () => {
    const w = world();
    w.source.refresh();
    expect(w.dns.asked).toEqual([]);
    w.dns.a = { 'reviews.internal': 'never' };
    await w.start();
    await w.clock.run(9_000);
    w.source.refresh();
    expect(w.dns.asked).toHaveLength(1);
    w.source.close();
    w.source.refresh();
    await w.clock.run(60_000);
    expect(w.dns.asked).toHaveLength(1);
    expect(w.failures).toEqual([]);
    expect(w.clock.armed).toBe(0);

    const literal = world({ host: '10.1.1.1' });
    await literal.start();
    literal.source.refresh();
    await literal.clock.run(60_000);
    expect(literal.dns.asked).toEqual([]);
  });
});

describe('S14: the name service fails', () => {
  it.each(['ESERVFAIL', 'ETIMEOUT', 'ENOTFOUND', 'ENODATA', 'ECONNREFUSED'])(
    '%s for 5 min: the set stays, one report, few looks',
    async (code) => {
      const w = world({}, seededRandom(11));
      w.dns.a = { 'reviews.internal': ['10.0.0.1', '10.0.0.2'] };
      await w.start();
      w.dns.a = { 'reviews.internal': code };
      const before = w.dns.asked.length;
      for (let t = 0; t < 300; t++) {
        await w.clock.run(1_000);
        w.source.refresh();
      }
      expect(w.sets).toHaveLength(1);
      expect(w.failures).toHaveLength(1);
      expect(w.failures[0]).toMatch(/the last 2 endpoints stay in use/);
      const looks = w.dns.asked.slice(before).filter((question) => question.startsWith('A ')).length;
      expect(looks).toBeGreaterThan(40);
      expect(looks).toBeLessThanOrEqual(60);
      // A new run of failures is reported again.
      w.dns.a = { 'reviews.internal': ['10.0.0.1', '10.0.0.2'] };
      await w.clock.run(20_000);
      w.dns.a = { 'reviews.internal': code };
      await w.clock.run(20_000);
      expect(w.failures).toHaveLength(2);
      expect(w.sets).toHaveLength(1);
      w.source.close();
    },
  );

  it('uses new addresses within 6 s of the first connect failure', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const w = world({}, seededRandom(seed));
      w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
      w.dns.ttl = 300;
      await w.start();
      await w.clock.run(137 * seed);
      w.dns.a = { 'reviews.internal': ['10.0.0.2'] };
      w.source.refresh();
      await w.clock.run(6_000);
      expect(w.sets[1]).toEqual(['10.0.0.2:8080']);
      w.source.close();
    }
  });

  it('keeps the family, or the target, that cannot be asked', async () => {
    const w = world({ record: 'any' });
    w.dns.a = { 'reviews.internal': ['10.0.0.1'] };
    w.dns.aaaa = { 'reviews.internal': ['fd00::1'] };
    await w.start();
    w.dns.a = { 'reviews.internal': ['10.0.0.2'] };
    w.dns.aaaa = { 'reviews.internal': 'ETIMEOUT' };
    await w.clock.run(120_000);
    expect(w.sets.slice(1)).toEqual([['10.0.0.2:8080', '[fd00::1]:8080']]);
    w.dns.aaaa = { 'reviews.internal': 'ENODATA' };
    await w.clock.run(10_000);
    expect(w.sets[2]).toEqual(['10.0.0.2:8080']);
    w.source.close();

    const s = world({ record: 'SRV' });
    s.dns.srvs = { 'reviews.internal': [srv('r1', 81, 0, 1), srv('r2', 81, 0, 1), srv('backup', 81, 9, 1)] };
    s.dns.a = { r1: ['10.0.0.1'], r2: ['10.0.0.2'], backup: ['10.0.0.9'] };
    await s.start();
    s.dns.a = { r1: ['10.0.0.3'], r2: 'ETIMEOUT', backup: ['10.0.0.9'] };
    await s.clock.run(60_000);
    expect(s.sets.slice(1)).toEqual([['10.0.0.2:81', '10.0.0.3:81']]);
    expect(s.failures).toEqual([]);
    s.dns.a = { r1: 'ETIMEOUT', r2: 'ETIMEOUT', backup: ['10.0.0.9'] };
    await s.clock.run(60_000);
    expect(s.sets).toHaveLength(2);
    expect(s.failures).toHaveLength(1);
    s.source.close();
  });
});
