import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { type EndpointChange, EndpointSet } from '../../src/balance/endpoint-set.ts';
import { BALANCER_DEFAULTS, type EndpointConfig } from '../../src/model/destination.ts';
import { pair, testCall } from '../support/fake-service.ts';

function config(address: string, labels: Record<string, string> = {}, weight = 1): EndpointConfig {
  return { address, labels, locality: '', weight };
}

function setup(): { set: EndpointSet; made: string[]; drained: string[] } {
  const made: string[] = [];
  const drained: string[] = [];
  const set = new EndpointSet(BALANCER_DEFAULTS, {
    leaf(endpoint) {
      made.push(endpoint.address);
      return pair()[0];
    },
    onDrained: (endpoint) => drained.push(endpoint.address),
  });
  return { set, made, drained };
}

describe('EndpointSet.update', () => {
  it('keeps what is known of an address that stays', () => {
    const { set, made } = setup();
    set.update([config('a:1'), config('b:1')], 0);
    const [a] = set.all as [LiveEndpoint];
    a.observe(500, 10);
    expect(set.update([config('a:1', { version: 'v2' }, 3), config('c:1')], 10)).toEqual({
      added: ['c:1'],
      removed: ['b:1'],
      keptLast: false,
    });
    expect(set.all[0]).toBe(a);
    expect([a.labels, a.weight, a.latencyMs(10)]).toEqual([{ version: 'v2' }, 3, 500]);
    expect(made).toEqual(['a:1', 'b:1', 'c:1']);
  });

  it('changes its version with every change, and tells', () => {
    const { set } = setup();
    const seen: EndpointChange[] = [];
    const stop = set.onChange((change) => seen.push(change));
    const versions = new Set([set.version]);
    set.update([config('a:1')], 0);
    versions.add(set.version);
    set.update([config('b:1')], 0);
    versions.add(set.version);
    stop();
    set.update([config('c:1')], 0);
    expect(versions.size).toBe(3);
    expect(seen.map(({ added, removed }) => [added, removed])).toEqual([
      [['a:1'], []],
      [['b:1'], ['a:1']],
    ]);
  });

  it('does not believe an empty update', () => {
    const { set } = setup();
    expect(set.update([], 0)).toEqual({ added: [], removed: [], keptLast: false });
    set.update([config('a:1')], 0);
    const { version } = set;
    expect(set.update([], 1)).toEqual({ added: [], removed: [], keptLast: true });
    expect(set.all.map(({ address }) => address)).toEqual(['a:1']);
    expect(set.version).toBe(version);
  });

  it('counts an address named twice once', () => {
    const { set } = setup();
    expect(set.update([config('a:1', {}, 1), config('a:1', {}, 9)], 0).added).toEqual(['a:1']);
    expect(set.all.map(({ weight }) => weight)).toEqual([1]);
  });

  it('a removed endpoint finishes its calls', () => {
    const { set, drained } = setup();
    set.update([config('a:1'), config('b:1')], 0);
    const a = set.all[0] as LiveEndpoint;
    const call = testCall();
    a.begin(call);
    set.update([config('c:1')], 0);
    expect(drained).toEqual(['b:1']);
    expect([a.removed, a.inFlight]).toEqual([true, 1]);
    a.finish(call);
    set.ended(a);
    expect(drained).toEqual(['b:1', 'a:1']);
  });

  it('an address that comes back is a new endpoint', () => {
    const { set } = setup();
    set.update([config('a:1'), config('b:1')], 0);
    const before = set.all[0];
    set.update([config('b:1')], 0);
    set.update([config('a:1'), config('b:1')], 0);
    expect(set.all[0]).not.toBe(before);
    expect(set.all[0]?.removed).toBe(false);
  });
});

