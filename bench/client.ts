// The near side: one child process per case. Sets its caller up once, then makes calls when it is told to, and says how many
// it made, how long each took, and what that cost this process.
import { PerformanceObserver } from 'node:perf_hooks';
import * as callers from './callers.ts';
import type { Caller } from './callers.ts';
import type { Case } from './cases.ts';
import { BODY_BYTES, type HeapOrder, type HeapResult, type RoundOrder, type RoundResult, type Target } from './protocol.ts';

const LATENCIES_MAX = 200_000;
const latencies = new Float64Array(LATENCIES_MAX);
let calls = 0;
let isMeasuring = false;

async function oneCall(call: Caller): Promise<void> {
  const bytes = await call();
  if (bytes !== BODY_BYTES) throw new Error(`expected ${BODY_BYTES} bytes, got ${bytes}`);
}

async function work(call: Caller, untilMs: number): Promise<void> {
  let startMs = performance.now();
  while (startMs < untilMs) {
    await oneCall(call);
    const nowMs = performance.now();
    if (isMeasuring) latencies[calls++ % LATENCIES_MAX] = nowMs - startMs;
    startMs = nowMs;
  }
}

async function crowd(call: Caller, concurrency: number, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  await Promise.all(Array.from({ length: concurrency }, () => work(call, untilMs)));
}

/** Calls rather than time: a heavy client needs as many to be compiled as a light one. */
async function warmUp(call: Caller, count: number): Promise<void> {
  let left = count;
  const warm = async (): Promise<void> => {
    while (left-- > 0) await oneCall(call);
  };
  await Promise.all(Array.from({ length: 10 }, warm));
}

async function round(call: Caller, order: RoundOrder): Promise<RoundResult> {
  await crowd(call, order.concurrency, order.leadInMs);
  calls = 0;
  isMeasuring = true;
  const startMs = performance.now();
  const before = process.cpuUsage();
  await crowd(call, order.concurrency, order.measureMs);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startMs) / 1_000;
  isMeasuring = false;
  const sorted = latencies.slice(0, Math.min(calls, LATENCIES_MAX)).sort();
  const at = (share: number): number => (sorted[Math.floor((sorted.length - 1) * share)] as number) * 1_000;
  return { calls, seconds, cpuUs: user + system, p50Us: at(0.5), p99Us: at(0.99) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Growth of the heap over calls during which nothing was collected; tried again when something was. */
async function heap(call: Caller, order: HeapOrder): Promise<HeapResult> {
  let collections = 0;
  new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  }).observe({ entryTypes: ['gc'] });
  const results: number[] = [];
  for (let attempt = 0; attempt < 10 && results.length < 3; attempt++) {
    globalThis.gc?.();
    await pause(20);
    collections = 0;
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < order.heapCalls; i++) await oneCall(call);
    const grown = process.memoryUsage().heapUsed - before;
    await pause(20);
    if (collections === 0) results.push(grown / order.heapCalls);
  }
  return { bytesPerCall: results.toSorted((a, b) => a - b)[Math.floor(results.length / 2)] ?? Number.NaN };
}

async function setUp(subject: Case, target: Target): Promise<Caller> {
  const { caller, tracing, metered, instrumented } = subject;
  if (tracing !== 'off') {
    const { startMetrics, startTracing } = await import('./telemetry.ts');
    startTracing(tracing);
    if (metered) startMetrics();
    if (instrumented) (await import('./instrumentation.ts')).instrumentUndici();
  }
  return callers[caller](target, subject);
}

async function main(): Promise<void> {
  process.on('disconnect', () => process.exit());
  const { subject, target, warmUpCalls } = JSON.parse(process.argv[2] as string) as { subject: Case; target: Target; warmUpCalls: number };
  const tell = (result: unknown): void => void process.send?.(result);
  const fail = (error: unknown): void => tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  try {
    const call = await setUp(subject, target);
    await warmUp(call, warmUpCalls);
    process.on('message', (order: RoundOrder | HeapOrder) => {
      ('heapCalls' in order ? heap(call, order) : round(call, order)).then(tell, fail);
    });
    tell({ ready: true });
  } catch (error) {
    fail(error);
  }
}

await main();
