// The budgets of large configurations: 10,000 documents loaded in under 2 s, a decision among 1,000 rules in at most 3 µs.
// Each is measured in a fresh process with the compiled package.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildIfStale } from '../../bench/library.ts';

const LOAD_MS = 2_000;
const DECISION_NS = 3_000;
const REPETITIONS = 4;
const TIMEOUT_MS = 90_000;

interface LoadCost {
  readonly documents: number;
  readonly resources: number;
  readonly services?: number;
  readonly issues?: readonly unknown[];
  readonly wallMs: number;
  readonly cpuMs: number;
}

const LOAD_CHILD = fileURLToPath(new URL('load-child.ts', import.meta.url));
const DECISION_CHILD = fileURLToPath(new URL('decision-child.ts', import.meta.url));

async function answerOf<T>(script: string, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args]);
  return JSON.parse(stdout) as T;
}

/** Where others have the processor, the time that the process had of it says what it would take alone. */
function leastMs({ wallMs, cpuMs }: LoadCost): number {
  return Math.min(wallMs, cpuMs);
}

beforeAll(() => buildIfStale(), TIMEOUT_MS);

describe('10,000 documents of 100 services', () => {
  it(`load in under ${LOAD_MS} ms`, { timeout: TIMEOUT_MS }, async () => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < REPETITIONS && least >= LOAD_MS; i++) {
      const cost = await answerOf<LoadCost>(LOAD_CHILD);
      expect(cost.issues).toBeUndefined();
      expect(cost.documents).toBe(10_000);
      expect(cost.resources).toBe(10_000);
      expect(cost.services).toBeGreaterThanOrEqual(100);
      least = leastMs(cost);
    }
    expect(least).toBeLessThan(LOAD_MS);
  });

  it('load in twice that when none of the files is written simply', { timeout: TIMEOUT_MS }, async () => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < REPETITIONS && least >= 2 * LOAD_MS; i++) least = leastMs(await answerOf<LoadCost>(LOAD_CHILD, 'odd'));
    expect(least).toBeLessThan(2 * LOAD_MS);
  });
});

describe('a decision among 1,000 rules, none of which matches', () => {
  it(`costs at most ${DECISION_NS} ns, and would cost more without the index`, { timeout: TIMEOUT_MS }, async () => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < REPETITIONS && least > DECISION_NS; i++) {
      const { told, asked } = await answerOf<{ told: number; asked: number }>(DECISION_CHILD);
      least = told;
      expect(asked).toBeGreaterThan(DECISION_NS);
    }
    expect(least).toBeLessThanOrEqual(DECISION_NS);
  });
});
