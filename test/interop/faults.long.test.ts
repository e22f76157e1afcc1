// The whole fault matrix on the own Node, with what takes long and what needs a network of its own.
import { expect, it } from 'vitest';
import { grpcClient } from '../../src/grpc.ts';
import { createMesh } from '../../src/index.ts';
import { ROWS } from './faults/rows.ts';
import { runRows } from './faults/run-rows.ts';

it('every row of the fault matrix is as promised', { timeout: 300_000 }, async () => {
  const results = await runRows(ROWS, { createMesh, grpcClient }, { isLong: true });
  const skipped = new Set(results.flatMap(({ skipped: why }) => why ?? []));
  for (const why of skipped) process.stdout.write(`left out: ${why}\n`);
  expect(results.filter(({ isKept }) => !isKept)).toEqual([]);
});
