// The comparison over sockets. One upstream, one client process per case; short rounds, in random order over the cases, so that
// whatever else the machine does meets all of them alike. Several generations of processes, as one process may be lucky with
// its machine code for its whole life.
import { BASELINE, CASES, type Case, DRAWN, FETCH, GRPC_BASELINE, type Via } from './cases.ts';
import { Child, runTimeUs, YOUNG_GENERATION } from './child.ts';
import type { HeapResult, RoundResult, Target } from './protocol.ts';
import { machineTimeUs } from './processor-time.ts';
import { type Proxy, startProxy } from './proxies.ts';
import { shuffled } from './statistics.ts';

export interface SocketPlan {
  readonly generations: number;
  readonly rounds: number;
  readonly leadInMs: number;
  readonly measureMs: number;
  readonly warmUpCalls: number;
  /** 0: the heap is not measured. */
  readonly heapCalls: number;
  readonly concurrencies: readonly number[];
}

export const FULL_PLAN: SocketPlan = {
  generations: 5,
  rounds: 2,
  leadInMs: 60,
  measureMs: 180,
  warmUpCalls: 15_000,
  heapCalls: 300,
  concurrencies: [1, 10, 100],
};

/** A call of gRPC is longer, so rounds are. Both clients are compiled after some 16,000 calls. */
export const GRPC_PLAN: SocketPlan = { ...FULL_PLAN, measureMs: 250, warmUpCalls: 20_000 };

export const QUICK_PLAN: SocketPlan = {
  ...FULL_PLAN,
  generations: 1,
  rounds: 2,
  leadInMs: 40,
  measureMs: 100,
  warmUpCalls: 5_000,
  heapCalls: 0,
};

