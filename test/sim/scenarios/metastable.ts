// S1: a short trigger, then nothing wrong any more. Does the load that retries add keep the service down? With our library
// at the callers alone, and with our server limit at the other end too.
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type Picture, simulate, type SimulationResult } from '../../../src/testing.ts';
import {
  atLeast,
  atMost,
  between,
  type Case,
  type Figure,
  GUARDED,
  ISTIO,
  type Scenario,
  seconds,
  seen,
  serviceWith,
  TEN,
  TEN_RPS,
  UNLIMITED,
} from './scenario.ts';

const FROM_MS = 10_000;
const UNTIL_MS = 20_000;
const TRY = { perTryTimeout: '300ms' } as const;

interface Trigger {
  readonly clients: number;
  readonly utilization: number;
  /** Servers slower, or load higher, by this factor. */
  readonly slower?: number;
  readonly spike?: number;
  /** Servers of ours. */
  readonly guarded?: boolean;
  readonly durationMs?: number;
}

interface Effect {
  readonly recoveryS: number;
  readonly amplification: number;
  /** Calls answered in the trigger ÷ what the servers could do. */
  readonly ofCapacity: number;
  readonly goodputLater: number;
}

const DURATION_MS = 90_000;

function triggered(
  policies: PolicyInput,
  { clients, utilization, slower, spike, guarded = false, durationMs = DURATION_MS }: Trigger,
  seed: number,
): Promise<SimulationResult> {
  return simulate({
    config: serviceWith({ timeout: '1s', retries: TRY, ...policies }),
    clients,
    endpoints: { ...TEN, ...(guarded ? GUARDED : {}) },
    load: { rps: TEN_RPS * utilization, steps: spike === undefined ? [] : [{ fromMs: FROM_MS, untilMs: UNTIL_MS, times: spike }] },
    faults: slower === undefined ? [] : [{ fromMs: FROM_MS, untilMs: UNTIL_MS, is: { slower } }],
    durationMs,
    seed,
  });
}

export async function trigger(policies: PolicyInput, plan: Trigger, seed: number): Promise<Effect> {
  const { slower = 1, durationMs = DURATION_MS } = plan;
  const result = await triggered(policies, plan, seed);
  const { amplification, goodput, calls } = result.stats(FROM_MS, UNTIL_MS);
  return {
    recoveryS: seconds(result.recoveryMs(UNTIL_MS)),
    amplification,
    ofCapacity: (goodput * calls) / ((TEN_RPS / slower) * seconds(UNTIL_MS - FROM_MS)),
    goodputLater: result.stats(Math.min(durationMs - 10_000, UNTIL_MS + 60_000)).goodput,
  };
}

const slowClients = ({ recoveryS, amplification, goodputLater }: Effect): Figure[] => [
  atMost('recovery s', recoveryS, 12),
  atMost('amplification in trigger', amplification, 1.1),
  atLeast('goodput 60 s later', goodputLater, 0.999),
];

const slowBoth = ({ recoveryS, amplification, ofCapacity, goodputLater }: Effect): Figure[] => [
  atMost('recovery s', recoveryS, 8),
  seen('amplification in trigger', amplification),
  seen('answered in trigger ÷ capacity', ofCapacity),
  atLeast('goodput 60 s later', goodputLater, 0.999),
];

const spikeClients = ({ recoveryS, amplification }: Effect): Figure[] => [
  atMost('recovery s', recoveryS, 12),
  seen('amplification in spike', amplification),
];

const spikeBoth =
  (utilization: number) =>
  ({ recoveryS, amplification, ofCapacity }: Effect): Figure[] => [
    atLeast('answered in spike ÷ capacity', ofCapacity, 0.93),
    atMost('recovery s', recoveryS, utilization > 0.7 ? 8 : 3),
    atMost('amplification in spike', amplification, 1.25),
  ];

const never = ({ goodputLater }: Effect): Figure[] => [atMost('goodput 60 s later', goodputLater, 0.01)];

