// The compatibility matrix of one install: every client through every scenario, on a Node of its own. The tests run a part of it, and
// `npm run compat` all. That of gRPC is in grpc/matrix-run.ts.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Cell } from './matrix-child.ts';
import { type NodeMajor, nodeBinary } from './nodes.ts';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('matrix-child.ts', import.meta.url));
const DIST = new URL('../../dist/', import.meta.url);
const RUN_MS_MAX = 120_000;

/** As many ways to call as one install serves. */
export const CLIENTS = 17;

export type MatrixResults = ReadonlyMap<NodeMajor, readonly Cell[]>;

/** Null when that Node cannot be had. */
export async function runMatrix(major: NodeMajor): Promise<readonly Cell[] | null> {
  if (!existsSync(new URL('index.js', DIST))) throw new Error('there is no dist/; run "npm run build" first');
  const binary = await nodeBinary(major);
  if (binary === null) return null;
  const { stdout } = await run(binary, ['--disable-warning=ExperimentalWarning', CHILD, DIST.href], {
    timeout: RUN_MS_MAX,
    maxBuffer: 4 * 1024 * 1024,
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy|^NODE_OPTIONS$/i.test(name))),
  });
  return JSON.parse(stdout) as Cell[];
}

export function failuresOf(cells: readonly Cell[]): string[] {
  return cells.flatMap(({ client, failed }) => failed.map((failure) => `${client}: ${failure}`));
}

function text(results: MatrixResults, major: NodeMajor, client: string): string {
  const found = results.get(major)?.find((one) => one.client === client);
  if (found === undefined) return 'left out';
  return found.failed.length === 0 ? `${found.passed} passed` : `${found.passed} passed, ${found.failed.length} FAILED`;
}

/** Client × Node, one line each. */
export function matrixRows(results: MatrixResults, majors: readonly NodeMajor[]): string[][] {
  const clients = [...results.values()][0]?.map(({ client }) => client) ?? [];
  return [
    ['client', ...majors.map((major) => `Node ${major}`)],
    ...clients.map((one) => [one, ...majors.map((major) => text(results, major, one))]),
  ];
}
