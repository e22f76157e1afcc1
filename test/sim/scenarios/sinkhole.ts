// S4: replicas that answer fast and wrong. Whoever takes speed for health sends them everything.
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import { type Behavior, type Picture, simulate, type SimulationResult } from '../../../src/testing.ts';
import { atLeast, atMost, between, type Case, type Figure, PLAIN, type Scenario, serviceWith, TEN } from './scenario.ts';

const FROM_MS = 20_000;
const UNTIL_MS = 80_000;
const DURATION_MS = 125_000;
const CLIENTS = 20;

export interface Sick {
  readonly count: number;
  readonly sick: number;
  readonly is: Behavior;
  readonly utilization?: number;
  readonly blind?: boolean;
  readonly clients?: number;
  readonly durationMs?: number;
}

export function sickReplicas(policies: PolicyInput, plan: Sick, seed: number): Promise<SimulationResult> {
  const { count, sick, is, utilization = 0.5, blind = false, clients = CLIENTS, durationMs = DURATION_MS } = plan;
  return simulate({
    config: serviceWith({ timeout: '1s', ...policies }),
    clients,
    endpoints: { ...TEN, count },
    load: 200 * count * utilization,
    faults: [{ fromMs: FROM_MS, untilMs: UNTIL_MS, endpoints: sick, is }],
    durationMs,
    seed,
    blind,
  });
}

export interface SickEffect {
  readonly errorsFirst: number;
  readonly errorsLater: number;
  readonly share: number;
  /** Share of the fair share that the sick had 20 to 40 s after they were well again. */
  readonly rejoined: number;
  readonly amplification: number;
}

export function effectOf(result: SimulationResult, { count, sick }: Sick): SickEffect {
  const shareOfSick = (fromMs: number, toMs: number): number => {
    const shares = result.shares(fromMs, toMs);
    let sum = 0;
    for (let i = 1; i <= sick; i++) sum += shares[`e${i}:80`] ?? 0;
    return sum;
  };
  return {
    errorsFirst: 100 * (1 - result.stats(FROM_MS, FROM_MS + 5_000).goodput),
    errorsLater: 100 * (1 - result.stats(FROM_MS + 5_000, UNTIL_MS).goodput),
    share: 100 * shareOfSick(FROM_MS, UNTIL_MS),
    rejoined: (100 * shareOfSick(UNTIL_MS + 20_000, UNTIL_MS + 40_000)) / (sick / count),
    amplification: result.stats(FROM_MS, UNTIL_MS).amplification,
  };
}

const failFast = (count: number, sick: number, clients: number): Case => ({
  name: `${sick} of ${count}, ${clients} clients`,
  run: async (seed): Promise<Figure[]> => {
    const plan: Sick = { count, sick, is: 'failFast', clients };
    const { errorsFirst, errorsLater, share, rejoined } = effectOf(await sickReplicas({}, plan, seed), plan);
    return [
      atMost('errors % first 5 s', errorsFirst, 0.5),
      atMost('errors % later', errorsLater, 0.05),
      atMost('share %', share, 0.5),
      atLeast('rejoined %', rejoined, 60),
    ];
  },
});

const BLIND: PolicyInput = { ...PLAIN, loadBalancer: { kind: 'peakEwma', fullScanMax: 1 } };

const blindEwma = (count: number, least: number, most: number): Case => ({
  name: `peak EWMA without penalty, 1 of ${count}`,
  isControl: true,
  run: async (seed): Promise<Figure[]> => {
    const plan: Sick = { count, sick: 1, is: 'failFast', blind: true };
    return [between('errors %', effectOf(await sickReplicas(BLIND, plan, seed), plan).errorsLater, least, most)];
  },
});

async function pictureOf(seed: number): Promise<Picture> {
  const plan: Sick = { count: 3, sick: 1, is: 'failFast' };
  const runs = [
    { name: 'inmesh', series: (await sickReplicas({}, plan, seed)).series() },
    { name: 'round robin', series: (await sickReplicas(PLAIN, plan, seed)).series() },
    { name: 'peak EWMA without penalty', series: (await sickReplicas(BLIND, { ...plan, blind: true }, seed)).series() },
  ];
  return { title: 'One replica of three answers 503 at once', subtitle: '20 callers, utilisation 0.5', runs, spanMs: [FROM_MS, UNTIL_MS] };
}

export const S4A: Scenario = {
  id: 'S4a',
  title: 'sinkhole: one replica answers 503 in 1 ms for 60 s',
  cases: [failFast(10, 1, 1), failFast(10, 1, 20), failFast(3, 1, 1), failFast(3, 1, 20), blindEwma(10, 17, 23), blindEwma(3, 60, 72)],
  picture: pictureOf,
};

const THREE: Sick = { count: 10, sick: 3, is: 'failFast' };

export const S4B: Scenario = {
  id: 'S4b',
  title: 'three sinkholes of ten',
  cases: [
    {
      name: '20 clients',
      run: async (seed) => {
        const { errorsFirst, errorsLater, amplification, rejoined } = effectOf(await sickReplicas({}, THREE, seed), THREE);
        return [
          atMost('errors % first 5 s', errorsFirst, 0.5),
          atMost('errors % later', errorsLater, 0.05),
          atMost('amplification', amplification, 1.02),
          atLeast('rejoined %', rejoined, 60),
        ];
      },
    },
    {
      name: 'at most 10 % ejected',
      isControl: true,
      run: async (seed) => {
        const policies: PolicyInput = {
          ...PLAIN,
          outlierDetection: { window: '0s', baseEjectionTime: '30s', maxEjectionTime: '300s', maxEjectionPercent: 10 },
        };
        return [between('errors %', effectOf(await sickReplicas(policies, THREE, seed), THREE).errorsLater, 18, 30)];
      },
    },
  ],
};

const HALF: Sick = { count: 10, sick: 1, is: { errors: 0.5 } };

export const S4C: Scenario = {
  id: 'S4c',
  title: 'partial: one replica of ten fails half its calls',
  cases: [
    {
      name: '20 clients',
      run: async (seed) => {
        const { errorsLater, share } = effectOf(await sickReplicas({}, HALF, seed), HALF);
        return [atMost('errors % after 5 s', errorsLater, 0.1), atMost('share %', share, 0.5)];
      },
    },
    {
      name: 'ejected after 7 in a row',
      isControl: true,
      run: async (seed) => {
        const policies: PolicyInput = { ...PLAIN, outlierDetection: { window: '0s', consecutiveErrors: 7 } };
        return [between('errors %', effectOf(await sickReplicas(policies, HALF, seed), HALF).errorsLater, 3, 6)];
      },
    },
  ],
};
