import { describe, expect, it } from 'vitest';
import { Recording } from '../../src/sim/recording.ts';
import { SimulationResult } from '../../src/sim/simulation-result.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { plainConfig } from '../../src/sim/plain-config.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import { simConfig } from '../../src/sim/sim-config.ts';

function recorded(): Recording {
  const recording = new Recording();
  // Start, latency, good, refused, criticality.
  const calls = [
    [0, 10, true, false, 2],
    [500, 30, false, true, 0],
    [1_000, 50, true, false, 0],
    [1_999, 70, false, false, 2],
    [9_000, 90, true, false, 2],
  ] as const;
  for (const [at, latency, isGood, isRefused, criticality] of calls) recording.call(at, latency, { isGood, isRefused, criticality });
  for (const [at, address] of [
    [0, 'a'],
    [1_000, 'b'],
    [1_100, 'b'],
    [1_999, 'a'],
  ] as const)
    recording.attempt(at, address);
  return recording;
}

describe('what a simulation has recorded', () => {
  it.each([
    ['all', 0, 10_000, null, { calls: 5, goodput: 0.6, refused: 1, amplification: 0.8, meanMs: 50, p50Ms: 50 }],
    ['a span, without its end', 500, 1_999, null, { calls: 2, goodput: 0.5, refused: 1, amplification: 1, meanMs: 40 }],
    ['those that matter least', 0, 10_000, 0, { calls: 2, goodput: 0.5, refused: 1, meanMs: 40 }],
    ['nothing', 3_000, 4_000, null, { calls: 0, goodput: 1, amplification: 0, refused: 0, meanMs: 0, p50Ms: 0, p999Ms: 0 }],
    ['nobody of a class', 0, 10_000, 3, { calls: 0, goodput: 1, amplification: 0 }],
  ])('%s', (_name, fromMs, toMs, criticality, expected) => {
    expect(recorded().stats(fromMs, toMs, criticality)).toMatchObject(expected);
  });

  it('tells the latency of good answers alone, and shares of the addresses', () => {
    const recording = recorded();
    expect([recording.calls, recording.answeredMs(1, 0, 2_000), recording.answeredMs(0.5, 500, 1_000)]).toEqual([5, 50, 0]);
    expect(recording.shares(0, 2_000)).toEqual({ a: 0.5, b: 0.5 });
    expect(recording.shares(1_000, 1_500)).toEqual({ a: 0, b: 1 });
    expect(recording.shares(5_000, 6_000)).toEqual({ a: 0, b: 0 });
    expect(recording.attemptTimes((address) => address === 'b')).toEqual([1_000, 1_100]);
  });

  it('counts by slots, and leaves out what began after the last', () => {
    const { calls, good } = recorded().slots(1_000, 2_000);
    expect([[...calls], [...good]]).toEqual([
      [2, 2],
      [1, 1],
    ]);
    expect([...recorded().slots(1_000, 0).calls]).toEqual([2]);
  });

  it('is asked for by name of the class, over the whole run when nobody says more', () => {
    const result = new SimulationResult(1, 2_000, recorded());
    expect(result.stats().calls).toBe(4);
    expect(result.stats(0, 10_000, 'sheddable').calls).toBe(2);
    expect(result.answeredMs(1)).toBe(50);
  });
});

describe('the plain configuration', () => {
  it('keeps where calls go, and takes every policy out', () => {
    const routes = [
      { name: 'r', match: { path: '/r' }, redirect: { host: 'b' }, headers: { request: { set: { x: '1' } }, response: { remove: ['y'] } } },
      { name: 'd', match: { path: '/d' }, directResponse: { status: 204 } },
      {
        name: 'w',
        match: { path: '/w' },
        rewrite: { path: '/' },
        sticky: { cookie: 'c' },
        timeout: '1s',
        retries: { attempts: 5 },
        mirror: 'b',
      },
      { name: 'p' },
    ];
    const services = { a: { endpoints: ['a:1'], tls: 'simple' as const, throttle: true as const, routes }, b: { endpoints: ['b:1'] } };
    const resolved = resolveConfig({ services, unknownHosts: 'refuse' });
    if ('issues' in resolved) throw new Error(resolved.issues[0]?.message);
    const plain = plainConfig({ ...resolved.config, passHosts: ['c'] });
    expect([plain.unknownHosts, plain.passHosts, plain.services.a?.throttle, plain.services.a?.tls.mode]).toEqual([
      'refuse',
      ['c'],
      null,
      'disable',
    ]);
    const own = resolved.config.services.a?.routes.map(({ retries: _retries, ...route }) => ({ ...route, mirrors: [] }));
    expect(plain.services.a?.routes).toEqual(own);
  });
});

describe('a simulation', () => {
  const short = { durationMs: 1_000, load: 20 } as const;

  it.each([
    ['an object', { services: { a: { endpoints: ['a:1', { address: 'b:1', weight: 2 }] } } }, ['a:1', 'b:1']],
    ['nothing', {}, ['e1:80', 'e2:80', 'e3:80']],
    ['a name, which means nothing here', { services: { a: { dns: 'a.internal:80' } } }, ['e1:80', 'e2:80', 'e3:80']],
  ] as const)('takes %s', async (_name, config, addresses) => {
    const result = await simulate({ ...short, config: config as object });
    expect(Object.keys(result.shares(0, 1_000)).sort()).toEqual(addresses);
    expect(result.stats().goodput).toBe(1);
  });

  it('places groups of endpoints, with their labels and places', async () => {
    const result = await simulate({ ...short, endpoints: [{ count: 1, labels: { v: '1' }, locality: 'eu/a' }, { count: 2 }] });
    expect(Object.keys(result.shares(0, 1_000))).toHaveLength(3);
  });

  it('refuses what it cannot know', async () => {
    await expect(simulate({ ...short, config: 'mesh.yaml' })).rejects.toThrow('name the service that is called');
    const file = { services: { a: { endpointsFile: '/nowhere/list.yaml' } } };
    await expect(simConfig(file, {}, 3)).rejects.toThrow(/the endpoints of service "a": .*list\.yaml/);
  });

  it('gives names as many endpoints as it is told', async () => {
    const { endpoints, config } = await simConfig(
      { services: { 'A.b': { dns: { host: 'x', record: 'SRV' } }, c: { dns: 'x:8080' } } },
      {},
      2,
    );
    expect([...endpoints].map(([name, own]) => [name, own.map(({ address }) => address)])).toEqual([
      ['A.b', ['a-b-1:80', 'a-b-2:80']],
      ['c', ['c-1:8080', 'c-2:8080']],
    ]);
    expect(config.services.c?.endpoints.kind).toBe('static');
  });
});
