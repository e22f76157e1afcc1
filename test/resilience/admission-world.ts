// Four workers, a queue, callers that come by chance and do not wait for each other: the smallest world in which a limit can
// be right or wrong. A discrete loop over two events; no clock, no promises.
import { drawer, exponential } from '../../src/sim/distribution.ts';
import { seededRandom } from '../support/seeded-random.ts';

export interface Door {
  tryEnter(criticality: number, isRetry: boolean, nowMs: number): boolean;
  leave(startedMs: number, nowMs: number, ok: boolean): void;
}

export interface Phase {
  readonly untilMs: number;
  /** Calls that come ÷ calls that can be served. */
  readonly load: number;
  /** Service times are multiplied by this. @default 1 */
  readonly slower?: number;
}

export interface PhaseResult {
  /** Answered within the deadline ÷ capacity. */
  goodput: number;
  /** Share of the critical ones, and of the others, that were admitted. */
  critical: number;
  sheddable: number;
  rejected: number;
  p50: number;
  /** Of those admitted. */
  p99: number;
}

interface Job {
  readonly startedMs: number;
  readonly phase: number;
  dueMs: number;
}

export interface World {
  /** Infinity: nobody waits for another. @default 4 */
  readonly workers?: number;
  readonly criticalShare?: number;
  readonly seed: number;
}

const MEAN_MS = 20;
const DEADLINE_MS = 500;
/** Capacity of the four workers, calls per ms; loads are relative to it whatever `workers` says. */
const CAPACITY = 4 / MEAN_MS;

class Tally {
  readonly come: [sheddable: number, critical: number] = [0, 0];
  readonly admitted: [sheddable: number, critical: number] = [0, 0];
  readonly latencies: number[] = [];

  result(lengthMs: number): PhaseResult {
    const { come, admitted, latencies } = this;
    latencies.sort((a, b) => a - b);
    const quantile = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
    return {
      goodput: latencies.filter((ms) => ms <= DEADLINE_MS).length / (lengthMs * CAPACITY),
      critical: come[1] === 0 ? 1 : admitted[1] / come[1],
      sheddable: come[0] === 0 ? 1 : admitted[0] / come[0],
      rejected: 1 - (admitted[0] + admitted[1]) / (come[0] + come[1]),
      p50: quantile(0.5),
      p99: quantile(0.99),
    };
  }
}

/** Lets the phases pass; one result for each. */
export function overload(door: Door, phases: readonly Phase[], { workers = 4, criticalShare = 0.1, seed }: World): PhaseResult[] {
  const random = seededRandom(seed);
  const drawMs = drawer(MEAN_MS, seededRandom(seed + 1));
  const tallies = phases.map(() => new Tally());
  const endMs = phases.at(-1)?.untilMs ?? 0;
  const busy: Job[] = [];
  const waiting: Job[] = [];
  let phase = 0;
  let nextMs = 0;
  const slower = (): number => phases[phase]?.slower ?? 1;
  const serve = (job: Job, nowMs: number): void => {
    job.dueMs = nowMs + drawMs() * slower();
    busy.push(job);
  };
  for (;;) {
    const first = busy.reduce<Job | null>((least, job) => (least === null || job.dueMs < least.dueMs ? job : least), null);
    if (nextMs >= endMs && first === null) break;
    if (first !== null && (first.dueMs <= nextMs || nextMs >= endMs)) {
      const nowMs = first.dueMs;
      busy.splice(busy.indexOf(first), 1);
      door.leave(first.startedMs, nowMs, true);
      tallies[first.phase]?.latencies.push(nowMs - first.startedMs);
      const job = waiting.shift();
      if (job !== undefined) serve(job, nowMs);
      continue;
    }
    while (nextMs >= (phases[phase]?.untilMs ?? 0)) phase++;
    const tally = tallies[phase] as Tally;
    const isCritical = random() < criticalShare ? 1 : 0;
    tally.come[isCritical]++;
    if (door.tryEnter(isCritical * 2, false, nextMs)) {
      tally.admitted[isCritical]++;
      const job = { startedMs: nextMs, phase, dueMs: 0 };
      if (busy.length < workers) serve(job, nextMs);
      else waiting.push(job);
    }
    nextMs += exponential(random) / (CAPACITY * (phases[phase]?.load ?? 1));
  }
  return tallies.map((tally, index) => tally.result((phases[index]?.untilMs ?? 0) - (phases[index - 1]?.untilMs ?? 0)));
}
