// The gRPC matrix of one install: every kind of RPC through one version of grpc-js, on a Node of its own. The tests run it, and `npm run compat`.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeBinary, type NodeMajor } from '../nodes.ts';

const CHILD = fileURLToPath(new URL('matrix-child.ts', import.meta.url));
const DIST = new URL('../../../dist/', import.meta.url).href;
const RUN_MS_MAX = 60_000;

/** Packages by the name that the table gives them. */
export const GRPC_VERSIONS: Readonly<Record<string, string>> = {
  'grpc-js 1.10': 'grpc-js-1.10',
  'grpc-js 1.12': 'grpc-js-1.12',
  'grpc-js 1.13': 'grpc-js-1.13',
  'grpc-js 1.14': '@grpc/grpc-js',
};

const ten = '0,1,2,3,4,5,6,7,8,9';

/** What every version must come to. */
export const GRPC_EXPECTED: Readonly<Record<string, string>> = {
  unary: 'x x',
  down: '0,1 0,1',
  up: '10 10',
  both: `${ten} ${ten}`,
  'unary, one ill': 'x x',
  'up, one ill': '10 10',
  'both, one ill': `${ten} ${ten}`,
  'unary, one hung': 'x x',
  'down, broken': '0,1 0,1,!14',
  deadline: '4',
};

/** What each scenario came to; null when that Node cannot be had. */
export async function runGrpc(major: NodeMajor, version: string): Promise<Readonly<Record<string, string>> | null> {
  const node = await nodeBinary(major);
  if (node === null) return null;
  const args = ['--disable-warning=ExperimentalWarning', CHILD, version, DIST];
  const { stdout } = await promisify(execFile)(node, args, { timeout: RUN_MS_MAX });
  return JSON.parse(stdout) as Record<string, string>;
}
