// Makes many calls of one kind, or meets many unknown hosts, and says by how much the heap has grown after everything that can
// be collected was collected. Needs --expose-gc.
import { leakCall } from './leak-calls.ts';
import type { LeakOrder, LeakResult, ProbeReport } from './leak-gates.ts';
import { probe } from './leak-probes.ts';
import { unknownHostCall } from './unknown-hosts.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What `leakedBytes` asks for. */
const kept: number[][] = [];

/** The heap when nothing more can be collected: finalizers and timers get their turns in between. */
async function settledHeap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await pause(30);
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

async function many(call: (isFetch: boolean) => Promise<void>, calls: number, concurrency: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < calls) await call((next++ & 1) === 0);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

async function grow(order: LeakOrder, call: (isFetch: boolean) => Promise<void>): Promise<number> {
  const before = await settledHeap();
  const keeping = async (isFetch: boolean): Promise<void> => {
    if (order.leakedBytes > 0) kept.push(new Array<number>(order.leakedBytes / 8).fill(0));
    await call(isFetch);
  };
  await many(keeping, order.calls, order.concurrency);
  await pause(order.settleMs);
  return (await settledHeap()) - before;
}

async function measure(order: LeakOrder): Promise<LeakResult | ProbeReport> {
  if (globalThis.gc === undefined) throw new Error('the heap cannot be settled without --expose-gc');
  if (order.kind === 'probes') return probe(order, settledHeap);
  const { calls, concurrency, growthMax, windowsMax, isEach = false } = order;
  const call = order.kind === 'hosts' ? await unknownHostCall(order.edge) : await leakCall(order);
  // Pools, compiled code and buffers of the first calls stay for good, and are no leak.
  await many(call, order.warmUpCalls, concurrency);
  await pause(order.settleMs);
  const startMs = performance.now();
  const grown: number[] = [];
  while (grown.length < windowsMax && (isEach || !grown.some((one) => one <= growthMax))) grown.push(await grow(order, call));
  const grownBytes = isEach ? Math.max(...grown) : Math.min(...grown);
  return { grownBytes, calls, seconds: (performance.now() - startMs) / 1_000 };
}

process.on('disconnect', () => process.exit());
try {
  process.send?.(await measure(JSON.parse(process.argv[2] as string) as LeakOrder));
} catch (error) {
  process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
