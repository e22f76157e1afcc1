// `npm run faults`: every row of the fault matrix (test/interop/faults) on Node 22, 24 and 26, against the package as it is
// published. Prints what is not as promised and writes docs/reliability.md. --only refused, --node 24, --dist <folder>, --json, --no-docs,
// --progress (a line per cell on stderr); the exit code says whether every promise is kept. Takes about seven minutes.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { CellResult } from '../test/interop/faults/run-rows.ts';
import { ROWS } from '../test/interop/faults/rows.ts';
import { NODE_VERSIONS, nodeBinary, type NodeMajor } from '../test/interop/nodes.ts';
import { type NodeResults, reliabilityTable } from './lib/reliability-table.ts';
import { replaceSection } from './lib/markdown-section.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(ROOT, 'docs/reliability.md');
const CHILD = join(ROOT, 'test/interop/faults/child.ts');
const RUN_MS_MAX = 900_000;
const MAJORS: readonly NodeMajor[] = [22, 24, 26];
const run = promisify(execFile);

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    node: { type: 'string' },
    dist: { type: 'string', default: join(ROOT, 'dist') },
    json: { type: 'boolean', default: false },
    progress: { type: 'boolean', default: false },
    'no-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const DIST = pathToFileURL(`${resolve(options.dist)}/`).href;

async function runOn(major: NodeMajor): Promise<NodeResults | null> {
  const binary = await nodeBinary(major);
  if (binary === null) return null;
  const child = run(binary, ['--disable-warning=ExperimentalWarning', CHILD, DIST, options.only], {
    timeout: RUN_MS_MAX,
    maxBuffer: 16 * 1024 * 1024,
  });
  if (options.progress) child.child.stderr?.pipe(process.stderr);
  const { stdout } = await child;
  return { major, version: NODE_VERSIONS[major], results: JSON.parse(stdout) as CellResult[] };
}

async function main(): Promise<number> {
  if (options.help) {
    console.log(
      'npm run faults -- [--only <part of a row id>] [--node 22|24|26] [--dist <folder of a build>] [--json] [--no-docs] [--progress]',
    );
    return 0;
  }
  if (!existsSync(join(options.dist, 'index.js'))) throw new Error(`there is no build in ${options.dist}; run "npm run build" first`);
  const majors = MAJORS.filter((major) => options.node === undefined || String(major) === options.node);
  const nodes: NodeResults[] = [];
  for (const major of majors) {
    const one = await runOn(major);
    if (one === null) continue;
    nodes.push(one);
    if (!options.json) tell(one);
  }
  if (options.json) console.log(JSON.stringify(nodes, null, 2));
  const isWhole = options.only === '' && nodes.length === MAJORS.length;
  if (isWhole && !options['no-docs']) {
    writeFileSync(PAGE, replaceSection(readFileSync(PAGE, 'utf8'), 'faults', reliabilityTable(ROWS, nodes)));
    console.log('wrote docs/reliability.md');
  }
  return nodes.every(({ results }) => results.every(({ isKept }) => isKept)) ? 0 : 1;
}

function tell({ version, results }: NodeResults): void {
  const broken = results.filter(({ isKept }) => !isKept);
  const skipped = new Set(results.flatMap(({ skipped: why }) => why ?? []));
  console.log(`Node ${version}: ${results.length - broken.length} of ${results.length} cells as promised`);
  for (const why of skipped) console.log(`  left out: ${why}`);
  for (const { id, protocol, observed } of broken) console.log(`  ${id} ${protocol}: ${observed}`);
}

process.exitCode = await main();
