// The fault matrix on the own Node, without what takes long; `npm run faults` runs all of it on every Node and writes the page.
import { beforeAll, describe, expect, it } from 'vitest';
import { grpcClient } from '../../src/grpc.ts';
import { createMesh } from '../../src/index.ts';
import type { FaultRow } from './faults/row.ts';
import { ROWS } from './faults/rows.ts';
import { type CellResult, runRows } from './faults/run-rows.ts';

let results: readonly CellResult[];

/** What waits for timeouts, or for another process, is too long for the short form. */
const SLOW = /^(?:mute|dribble-head|h2-no-streams|try-precision|clock-jump|loop-stall|unread-body|sigterm|.*body-(?:stalls|drips))$/;

/** One of each class: a gRPC cell makes four meshes and six servers. */
const GRPC =
  /^(?:refused|h2-refused-once|h2-goaway-zero|fin-after-request|h2-cancel-body|h2-extra-bytes|grpc-http-503|grpc-pushback-never)$/;

function short(row: FaultRow): FaultRow {
  const { grpc, ...cells } = row.cells;
  return grpc === undefined || GRPC.test(row.id) ? row : { ...row, cells };
}

describe('a call through a mesh, over real sockets', () => {
  beforeAll(async () => {
    results = await runRows(ROWS.map(short), { createMesh, grpcClient }, { only: ({ id }) => !SLOW.test(id), atOnce: 16 });
  }, 60_000);

  it('comes to what is promised', () => {
    expect(results.filter(({ isKept }) => !isKept)).toEqual([]);
    expect(results.length).toBeGreaterThan(50);
  });
});

describe('the fault matrix', () => {
  it('has a cell, or a reason, for every protocol of every row', () => {
    const holes = ROWS.flatMap(({ id, cells, notFor }) =>
      Object.keys(cells).length === 0 && Object.keys(notFor ?? {}).length === 0 ? [id] : [],
    );
    expect(holes).toEqual([]);
    expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length);
  });

  it('sees a promise that is broken', async () => {
    const [row] = ROWS.filter(({ id }) => id === 'rst-after-request');
    const cell = row?.cells.http1 as { expected: object };
    const wrong = { ...row, cells: { http1: { ...cell, expected: { get: '200 ok ×1', post: '200 ok ×1', spare: '200 ok ×1' } } } };
    expect((await runRows([wrong as never], { createMesh, grpcClient })).map(({ isKept }) => isKept)).toEqual([false]);
  });
});
