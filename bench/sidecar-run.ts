// The run beside sidecars: generations of fresh processes, and rounds in which every row is played under every load, in random order.
// What is read out of a round is compared within that round, as the machine is never twice the same. Ends when its time is over.
import { runTimeUs } from './child.ts';
import { machineTimeUs } from './processor-time.ts';
import type { ClientOrder, ClientResult } from './sidecar-client.ts';
import { BARE, type Load, LOADS, MESH, type Row } from './sidecar-rows.ts';
import { type Player, type Programs, startWorld } from './sidecar-world.ts';
import { shuffled } from './statistics.ts';

export interface SidecarPlan {
  readonly generations: number;
  /** Of all generations together, ms. */
  readonly forMs: number;
  readonly leadInMs: number;
  readonly measureMs: number;
  /** An open loop makes fewer calls, and needs longer for a p99. */
  readonly openMs: number;
  readonly warmUpCalls: number;
}

export const FULL_SIDECAR_PLAN: SidecarPlan = {
  generations: 2,
  forMs: 170_000,
  leadInMs: 60,
  measureMs: 200,
  openMs: 450,
  warmUpCalls: 6_000,
};
export const QUICK_SIDECAR_PLAN: SidecarPlan = { ...FULL_SIDECAR_PLAN, generations: 1, forMs: 20_000, warmUpCalls: 2_000 };

/** One play of one row under one load. */
export interface SidecarSample {
  readonly row: string;
  readonly load: string;
  readonly roundKey: string;
  readonly calls: number;
  readonly failures: number;
  readonly callsPerSecond: number;
  /** CPU of client, proxies and server together, µs, of all calls; NaN where not known. */
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU that other programs used meanwhile, in cores; NaN where not known. */
  readonly foreignCores: number;
}

/** Memory at the end of a generation, bytes resident. */
export interface SidecarMemory {
  readonly row: string;
  readonly proxies: number;
}

export interface SidecarResult {
  readonly rows: readonly Row[];
  readonly samples: readonly SidecarSample[];
  readonly memory: readonly SidecarMemory[];
  readonly notes: readonly string[];
  readonly rounds: number;
  /** CPU that other programs used meanwhile, in cores; NaN where not known. */
  readonly foreignCores: number;
}

interface Used {
  readonly cpuUs: number;
}

async function othersUs({ server, proxies }: Player): Promise<number> {
  const { cpuUs } = await server.ask<Used>({});
  return proxies.reduce((sum, proxy) => sum + proxy.cpuUs(), cpuUs);
}

/** A play during which other programs used more than this, in cores, says more about them. */
const FOREIGN_CORES_MAX = 0.3;
/** Plays of each row and load that must be left over when those are taken out. */
const CALM_PLAYS_MIN = 3;

/** CPU time of everything but this run so far, µs. */
function foreignTimeUs(): number {
  return machineTimeUs() - runTimeUs();
}

/** The samples without those that were disturbed; all of them when too few would be left, as a busy machine is better than a guess. */
export function calmSamples(samples: readonly SidecarSample[]): readonly SidecarSample[] {
  const keyOf = ({ row, load }: SidecarSample): string => `${row}, ${load}`;
  const isCalm = ({ foreignCores }: SidecarSample): boolean => !(foreignCores > FOREIGN_CORES_MAX);
  const calm = samples.filter(isCalm);
  const left = Map.groupBy(calm, keyOf);
  const isEnough = samples.every((sample) => (left.get(keyOf(sample))?.length ?? 0) >= CALM_PLAYS_MIN);
  return isEnough ? calm : samples;
}

async function play(player: Player, load: Load, plan: SidecarPlan, roundKey: string): Promise<SidecarSample> {
  const order = (forMs: number): ClientOrder => ({ ...load, forMs });
  // Connections that were idle are opened again, and caches filled, before anything counts.
  await player.client.ask<ClientResult>(order(plan.leadInMs));
  const [startMs, foreignBeforeUs] = [performance.now(), foreignTimeUs()];
  const before = await othersUs(player);
  const result = await player.client.ask<ClientResult>(order(load.concurrency === 0 ? plan.openMs : plan.measureMs));
  const after = await othersUs(player);
  const foreignUs = foreignTimeUs() - foreignBeforeUs;
  const { calls, failures, seconds, p50Us, p99Us } = result;
  return {
    row: player.row.name,
    load: load.name,
    roundKey,
    calls,
    failures,
    callsPerSecond: calls / seconds,
    cpuUs: result.cpuUs + after - before,
    p50Us,
    p99Us,
    foreignCores: Math.max(0, foreignUs / 1_000 / (performance.now() - startMs)),
  };
}

function memoryOf(players: readonly Player[]): SidecarMemory[] {
  return players.map(({ row, proxies }) => ({
    row: row.name,
    proxies: proxies.reduce((sum, proxy) => sum + proxy.rssBytes(), 0),
  }));
}

/** `progress` is told what is going on, with the share that is done. */
export async function runSidecars(
  rows: readonly Row[],
  programs: Programs,
  plan: SidecarPlan,
  progress: (text: string, done: number) => void,
): Promise<SidecarResult> {
  const samples: SidecarSample[] = [];
  const memory: SidecarMemory[] = [];
  const notes = new Set<string>();
  const played = new Set<string>();
  let [foreignUs, roundsMs, rounds, startUpMs, roundMs] = [0, 0, 0, 0, 0];
  const startMs = performance.now();
  const done = (): number => Math.min(1, (performance.now() - startMs) / plan.forMs);
  for (let generation = 1; generation <= plan.generations; generation++) {
    // On a busy machine one generation is all there is time for.
    const startedMs = performance.now() - startMs;
    if (generation > 1 && startedMs + startUpMs + roundMs > plan.forMs) break;
    progress(`processes, generation ${generation} of ${plan.generations}`, done());
    const world = await startWorld(shuffled(rows, Math.random), programs, plan.warmUpCalls);
    for (const note of world.notes) notes.add(note);
    for (const { row } of world.players) played.add(row.name);
    // What the bars stand on is played twice in a round.
    const anchors = world.players.filter(({ row }) => row.name === BARE || row.name === MESH);
    const before = foreignTimeUs();
    const firstMs = performance.now();
    startUpMs = firstMs - startMs - startedMs;
    const hasTime = (): boolean => performance.now() - startMs + roundMs < (plan.forMs * generation) / plan.generations;
    for (let round = 1; round === 1 || hasTime(); round++) {
      const roundStartMs = performance.now();
      for (const load of shuffled(LOADS, Math.random)) {
        for (const player of shuffled([...world.players, ...anchors], Math.random)) {
          samples.push(await play(player, load, plan, `${generation}.${round}`));
          progress(`round ${round} of generation ${generation}`, done());
        }
      }
      rounds++;
      roundMs = performance.now() - roundStartMs;
    }
    foreignUs += foreignTimeUs() - before;
    roundsMs += performance.now() - firstMs;
    memory.push(...memoryOf(world.players));
    await world.stop();
  }
  const foreignCores = Math.max(0, foreignUs / 1_000 / roundsMs);
  const calm = calmSamples(samples);
  if (calm.length < samples.length) {
    notes.add(
      `${samples.length - calm.length} of ${samples.length} plays are left out, as other programs used more than ${FOREIGN_CORES_MAX} cores meanwhile.`,
    );
  } else if (foreignCores > FOREIGN_CORES_MAX) notes.add('The machine was busy with other programs: these figures say little.');
  return { rows: rows.filter(({ name }) => played.has(name)), samples: calm, memory, notes: [...notes], rounds, foreignCores };
}
