import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { BALANCER_DEFAULTS, type BalancerKind } from '../../src/model/destination.ts';
import { testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';

const KINDS: readonly BalancerKind[] = ['peakEwma', 'leastRequest', 'roundRobin', 'random'];
const CALL = testCall();

function endpoints(...weights: number[]): LiveEndpoint[] {
  return weights.map((weight, index) => {
    const config = { address: `e${index}:1`, labels: {}, locality: '', weight };
    return new LiveEndpoint(config, () => Promise.reject(new Error('no leaf')), BALANCER_DEFAULTS, 30, 0);
  });
}

function picks(kind: BalancerKind, candidates: readonly LiveEndpoint[], times: number, seed = 1, fullScanMax = 32): number[] {
  const picker = makePicker({ ...BALANCER_DEFAULTS, kind, fullScanMax }, seededRandom(seed));
  return Array.from({ length: times }, () => candidates.indexOf(picker.pick(candidates, CALL, 0) as LiveEndpoint));
}

function counts(indexes: readonly number[], of: number): number[] {
  const count = new Array<number>(of).fill(0);
  for (const index of indexes) count[index] = (count[index] ?? 0) + 1;
  return count;
}

function load(endpoint: LiveEndpoint | undefined, calls: number): void {
  for (let i = 0; i < calls; i++) endpoint?.begin(testCall({ startedAtMs: 0 }));
}

describe.each(KINDS)('%s', (kind) => {
  it('picks nothing of nothing, and the only one of one', () => {
    expect(picks(kind, [], 1)).toEqual([-1]);
    expect(picks(kind, endpoints(1), 3)).toEqual([0, 0, 0]);
  });

  it('always picks a candidate, of any number, in any scan mode', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.constantFrom(0, 3, 32),
        (weights, seed, scan) => {
          const candidates = endpoints(...weights);
          return picks(kind, candidates, 20, seed, scan).every((index) => index >= 0 && index < candidates.length);
        },
      ),
    );
  });

  it('draws evenly among equals', () => {
    for (const fullScanMax of [0, 32]) {
      for (const count of counts(picks(kind, endpoints(1, 1, 1, 1), 8_000, 3, fullScanMax), 4)) {
        expect(count).toBeGreaterThan(1_850);
        expect(count).toBeLessThan(2_150);
      }
    }
  });

  it('repeats itself with the same seed', () => {
    expect(picks(kind, endpoints(1, 2, 3), 100, 9)).toEqual(picks(kind, endpoints(1, 2, 3), 100, 9));
  });
});

describe('roundRobin', () => {
  it('gives exact counts in every period, from any phase', () => {
    for (let seed = 0; seed < 25; seed++) {
      for (const weights of [
        [1, 1, 1],
        [5, 1, 1],
        [19, 1],
        [3, 2],
      ]) {
        const period = weights.reduce((sum, weight) => sum + weight, 0);
        const drawn = picks('roundRobin', endpoints(...weights), 4 * period, seed);
        for (let start = 0; start < drawn.length; start += period) {
          expect(counts(drawn.slice(start, start + period), weights.length)).toEqual(weights);
        }
      }
    }
  });

  it('is smooth: 5, 1, 1 is no run of five', () => {
    const drawn = picks('roundRobin', endpoints(5, 1, 1), 70, 2).join('');
    expect(drawn).not.toMatch(/0{5}|[12]{2}/);
  });

  it('starts at a random phase, so that clients do not walk in step', () => {
    const firsts = Array.from({ length: 400 }, (_, seed) => picks('roundRobin', endpoints(19, 1), 1, seed)[0]);
    const rare = firsts.filter((index) => index === 1).length;
    expect(rare).toBeGreaterThan(8);
    expect(rare).toBeLessThan(36);
    const starts = counts(
      Array.from({ length: 300 }, (_, seed) => picks('roundRobin', endpoints(1, 1, 1), 1, seed)[0] as number),
      3,
    );
    expect(Math.min(...starts)).toBeGreaterThan(70);
  });

  it('keeps its turn when a retry leaves somebody out for once', () => {
    const all = endpoints(1, 1, 1, 1);
    const picker = makePicker({ ...BALANCER_DEFAULTS, kind: 'roundRobin' }, () => 0);
    const next = (from: readonly LiveEndpoint[]): number => all.indexOf(picker.pick(from, CALL, 0) as LiveEndpoint);
    const without = all.filter((_, index) => index !== 1);
    const drawn = [next(all), next(all), next(without), next(all), next(all), next(all), next(all), next(all)];
    expect(counts(drawn, 4)).toEqual([2, 2, 2, 2]);
  });
});

