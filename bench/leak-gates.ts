// The leak gates: sockets after retries, the heap after many calls of every kind, the heap after many unknown hosts. Each in a
// fresh process. The short form is a test; the full form is `npm run bench:leaks`.
import { Child } from './child.ts';

export type LeakKind = 'success' | 'http2' | 'retry' | 'abort' | 'timeout' | 'mirror' | 'unread';
export const LEAK_KINDS: readonly LeakKind[] = ['success', 'http2', 'retry', 'abort', 'timeout', 'mirror', 'unread'];

/** After this many calls of a kind the heap may be this much larger. */
export const CALLS_GROWTH_MAX: number = 200 * 1_024;
export const HOSTS_GROWTH_MAX: number = 20 * 1_024 * 1_024;
/** As many as bare undici opens for calls one after the other to one address. */
export const RETRY_SOCKETS_MAX = 2;
/** Enough to see what stays; the last one may be held by whoever was called last. */
export const PROBE_CALLS = 40;
/** A leak shows in every window of calls; what undici and V8 put by for themselves comes and goes. */
const WINDOWS_MAX = 3;

export interface LeakPlan {
  readonly calls: number;
  /** Windows of so many calls, each of which must keep the gate; 0: one of three must. */
  readonly rounds: number;
  readonly hosts: number;
  /** Hosts called through mesh.fetch, which hands them to built-in fetch. */
  readonly fetchedHosts: number;
}

export const FULL_LEAK_PLAN: LeakPlan = { calls: 50_000, rounds: 5, hosts: 1_000_000, fetchedHosts: 1_000_000 };
export const SHORT_LEAK_PLAN: LeakPlan = { calls: 5_000, rounds: 0, hosts: 200_000, fetchedHosts: 20_000 };

interface OrderBase {
  readonly ports: readonly number[];
  readonly calls: number;
  /** Growth that is good enough; more windows of calls are tried until one keeps it. */
  readonly growthMax: number;
  readonly windowsMax: number;
  /** All windows are measured, and the one that grew most counts. */
  readonly isEach?: boolean;
  readonly warmUpCalls: number;
  readonly concurrency: number;
  /** Time for what still runs to end, ms. */
  readonly settleMs: number;
  /** Bytes that the measuring process itself keeps of each call: shows that a leak is seen. */
  readonly leakedBytes: number;
}

export type CallsOrder = OrderBase & { readonly kind: LeakKind };
export type HostsOrder = OrderBase & { readonly kind: 'hosts'; readonly edge: 'fetch' | 'dispatcher' };
export type ProbeOrder = OrderBase & { readonly kind: 'probes' };
export type LeakOrder = CallsOrder | HostsOrder | ProbeOrder;

/** What is still there of the calls of a kind, after everything that can be collected was. */
export interface ProbeResult {
  readonly kind: LeakKind;
  readonly answers: number;
  readonly signals: number;
  /** Listeners on a signal that outlives all calls. */
  readonly listeners: number;
}

export interface ProbeReport {
  readonly kinds: readonly ProbeResult[];
  /** Sockets of the closed mesh. */
  readonly sockets: number;
  /** How many sockets there were; a probe that saw none proves nothing. */
  readonly socketsSeen: number;
}

export interface LeakResult {
  readonly grownBytes: number;
  readonly calls: number;
  readonly seconds: number;
}

const ENDPOINTS = 4;

/** A server for the calls, as long as `use` runs. */
export async function withUpstream<T>(
  use: (ports: readonly number[], upstream: Child) => Promise<T>,
  endpoints: number = ENDPOINTS,
): Promise<T> {
  const upstream = new Child('leaks-upstream.ts', endpoints);
  try {
    const { ports } = await upstream.answer<{ ports: number[] }>();
    return await use(ports, upstream);
  } finally {
    await upstream.stop();
  }
}

async function runChild<T = LeakResult>(order: LeakOrder): Promise<T> {
  const child = new Child('leaks-child.ts', order, ['--expose-gc']);
  try {
    return await child.answer<T>();
  } finally {
    await child.stop();
  }
}

/** Growth of the heap over calls of one kind. */
export function measureCalls(kind: LeakKind, calls: number, leakedBytes: number = 0, rounds: number = 0): Promise<LeakResult> {
  // What is slow takes fewer calls to be warm than would take long.
  const warmUpCalls = kind === 'success' || kind === 'http2' ? 8_000 : 2_500;
  const gate = { growthMax: CALLS_GROWTH_MAX, windowsMax: rounds > 0 ? rounds : leakedBytes === 0 ? WINDOWS_MAX : 1, isEach: rounds > 0 };
  return withUpstream((ports) => runChild({ kind, ports, calls, ...gate, warmUpCalls, concurrency: 100, settleMs: 300, leakedBytes }));
}

/** Growth of the heap over hosts that no service names. */
export function measureHosts(edge: 'fetch' | 'dispatcher', hosts: number): Promise<LeakResult> {
  const gate = { growthMax: HOSTS_GROWTH_MAX, windowsMax: 1 };
  return runChild({
    kind: 'hosts',
    edge,
    ports: [],
    calls: hosts,
    ...gate,
    warmUpCalls: 1_000,
    concurrency: 10,
    settleMs: 0,
    leakedBytes: 0,
  });
}

/** Sockets that twenty calls open, one after the other, each answered with 503 once and then repeated. */
export function countRetrySockets(): Promise<number> {
  return withUpstream(async (ports, upstream) => {
    const gate = { growthMax: Number.MAX_SAFE_INTEGER, windowsMax: 1 };
    await runChild({ kind: 'retry', ports, calls: 20, ...gate, warmUpCalls: 0, concurrency: 1, settleMs: 0, leakedBytes: 0 });
    return (await upstream.ask<{ sockets: number }>({})).sockets;
  }, 1);
}

/** What a few calls of every kind leave reachable: answers, signals, listeners, sockets. */
export function probeCalls(calls: number): Promise<ProbeReport> {
  const gate = { growthMax: 0, windowsMax: 1, warmUpCalls: 0, concurrency: 1, settleMs: 200, leakedBytes: 0 };
  return withUpstream((ports) => runChild<ProbeReport>({ kind: 'probes', ports, calls, ...gate }));
}
