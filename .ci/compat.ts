// `npm run compat`: the compatibility matrix. One install on Node 22, 24 and 26 with built-in fetch and undici 6, 7 and 8 (every client
// through every scenario of test/interop), then the calls that Bun, Deno and workerd can make (compat/). Prints one table; a runtime
// that cannot be had here says so in one sentence. --node 24, --json; the exit code says whether every cell is green.
import { parseArgs } from 'node:util';
import { failuresOf, matrixRows, matrixTable, type MatrixResults, runMatrix } from '../test/interop/matrix-run.ts';
import type { Cell } from '../test/interop/matrix-child.ts';
import type { NodeMajor } from '../test/interop/nodes.ts';
import { runRuntimes } from '../compat/runtimes.ts';

const MAJORS: readonly NodeMajor[] = [22, 24, 26];

const { values: options } = parseArgs({
  options: {
    node: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (options.help) {
    console.log('npm run compat -- [--node 22|24|26] [--json]');
    return 0;
  }
  const majors = MAJORS.filter((major) => options.node === undefined || String(major) === options.node);
  const results = new Map<NodeMajor, readonly Cell[]>();
  for (const major of majors) {
    const cells = await runMatrix(major);
    if (cells !== null) results.set(major, cells);
  }
  const runtimes = options.node === undefined ? await runRuntimes() : [];
  if (options.json) console.log(JSON.stringify({ nodes: [...results], runtimes }, null, 2));
  else show(results, majors, runtimes);
  const isGreen = [...results.values()].every((cells) => failuresOf(cells).length === 0);
  return isGreen && runtimes.every(({ state }) => state !== 'failed') ? 0 : 1;
}

function show(results: MatrixResults, majors: readonly NodeMajor[], runtimes: Awaited<ReturnType<typeof runRuntimes>>): void {
  console.log(matrixTable(matrixRows(results, majors)));
  for (const [major, cells] of results) for (const failure of failuresOf(cells)) console.log(`Node ${major}, ${failure}`);
  console.log('');
  for (const { runtime, state, detail } of runtimes) console.log(`${runtime.padEnd(8)} ${state.padEnd(8)} ${detail}`);
}

process.exitCode = await main();
