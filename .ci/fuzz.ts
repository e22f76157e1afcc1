// `npm run fuzz -- [--target regex] [--seconds 60] [--seed 1] [--runs 100000] [--keep]`: every target for so many seconds, by
// its branches. Prints one line for each, and for a find the input, made small, to be put into test/fuzz/corpus; `--keep` writes
// what reached new blocks there. A target runs in a thread of its own, so that an input that never ends is found, too.
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { readCorpus, writeCorpus } from '../test/fuzz/corpus.ts';
import { PLANTED, TARGETS } from '../test/fuzz/targets.ts';
import type { FuzzReport, FuzzTask } from './fuzz-thread.ts';

const INPUT_BYTES_MAX = 65_536;
/** An input that takes this long will not end. */
const STUCK_MS = 10_000;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
    blind: { type: 'boolean', default: false },
  },
});

/** One target, to its end or until it hangs. */
function fuzz(task: Omit<FuzzTask, 'beat'>): Promise<FuzzReport> {
  const beat = new SharedArrayBuffer(8 + INPUT_BYTES_MAX);
  const head = new Int32Array(beat, 0, 2);
  const worker = new Worker(new URL('fuzz-thread.ts', import.meta.url), { workerData: { ...task, beat } });
  return new Promise((resolve, reject) => {
    let runs = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(head, 0);
      if (now === runs && now > 0) {
        const input = Buffer.from(beat, 8, Atomics.load(head, 1)).toString('utf8');
        resolve({ runs: now, blocks: 0, kept: [], find: { input, fault: `takes more than ${STUCK_MS / 1_000} s` } });
        void worker.terminate();
      }
      runs = now;
    }, STUCK_MS);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(watch));
  });
}

const wanted = values.target ?? TARGETS.map(({ name }) => name);
const known = [...TARGETS, PLANTED].map(({ name }) => name);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no target ${unknown.join(', ')}. Targets: ${known.join(', ')}.`);
  process.exit(2);
}
const seed = Number(values.seed);
let finds = 0;
for (const target of wanted) {
  const started = performance.now();
  const report = await fuzz({ target, seed, seconds: Number(values.seconds), runsMax: Number(values.runs), isBlind: values.blind });
  const seconds = (performance.now() - started) / 1_000;
  const perSecond = Math.round(report.runs / seconds);
  const end = report.find === null ? 'nothing found' : 'FOUND';
  console.log(
    `${target}: ${report.runs} runs in ${seconds.toFixed(1)} s (${perSecond}/s), ${report.blocks} characters of code, seed ${seed}: ${end}`,
  );
  if (report.find !== null) {
    finds++;
    console.log(`  input ${JSON.stringify(report.find.input)}\n  ${report.find.fault.split('\n').slice(0, 6).join('\n  ')}`);
  }
  if (values.keep && target !== PLANTED.name) writeCorpus(target, [...readCorpus(target), ...report.kept]);
}
process.exitCode = finds === 0 ? 0 : 1;
