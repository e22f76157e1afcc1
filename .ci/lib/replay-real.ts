// A case with real processes on loopback: a process for each server and each client. What is counted is counted outside of
// the library: calls by those who make them, attempts by the servers where they arrive.
import { SimulationResult } from '../../src/sim/simulation-result.ts';
import { Recording } from '../../src/sim/recording.ts';
import { Child } from '../../bench/child.ts';
import { type ReplayCase, serverName } from './replay-case.ts';
import { type ChildPlan, type ClientReport, type Listening, type Ready, type ServerReport, wallMs } from './replay-protocol.ts';

/** From the word to the first call. */
const LEAD_MS = 300;
/** What a client may take beyond its last call. */
const GRACE_MS = 10_000;

/** What the machine did to the run, ms. */
export interface Machine {
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
}

export interface RealRun {
  readonly result: SimulationResult;
  /** How late calls began in the worst client. */
  readonly callers: Machine;
  /** How late work ended in the worst server. */
  readonly servers: Machine;
}

/** Starts all processes, lets them run, reads them, ends them. None is left behind, whatever happens. */
export async function real(one: ReplayCase, seed: number): Promise<RealRun> {
  const children: Child[] = [];
  const startAll = (script: URL, count: number): Child[] => {
    const { scenario, name } = one;
    const own = Array.from({ length: count }, (_, index) => {
      const plan: ChildPlan = { scenario, name, index, seed };
      return new Child(script.href, plan);
    });
    children.push(...own);
    return own;
  };
  try {
    const servers = startAll(new URL('replay-server.ts', import.meta.url), one.servers.count);
    const clients = startAll(new URL('replay-client.ts', import.meta.url), one.clients);
    const [listening] = await Promise.all([
      Promise.all(servers.map((server) => server.answer<Listening>())),
      Promise.all(clients.map((client) => client.answer<Ready>())),
    ]);
    const ports = listening.map(({ port }) => port);
    await Promise.all(clients.map((client) => client.ask<Ready>({ ports })));
    const begin = wallMs() + LEAD_MS;
    await Promise.all(servers.map((server) => server.ask<Ready>({ begin })));
    const called = await inTime(Promise.all(clients.map((client) => client.ask<ClientReport>({ begin }))), one);
    const served = await Promise.all(servers.map((server) => server.ask<ServerReport>({ report: true })));
    return { result: resultOf(one, seed, called, served), callers: worst(called), servers: worst(served) };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** A child that hangs must not keep the run. */
async function inTime<T>(answers: Promise<T>, { durationMs, timeoutMs }: ReplayCase): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the clients did not come to an end')), LEAD_MS + durationMs + timeoutMs + GRACE_MS);
  });
  try {
    return await Promise.race([answers, late]);
  } finally {
    clearTimeout(timer);
  }
}

function resultOf(
  { durationMs, timeoutMs }: ReplayCase,
  seed: number,
  called: readonly ClientReport[],
  served: readonly ServerReport[],
): SimulationResult {
  const recording = new Recording();
  for (const { startedAtMs, tookMs, isGood, isRefused, criticality } of called) {
    for (const [i, at] of startedAtMs.entries()) {
      const isOne = isGood[i] === true;
      recording.call(at, isOne ? (tookMs[i] as number) : timeoutMs, {
        isGood: isOne,
        isRefused: isRefused[i] === true,
        criticality: criticality[i] as number,
      });
    }
  }
  for (const [i, { arrivedAtMs }] of served.entries()) for (const at of arrivedAtMs) recording.attempt(at, serverName(i));
  return new SimulationResult(seed, durationMs, recording);
}

function worst(machines: readonly Machine[]): Machine {
  const most = (of: (machine: Machine) => number): number => Math.max(0, ...machines.map(of));
  return { lateP99Ms: most(({ lateP99Ms }) => lateP99Ms), lateMaxMs: most(({ lateMaxMs }) => lateMaxMs) };
}
