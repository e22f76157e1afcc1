// The thread of `.ci/fuzz.ts` in which one target runs. Coverage is on before the target's modules are loaded.
import { parentPort, workerData } from 'node:worker_threads';
import { BlockCoverage } from '../test/fuzz/block-coverage.ts';
import type { Find } from '../test/fuzz/fuzzer.ts';

export interface FuzzTask {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  readonly runsMax: number;
  /** Without a look at the branches, to show what the look is worth. */
  readonly isBlind: boolean;
  /** Two numbers, runs and bytes of the input, then the input in UTF-8. */
  readonly beat: SharedArrayBuffer;
}

export interface FuzzReport {
  readonly runs: number;
  readonly blocks: number;
  readonly kept: readonly string[];
  readonly find: Find | null;
}

const { target: name, seed, seconds, runsMax, isBlind, beat } = workerData as FuzzTask;
const coverage = new BlockCoverage(isBlind);
const { Fuzzer } = await import('../test/fuzz/fuzzer.ts');
const { PLANTED, TARGETS } = await import('../test/fuzz/targets.ts');
const { readCorpus } = await import('../test/fuzz/corpus.ts');
const { seededRandom } = await import('../src/sim/seeded-random.ts');

const target = [...TARGETS, PLANTED].find((one) => one.name === name);
if (target === undefined) throw new Error(`there is no target ${name}`);
const head = new Int32Array(beat, 0, 2);
const room = new Uint8Array(beat, 8);
const encoder = new TextEncoder();
const now = (): number => performance.now();

const fuzzer = new Fuzzer(target, await target.start(), {
  coverage,
  random: seededRandom(seed),
  now,
  onInput: (input) => {
    Atomics.store(head, 1, encoder.encodeInto(input, room).written);
    Atomics.add(head, 0, 1);
  },
});
const found = fuzzer.search([...target.seeds, ...readCorpus(name)], runsMax, now() + seconds * 1_000);
const { runs, kept } = fuzzer;
const find = found === null ? null : fuzzer.smaller(found);
const report: FuzzReport = { runs, blocks: coverage.size, kept, find };
coverage.close();
parentPort?.postMessage(report);
