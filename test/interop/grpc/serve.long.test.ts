// Both ends of inmesh with mTLS, certificates changing, the endpoint dialled by its address: grpc-js 1.12 to 1.14 on Node 22, 24
// and 26, each in a process of its own. Node 26 refuses IP addresses as TLS server names, which must not matter.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { nodeBinary, type NodeMajor } from '../nodes.ts';
import type { GrpcRotationResult } from './rotation-rig.ts';

const CHILD = fileURLToPath(new URL('rotation-child.ts', import.meta.url));
const VERSIONS = ['grpc-js-1.12', 'grpc-js-1.13', '@grpc/grpc-js'];
const NODES: readonly NodeMajor[] = [22, 24, 26];

describe.each(NODES)('Node %i', (major) => {
  it.each(VERSIONS)('%s', async (version) => {
    const node = await nodeBinary(major);
    if (node === null) return;
    const args = ['--disable-warning=ExperimentalWarning', CHILD, version, '1500'];
    const { stdout } = await promisify(execFile)(node, args, { timeout: 30_000 });
    const { failures, strangers, calls, streams } = JSON.parse(stdout) as GrpcRotationResult;
    expect({ failures, strangers }).toEqual({ failures: [], strangers: 0 });
    expect(Math.min(calls, streams)).toBeGreaterThan(1);
  });
});
