import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divide, isSameZone, type Place } from '../../src/balance/locality.ts';
import { LOCALITY_DEFAULTS, type LocalityPolicy } from '../../src/model/balancing.ts';
import { endpointOf } from './endpoint-list.ts';

const SELF: Place = { locality: 'eu/a/1', labels: { app: 'web', version: 'v1' } };
const PRIORITY: LocalityPolicy = { ...LOCALITY_DEFAULTS, mode: 'priority' };

/** `name@locality`, `name@locality!priority`: pools by name, the first first. */
function pools(endpoints: string, policy: LocalityPolicy | null, self: Place = SELF): string {
  const list = endpoints.split(' ').map((one) => {
    const [name = '', rest = ''] = one.split('@');
    const [locality = '', priority] = rest.split('!');
    return endpointOf(`${name}:1`, { locality, ...(priority === undefined ? {} : { priority: Number(priority) }) });
  });
  return divide(list, policy, self)
    .pools.map((pool) => pool.map(({ host }) => host).join(''))
    .join(' ');
}

describe('pools by priority', () => {
  it.each<[string, string, LocalityPolicy | null, string]>([
    ['nothing said: one pool', 'a@eu/a b@us/b', null, 'ab'],
    ['the priority of an endpoint', 'a@!1 b@ c@!1', null, 'b ac'],
    ['sub-zone, zone, region, the rest', 'a@us/a/1 b@eu/b/1 c@eu/a/2 d@eu/a/1', PRIORITY, 'd c b a'],
    ['compacted: nobody in the zone', 'a@us/a/1 b@eu/b/1', PRIORITY, 'b a'],
    ['an unknown locality is the rest', 'a@ b@eu/a/1', PRIORITY, 'b a'],
    ['the endpoint’s own priority comes first', 'a@eu/a/1!1 b@us/a/1 c@eu/b/1', PRIORITY, 'c b a'],
    [
      'failover names the region that comes next',
      'a@us/a b@asia/a c@eu/b',
      { ...PRIORITY, failover: [{ from: 'eu', to: 'asia' }] },
      'c b a',
    ],
    ['failover of another region says nothing', 'a@us/a b@asia/a', { ...PRIORITY, failover: [{ from: 'us', to: 'asia' }] }, 'ab'],
    ['zone: the own zone, then all others', 'a@eu/a/2 b@eu/b c@us/a d@eu/a/1', LOCALITY_DEFAULTS, 'ad bc'],
    ['zone: nobody is in it', 'a@eu/b b@us/a', LOCALITY_DEFAULTS, 'ab'],
    ['zone: within the priorities of the endpoints', 'a@eu/a!1 b@eu/b c@eu/a d@us/b!1', LOCALITY_DEFAULTS, 'c b a d'],
  ])('%s', (_name, endpoints, policy, expected) => {
    expect(pools(endpoints, policy)).toBe(expected);
  });

  it('zone without a locality of its own is one pool', () => {
    expect(pools('a@eu/a b@', LOCALITY_DEFAULTS, { locality: '', labels: {} })).toBe('ab');
    expect(pools('a@eu/a b@', LOCALITY_DEFAULTS, { locality: 'eu/a', labels: {} })).toBe('a b');
  });

  it('says whether the first is the own zone, beside others', () => {
    const zoned = (...localities: string[]): boolean =>
      divide(
        localities.map((locality, i) => endpointOf(`e${i}:1`, { locality })),
        LOCALITY_DEFAULTS,
        SELF,
      ).isZoned;
    expect([zoned('eu/a', 'eu/b'), zoned('eu/b', 'eu/c'), zoned('eu/a')]).toEqual([true, false, false]);
  });

  it('has every endpoint in exactly one pool, and no empty one', () => {
    const name = fc.constantFrom('eu', 'us', 'a', 'b', '1', '');
    const endpoint = fc.record({ locality: fc.array(name, { maxLength: 3 }).map((parts) => parts.join('/')), priority: fc.nat(2) });
    const policy = fc.constantFrom<LocalityPolicy | null>(
      null,
      LOCALITY_DEFAULTS,
      PRIORITY,
      { ...PRIORITY, failover: [{ from: 'eu', to: 'us' }] },
      { ...PRIORITY, failoverPriority: ['topology.kubernetes.io/region', 'version=v2'] },
    );
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 20 }), policy, (some, rule) => {
        const endpoints = some.map((one, i) => endpointOf(`e${i}:1`, one));
        const { pools: found } = divide(endpoints, rule, SELF);
        expect(found.every((pool) => pool.length > 0)).toBe(true);
        expect(found.flat().toSorted((a, b) => endpoints.indexOf(a) - endpoints.indexOf(b))).toEqual(endpoints);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

describe('failoverPriority', () => {
  const labelled = (
    labels: readonly Record<string, string>[],
    failoverPriority: readonly string[],
    failover: LocalityPolicy['failover'] = [],
  ): string => {
    const endpoints = labels.map((one, i) => endpointOf(`${'abcdef'[i]}:1`, { labels: one, locality: one['locality'] ?? '' }));
    return divide(endpoints, { ...PRIORITY, failoverPriority, failover }, SELF)
      .pools.map((pool) => pool.map(({ host }) => host).join(''))
      .join(' ');
  };

  it.each<[string, Record<string, string>[], string[], string]>([
    ['who has all comes first', [{ app: 'web' }, { app: 'web', version: 'v1' }], ['app', 'version'], 'b a'],
    [
      'the first that differs decides',
      [
        { app: 'no', version: 'v1' },
        { app: 'web', version: 'no' },
      ],
      ['app', 'version'],
      'b a',
    ],
    ['equal ones share a pool', [{ app: 'web' }, { app: 'no' }, { app: 'web' }], ['app'], 'ac b'],
    ['a value given is compared instead of the own one', [{ version: 'v1' }, { version: 'v2' }], ['version=v2'], 'b a'],
    ['what neither has is alike', [{}, { zone: 'x' }], ['zone'], 'a b'],
    ['topology is known from the locality', [{ locality: 'us/a' }, { locality: 'eu/b' }], ['topology.kubernetes.io/region'], 'b a'],
  ])('%s', (_name, labels, wanted, expected) => {
    expect(labelled(labels, wanted)).toBe(expected);
  });

  it('with failover, regions decide among those that are alike', () => {
    const labels = [
      { app: 'web', locality: 'us/a' },
      { app: 'web', locality: 'eu/a/1' },
      { app: 'no', locality: 'eu/a/1' },
    ];
    expect(labelled(labels, ['app'])).toBe('ab c');
    expect(labelled(labels, ['app'], [{ from: 'eu', to: 'asia' }])).toBe('b a c');
  });
});

describe('distribute', () => {
  function shares(endpoints: string, from: string, to: Record<string, number>, weights: readonly number[] = []): string {
    const list = endpoints.split(' ').map((one, i) => {
      const [name = '', locality = ''] = one.split('@');
      return endpointOf(`${name}:1`, { locality, weight: weights[i] ?? 1 });
    });
    const found = divide(list, { ...PRIORITY, distribute: [{ from, to }] }, SELF);
    return found.pools.map((pool, i) => `${pool.map(({ host }) => host).join('')}${found.shares?.[i] ?? '-'}`).join(' ');
  }

  it.each<[string, string, string, Record<string, number>, readonly number[], string]>([
    ['by locality', 'a@eu/a b@eu/b c@us/a', 'eu/a/*', { 'eu/a': 80, 'eu/b': 20 }, [], 'a80 b20'],
    ['a region', 'a@eu/a/1 b@us/b', 'eu/*', { 'eu/*': 70, 'us/*': 30 }, [], 'a70 b30'],
    ['a share for several, by their weights', 'a@eu/a b@eu/b c@us/a', 'eu/*', { 'eu/*': 90, us: 10 }, [2, 1, 1], 'a60 b30 c10'],
    ['each locality once', 'a@eu/a b@eu/b', '*', { 'eu/a': 50, '*': 50 }, [], 'a50 b50'],
    ['nothing for a share of 0', 'a@eu/a b@us/a', '*', { eu: 100, us: 0 }, [], 'a100'],
    ['meant for another locality: by priority', 'a@us/a b@eu/a/1', 'us/*', { us: 100 }, [], 'b- a-'],
    ['nobody is where the shares go: by priority', 'a@us/a b@eu/a/1', 'eu/*', { asia: 100 }, [], 'b- a-'],
  ])('%s', (_name, endpoints, from, to, weights, expected) => {
    expect(shares(endpoints, from, to, weights)).toBe(expected);
  });
});

describe('isSameZone', () => {
  it.each([
    ['eu/a/1', 'eu/a/2', true],
    ['eu/a', 'eu/b', false],
    ['eu/a', 'us/a', false],
    ['eu', 'eu', true],
    ['', '', false],
    ['eu/a', '', false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(isSameZone(a, b)).toBe(expected);
  });
});
