// The built package with grpc-js 1.10 to 1.14 on Node 22, 24 and 26, each in a process of its own: the same outcome everywhere.
import { describe, expect, it } from 'vitest';
import type { NodeMajor } from '../nodes.ts';
import { GRPC_EXPECTED, GRPC_VERSIONS, runGrpc } from './matrix-run.ts';

const NODES: readonly NodeMajor[] = [22, 24, 26];

describe.each(NODES)('Node %i', (major) => {
  it.each(Object.entries(GRPC_VERSIONS))('%s', { timeout: 70_000 }, async (_name, version) => {
    const got = await runGrpc(major, version);
    if (got !== null) expect(got).toEqual(GRPC_EXPECTED);
  });
});
