// S5: a whole zone is gone, and those who called in it have to go elsewhere. Whoever stays in the zone fails for ever.
import type { MeshInput } from '../../../src/model/input.ts';
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type Behavior, type Picture, simulate, type SimulationResult } from '../../../src/testing.ts';
import { atMost, between, type Case, type Figure, type Scenario, serviceWith } from './scenario.ts';

const ZONES = ['region/one', 'region/two', 'region/three'] as const;
const IN_EACH = 4;
const CLIENTS = 30;
const UTILIZATION = 0.55;
const FROM_MS = 20_000;
const FIRST_MS = 5_000;
const DURATION_MS = 65_000;

export function zoneLost(policies: PolicyInput, is: Behavior, perTryTimeout: string, seed: number): Promise<SimulationResult> {
  return simulate({
    config: serviceWith({ timeout: '1s', retries: { perTryTimeout }, ...policies }),
    configOf: (client, config) => ({ ...(config as MeshInput), self: { locality: ZONES[client % ZONES.length] as string } }),
    clients: CLIENTS,
    endpoints: ZONES.map((locality) => ({ count: IN_EACH, workers: 4, serviceMs: 20, locality })),
    load: ZONES.length * IN_EACH * 200 * UTILIZATION,
    faults: [{ fromMs: FROM_MS, endpoints: IN_EACH, is }],
    durationMs: DURATION_MS,
    seed,
  });
}

interface Bars {
  readonly first: number;
  readonly later: number;
}

const ours = (name: string, is: Behavior, perTryTimeout: string, { first, later }: Bars): Case => ({
  name,
  run: async (seed): Promise<Figure[]> => {
    const result = await zoneLost({}, is, perTryTimeout, seed);
    const healthy = result.stats(FIRST_MS, FROM_MS);
    const after = result.stats(FROM_MS + 10_000, FROM_MS + 40_000);
    return [
      atMost('errors % first 5 s', 100 * (1 - result.stats(FROM_MS, FROM_MS + FIRST_MS).goodput), first),
      atMost('errors % later', 100 * (1 - result.stats(FROM_MS + FIRST_MS).goodput), later),
      atMost('p99 10 to 40 s after / before', after.p99Ms / healthy.p99Ms, 1.2),
    ];
  },
});

/** Istio's: near endpoints by priority, at most a tenth of the endpoints out. Retries would stay in the zone, where nobody answers: so none. */
const TENTH_OUT: PolicyInput = {
  loadBalancer: { kind: 'roundRobin', locality: { mode: 'priority', retriesLeave: false } },
  retries: false,
  circuitBreaker: false,
  outlierDetection: { mode: 'envoy', consecutive5xxErrors: 5, maxEjectionPercent: 10 },
};

export const S5: Scenario = {
  id: 'S5',
  title: 'zone loss: one of three zones of four endpoints, u 0.55',
  cases: [
    ours('refuses, try 500 ms', 'refuse', '500ms', { first: 0.5, later: 0.05 }),
    ours('black hole, try 500 ms', 'blackHole', '500ms', { first: 3, later: 0.1 }),
    ours('black hole, try 200 ms', 'blackHole', '200ms', { first: 1, later: 0.1 }),
    ...(['refuse', 'blackHole'] as const).map(
      (is): Case => ({
        name: `at most 10 % ejected, nothing leaves the zone, ${is === 'refuse' ? 'refuses' : 'black hole'}`,
        isControl: true,
        run: async (seed) => {
          const { goodput } = (await zoneLost(TENTH_OUT, is, '200ms', seed)).stats(FROM_MS + 20_000);
          return [between('errors % 20 s later', 100 * (1 - goodput), 25, 34)];
        },
      }),
    ),
  ],
  picture: async (seed): Promise<Picture> => ({
    title: 'One zone of three is a black hole',
    subtitle: '30 callers in all zones, utilisation 0.55, 500 ms for an attempt',
    runs: [
      { name: 'inmesh', series: (await zoneLost({}, 'blackHole', '500ms', seed)).series() },
      { name: 'at most 10 % ejected', series: (await zoneLost(TENTH_OUT, 'blackHole', '500ms', seed)).series() },
    ],
    spanMs: [FROM_MS, DURATION_MS],
  }),
};
