// S8: one answer in fifty is slow by bad luck. A second attempt cuts it off; without a budget it brings the service down.
import type { ServiceInput } from '../../../src/model/input.ts';
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type Distribution, type Picture, simulate, type SimulationOptions, type SimulationResult } from '../../../src/testing.ts';
import { fixedHedge, useEverywhere } from './others.ts';
import { atMost, type Case, type Figure, type Scenario, seconds, seen, serviceWith } from './scenario.ts';

const SERVICE_MS: Distribution = { kind: 'bimodal', meanMs: 8, slowMs: 250, share: 0.02, shape: 'exponential' };
const ENDPOINTS = { count: 10, workers: 4, serviceMs: SERVICE_MS } as const;
/** 40 workers, 12.84 ms for a call. */
const CAPACITY_RPS = 40_000 / (0.98 * 8 + 0.02 * 250);
const TARGET = 0.03;
const HEDGED: PolicyInput & Pick<ServiceInput, 'routes'> = { routes: [{ idempotent: { extraLoad: TARGET } }] };
const WARM_MS = 20_000;
const DURATION_MS = 80_000;
const FROM_MS = 20_000;
const UNTIL_MS = 30_000;

/** Hedging alone: no circuit that would shed the load, no retries. */
const ALONE: PolicyInput = {
  loadBalancer: { kind: 'leastRequest', fullScanMax: 1 },
  retries: false,
  circuitBreaker: false,
  outlierDetection: false,
};

function run(
  policies: PolicyInput,
  utilization: number,
  clients: number,
  seed: number,
  more: Partial<SimulationOptions> = {},
): Promise<SimulationResult> {
  return simulate({
    config: serviceWith({ timeout: '5s', ...policies }),
    clients,
    endpoints: ENDPOINTS,
    load: CAPACITY_RPS * utilization,
    durationMs: DURATION_MS,
    seed,
    ...more,
  });
}

const tail = (utilization: number, clients: number): Case => ({
  name: `${clients} clients, u ${utilization}`,
  run: async (seed): Promise<Figure[]> => {
    const none = (await run({}, utilization, clients, seed)).stats(WARM_MS);
    const hedged = (await run(HEDGED, utilization, clients, seed)).stats(WARM_MS);
    return [
      atMost('extra load ÷ target', (hedged.amplification - none.amplification) / TARGET, 1.3),
      atMost('p99 ÷ without', hedged.p99Ms / none.p99Ms, 0.35),
      atMost('p99.9 ÷ without', hedged.p999Ms / none.p999Ms, 0.15),
      seen('p99 ms', hedged.p99Ms),
      seen('p99 ms without', none.p99Ms),
    ];
  },
});

/** 1.5 times what the service can do, for ten seconds. */
function surge(
  policies: PolicyInput,
  utilization: number,
  seed: number,
  prepare: SimulationOptions['prepare'] = () => {},
): Promise<SimulationResult> {
  const steps = [{ fromMs: FROM_MS, untilMs: UNTIL_MS, times: 1.5 / utilization }];
  return run({ timeout: '1s', ...policies }, utilization, 20, seed, { load: { rps: CAPACITY_RPS * utilization, steps }, prepare });
}

const WHY_CHANCE =
  'circuits shed most of the surge and close by chance: over 40 seeds 0.3 to 4.3 s after it without hedging (median 1.5), 0 to 4.6 s with it (median 1.2). The worst difference of two such times says nothing about hedging.';

const surged = (name: string, policies: PolicyInput, why?: string): Case => ({
  name: `surge, ${name}`,
  run: async (seed): Promise<Figure[]> => {
    const none = seconds((await surge(policies, 0.6, seed)).recoveryMs(UNTIL_MS));
    const result = await surge({ ...policies, ...HEDGED }, 0.6, seed);
    const hedged = seconds(result.recoveryMs(UNTIL_MS));
    return [
      { ...atMost('recovery s − that without', hedged - none, 3), ...(why === undefined ? {} : { why }) },
      seen('recovery s', hedged),
      seen('recovery s without', none),
      seen('amplification in surge', result.stats(FROM_MS, UNTIL_MS).amplification),
    ];
  },
});

const unbudgeted = (seed: number): Promise<SimulationResult> =>
  surge(ALONE, 0.3, seed, (world) => useEverywhere(world, fixedHedge(10), { above: 'balancer' }));

export const S8: Scenario = {
  id: 'S8',
  title: 'hedging: 98 % take 8 ms, 2 % take 250; 3 % may be sent twice',
  notes: [
    'Both kinds of answers take exponential times, so that without hedging p99 and p99.9 are the 176 and 720 ms of the specification.',
  ],
  cases: [
    tail(0.3, 20),
    tail(0.6, 20),
    tail(0.3, 1),
    tail(0.6, 1),
    surged('hedging alone', ALONE),
    surged('with the defaults', {}, WHY_CHANCE),
    {
      name: 'a second attempt after 10 ms, always; surge',
      isControl: true,
      run: async (seed) => {
        const result = await unbudgeted(seed);
        return [
          { what: 'recovery s', value: seconds(result.recoveryMs(UNTIL_MS)), least: 50 },
          { what: 'amplification in surge', value: result.stats(FROM_MS, UNTIL_MS).amplification, least: 1.9 },
        ];
      },
    },
  ],
  picture: async (seed): Promise<Picture> => ({
    title: '1.5 times what the service can do for 10 s',
    subtitle: '20 callers, utilisation 0.3, hedging without circuit and retries',
    runs: [
      { name: 'inmesh, 3 % hedged', series: (await surge({ ...ALONE, ...HEDGED }, 0.3, seed)).series() },
      { name: 'no hedging', series: (await surge(ALONE, 0.3, seed)).series() },
      { name: 'always after 10 ms', series: (await unbudgeted(seed)).series() },
    ],
    spanMs: [FROM_MS, UNTIL_MS],
  }),
};
