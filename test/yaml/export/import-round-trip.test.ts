// The short form; the long one is in round-trip.long.test.ts.
import { expect, it } from 'vitest';
import { importRoundTrips } from './import-round-trips.ts';

it('import keeps all of a concise configuration', async () => {
  expect(await importRoundTrips(200)).toBeGreaterThan(150);
});
