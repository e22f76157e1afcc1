// The short form; the long one is in round-trip.long.test.ts.
import { expect, it } from 'vitest';
import { roundTrips } from './round-trips.ts';

it('a configuration goes out to Istio and comes back', async () => {
  // Or else too much was called lost for the calls to mean anything.
  expect(await roundTrips('istio', 200)).toBeGreaterThan(1_500);
});
