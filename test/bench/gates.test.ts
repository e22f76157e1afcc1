// The budgets that repeat well enough to be gates: the stack without a network, and the import. Time gates take the best of
// several repetitions, each in a fresh process, because the machine may be busy and a process may be unlucky with its machine
// code, and grow with a yardstick where the machine is slow; bytes are held strictly. What the gates measure with is itself tested on stacks that are too slow or too hungry.
import { beforeAll, describe, expect, it } from 'vitest';
import { IMPORT_MS, STACK_BYTES, STACK_NS, TRACED_STACK_NS, TRACED_STACK_SPANS, UNDICI_IMPORT_MS } from '../../bench/budgets.ts';
import { IMPORT_AND_CREATE, IMPORT_ONLY, loadedModules, measureImport, unwantedOf } from '../../bench/import-cost.ts';
import { type Handicap, type IsolatedCost, measureVariant } from '../../bench/isolated.ts';
import { buildIfStale } from '../../bench/library.ts';
import { SHORT_MEASURE } from '../../bench/measure.ts';

const REPETITIONS = 4;
const TIMEOUT_MS = 60_000;

/** Least result of several repetitions; stops at the first that keeps the budget. A result is given as a share of its budget. */
async function best(measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPETITIONS && least > 1; i++) least = Math.min(least, await measure());
  return least;
}

/** The best decile of many short batches: what the stack costs when nothing else has the core. */
async function stackNs(handicap: Handicap = 'none'): Promise<number> {
  return (await measureVariant('off', SHORT_MEASURE, handicap)).over.nsBest;
}

/** Of the budget, which grows where the machine is slower than the one it was set on. */
async function tracedShare(): Promise<number> {
  const { over, span } = await measureVariant('on', SHORT_MEASURE);
  return over.nsBest / Math.max(TRACED_STACK_NS, TRACED_STACK_SPANS * (span?.nsBest ?? 0));
}

async function importShare(): Promise<number> {
  const { beyondMs, undiciMs } = await measureImport(5);
  return beyondMs / (IMPORT_MS * Math.max(1, undiciMs / UNDICI_IMPORT_MS));
}

beforeAll(() => buildIfStale(), TIMEOUT_MS);

describe('the stack without a network', () => {
  it(`costs at most ${STACK_NS} ns over the bare leaf`, { timeout: TIMEOUT_MS }, async () => {
    expect(await best(async () => (await stackNs()) / STACK_NS)).toBeLessThanOrEqual(1);
  });

  it(`allocates at most ${STACK_BYTES} bytes over the bare leaf`, { timeout: TIMEOUT_MS }, async () => {
    const { over }: IsolatedCost = await measureVariant('off', { ...SHORT_MEASURE, batches: 1 });
    expect(over.bytes).toBeLessThanOrEqual(STACK_BYTES);
    // Less than the one object per attempt would mean that nothing was measured.
    expect(over.bytes).toBeGreaterThan(100);
  });

  it(`costs at most ${TRACED_STACK_NS} ns when every call is sampled`, { timeout: TIMEOUT_MS }, async () => {
    expect(await best(tracedShare)).toBeLessThanOrEqual(1);
  });
});

describe('what the gates measure with', () => {
  it('sees a layer that is too slow', { timeout: TIMEOUT_MS }, async () => {
    expect(await stackNs('slow')).toBeGreaterThan(STACK_NS);
  });

  it('sees a layer that allocates too much', { timeout: TIMEOUT_MS }, async () => {
    const { over } = await measureVariant('off', { ...SHORT_MEASURE, batches: 1 }, 'hungry');
    expect(over.bytes).toBeGreaterThan(STACK_BYTES);
  });

  it('sees an import that is too dear, and a module that must not be there', { timeout: TIMEOUT_MS }, async () => {
    expect((await measureImport(1, { subject: '@opentelemetry/sdk-node' })).beyondMs).toBeGreaterThan(IMPORT_MS);
    expect(unwantedOf(await loadedModules(`await import('yaml'); await import('@grpc/grpc-js');`)).length).toBeGreaterThan(1);
  });
});

describe('import of the package', () => {
  it(`costs at most ${IMPORT_MS} ms CPU beyond undici`, { timeout: TIMEOUT_MS }, async () => {
    expect(await best(importShare)).toBeLessThanOrEqual(1);
  });

  it('loads no gRPC, no YAML parser, no OpenTelemetry SDK, no cockatiel', async () => {
    const urls = await loadedModules(IMPORT_ONLY);
    expect(urls.some((url) => url.endsWith('/dist/index.js'))).toBe(true);
    expect(unwantedOf(urls)).toEqual([]);
  });

  it('nor does a mesh made of an object', async () => {
    const urls = await loadedModules(IMPORT_AND_CREATE);
    expect(urls.some((url) => url.includes('/undici/'))).toBe(true);
    expect(unwantedOf(urls)).toEqual([]);
  });
});