/** One round of one case. */
export interface Sample {
  readonly name: string;
  readonly concurrency: number;
  /** Rounds with the same key ran within seconds of each other: ratios are taken between them. */
  readonly roundKey: string;
  readonly callsPerSecond: number;
  /** CPU of the client process per call, µs. */
  readonly cpuUs: number;
  /** CPU of client, upstream and proxy per call, µs; NaN where not known. */
  readonly cpuAllUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface SocketResult {
  readonly cases: readonly Case[];
  readonly samples: readonly Sample[];
  /** Bytes of JavaScript heap per call, by case. */
  readonly heapBytes: Readonly<Record<string, number>>;
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** CPU that other programs used meanwhile, in cores; NaN where not known. */
  readonly foreignCores: number;
}

const LATENCY_ROUNDS_MAX = 2;
const ANCHORS: ReadonlySet<string> = new Set([BASELINE, FETCH, GRPC_BASELINE]);

interface Player {
  readonly subject: Case;
  readonly child: Child;
  readonly proxy: Proxy | null;
}

/** As `meshConfig` and the weighted choice of the peers want them. */
const ENDPOINTS = 2;

export function chooseCases(words: readonly string[]): Case[] {
  if (words.length === 0) return [...CASES];
  return CASES.filter(({ name }) => name === BASELINE || name === DRAWN || name === FETCH || words.some((word) => name.includes(word)));
}

async function playRound(player: Player, upstream: Child, plan: SocketPlan, concurrency: number, roundKey: string): Promise<Sample> {
  const { subject, child, proxy } = player;
  const { leadInMs, measureMs } = plan;
  const upstreamBefore = await upstream.ask<{ cpuUs: number }>({});
  const proxyBefore = proxy?.cpuUs() ?? 0;
  const startMs = performance.now();
  const result = await child.ask<RoundResult>({ concurrency, leadInMs, measureMs });
  const upstreamAfter = await upstream.ask<{ cpuUs: number }>({});
  // The others are watched from outside, lead-in included: taken in proportion to time.
  const share = (result.seconds * 1_000) / (performance.now() - startMs);
  const othersUs = (upstreamAfter.cpuUs - upstreamBefore.cpuUs + (proxy?.cpuUs() ?? 0) - proxyBefore) * share;
  return {
    name: subject.name,
    concurrency,
    roundKey,
    callsPerSecond: result.calls / result.seconds,
    cpuUs: result.cpuUs / result.calls,
    cpuAllUs: (result.cpuUs + othersUs) / result.calls,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
  };
}

async function startPlayers(
  cases: readonly Case[],
  target: Target,
  proxies: ReadonlyMap<Via, Proxy>,
  warmUpCalls: number,
): Promise<Player[]> {
  const players: Player[] = [];
  for (const subject of cases) {
    const proxy = proxies.get(subject.via) ?? null;
    const child = new Child(
      'client.ts',
      { subject, target: proxy === null ? target : { ports: [proxy.port] }, warmUpCalls },
      YOUNG_GENERATION,
    );
    players.push({ subject, child, proxy });
    // One after the other: a warm-up beside another one would teach the compiler little.
    await child.answer();
  }
  return players;
}

async function measureHeap(cases: readonly Case[], target: Target, plan: SocketPlan): Promise<Record<string, number>> {
  const bytes: Record<string, number> = {};
  for (const subject of cases) {
    if (subject.via !== 'direct' || plan.heapCalls === 0) continue;
    // A young generation so large that nothing is collected between two looks at the heap.
    const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
    const child = new Child('client.ts', { subject, target, warmUpCalls: 3_000 }, flags);
    await child.answer();
    bytes[subject.name] = (await child.ask<HeapResult>({ heapCalls: plan.heapCalls })).bytesPerCall;
    await child.stop();
  }
  return bytes;
}

async function startProxies(cases: readonly Case[], target: Target, notes: string[]): Promise<Map<Via, Proxy>> {
  const proxies = new Map<Via, Proxy>();
  for (const kind of ['nginx', 'haproxy'] as const) {
    if (!cases.some(({ via }) => via === kind)) continue;
    const proxy = await startProxy(kind, target);
    if (typeof proxy === 'string') notes.push(proxy);
    else proxies.set(kind, proxy);
  }
  return proxies;
}

/** Runs every case over sockets. `progress` is told what is going on, with the share that is done; `far` is who answers. */
export async function runSockets(
  chosen: readonly Case[],
  plan: SocketPlan,
  progress: (text: string, done: number) => void,
  far: 'upstream.ts' | 'grpc-upstream.ts' = 'upstream.ts',
): Promise<SocketResult> {
  const upstream = new Child(far, ENDPOINTS);
  const target: Target = await upstream.answer<Target>();
  const notes: string[] = [];
  const proxies = await startProxies(chosen, target, notes);
  const cases = chosen.filter(({ via }) => via === 'direct' || proxies.has(via));
  const samples: Sample[] = [];
  let foreignUs = 0;
  let roundsMs = 0;
  progress('bytes per call', 0);
  const heapBytes = await measureHeap(cases, target, plan);
  const blocks = plan.rounds * (plan.concurrencies.length - 1) + Math.min(plan.rounds, LATENCY_ROUNDS_MAX);
  const steps = plan.generations * blocks * (cases.length + 2 * cases.filter(({ name }) => ANCHORS.has(name)).length);
  for (let generation = 1; generation <= plan.generations; generation++) {
    progress(`processes, generation ${generation} of ${plan.generations}`, samples.length / steps);
    const players = await startPlayers(shuffled(cases, Math.random), target, proxies, plan.warmUpCalls);
    // What the ratios stand on is played three times in a round, spread over it.
    const anchors = players.filter(({ subject }) => ANCHORS.has(subject.name));
    const before = machineTimeUs() - runTimeUs();
    const startMs = performance.now();
    for (let round = 1; round <= plan.rounds; round++) {
      for (const concurrency of shuffled(plan.concurrencies, Math.random)) {
        // One at a time is there for the latency, and steadier than the rest.
        if (concurrency === 1 && round > LATENCY_ROUNDS_MAX) continue;
        for (const player of shuffled([...players, ...anchors, ...anchors], Math.random)) {
          samples.push(await playRound(player, upstream, plan, concurrency, `${generation}.${round}`));
          progress(`round ${round} of generation ${generation}`, Math.min(1, samples.length / steps));
        }
      }
    }
    foreignUs += machineTimeUs() - runTimeUs() - before;
    roundsMs += performance.now() - startMs;
    for (const { child } of players) await child.stop();
  }
  for (const proxy of proxies.values()) await proxy.stop();
  await upstream.stop();
  return { cases, samples, heapBytes, notes, foreignCores: Math.max(0, foreignUs / 1_000 / roundsMs) };
}
