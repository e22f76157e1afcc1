// The built package with grpc-js 1.10 to 1.14 on Node 22, 24 and 26, each in a process of its own: the same outcome everywhere.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { nodeBinary, type NodeMajor } from '../nodes.ts';

const CHILD = fileURLToPath(new URL('matrix-child.ts', import.meta.url));
const VERSIONS = ['grpc-js-1.10', 'grpc-js-1.12', 'grpc-js-1.13', '@grpc/grpc-js'];
const NODES: readonly NodeMajor[] = [22, 24, 26];

const ten = '0,1,2,3,4,5,6,7,8,9';
const EXPECTED = {
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

describe.each(NODES)('Node %i', (major) => {
  it.each(VERSIONS)('%s', async (version) => {
    const node = await nodeBinary(major);
    if (node === null) return;
    const { stdout } = await promisify(execFile)(node, ['--disable-warning=ExperimentalWarning', CHILD, version], { timeout: 30_000 });
    expect(JSON.parse(stdout)).toEqual(EXPECTED);
  });
});