describe('random', () => {
  it('draws by weight', () => {
    const [a = 0, b = 0, c = 0] = counts(picks('random', endpoints(6, 3, 1), 10_000, 5), 3);
    expect(a / 10_000).toBeCloseTo(0.6, 1);
    expect(b / 10_000).toBeCloseTo(0.3, 1);
    expect(c / 10_000).toBeCloseTo(0.1, 1);
  });
});

describe('leastRequest', () => {
  it('takes the one with the fewest in flight', () => {
    const candidates = endpoints(5, 5, 5);
    for (const [index, calls] of [3, 1, 2].entries()) load(candidates[index], calls);
    expect(new Set(picks('leastRequest', candidates, 30))).toEqual(new Set([1]));
  });

  it.each([
    ['idle: by weight', [8, 1, 1], [0, 0, 0]],
    ['by weight and attempts in flight', [8, 1, 1], [3, 1, 2]],
    ['a light one is not left out', [10, 1], [0, 0]],
  ])('with unequal weights: %s', (_name, weights, flights) => {
    const candidates = endpoints(...weights);
    for (const [index, calls] of flights.entries()) load(candidates[index], calls);
    const given = weights.map((weight, index) => weight / ((flights[index] as number) + 1));
    const total = given.reduce((sum, one) => sum + one, 0);
    for (const [index, count] of counts(picks('leastRequest', candidates, 4_000), weights.length).entries()) {
      expect(count / 4_000).toBeCloseTo((given[index] as number) / total, 2);
    }
  });

  it.each([
    [1, 0.1],
    [2, 0.2],
    [5, 0.41],
  ])('compares %i random ones of many', (choices, share) => {
    const candidates = endpoints(...new Array<number>(10).fill(1));
    for (const candidate of candidates.slice(1)) load(candidate, 1);
    const picker = makePicker({ ...BALANCER_DEFAULTS, kind: 'leastRequest', fullScanMax: 0, choices }, seededRandom(4));
    let picked = 0;
    for (let i = 0; i < 10_000; i++) if (picker.pick(candidates, CALL, 0) === candidates[0]) picked++;
    expect(Math.abs(picked / 10_000 - share)).toBeLessThan(0.02);
  });
});

describe('peakEwma', () => {
  it('prefers the fast one, until it has too many in flight', () => {
    const candidates = endpoints(1, 1);
    candidates[0]?.observe(90, 0);
    expect(new Set(picks('peakEwma', candidates, 20))).toEqual(new Set([1]));
    load(candidates[1], 3);
    expect(new Set(picks('peakEwma', candidates, 20))).toEqual(new Set([0]));
  });

  it('does not run to a replica that fails in a millisecond', () => {
    const candidates = endpoints(1, 1, 1);
    for (let i = 0; i < 10; i++) candidates[2]?.penalize(1, 0);
    expect(picks('peakEwma', candidates, 200)).not.toContain(2);
  });
});

describe('two random ones of many', () => {
  it('are distinct, and every pair is as likely', () => {
    const candidates = endpoints(...new Array<number>(6).fill(1));
    // Each cost is asked for by exactly the two that are compared.
    const pairs = new Map<string, number>();
    let asked: number[] = [];
    for (const [index, candidate] of candidates.entries()) {
      candidate.cost = () => {
        asked.push(index);
        return index;
      };
    }
    const picker = makePicker({ ...BALANCER_DEFAULTS, fullScanMax: 2 }, seededRandom(11));
    for (let i = 0; i < 15_000; i++) {
      asked = [];
      const picked = candidates.indexOf(picker.pick(candidates, CALL, 0) as LiveEndpoint);
      expect(picked).toBe(Math.min(...asked));
      const key = asked.sort().join('-');
      pairs.set(key, (pairs.get(key) ?? 0) + 1);
    }
    expect(pairs.size).toBe(15);
    const chi = [...pairs.values()].reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    // 14 degrees of freedom: 36.1 is passed once in a thousand.
    expect(chi).toBeLessThan(36.1);
  });
});
