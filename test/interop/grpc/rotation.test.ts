// The short form of `npm run rotation` for gRPC: no unary call and no stream fails while certificates and roots change.
import { expect, it } from 'vitest';
import { rotateGrpcUnderLoad } from './rotation-rig.ts';

it('rotation under load fails no call and no stream', async () => {
  const result = await rotateGrpcUnderLoad({ forMs: 2_000, everyMs: 150, callers: 3 });
  expect(result.failures).toEqual([]);
  expect(result.strangers).toBe(0);
  expect(result.calls).toBeGreaterThan(5);
  expect(result.streams).toBeGreaterThan(1);
  expect(result.roots).toBeGreaterThanOrEqual(2);
  expect(result.generations).toBeGreaterThanOrEqual(2);
});
