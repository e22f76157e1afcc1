import { describe, expect, it } from 'vitest';
import { type Distribution, drawer } from '../../src/sim/distribution.ts';
import { type LoadModel, nextArrivalMs } from '../../src/sim/load.ts';
import { seededRandom, streamOf } from '../../src/sim/seeded-random.ts';

const draws = (count: number, draw: () => number): number[] => Array.from({ length: count }, draw);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('streams', () => {
  it('repeat for a seed and an actor, and differ for another of either', () => {
    const first = draws(5, streamOf(1, 'client 1'));
    expect(draws(5, streamOf(1, 'client 1'))).toEqual(first);
    for (const other of [streamOf(2, 'client 1'), streamOf(1, 'client 2')]) expect(draws(5, other)).not.toEqual(first);
  });

  it('of neighbors are not alike', () => {
    const firsts = Array.from({ length: 1_000 }, (_, i) => streamOf(1, `client ${i}`)());
    expect(new Set(firsts).size).toBe(1_000);
    expect(mean(firsts)).toBeCloseTo(0.5, 1);
  });
});

describe('distributions have their mean', () => {
  it.each<[string, Distribution, number]>([
    ['a number', 20, 20],
    ['lognormal', { kind: 'lognormal', meanMs: 20, sigma: 1 }, 20],
    ['exponential', { kind: 'exponential', meanMs: 20 }, 20],
    ['bimodal', { kind: 'bimodal', meanMs: 8, slowMs: 250, share: 0.02 }, 0.98 * 8 + 0.02 * 250],
    ['fixed', { kind: 'fixed', meanMs: 20 }, 20],
  ])('%s', (_, distribution, expected) => {
    const values = draws(200_000, drawer(distribution, seededRandom(1)));
    expect(mean(values) / expected).toBeCloseTo(1, 1.5);
    expect(Math.min(...values.slice(0, 10_000))).toBeGreaterThan(0);
  });

  it('a number is lognormal of sigma 0.6', () => {
    const logs = draws(100_000, drawer(20, seededRandom(1))).map(Math.log);
    const center = mean(logs);
    expect(Math.sqrt(mean(logs.map((log) => (log - center) ** 2)))).toBeCloseTo(0.6, 2);
  });
});

describe('arrivals', () => {
  const count = (load: LoadModel, clients: number, fromMs: number, toMs: number): number => {
    const random = seededRandom(5);
    let n = 0;
    for (let at = nextArrivalMs(load, clients, 0, random); at < toMs; at = nextArrivalMs(load, clients, at, random)) if (at >= fromMs) n++;
    return n;
  };
  const load: LoadModel = {
    rps: 1_000,
    steps: [
      { fromMs: 10_000, untilMs: 20_000, times: 2.5 },
      { fromMs: 30_000, untilMs: 40_000, times: 0 },
    ],
  };

  it.each([
    [0, 10_000, 1_000],
    [10_000, 20_000, 2_500],
    [20_000, 30_000, 1_000],
    [30_000, 40_000, 0],
    [40_000, 50_000, 1_000],
  ])('from %d to %d ms', (fromMs, toMs, rps) => {
    // One client of ten for ten seconds: as many as all of them in one.
    expect(Math.abs(count(load, 10, fromMs, toMs) - rps)).toBeLessThan(4 * Math.sqrt(rps) + 1);
  });

  it('end when nothing comes any more', () => {
    const off: LoadModel = { rps: 10, steps: [{ fromMs: 0, untilMs: Number.POSITIVE_INFINITY, times: 0 }] };
    expect(nextArrivalMs(off, 1, 0, seededRandom(1))).toBe(Number.POSITIVE_INFINITY);
  });

  it('in lockstep are even', () => {
    expect(nextArrivalMs({ rps: 100, arrivals: 'lockstep' }, 50, 1_000, seededRandom(1))).toBe(1_500);
  });
});
