// What one call of something costs, without a network: nanoseconds and bytes of heap. Subjects take turns in short batches, so
// that a slow moment of the machine meets all; the best decile is what a quiet machine would show.
import { median, quantile } from './statistics.ts';

/** Makes that many calls, one after the other. */
export type Batch = (calls: number) => Promise<void>;

export interface Cost {
  readonly nsMedian: number;
  readonly nsBest: number;
  readonly bytes: number;
}

export interface MeasurePlan {
  readonly warmUpCalls: number;
  readonly batches: number;
  readonly callsPerBatch: number;
  readonly byteBatches: number;
}

export const MEASURE_FLAGS: readonly string[] = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
export const FULL_MEASURE: MeasurePlan = { warmUpCalls: 50_000, batches: 300, callsPerBatch: 1_000, byteBatches: 9 };
export const SHORT_MEASURE: MeasurePlan = { warmUpCalls: 30_000, batches: 400, callsPerBatch: 250, byteBatches: 5 };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function timeOf(batch: Batch, calls: number): Promise<number> {
  const start = process.hrtime.bigint();
  await batch(calls);
  return Number(process.hrtime.bigint() - start) / calls;
}

/** Growth of the heap per call while nothing is collected. Must run in a process started with MEASURE_FLAGS. */
async function bytesOf(batch: Batch, calls: number, repetitions: number): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('bytes cannot be measured without --expose-gc');
  const results: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    await batch(calls);
    results.push((process.memoryUsage().heapUsed - before) / calls);
  }
  // A collection in between makes a result too small, never too large.
  return quantile(results, 0.75);
}

/** The cost of each subject, by name. Needs a process started with MEASURE_FLAGS. */
export async function measure<Name extends string>(
  subjects: Readonly<Record<Name, Batch>>,
  plan: MeasurePlan,
): Promise<Record<Name, Cost>> {
  const entries = Object.entries(subjects) as [Name, Batch][];
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  for (const [, batch] of entries) await batch(plan.warmUpCalls);
  for (let i = 0; i < plan.batches; i++) {
    for (const [name, batch] of entries) times.get(name)?.push(await timeOf(batch, plan.callsPerBatch));
    // Timers and exporters get their turn outside the measured time.
    if (i % 20 === 0) await pause(0);
  }
  const costs: Partial<Record<Name, Cost>> = {};
  for (const [name, batch] of entries) {
    const samples = times.get(name) as number[];
    const bytes = await bytesOf(batch, plan.callsPerBatch, plan.byteBatches);
    costs[name] = { nsMedian: median(samples), nsBest: quantile(samples, 0.1), bytes };
  }
  return costs as Record<Name, Cost>;
}
