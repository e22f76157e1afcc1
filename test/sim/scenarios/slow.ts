// S3: some replicas are slow, none fails. Whoever balances blindly sends them their full share.
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type Picture, simulate } from '../../../src/testing.ts';
import { atLeast, atMost, type Case, type Figure, PLAIN, type Scenario, seen, serviceWith, TEN, TEN_RPS } from './scenario.ts';

const WARM_MS = 10_000;
const DURATION_MS = 70_000;

interface Slow {
  readonly clients: number;
  readonly utilization: number;
}

interface Effect {
  readonly p99: number;
  /** Multiples of the same world without the slow replica. */
  readonly p99Factor: number;
  readonly p999Factor: number;
  readonly share: number;
}

export async function slowReplica(
  policies: PolicyInput,
  { clients, utilization }: Slow,
  seed: number,
  durationMs: number = DURATION_MS,
): Promise<Effect> {
  const world = {
    config: serviceWith({ timeout: '5s', ...policies }),
    clients,
    endpoints: TEN,
    load: TEN_RPS * utilization,
    durationMs,
    seed,
  };
  const healthy = (await simulate(world)).stats(WARM_MS);
  const sick = await simulate({ ...world, faults: [{ fromMs: 0, endpoints: 1, is: { slower: 10 } }] });
  const stats = sick.stats(WARM_MS);
  return {
    p99: stats.p99Ms,
    p99Factor: stats.p99Ms / healthy.p99Ms,
    p999Factor: stats.p999Ms / healthy.p999Ms,
    share: sick.shares(WARM_MS)['e1:80'] ?? 0,
  };
}

const ours = (clients: number): Case => ({
  name: `${clients} clients, u 0.5`,
  run: async (seed) => {
    const { p99Factor, p999Factor, share } = await slowReplica({}, { clients, utilization: 0.5 }, seed);
    return [atMost('p99 / healthy', p99Factor, 1.15), atMost('p99.9 / healthy', p999Factor, 2), atMost('share %', share * 100, 1)];
  },
});

/** p99 of one queue in front of the nine healthy replicas, in multiples of the healthy ten. */
async function oneQueue(clients: number, seed: number): Promise<number> {
  const world = { config: serviceWith({ timeout: '5s' }), clients, load: TEN_RPS * 0.9, durationMs: DURATION_MS, seed };
  const ten = (await simulate({ ...world, endpoints: TEN })).stats(WARM_MS);
  const nine = (await simulate({ ...world, endpoints: { count: 1, workers: 36, serviceMs: 20 } })).stats(WARM_MS);
  return nine.p99Ms / ten.p99Ms;
}

const WHY_CRITICAL =
  'nine replicas can do just the 1 800 calls a second that come, so the queue wanders by chance. Not even one queue in front of all nine, which no balancer can beat but by using the slow one, keeps the bar; ours is better than that for most seeds.';

const critical = (clients: number): Case => ({
  name: `${clients} clients, u 0.9`,
  run: async (seed) => {
    const { p99Factor } = await slowReplica({}, { clients, utilization: 0.9 }, seed);
    return [
      { ...atMost('p99 / healthy', p99Factor, 2.2), why: WHY_CRITICAL },
      seen('one queue for nine: p99 / healthy', await oneQueue(clients, seed)),
    ];
  },
});

async function pictureOf(seed: number): Promise<Picture> {
  const runs = [];
  for (const [name, policies] of [
    ['inmesh', {}],
    ['least request of two', { ...PLAIN, loadBalancer: { kind: 'leastRequest', fullScanMax: 1 } }],
    ['round robin', PLAIN],
  ] as const) {
    const result = await simulate({
      config: serviceWith({ timeout: '5s', ...policies }),
      clients: 20,
      endpoints: TEN,
      load: TEN_RPS / 2,
      faults: [{ fromMs: 15_000, untilMs: 45_000, endpoints: 1, is: { slower: 10 } }],
      durationMs: 60_000,
      seed,
    });
    runs.push({ name, series: result.series() });
  }
  return { title: 'One replica of ten is 10 times slower', subtitle: '20 callers, utilisation 0.5', runs, spanMs: [15_000, 45_000] };
}

export const S3: Scenario = {
  id: 'S3',
  title: 'slow replica: 1 of 10 is 10x slower',
  cases: [
    ours(1),
    ours(20),
    critical(1),
    critical(20),
    {
      name: 'round robin',
      isControl: true,
      run: async (seed) => [atLeast('p99 ms', (await slowReplica(PLAIN, { clients: 20, utilization: 0.5 }, seed)).p99, 5_000)],
    },
    {
      name: 'least request of two, 20 clients',
      isControl: true,
      run: async (seed) => {
        const policies = { ...PLAIN, loadBalancer: { kind: 'leastRequest', fullScanMax: 1 } } as const;
        return [atLeast('p99 / healthy', (await slowReplica(policies, { clients: 20, utilization: 0.5 }, seed)).p99Factor, 10)];
      },
    },
  ],
  picture: pictureOf,
};

async function halfSlow(policies: PolicyInput, seed: number): Promise<{ readonly p99Ms: number; readonly meanMs: number }> {
  const result = await simulate({
    config: serviceWith({ timeout: '5s', ...policies }),
    clients: 20,
    endpoints: [
      { ...TEN, count: 5 },
      { ...TEN, count: 5, slower: 2 },
    ],
    load: TEN_RPS / 2,
    durationMs: DURATION_MS,
    seed,
  });
  return result.stats(WARM_MS);
}

const worse = (name: string, policies: PolicyInput, least: number): Case => ({
  name,
  isControl: true,
  run: async (seed): Promise<Figure[]> => [atLeast('p99 ms', (await halfSlow(policies, seed)).p99Ms, least)],
});

export const S3B: Scenario = {
  id: 'S3b',
  title: 'heterogeneous: half the replicas 2x slower, u 0.5 nominal',
  cases: [
    {
      name: '20 clients',
      run: async (seed) => {
        const { p99Ms, meanMs } = await halfSlow({}, seed);
        return [atMost('p99 ms', p99Ms, 100), atMost('mean ms', meanMs, 30)];
      },
    },
    worse('round robin', PLAIN, 400),
    worse('least request of two', { ...PLAIN, loadBalancer: { kind: 'leastRequest', fullScanMax: 1 } }, 120),
  ],
};
