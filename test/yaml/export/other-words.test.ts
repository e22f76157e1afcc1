// Rollouts, and Services for those whom nobody here knows: what a rule with two or with missing targets becomes.
import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../../src/model/config.ts';
import type { RouteTarget, TargetFailure } from '../../../src/model/route.ts';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { diffConfigs } from '../../../src/yaml/diff.ts';
import { foldDifferences } from '../../../src/yaml/write/fold-differences.ts';
import { wholeWeights } from '../../../src/yaml/write/whole-weights.ts';
import { onePolicy } from './one-policy.ts';

const to = (service: string, weight: number, more: Partial<RouteTarget> = {}): RouteTarget => ({ service, weight, ...more });
const missing = (reason: string): TargetFailure => ({ status: 503, flag: 'NC', reason });
const NONE = /no service shares its calls between two/;

describe('a Rollout', () => {
  it.each<[string, readonly RouteTarget[], object | null]>([
    [
      'of two subsets, the lighter is the canary',
      [to('a', 5, { subset: 'v2' }), to('a', 95, { subset: 'v1' })],
      {
        trafficRouting: {
          istio: {
            virtualService: { name: 'a', routes: ['r'] },
            destinationRule: { name: 'a', canarySubsetName: 'v2', stableSubsetName: 'v1' },
          },
        },
        steps: [{ setWeight: 5 }, { pause: {} }],
      },
    ],
    ['of two services', [to('a', 3), to('b', 1)], { canaryService: 'b', stableService: 'a', steps: [{ setWeight: 25 }, { pause: {} }] }],
    ['of a service that nobody has described', [to('a', 3), to('gone', 1)], { canaryService: 'gone', stableService: 'a' }],
    ['not of three', [to('a', 1), to('b', 1), to('c', 1)], null],
    ['not of a subset and a service', [to('a', 1, { subset: 'v1' }), to('b', 1)], null],
    ['not of one service twice', [to('a', 1), to('a', 1)], null],
    ['not of a target that fails without a share', [to('a', 1), to('b', 0, { fails: missing('gone') })], null],
  ])('%s', async (_name, targets, strategy) => {
    const { specs, losses } = await onePolicy('argo-rollouts', {
      service: { subsets: { v1: { v: '1' }, v2: { v: '2' } } },
      route: { targets },
    });
    const canary = (specs('Rollout')[0]?.strategy as { canary?: unknown } | undefined)?.canary;
    if (strategy === null) expect([canary, losses]).toEqual([undefined, expect.arrayContaining([expect.stringMatching(NONE)])]);
    else expect(canary).toMatchObject(strategy);
  });
});

describe('a target that nobody answers for, as a backend', () => {
  it.each<[string, RouteTarget, object]>([
    ['by its host', to('', 1, { fails: missing('no service has the host x.bank.svc.cluster.local') }), { service: 'x' }],
    ['by a host of the web', to('', 1, { fails: missing('nobody answers for api.example') }), { service: 'api-example' }],
    [
      'by the host of a service that there is',
      to('', 1, { fails: missing('no service has the host b.default.svc.cluster.local') }),
      { service: 'b' },
    ],
    [
      'by a subset that there is not',
      to('', 1, { subset: 'v9', fails: missing('no service has the host b.default.svc.cluster.local') }),
      { service: 'b-v9' },
    ],
    ['by its name', to('gone', 1, { fails: missing('for no reason') }), { service: 'gone' }],
  ])('%s', async (_name, target, expected) => {
    const own: Partial<RouteConfig> = { matches: [], targets: [to('a', 1), target] };
    const { specs } = await onePolicy('smi', { route: own });
    expect(specs('TrafficSplit')[0]?.backends).toEqual([expect.objectContaining({ service: 'a' }), expect.objectContaining(expected)]);
  });
});

describe('what differs in every rule of a service', () => {
  const config = (timeout: string) => {
    const routes = ['/a', '/b'].map((path, i) => ({ name: `r${i}`, match: { path }, timeout })).concat({ name: 'last', timeout } as never);
    const resolved = resolveConfig({ services: { a: { endpoints: ['a:1'], routes }, b: { endpoints: ['b:1'], timeout } } });
    if ('issues' in resolved) throw new Error('it is right');
    return { config: resolved.config, at: () => undefined, resources: [] } as never as { readonly config: typeof resolved.config };
  };

  it('is said once, and what differs in one is said of that one', () => {
    const [one, other] = [config('1s'), config('2s')];
    const differences = diffConfigs(one as never, other as never);
    expect(differences.length).toBeGreaterThan(3);
    expect(
      foldDifferences(differences, one.config)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['services.a.timeout', 'services.b.routes[default].timeout']);
    const single = differences.slice(0, 1);
    expect(foldDifferences(single, one.config)).toEqual(single);
  });
});

describe('whole weights', () => {
  it.each([
    [[1, 3], undefined, { weights: [1, 3], isExact: true }],
    [[0.5, 1.5], undefined, { weights: [1, 3], isExact: true }],
    [[0, 0.25], undefined, { weights: [0, 1], isExact: true }],
    [[2, 3_000_000], undefined, { weights: [1, 1_000_000], isExact: false }],
    [[Math.PI, 1, 0], 100, { weights: [100, 32, 0], isExact: false }],
    [[1e-7, 1], undefined, { weights: [1, 1_000_000], isExact: false }],
  ])('of %j', (weights, max, expected) => expect(wholeWeights(weights, max)).toEqual(expected));
});
