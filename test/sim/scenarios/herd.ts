// S6: a service is away, then comes back cold, and every client wants to know first.
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { simulate } from '../../../src/testing.ts';
import { atLeast, atMost, type Case, type Figure, ISTIO, type Scenario, seconds, seen, serviceWith } from './scenario.ts';

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

async function herd(policies: PolicyInput, clients: number, seed: number, queueMax?: number): Promise<Effect> {
  const result = await simulate({
    config: serviceWith({ timeout: '1s', retries: { perTryTimeout: '300ms' }, ...policies }),
    clients,
    endpoints: {
      count: 5,
      workers: 4,
      serviceMs: 20,
      coldStart: { times: 4, forMs: 20_000 },
      ...(queueMax === undefined ? {} : { queueMax }),
    },
    load: RPS,
    faults: [{ fromMs: FROM_MS, untilMs: BACK_MS, is: 'refuse' }],
    durationMs: DURATION_MS,
    seed,
  });
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
      atMost('load in outage %', load, 8),
      seen('attempts per call, first 5 s', first),
      atLeast('late goodput', goodputLate, 0.999),
      atMost('trips per client', trips, 8),
    ];
  },
});

export const S6: Scenario = {
  id: 'S6',
  title: 'half-open herd: 5 servers away for 30 s, then 4x cold for 20 s',
  cases: [
    ours(20),
    ours(200),
    {
      name: 'open for 30 s',
      isControl: true,
      run: async (seed) => [
        atLeast('99 % again after s', (await herd({ circuitBreaker: { openBase: '30s', openMax: '30s' } }, 200, seed)).recoveryS, 22),
      ],
    },
    {
      name: 'no circuit, unbounded queue, 2 unlimited retries',
      isControl: true,
      run: async (seed) => [
        atLeast('99 % again after s', (await herd({ ...ISTIO, retries: { perTryTimeout: '300ms' } }, 200, seed)).recoveryS, 22),
      ],
    },
  ],
};
