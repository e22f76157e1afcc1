import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subsetOf } from '../../src/balance/subset.ts';
import { local } from './endpoint-list.ts';

const many = (count: number, from = 1): ReturnType<typeof local> => local(Array.from({ length: count }, (_, i) => from + i));

describe('subsetOf', () => {
  it('is all of them when there are not more, or when it is off', () => {
    const all = many(5);
    expect(subsetOf(all, 0, 1)).toBe(all);
    expect(subsetOf(all, 5, 1)).toBe(all);
    expect(subsetOf(all, 9, 1)).toBe(all);
  });

  it('is the same for one process, in the order given, and another for another', () => {
    const all = many(100);
    const ports = (seed: number): number[] => subsetOf(all, 10, seed).map(({ port }) => port);
    expect(ports(7)).toHaveLength(10);
    expect(ports(7)).toEqual(ports(7));
    expect(ports(7)).toEqual(ports(7).toSorted((a, b) => a - b));
    expect(ports(7)).not.toEqual(ports(8));
  });

  it('changes by at most one endpoint when one comes or goes', () => {
    const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(ports, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 0xffffffff }), fc.nat(), (all, size, seed, which) => {
        const before = subsetOf(local(all), size, seed).map(({ port }) => port);
        const gone = all[which % all.length];
        const after = subsetOf(local(all.filter((port) => port !== gone)), size, seed).map(({ port }) => port);
        expect(before.filter((port) => !after.includes(port)).length).toBeLessThanOrEqual(1);
        expect(after.filter((port) => !before.includes(port)).length).toBeLessThanOrEqual(before.includes(gone as number) ? 1 : 0);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('loads endpoints evenly enough: 100 processes, 10 of 100 each', () => {
    const all = many(100);
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 100; seed++) for (const { port } of subsetOf(all, 10, seed)) counts.set(port, (counts.get(port) ?? 0) + 1);
    const spread = Math.sqrt(all.reduce((sum, { port }) => sum + ((counts.get(port) ?? 0) - 10) ** 2, 0) / 100) / 10;
    expect(spread).toBeLessThan(0.4);
  });
});
