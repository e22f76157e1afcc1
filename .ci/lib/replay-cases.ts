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

/** Differences that are none: what timers, sockets and chance alone make of a figure. */
const P50_FLOOR_MS = 3;
const P99_FLOOR_MS = 15;
const PERCENT_FLOOR = 0.5;
const ATTEMPTS_FLOOR = 0.02;
const EXTRA_FLOOR = 1;
const RECOVERY_FLOOR_S = 1.5;

type Span = readonly [fromMs: number, toMs: number];

function latency(seen: SimulationResult, [fromMs, toMs]: Span, when = ''): Figure[] {
  const { p50Ms, p99Ms } = seen.stats(fromMs, toMs);
  return [
    { what: `p50 ms${when}`, value: p50Ms, floor: P50_FLOOR_MS },
    { what: `p99 ms${when}`, value: p99Ms, floor: P99_FLOOR_MS },
  ];
}

function failed(seen: SimulationResult, [fromMs, toMs]: Span, when = ''): Figure {
  return { what: `failed %${when}`, value: 100 * (1 - seen.stats(fromMs, toMs).goodput), floor: PERCENT_FLOOR };
}

/** Where most calls fail, what is left is the telling figure. */
function goodput(seen: SimulationResult, [fromMs, toMs]: Span, when = '', floor: number = PERCENT_FLOOR): Figure {
  return { what: `goodput %${when}`, value: 100 * seen.stats(fromMs, toMs).goodput, floor };
}

function amplification(seen: SimulationResult, [fromMs, toMs]: Span, when = ''): Figure {
  return { what: `attempts per call${when}`, value: seen.stats(fromMs, toMs).amplification, floor: ATTEMPTS_FLOOR };
}

/** Attempts beyond one for each call, where nearly all calls have just one. */
function extra(seen: SimulationResult, [fromMs, toMs]: Span): Figure {
  return { what: 'extra attempts %', value: 100 * (seen.stats(fromMs, toMs).amplification - 1), floor: EXTRA_FLOOR };
}

/** Of the attempts, those at the first server. */
function share(seen: SimulationResult, [fromMs, toMs]: Span, when = ''): Figure {
  return { what: `share of the sick %${when}`, value: 100 * (seen.shares(fromMs, toMs)[serverName(0)] ?? 0), floor: PERCENT_FLOOR };
}

function recovery(seen: SimulationResult, afterMs: number, when = ''): Figure {
  return { what: `recovery s${when}`, value: seen.recoveryMs(afterMs) / 1_000, floor: RECOVERY_FLOOR_S };
}

const S1_FROM = 5_000;
const S1_UNTIL = 11_000;
const S1_END = 24_000;

