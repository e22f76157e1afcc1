// `npm run compat`: the compatibility matrix. One install on Node 22, 24 and 26 with built-in fetch, undici 6, 7 and 8 and grpc-js 1.10 to
// 1.14 (every client through every scenario of test/interop), then Bun, Deno and workerd (compat/). Prints the tables, and a whole run
// writes docs/compatibility.md. What cannot be had here says so in one sentence. --node 24, --json, --no-docs; the exit code says whether
// every cell is green. Takes about two minutes.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runRuntimes } from '../compat/runtimes.ts';
import { GRPC_EXPECTED, GRPC_VERSIONS, runGrpc } from '../test/interop/grpc/matrix-run.ts';
import type { Cell } from '../test/interop/matrix-child.ts';
import { failuresOf, runMatrix } from '../test/interop/matrix-run.ts';
import type { NodeMajor } from '../test/interop/nodes.ts';
import { markdownTable, nodeRows, runtimeFaults, runtimeRows, textTable } from './lib/compatibility-table.ts';
import { replaceSection } from './lib/markdown-section.ts';

const MAJORS: readonly NodeMajor[] = [22, 24, 26];
const PAGE = fileURLToPath(new URL('../docs/compatibility.md', import.meta.url));

const { values: options } = parseArgs({
  options: {
    node: { type: 'string' },
    json: { type: 'boolean', default: false },
    'no-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function grpcCell(major: NodeMajor, client: string, version: string): Promise<Cell> {
  try {
    const got = (await runGrpc(major, version)) ?? {};
    const failed = Object.entries(GRPC_EXPECTED).flatMap(([name, wanted]) => (got[name] === wanted ? [] : [`${name}: ${got[name]}`]));
    return { client, passed: Object.keys(GRPC_EXPECTED).length - failed.length, failed };
  } catch (error) {
    return { client, passed: 0, failed: [(error as Error).message.split('\n').slice(0, 2).join(' ')] };
  }
}

/** Null when that Node cannot be had. */
async function runNode(major: NodeMajor): Promise<readonly Cell[] | null> {
  const cells = await runMatrix(major);
  if (cells === null) return null;
  const grpc: Cell[] = [];
  for (const [client, version] of Object.entries(GRPC_VERSIONS)) grpc.push(await grpcCell(major, client, version));
  return [...cells, ...grpc];
}

async function main(): Promise<number> {
  if (options.help) {
    console.log('npm run compat -- [--node 22|24|26] [--json] [--no-docs]');
    return 0;
  }
  const majors = MAJORS.filter((major) => options.node === undefined || String(major) === options.node);
  const results = new Map<NodeMajor, readonly Cell[]>();
  for (const major of majors) {
    const cells = await runNode(major);
    if (cells !== null) results.set(major, cells);
  }
  const runtimes = options.node === undefined ? await runRuntimes() : [];
  const failures = [...results].flatMap(([major, cells]) => failuresOf(cells).map((failure) => `Node ${major}, ${failure}`));
  const faults = [...failures, ...runtimeFaults(runtimes)];
  const missing = runtimes.flatMap(({ runtime, leftOut }) => (leftOut === undefined ? [] : [`${runtime} is left out: ${leftOut}`]));
  const [nodes, others] = [nodeRows(results, majors), runtimeRows(runtimes)];
  if (options.json) console.log(JSON.stringify({ nodes: [...results], runtimes }, null, 2));
  else console.log([textTable(nodes), ...(runtimes.length === 0 ? [] : ['', textTable(others)]), ...faults, ...missing].join('\n'));
  if (results.size === MAJORS.length && runtimes.length > 0 && missing.length === 0 && !options['no-docs']) {
    const told = faults.map((fault) => `- ${fault}`).join('\n');
    let page = replaceSection(readFileSync(PAGE, 'utf8'), 'node', markdownTable(nodes));
    page = replaceSection(page, 'runtimes', `${markdownTable(others)}${told === '' ? '' : `\n\nDoes not hold:\n\n${told}`}`);
    writeFileSync(PAGE, page);
    if (!options.json) console.log('wrote docs/compatibility.md');
  }
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = await main();
