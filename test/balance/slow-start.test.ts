import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { slowStartFactor, warmAt } from '../../src/balance/slow-start.ts';
import type { SlowStartPolicy } from '../../src/model/balancing.ts';
import { BALANCER_DEFAULTS } from '../../src/model/destination.ts';
import { testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { local } from './endpoint-list.ts';

const POLICY: SlowStartPolicy = { windowMs: 60_000, minPercent: 10, aggression: 1 };
const CALL = testCall();

describe('slowStartFactor', () => {
  // weight · max(min, (age / window)^(1 / aggression)). Source: Envoy docs, "Slow start mode".
  it.each<[string, number, Partial<SlowStartPolicy>, number]>([
    ['at first the least share', 0, {}, 0.1],
    ['and as long as the time gives less', 5_000, {}, 0.1],
    ['half of the window', 30_000, {}, 0.5],
    ['nearly all', 59_999, {}, 59_999 / 60_000],
    ['all', 60_000, {}, 1],
    ['long after', 1e9, {}, 1],
    ['of an endpoint as old as can be', Number.POSITIVE_INFINITY, {}, 1],
    ['a greater least share', 5_000, { minPercent: 40 }, 0.4],
    ['aggression above 1 is fast at first', 15_000, { aggression: 2 }, 0.5],
    ['aggression below 1 is slow at first', 30_000, { aggression: 0.5 }, 0.25],
    ['no age counts as a millisecond', 0, { minPercent: 0 }, 1 / 60_000],
  ])('%s', (_name, ageMs, policy, factor) => {
    expect(slowStartFactor({ ...POLICY, ...policy }, ageMs)).toBeCloseTo(factor, 12);
  });

  it('is between the least share and 1, and never falls', () => {
    const policies = fc.record({
      windowMs: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
      minPercent: fc.integer({ min: 0, max: 100 }),
      aggression: fc.double({ min: 0.1, max: 10, noNaN: true }),
    });
    const age = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(policies, age, age, (policy, one, other) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map((ageMs) => slowStartFactor(policy, ageMs)) as [
          number,
          number,
        ];
        expect(early).toBeGreaterThanOrEqual(policy.minPercent / 100);
        expect(late).toBeLessThanOrEqual(1);
        expect(late).toBeGreaterThanOrEqual(early);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

describe('warmAt', () => {
  it('is when the youngest has its whole weight', () => {
    const endpoints = local([1, 2]);
    for (const [i, upSinceMs] of [10, 500].entries()) (endpoints[i] as LiveEndpoint).upSinceMs = upSinceMs;
    expect(warmAt(POLICY, endpoints)).toBe(60_500);
    expect(warmAt(null, endpoints)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe.each(['roundRobin', 'leastRequest'] as const)('%s with a newcomer', (kind) => {
  function shareOfNewcomer(nowMs: number, weights: readonly number[] = [1, 1, 1, 1]): number {
    const endpoints = local([1, 2, 3, 4], weights);
    for (const endpoint of endpoints) endpoint.upSinceMs = Number.NEGATIVE_INFINITY;
    (endpoints[3] as LiveEndpoint).upSinceMs = 0;
    const picker = makePicker({ ...BALANCER_DEFAULTS, kind, slowStart: POLICY }, seededRandom(1));
    let picks = 0;
    for (let i = 0; i < 3_100; i++) if (picker.pick(endpoints, CALL, nowMs) === endpoints[3]) picks++;
    return picks / 3_100;
  }

  it.each([
    [0, [1, 1, 1, 1], 0.1 / 3.1],
    [30_000, [1, 1, 1, 1], 0.5 / 3.5],
    [60_000, [1, 1, 1, 1], 0.25],
    [0, [1, 1, 1, 2], 0.2 / 3.2],
    [60_000, [1, 1, 1, 2], 0.4],
  ])('after %i ms, weights %j', (nowMs, weights, share) => {
    expect(shareOfNewcomer(nowMs, weights)).toBeCloseTo(share, 1);
    expect(Math.abs(shareOfNewcomer(nowMs, weights) - share)).toBeLessThan(0.02);
  });
});