describe('what a new endpoint is assumed to be', () => {
  it.each([
    ['alone', [], 30],
    ['beside one', [10], 30],
    ['beside two: the middle of them', [10, 20], 45],
    ['beside three', [40, 10, 20], 60],
  ])('%s', (_name, latencies, expected) => {
    const { set } = setup();
    const known = latencies.map((_, index) => config(`k${index}:1`));
    if (known.length > 0) set.update(known, 0);
    for (const [index, latencyMs] of latencies.entries()) {
      // The seed of 30 ms would win over a lower first value.
      (set.all[index] as LiveEndpoint).observe(latencyMs, 1e7);
    }
    set.update([...known, config('new:1')], 1e7);
    expect(set.all.at(-1)?.latencyMs(1e7)).toBeCloseTo(expected, 6);
  });

  it('a peer that was never measured is no measure', () => {
    const { set } = setup();
    set.update([config('a:1'), config('b:1')], 0);
    (set.all[0] as LiveEndpoint).penalize(1, 0);
    set.update([config('a:1'), config('b:1'), config('c:1')], 0);
    expect(set.all[2]?.latencyMs(0)).toBe(30);
  });
});

describe('since when an endpoint is up', () => {
  it('always, for those that were there first; from now on, for those that join', () => {
    const { set } = setup();
    set.update([config('a:1')], 500);
    set.update([config('a:1'), config('b:1')], 900);
    expect(set.all.map(({ upSinceMs }) => upSinceMs)).toEqual([Number.NEGATIVE_INFINITY, 900]);
  });
});

describe('EndpointSet.standingChanged', () => {
  it('is a new version of the same endpoints, and nobody is told', () => {
    const { set } = setup();
    set.update([config('a:1')], 0);
    const { version, all } = set;
    set.onChange(() => expect.unreachable());
    set.standingChanged();
    expect(set.version).not.toBe(version);
    expect(set.select(null)).toBe(all);
  });
});

describe('EndpointSet.select', () => {
  it('gives those that carry all labels, as the same array until the set changes', () => {
    const { set } = setup();
    set.update([config('a:1', { version: 'v1', zone: 'x' }), config('b:1', { version: 'v2' }), config('c:1', { version: 'v1' })], 0);
    const v1 = { version: 'v1' };
    const addresses = (labels: Record<string, string> | null): string[] => set.select(labels).map(({ address }) => address);
    expect(addresses(v1)).toEqual(['a:1', 'c:1']);
    expect(addresses({ version: 'v1', zone: 'x' })).toEqual(['a:1']);
    expect(addresses({ version: 'v3' })).toEqual([]);
    expect(addresses({})).toHaveLength(3);
    expect(addresses(null)).toHaveLength(3);
    const before = set.select(v1);
    expect(set.select(v1)).toBe(before);
    set.update([config('c:1', { version: 'v1' })], 0);
    expect(addresses(v1)).toEqual(['c:1']);
  });
});

describe('EndpointSet.configure', () => {
  it('gives the endpoints new leaves and keeps what is known', () => {
    const { set } = setup();
    set.update([config('a:1')], 0);
    const a = set.all[0] as LiveEndpoint;
    a.observe(500, 0);
    const leaf = pair()[0];
    const { version } = set;
    set.configure({ ...BALANCER_DEFAULTS, failurePenaltyMs: 9_000 }, { leaf: () => leaf });
    expect([set.all[0] === a, a.service === leaf, a.latencyMs(0), set.version > version]).toEqual([true, true, 500, true]);
    a.penalize(0, 0);
    expect(a.latencyMs(0)).toBe(9_000);
  });
});

describe('fastestMs', () => {
  it('falls at once, rises slowly, and is 0 while nothing was seen', () => {
    const { set } = setup();
    expect(set.fastestMs).toBe(0);
    set.sawLatency(40);
    set.sawLatency(5);
    expect(set.fastestMs).toBe(5);
    set.sawLatency(105);
    expect(set.fastestMs).toBe(6);
    for (let i = 0; i < 1_000; i++) set.sawLatency(100);
    expect(set.fastestMs).toBeCloseTo(100, 1);
  });
});