const S1 = {
  scenario: 'S1',
  timeoutMs: 1_000,
  clients: 6,
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
      ...latency(seen, [1_000, S1_FROM], ' before'),
      goodput(seen, [S1_FROM, S1_UNTIL], ' while slow', 2),
      amplification(seen, [S1_FROM, S1_UNTIL], ' while slow'),
      recovery(seen, S1_UNTIL),
      goodput(seen, [S1_UNTIL, S1_UNTIL + 8_000], ' 8 s after'),
      failed(seen, [S1_END - 4_000, S1_END], ' at the end'),
    ],
  },
  {
    ...S1,
    name: '2 unlimited retries',
    isControl: true,
    policies: { ...UNLIMITED, ...TRY },
    figures: (seen) => [
      amplification(seen, [S1_FROM, S1_UNTIL], ' while slow'),
      recovery(seen, S1_UNTIL),
      goodput(seen, [S1_END - 8_000, S1_END], ' at the end'),
      amplification(seen, [S1_END - 8_000, S1_END], ' at the end'),
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

const slowFigures =
  (...span: Span) =>
  (seen: SimulationResult): Figure[] => [...latency(seen, span), failed(seen, span), share(seen, span)];

const slow: readonly ReplayCase[] = [
  { ...S3, name: 'inmesh', policies: {}, durationMs: 22_000, figures: slowFigures(4_000, 22_000) },
  { ...S3, name: 'round robin', isControl: true, policies: PLAIN, durationMs: 10_000, figures: slowFigures(4_000, 10_000) },
];

const S4 = { scenario: 'S4', timeoutMs: 1_000, clients: 4, servers: TEN, load: { rps: 250 } } as const;
const S4_FROM = 5_000;
const S4_UNTIL = 20_000;
const S4_END = 34_000;

const sinkhole: readonly ReplayCase[] = [
  {
    ...S4,
    name: 'inmesh',
    policies: {},
    faults: [{ fromMs: S4_FROM, untilMs: S4_UNTIL, servers: 1, is: 'failFast' }],
    durationMs: S4_END,
    figures: (seen) => [
      failed(seen, [S4_FROM, S4_UNTIL]),
      ...latency(seen, [S4_FROM, S4_UNTIL]),
      share(seen, [S4_FROM, S4_UNTIL]),
      extra(seen, [S4_FROM, S4_UNTIL]),
      share(seen, [S4_UNTIL + 6_000, S4_END], ' when well again'),
    ],
  },
  {
    ...S4,
    name: 'round robin and ejection',
    isControl: true,
    policies: { loadBalancer: 'roundRobin', retries: false, circuitBreaker: false },
    faults: [{ fromMs: 2_000, servers: 1, is: 'failFast' }],
    durationMs: 10_000,
    figures: (seen) => [failed(seen, [2_000, 4_000], ' first 2 s'), failed(seen, [4_000, 10_000], ' later'), share(seen, [2_000, 10_000])],
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

const hedgeFigures =
  (...span: Span) =>
  (seen: SimulationResult): Figure[] => [...latency(seen, span), extra(seen, span)];

const hedging: readonly ReplayCase[] = [
  {
    ...S8,
    name: 'extraLoad 0.03',
    route: { idempotent: { extraLoad: 0.03 } },
    durationMs: 28_000,
    figures: hedgeFigures(10_000, 28_000),
  },
  { ...S8, name: 'no hedging', isControl: true, durationMs: 16_000, figures: hedgeFigures(2_000, 16_000) },
];

const FOUR = { count: 4, workers: 4, serviceMs: 60, honorsCancel: true } as const;
const FOUR_RPS = (1_000 * FOUR.count * FOUR.workers) / FOUR.serviceMs;

const S9 = { scenario: 'S9', timeoutMs: 1_000, clients: 4, policies: {} } as const;
const S9_HALF: Span = [6_000, 18_000];
const S9_TRIPLE: Span = [24_000, 34_000];
const S9_END = 42_000;

/** Of what the servers can do, %. */
function ofCapacity(seen: SimulationResult, [fromMs, toMs]: Span, when: string): Figure {
  const { goodput: good, calls } = seen.stats(fromMs, toMs);
  return { what: `of capacity %${when}`, value: (100 * good * calls * 1_000) / (toMs - fromMs) / FOUR_RPS, floor: PERCENT_FLOOR };
}

/** The limit is learnt, so the first two seconds of a stretch are left out. */
function overloaded(seen: SimulationResult, [fromMs, toMs]: Span, when: string): Figure[] {
  const span: Span = [fromMs + 2_000, toMs];
  return [
    ofCapacity(seen, span, when),
    { what: `answered p50 ms${when}`, value: seen.answeredMs(0.5, ...span), floor: P50_FLOOR_MS },
    { what: `answered p99 ms${when}`, value: seen.answeredMs(0.99, ...span), floor: P99_FLOOR_MS },
    { what: `critical failed %${when}`, value: 100 * (1 - seen.stats(...span, 'criticalPlus').goodput), floor: 2 },
    amplification(seen, span, when),
  ];
}

const overload: readonly ReplayCase[] = [
  {
    ...S9,
    name: 'inmesh/server',
    servers: { ...FOUR, admission: true },
    load: {
      rps: 0.7 * FOUR_RPS,
      steps: [
        { fromMs: S9_HALF[0], untilMs: S9_HALF[1], times: 1.5 / 0.7 },
        { fromMs: S9_TRIPLE[0], untilMs: S9_TRIPLE[1], times: 3 / 0.7 },
      ],
      criticality: (random) => (random() < 0.1 ? 'criticalPlus' : 'sheddable'),
    },
    durationMs: S9_END,
    figures: (seen) => [
      failed(seen, [1_000, S9_HALF[0]], ' before'),
      ...overloaded(seen, S9_HALF, ' at 1.5x'),
      ...overloaded(seen, S9_TRIPLE, ' at 3x'),
      recovery(seen, S9_TRIPLE[1]),
    ],
  },
  {
    ...S9,
    name: 'no admission',
    isControl: true,
    policies: PLAIN,
    servers: { ...FOUR, honorsCancel: false },
    load: { rps: 1.5 * FOUR_RPS },
    durationMs: 12_000,
    figures: (seen) => [
      ofCapacity(seen, [0, 4_000], ' first 4 s'),
      ofCapacity(seen, [8_000, 12_000], ' later'),
      amplification(seen, [8_000, 12_000]),
    ],
  },
];

const SHORT_SPAN: Span = [2_000, 8_000];

/** For the tests: fewer processes, a few seconds. */
export const SHORT: ReplayCase = {
  scenario: 'short',
  name: '1 of 6 servers is 10x slower',
  policies: {},
  timeoutMs: 2_000,
  clients: 2,
  servers: { count: 6, workers: 2, serviceMs: 40 },
  load: { rps: 150 },
  faults: [{ fromMs: 0, servers: 1, is: { slower: 10 } }],
  durationMs: SHORT_SPAN[1],
  figures: slowFigures(...SHORT_SPAN),
};

export const REPLAYED: readonly ReplayScenario[] = [
  { id: 'S1', title: 'all servers 4x slower for 6 s', cases: metastable },
  { id: 'S3', title: '1 of 10 servers is 10x slower', cases: slow },
  { id: 'S4', title: '1 of 10 servers answers 503 in 1 ms', cases: sinkhole },
  { id: 'S8', title: '2 % of the answers take 250 ms instead of 8', cases: hedging },
  { id: 'S9', title: 'more calls than the servers can do, one in ten critical', cases: overload },
];

/** Throws for a case that nobody knows. */
export function caseOf({ scenario, name }: Pick<ReplayCase, 'scenario' | 'name'>): ReplayCase {
  const found = [SHORT, ...REPLAYED.flatMap(({ cases }) => cases)].find((one) => one.scenario === scenario && one.name === name);
  if (found === undefined) throw new Error(`no case ${name} of ${scenario} is replayed`);
  return found;
}
