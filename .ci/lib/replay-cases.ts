// The cases that are replayed: small forms of the scenarios in test/sim, sized for two cores and real time. Each is as long
// as its figures need, and no longer than a minute.
import type { PolicyInput } from '../../src/model/input-policy.ts';
import type { SimulationResult } from '../../src/testing.ts';
import { type Figure, type ReplayCase, type ReplayScenario, serverName } from './replay-case.ts';

/** Two retries for every call that wants them, for ever; no circuit, no ejection. */
const UNLIMITED: PolicyInput = {
  loadBalancer: { kind: 'leastRequest', fullScanMax: 1 },
  retryBudget: { tokens: 1_000_000, perSuccess: 1_000, perSecond: 1_000_000 },
  circuitBreaker: false,
  outlierDetection: false,
};

/** Round robin and nothing else. */
const PLAIN: PolicyInput = { loadBalancer: 'roundRobin', retries: false, circuitBreaker: false, outlierDetection: false };

/** Differences that are none: what timers, sockets and chance alone can make of a figure. */
const FLOOR = { p50Ms: 3, p99Ms: 15, percent: 0.5, recoveryS: 1.5, extraPercent: 1 } as const;

function latency(result: SimulationResult, fromMs: number, toMs: number, when = ''): Figure[] {
  const { p50Ms, p99Ms } = result.stats(fromMs, toMs);
  return [
    { what: `p50 ms${when}`, value: p50Ms, floor: FLOOR.p50Ms },
    { what: `p99 ms${when}`, value: p99Ms, floor: FLOOR.p99Ms },
  ];
}

function failed(result: SimulationResult, fromMs: number, toMs: number, when = ''): Figure {
  return { what: `failed %${when}`, value: 100 * (1 - result.stats(fromMs, toMs).goodput), floor: FLOOR.percent };
}

function goodput(result: SimulationResult, fromMs: number, toMs: number, when = ''): Figure {
  return { what: `goodput %${when}`, value: 100 * result.stats(fromMs, toMs).goodput, floor: FLOOR.percent };
}

function amplification(result: SimulationResult, fromMs: number, toMs: number, when = ''): Figure {
  return { what: `attempts per call${when}`, value: result.stats(fromMs, toMs).amplification, floor: 0.02 };
}

/** Attempts beyond one for each call. */
function extra(result: SimulationResult, fromMs: number, toMs: number): Figure {
  return { what: 'extra attempts %', value: 100 * (result.stats(fromMs, toMs).amplification - 1), floor: FLOOR.extraPercent };
}

/** Of the attempts, those at the first server. */
function share(result: SimulationResult, fromMs: number, toMs: number, when = ''): Figure {
  const value = 100 * (result.shares(fromMs, toMs)[serverName(0)] ?? 0);
  return { what: `share of the sick %${when}`, value, floor: FLOOR.percent };
}

function recovery(result: SimulationResult, afterMs: number): Figure {
  return { what: 'recovery s', value: result.recoveryMs(afterMs) / 1_000, floor: FLOOR.recoveryS };
}

const S1_FROM = 5_000;
const S1_UNTIL = 13_000;
const S1_END = 28_000;

const S1 = {
  scenario: 'S1',
  timeoutMs: 1_000,
  clients: 4,
  servers: { count: 5, workers: 2, serviceMs: 20 },
  load: { rps: 350 },
  faults: [{ fromMs: S1_FROM, untilMs: S1_UNTIL, servers: 5, is: { slower: 4 } }],
  durationMs: S1_END,
} as const;

const TRY = { retries: { perTryTimeout: '300ms' } } as const;

const metastable: readonly ReplayCase[] = [
  {
    ...S1,
    name: 'inmesh',
    policies: TRY,
    figures: (seen) => [
      ...latency(seen, 1_000, S1_FROM, ' before'),
      goodput(seen, S1_FROM, S1_UNTIL, ' while slow'),
      amplification(seen, S1_FROM, S1_UNTIL, ' while slow'),
      recovery(seen, S1_UNTIL),
      failed(seen, S1_END - 5_000, S1_END, ' at the end'),
    ],
  },
  {
    ...S1,
    name: '2 unlimited retries',
    isControl: true,
    policies: { ...UNLIMITED, ...TRY },
    figures: (seen) => [
      amplification(seen, S1_FROM, S1_UNTIL, ' while slow'),
      recovery(seen, S1_UNTIL),
      goodput(seen, S1_END - 5_000, S1_END, ' at the end'),
      amplification(seen, S1_END - 5_000, S1_END, ' at the end'),
    ],
  },
];

