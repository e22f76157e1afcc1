// The short form; the long one is beside it.
import { expect, it } from 'vitest';
import { roundTrips } from './round-trips.ts';

it.each([
  ['gateway-api', 450],
  ['linkerd', 450],
  ['smi', 350],
] as const)('a configuration goes out to %s and comes back', async (target, least) => {
  // Or else too much was called lost for the calls to mean anything.
  expect(await roundTrips(target, 200)).toBeGreaterThan(least);
});
