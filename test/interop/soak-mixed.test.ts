// The short form of `npm run soak`: seconds instead of minutes, everything more often.
import { expect, it } from 'vitest';
import { rssSlope, soakBars } from '../../.ci/lib/soak-report.ts';
import { grpcClient } from '../../src/grpc.ts';
import { createMesh } from '../../src/index.ts';
import { soak, type SoakResult } from './soak.ts';

it('everything at once: no call fails, nothing is left', { timeout: 60_000 }, async () => {
  const result = await soak(
    { createMesh, grpcClient },
    {
      forMs: 2_000,
      atOnce: 10,
      restartMs: 700,
      dnsFlapMs: 500,
      reloadMs: 250,
      rotateMs: 400,
      stallEveryMs: 800,
      stallMs: 200,
      faultShare: 0.01,
    },
  );
  expect([result.failures, result.underWay, result.warnings]).toEqual([{}, 0, []]);
  expect(result.calls).toBeGreaterThan(20);
  expect(Math.min(result.reloads, result.restarts, result.rotations)).toBeGreaterThan(0);
});

it('a soak that goes wrong misses its bars', () => {
  const samples = Array.from({ length: 20 }, (_, i) => ({
    atMs: (i + 1) * 60_000,
    calls: 100,
    failed: 0,
    p99Ms: i < 10 ? 30 : 60,
    rssBytes: 1e8 + i * 1_048_576,
  }));
  const bad: SoakResult = {
    samples,
    calls: 2_000,
    failures: { connection_lost: 1 },
    reloads: 1,
    restarts: 1,
    rotations: 1,
    underWay: 2,
    resourcesBefore: { Timeout: 1 },
    resourcesAfter: { Timeout: 3 },
    warnings: ['MaxListenersExceededWarning'],
  };
  expect(rssSlope(samples).perHour).toBeCloseTo(60, 3);
  expect(soakBars(bad).filter(({ isKept }) => isKept)).toEqual([]);
  const good = { ...bad, samples: samples.slice(0, 10).map((one) => ({ ...one, rssBytes: 1e8 })), failures: {}, underWay: 0, warnings: [] };
  expect(soakBars({ ...good, resourcesAfter: { Timeout: 1 } }).filter(({ isKept }) => !isKept)).toEqual([]);
});
