import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { RingTable } from '../../src/balance/ring-hash.ts';
import { xxHash64 } from '../../src/balance/xxhash64.ts';
import { hash64, local } from './endpoint-list.ts';

const SIZE_MAX = 8_388_608;
const MAX = 0xffffffffffffffffn;

const portOf = ({ port }: LiveEndpoint): number => port;
const six = (): LiveEndpoint[] => local([90, 91, 92, 93, 94, 95]);

function countsOf(ring: RingTable, keys: number): Map<number, number> {
  const counts = new Map<number, number>();
  const step = MAX / BigInt(keys);
  for (let i = 0n; i < keys; i++) {
    const port = portOf(ring.at(hash64(i * step), 0));
    counts.set(port, (counts.get(port) ?? 0) + 1);
  }
  return counts;
}

/** Where each of many keys goes. */
function placesOf(ring: RingTable, keys: number): LiveEndpoint[] {
  const hash = hash64(0n);
  return Array.from({ length: keys }, (_, i) => {
    xxHash64(`key ${i}`, hash);
    return ring.at(hash, 0);
  });
}

describe("Envoy's ring (ring_hash_lb_test.cc)", () => {
  it.each([
    [0n, 94],
    [MAX, 94],
    [833437586790550860n, 94],
    [833437586790550861n, 92],
    [3551244743356806947n, 95],
    [3551244743356806948n, 93],
    [5583722120771150862n, 91],
    [6311230543546372929n, 93],
    [13444792449719432968n, 94],
    [16117243373044804880n, 90],
    [16117243373044804890n, 94],
  ])('Basic: the hash %d goes to %i', (hash, port) => {
    const ring = new RingTable(six(), 12, SIZE_MAX);
    expect(ring.steps).toBe(12);
    expect(portOf(ring.at(hash64(hash), 0))).toBe(port);
  });

  it('BasicWithRetryHostPredicate: on to the next entries, and around', () => {
    const ring = new RingTable(six(), 12, SIZE_MAX);
    expect([0, 1, 2, 13].map((step) => portOf(ring.at(hash64(0n), step)))).toEqual([94, 92, 90, 92]);
  });

  it('UnevenHosts: each a whole number of entries', () => {
    expect(new RingTable(local([80, 81]), 3, SIZE_MAX).steps).toBe(4);
    expect(portOf(new RingTable(local([81, 82]), 3, SIZE_MAX).at(hash64(0n), 0))).toBe(81);
    expect(portOf(new RingTable(local([81, 82]), 3, SIZE_MAX).at(hash64(7859399908942313494n), 0))).toBe(82);
  });

  it.each([
    [928266305478181108n, 92],
    [4443673547860492590n, 92],
    [5583722120771150861n, 91],
    [6311230543546372928n, 91],
    [13444792449719432967n, 92],
    [16117243373044804889n, 90],
  ])('HostWeightedTinyRing: %d goes to %i', (hash, port) => {
    const ring = new RingTable(local([90, 91, 92], [1, 2, 3]), 6, 6);
    expect(ring.steps).toBe(6);
    expect(portOf(ring.at(hash64(hash), 0))).toBe(port);
  });

  it('HostWeightedLargeRing: by weight', () => {
    const ring = new RingTable(local([90, 91, 92], [1, 2, 3]), 6_144, SIZE_MAX);
    expect(ring.steps).toBe(6_144);
    expect(Object.fromEntries(countsOf(ring, 6_000))).toEqual({ 90: 987, 91: 1_932, 92: 3_081 });
  });

  it('SmallFractionalScale: a ring smaller than the set has no place for some', () => {
    const ring = new RingTable(local([90, 91, 92, 93]), 2, 2);
    expect(ring.steps).toBe(2);
    expect(countsOf(ring, 1_024).size).toBe(2);
  });

  it('LargeFractionalScale: fractions even out', () => {
    const ring = new RingTable(local([90, 91]), 1_023, 1_023);
    expect(ring.steps).toBe(1_023);
    expect(Object.fromEntries(countsOf(ring, 1_023))).toEqual({ 90: 526, 91: 497 });
  });
});

describe('a ring', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 2, maxLength: 12 });

  it('gives each about its weight', () => {
    fc.assert(
      fc.property(ports, fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 12, maxLength: 12 }), (all, weights) => {
        const endpoints = local(all, weights);
        const total = endpoints.reduce((sum, { weight }) => sum + weight, 0);
        const places = placesOf(new RingTable(endpoints, 1_024, SIZE_MAX), 500);
        for (const endpoint of endpoints) {
          const share = places.filter((place) => place === endpoint).length / places.length;
          expect(Math.abs(share - endpoint.weight / total)).toBeLessThan(0.15);
        }
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('moves, when one goes, its keys and those that the entries added for the others take', () => {
    fc.assert(
      fc.property(ports, fc.nat(), (all, which) => {
        const endpoints = local(all);
        const gone = endpoints[which % endpoints.length] as LiveEndpoint;
        const before = new RingTable(endpoints, 256, SIZE_MAX);
        const after = new RingTable(
          endpoints.filter((endpoint) => endpoint !== gone),
          256,
          SIZE_MAX,
        );
        // Envoy scales the ring to its least size, so that fewer endpoints have more entries each.
        const grown = 1 - before.steps / endpoints.length / (after.steps / (endpoints.length - 1));
        const left = placesOf(before, 400);
        const moved = placesOf(after, 400).filter((place, i) => place !== left[i] && left[i] !== gone).length / 400;
        expect(moved).toBeLessThanOrEqual(grown + 0.08);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