const TEN = { count: 10, workers: 2, serviceMs: 40 } as const;

const S3 = {
  scenario: 'S3',
  timeoutMs: 2_000,
  clients: 4,
  servers: TEN,
  load: { rps: 250 },
  faults: [{ fromMs: 0, servers: 1, is: { slower: 10 } }],
} as const;

const slow: readonly ReplayCase[] = [
  {
    ...S3,
    name: 'inmesh',
    policies: {},
    durationMs: 25_000,
    figures: (seen) => [...latency(seen, 5_000, 25_000), failed(seen, 5_000, 25_000), share(seen, 5_000, 25_000), extra(seen, 5_000, 25_000)],
  },
  {
    ...S3,
    name: 'round robin',
    isControl: true,
    policies: PLAIN,
    durationMs: 12_000,
    figures: (seen) => [...latency(seen, 4_000, 12_000), failed(seen, 4_000, 12_000), share(seen, 4_000, 12_000)],
  },
];

const S4_FROM = 5_000;
const S4_UNTIL = 20_000;
const S4_END = 40_000;

const sinkhole: readonly ReplayCase[] = [
  {
    scenario: 'S4',
    name: 'inmesh',
    policies: {},
    timeoutMs: 1_000,
    clients: 4,
    servers: TEN,
    load: { rps: 250 },
    faults: [{ fromMs: S4_FROM, untilMs: S4_UNTIL, servers: 1, is: 'failFast' }],
    durationMs: S4_END,
    figures: (seen) => [
      failed(seen, S4_FROM, S4_FROM + 5_000, ' first 5 s'),
      failed(seen, S4_FROM + 5_000, S4_UNTIL, ' later'),
      share(seen, S4_FROM, S4_UNTIL),
      extra(seen, S4_FROM, S4_UNTIL),
      ...latency(seen, S4_FROM, S4_UNTIL),
      share(seen, S4_UNTIL + 10_000, S4_END, ' when well'),
    ],
  },
  {
    scenario: 'S4',
    name: 'round robin',
    isControl: true,
    policies: PLAIN,
    timeoutMs: 1_000,
    clients: 4,
    servers: TEN,
    load: { rps: 250 },
    faults: [{ fromMs: 2_000, servers: 1, is: 'failFast' }],
    durationMs: 10_000,
    figures: (seen) => [failed(seen, 2_000, 10_000), share(seen, 2_000, 10_000), extra(seen, 2_000, 10_000)],
  },
];

const S8 = {
  scenario: 'S8',
  timeoutMs: 2_000,
  clients: 2,
  servers: { count: 5, workers: 3, serviceMs: { kind: 'bimodal', meanMs: 8, slowMs: 250, share: 0.02 }, honorsCancel: true },
  load: { rps: 350 },
  policies: {},
} as const;

const hedging: readonly ReplayCase[] = [
  {
    ...S8,
    name: 'no hedging',
    isControl: true,
    durationMs: 20_000,
    figures: (seen) => [...latency(seen, 3_000, 20_000), extra(seen, 3_000, 20_000)],
  },
  {
    ...S8,
    name: 'extraLoad 0.03',
    route: { idempotent: { extraLoad: 0.03 } },
    durationMs: 32_000,
    figures: (seen) => [...latency(seen, 12_000, 32_000), extra(seen, 12_000, 32_000)],
  },
];

export const REPLAYED: readonly ReplayScenario[] = [
  { id: 'S1', title: 'all servers 4x slower for 8 s', cases: metastable },
  { id: 'S3', title: '1 of 10 servers is 10x slower', cases: slow },
  { id: 'S4', title: '1 of 10 servers answers 503 in 1 ms for 15 s', cases: sinkhole },
  { id: 'S8', title: '2 % of the answers take 250 ms instead of 8', cases: hedging },
];

/** Throws for a case that nobody knows. */
export function caseOf({ scenario, name }: Pick<ReplayCase, 'scenario' | 'name'>): ReplayCase {
  const found = REPLAYED.flatMap(({ cases }) => cases).find((one) => one.scenario === scenario && one.name === name);
  if (found === undefined) throw new Error(`no case ${name} of ${scenario} is replayed`);
  return found;
}
