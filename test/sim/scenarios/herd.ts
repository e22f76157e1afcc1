// S6: a service is away, then comes back cold, and every client wants to know first.
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type Picture, simulate, type SimulationResult } from '../../../src/testing.ts';
import { type FixedBreaker, fixedBreaker, useEverywhere } from './others.ts';
import { atLeast, atMost, between, type Case, type Figure, ISTIO, type Scenario, seconds, seen, serviceWith } from './scenario.ts';

const FROM_MS = 30_000;
const BACK_MS = 60_000;
const DURATION_MS = 140_000;
const RPS = 500;
const CAPACITY_RPS = 1_000;

interface Effect {
  readonly recoveryS: number;
  /** Attempts once the circuits are open, in percent of what the service can do. */
  readonly load: number;
  /** Attempts per call in the first 5 s: until the circuits open, each call tries up to six endpoints. */
  readonly first: number;
  readonly goodputLate: number;
  /** Times that a closed circuit opened, per client. */
  readonly trips: number;
}

function away(policies: PolicyInput, clients: number, seed: number, breaker?: FixedBreaker): Promise<SimulationResult> {
  return simulate({
    config: serviceWith({ timeout: '1s', retries: { perTryTimeout: '300ms' }, ...policies }),
    clients,
    endpoints: {
      count: 5,
      workers: 4,
      serviceMs: 20,
      coldStart: { times: 4, forMs: 20_000 },
    },
    load: RPS,
    faults: [{ fromMs: FROM_MS, untilMs: BACK_MS, is: 'refuse' }],
    durationMs: DURATION_MS,
    seed,
    prepare: (world) => {
      if (breaker !== undefined) useEverywhere(world, fixedBreaker(breaker), { above: 'admission' });
    },
  });
}

async function herd(policies: PolicyInput, clients: number, seed: number, breaker?: FixedBreaker): Promise<Effect> {
  const result = await away(policies, clients, seed, breaker);
  const opened = result.events.filter(({ event }) => event.type === 'circuitOpened' && event.reason !== 'the probe failed').length;
  return {
    recoveryS: seconds(result.recoveryMs(BACK_MS)),
    load: (100 * result.stats(FROM_MS + 5_000, BACK_MS).amplification * RPS) / CAPACITY_RPS,
    first: result.stats(FROM_MS, FROM_MS + 5_000).amplification,
    goodputLate: result.stats(DURATION_MS - 10_000).goodput,
    trips: opened / clients,
  };
}

const ours = (clients: number): Case => ({
  name: `${clients} clients`,
  run: async (seed): Promise<Figure[]> => {
    const { recoveryS, load, first, goodputLate, trips } = await herd({}, clients, seed);
    return [
      atMost('99 % again after s', recoveryS, 22),
      atMost('load in outage %', load, 6),
      seen('attempts per call, first 5 s', first),
      atLeast('late goodput', goodputLate, 0.999),
      atMost('trips per client', trips, 8),
    ];
  },
});

const NO_CIRCUIT: PolicyInput = { circuitBreaker: false };
const FIXED_30: FixedBreaker = { openMs: 30_000, probes: 1, successesToClose: 3, returnsPermit: true };
const WEDGED: FixedBreaker = { openMs: 1_000, probes: 1, successesToClose: 3, returnsPermit: false };

export const S6: Scenario = {
  id: 'S6',
  title: 'half-open herd: 5 servers away for 30 s, then 4x cold for 20 s',
  notes: [
    'Load in the outage is that of the time when circuits can be open, in percent of what the service can do: at u 0.5 a window of 5 s with a ratio of 0.7 lets through 3.5 s of calls, 6 % of the whole outage, before any circuit can open.',
  ],
  cases: [
    ours(20),
    ours(200),
    {
      name: 'open for 30 s, always',
      isControl: true,
      run: async (seed) => [between('99 % again after s', (await herd(NO_CIRCUIT, 200, seed, FIXED_30)).recoveryS, 28, 40)],
    },
    {
      name: 'no circuit, unbounded queue',
      isControl: true,
      run: async (seed) => [between('99 % again after s', (await herd(NO_CIRCUIT, 200, seed)).recoveryS, 20, 30)],
    },
    {
      name: 'one probe, three successes, permit not returned',
      isControl: true,
      run: async (seed) => [atMost('late goodput', (await herd(NO_CIRCUIT, 200, seed, WEDGED)).goodputLate, 0.01)],
    },
    {
      name: 'no circuit, 2 unlimited retries',
      isControl: true,
      run: async (seed) => [
        atLeast('99 % again after s', (await herd({ ...ISTIO, retries: { perTryTimeout: '300ms' } }, 200, seed)).recoveryS, 80),
      ],
    },
  ],
  picture: async (seed): Promise<Picture> => ({
    title: 'Five servers are away for 30 s, then back and cold',
    subtitle: '200 callers, utilisation 0.5',
    runs: [
      { name: 'inmesh', series: (await away({}, 200, seed)).series() },
      { name: 'no circuit', series: (await away(NO_CIRCUIT, 200, seed)).series() },
      { name: 'open for 30 s', series: (await away(NO_CIRCUIT, 200, seed, FIXED_30)).series() },
    ],
    spanMs: [FROM_MS, BACK_MS],
  }),
};
