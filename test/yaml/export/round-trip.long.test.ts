import { expect, it } from 'vitest';
import { importRoundTrips } from './import-round-trips.ts';
import { roundTrips } from './round-trips.ts';

it.each([
  ['istio', 8_000],
  ['gateway-api', 2_400],
  ['linkerd', 2_400],
  ['smi', 2_000],
] as const)('1,000 configurations go out to %s and come back', async (target, least) => {
  expect(await roundTrips(target, 1_000)).toBeGreaterThan(least);
});

it('1,000 configurations are imported', async () => {
  expect(await importRoundTrips(1_000)).toBeGreaterThan(750);
});
