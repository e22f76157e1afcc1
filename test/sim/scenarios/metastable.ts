// S1: a short trigger, then nothing wrong any more. Does the load that retries add keep the service down?
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { simulate } from '../../../src/testing.ts';
import {
  atLeast,
  atMost,
  between,
  type Case,
  type Figure,
  ISTIO,
  type Scenario,
  seconds,
  serviceWith,
  TEN,
  TEN_RPS,
  UNLIMITED,
} from './scenario.ts';

const FROM_MS = 30_000;
const UNTIL_MS = 40_000;
const TRY = { perTryTimeout: '300ms' } as const;

interface Trigger {
  readonly clients: number;
  readonly utilization: number;
  /** Servers slower, or load higher, by this factor. */
  readonly slower?: number;
  readonly spike?: number;
  readonly durationMs?: number;
}

interface Effect {
  readonly recoveryS: number;
  readonly amplification: number;
  readonly goodputLater: number;
}

export async function trigger(
  policies: PolicyInput,
  { clients, utilization, slower, spike, durationMs = 110_000 }: Trigger,
  seed: number,
): Promise<Effect> {
  const result = await simulate({
    config: serviceWith({ timeout: '1s', retries: TRY, ...policies }),
    clients,
    endpoints: TEN,
    load: { rps: TEN_RPS * utilization, steps: spike === undefined ? [] : [{ fromMs: FROM_MS, untilMs: UNTIL_MS, times: spike }] },
    faults: slower === undefined ? [] : [{ fromMs: FROM_MS, untilMs: UNTIL_MS, is: { slower } }],
    durationMs,
    seed,
  });
  return {
    recoveryS: seconds(result.recoveryMs(UNTIL_MS)),
    amplification: result.stats(FROM_MS, UNTIL_MS).amplification,
    goodputLater: result.stats(durationMs - 10_000).goodput,
  };
}

function ours({ recoveryS, amplification, goodputLater }: Effect, amplificationMost: number): Figure[] {
  return [
    atMost('recovery s', recoveryS, 12),
    atMost('amplification in trigger', amplification, amplificationMost),
    atLeast('goodput 60 s later', goodputLater, 0.999),
  ];
}

const never = ({ goodputLater }: Effect): Figure[] => [atMost('goodput 60 s later', goodputLater, 0.01)];

const grid = (run: (clients: number, utilization: number) => Case): Case[] =>
  [5, 50, 200].flatMap((clients) => [0.5, 0.7, 0.9].map((utilization) => run(clients, utilization)));

/** Finagle: a budget filled by time (10 retries a second) and a fifth of the calls, per process. */
const FINAGLE: PolicyInput = { ...ISTIO, retryBudget: { tokens: 100, perSuccess: 0.2, perSecond: 10 } };

export const S1A: Scenario = {
  id: 'S1a',
  title: 'metastable: all servers 4x slower for 10 s (client side only)',
  cases: [
    ...grid((clients, utilization) => ({
      name: `${clients} clients, u ${utilization}`,
      run: async (seed) => ours(await trigger({}, { clients, utilization, slower: 4 }, seed), 1.1),
    })),
    ...[0.4, 0.5, 0.7].map(
      (utilization): Case => ({
        name: `2 unlimited retries, u ${utilization}`,
        isControl: true,
        run: async (seed) => never(await trigger(ISTIO, { clients: 50, utilization, slower: 4 }, seed)),
      }),
    ),
    {
      name: 'budget of 20 % and 10/s per process, 50 clients, u 0.7',
      isControl: true,
      run: async (seed) => never(await trigger(FINAGLE, { clients: 50, utilization: 0.7, slower: 4 }, seed)),
    },
    {
      name: 'no retries, u 0.7',
      isControl: true,
      run: async (seed) => {
        const { recoveryS } = await trigger({ ...ISTIO, retries: false }, { clients: 50, utilization: 0.7, slower: 4 }, seed);
        return [between('recovery s', recoveryS, 10, 25)];
      },
    },
  ],
};

export const S1B: Scenario = {
  id: 'S1b',
  title: 'metastable: 2.5x load for 10 s (client side only)',
  cases: [
    ...grid((clients, utilization) => ({
      name: `${clients} clients, u ${utilization}`,
      run: async (seed) => ours(await trigger({}, { clients, utilization, spike: 2.5 }, seed), 1.25),
    })),
    {
      name: '2 unlimited retries, u 0.3, spike to 1.75x capacity',
      isControl: true,
      run: async (seed) =>
        never(await trigger({ ...ISTIO, retryBudget: UNLIMITED }, { clients: 50, utilization: 0.3, spike: 1.75 / 0.3 }, seed)),
    },
  ],
};