/** All sizes of the fleet of callers, at all loads. */
const grid = (
  name: string,
  plan: Omit<Trigger, 'clients' | 'utilization'>,
  figures: (utilization: number) => (effect: Effect) => Figure[],
): Case[] =>
  [5, 50, 200].flatMap((clients) =>
    [0.5, 0.7, 0.9].map((utilization) => ({
      name: `${name}, ${clients} clients, u ${utilization}`,
      run: async (seed: number) => figures(utilization)(await trigger({}, { clients, utilization, ...plan }, seed)),
    })),
  );

/** Finagle: a budget filled by time (10 retries a second) and a fifth of the calls, per process. */
const FINAGLE: PolicyInput = { ...ISTIO, retryBudget: { tokens: 100, perSuccess: 0.2, perSecond: 10 } };

/** The same trigger for several kinds of callers and servers. */
async function pictureOf(title: string, plan: Trigger, others: Readonly<Record<string, PolicyInput>>, seed: number): Promise<Picture> {
  const runs = [
    { name: 'inmesh at both ends', series: (await triggered({}, { ...plan, guarded: true }, seed)).series() },
    { name: 'inmesh at the callers', series: (await triggered({}, plan, seed)).series() },
  ];
  for (const [name, policies] of Object.entries(others)) runs.push({ name, series: (await triggered(policies, plan, seed)).series() });
  return { title, subtitle: `50 callers, utilisation ${plan.utilization}`, runs, spanMs: [FROM_MS, UNTIL_MS] };
}

const FIFTY = { clients: 50, utilization: 0.7 } as const;
/** Long enough to see a recovery. */
const SOON_MS = UNTIL_MS + 30_000;
/** Long enough to look at the second minute after the trigger. */
const LATE_MS = UNTIL_MS + 120_000;

export const S1A: Scenario = {
  id: 'S1a',
  title: 'metastable: all servers 4x slower for 10 s',
  cases: [
    ...grid('callers', { slower: 4 }, () => slowClients),
    ...grid('both ends', { slower: 4, guarded: true }, () => slowBoth),
    ...[0.4, 0.5, 0.7].map(
      (utilization): Case => ({
        name: `2 unlimited retries, u ${utilization}`,
        isControl: true,
        run: async (seed) => never(await trigger(ISTIO, { clients: 50, utilization, slower: 4, durationMs: LATE_MS }, seed)),
      }),
    ),
    {
      name: 'budget of 20 % and 10/s per process, 50 clients, u 0.7',
      isControl: true,
      run: async (seed) => never(await trigger(FINAGLE, { ...FIFTY, slower: 4 }, seed)),
    },
    {
      name: 'no retries, u 0.7',
      isControl: true,
      run: async (seed) => {
        const { recoveryS } = await trigger({ ...ISTIO, retries: false }, { ...FIFTY, slower: 4 }, seed);
        return [between('recovery s', recoveryS, 10, 20)];
      },
    },
  ],
  picture: (seed) =>
    pictureOf(
      'All servers 4 times slower for 10 s',
      { ...FIFTY, slower: 4 },
      { 'no retries': { ...ISTIO, retries: false }, '2 unlimited retries': ISTIO },
      seed,
    ),
};

export const S1B: Scenario = {
  id: 'S1b',
  title: 'metastable: 2.5x load for 10 s',
  cases: [
    ...grid('callers', { spike: 2.5, durationMs: SOON_MS }, () => spikeClients),
    ...grid('both ends', { spike: 2.5, guarded: true, durationMs: SOON_MS }, spikeBoth),
    {
      name: '2 unlimited retries, u 0.3, spike to 1.75x capacity',
      isControl: true,
      run: async (seed) =>
        never(await trigger({ ...ISTIO, retryBudget: UNLIMITED }, { clients: 50, utilization: 0.3, spike: 1.75 / 0.3 }, seed)),
    },
  ],
  picture: (seed) => pictureOf('2.5 times the load for 10 s', { ...FIFTY, spike: 2.5 }, { '2 unlimited retries': ISTIO }, seed),
};
