import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { MaglevTable } from '../../src/balance/maglev.ts';
import { hash64, local } from './endpoint-list.ts';

/** Large enough that two permutations seldom walk in step. */
const SIZE = 5_003;

/** Whose each entry of a table is, by port. */
function ownersOf(endpoints: readonly LiveEndpoint[], size: number): number[] {
  const table = new MaglevTable(endpoints, size);
  return Array.from({ length: size }, (_, i) => table.at(hash64(BigInt(i)), 0).port);
}

describe("Envoy's table (maglev_lb_test.cc)", () => {
  it('Basic', () => {
    expect(ownersOf(local([90, 91, 92, 93, 94, 95]), 7)).toEqual([92, 94, 90, 91, 95, 90, 93]);
  });

  it('BasicStability: in any order', () => {
    expect(ownersOf(local([93, 90, 95, 94, 91, 92]), 7)).toEqual([92, 94, 90, 91, 95, 90, 93]);
  });

  it('BasicWithRetryHostPredicate: another step is another hash', () => {
    const table = new MaglevTable(local([90, 91, 92, 93, 94, 95]), 7);
    expect([0, 1, 2].map((step) => table.at(hash64(10n), step).port)).toEqual([91, 90, 95]);
  });

  it('Weighted', () => {
    const expected = '1 0 0 1 0 1 1 0 1 1 1 1 1 0 1 0 1'.split(' ').map((one) => 90 + Number(one));
    expect(ownersOf(local([90, 91], [1, 2]), 17)).toEqual(expected);
  });

  it('LocalityWeightedSameLocalityWeights: equal normalized weights', () => {
    const expected = '1 0 0 1 0 1 1 0 0 1 0 1 0 0 1 0 1'.split(' ').map((one) => 90 + Number(one));
    expect(ownersOf(local([90, 91], [7, 7]), 17)).toEqual(expected);
  });

  it('takes the remainder of all 64 bits', () => {
    const table = new MaglevTable(local([90, 91]), 4_999_999);
    const owners = new Map<bigint, number>();
    for (const hash of [0xffffffffffffffffn, 0x8000000000000000n, 0x123456789abcdef0n]) {
      owners.set(hash, table.at(hash64(hash), 0).port);
      expect(table.at(hash64(hash % 4_999_999n), 0).port).toBe(owners.get(hash));
    }
  });
});

describe('a table', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 2, maxLength: 10 });

  it('gives each its weight, but for a few entries', () => {
    fc.assert(
      fc.property(ports, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 10, maxLength: 10 }), (all, weights) => {
        const endpoints = local(all, weights);
        const total = endpoints.reduce((sum, { weight }) => sum + weight, 0);
        const owners = ownersOf(endpoints, SIZE);
        for (const { port, weight } of endpoints) {
          const share = owners.filter((owner) => owner === port).length / SIZE;
          expect(Math.abs(share - weight / total)).toBeLessThan(0.01);
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('moves at most 1/n + 0.05 of the keys when one of n goes, or comes', () => {
    fc.assert(
      fc.property(ports, fc.nat(), (all, which) => {
        const endpoints = local(all);
        const before = ownersOf(endpoints, SIZE);
        const after = ownersOf(
          endpoints.filter((_, i) => i !== which % endpoints.length),
          SIZE,
        );
        const moved = after.filter((owner, i) => owner !== before[i]).length / SIZE;
        expect(moved).toBeLessThanOrEqual(1 / endpoints.length + 0.05);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
