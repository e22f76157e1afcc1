import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DestinationRef } from '../../src/core/call.ts';
import type { Random } from '../../src/core/clock.ts';
import type { Service } from '../../src/core/service.ts';
import type { StickyPolicy } from '../../src/model/route.ts';
import { smoothDraw } from '../../src/route/smooth-draw.ts';
import { splitter } from '../../src/route/splitter.ts';
import { fakeReply, testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';

const ref = (subset: string): DestinationRef => ({ service: 'reviews', subset, name: `reviews/${subset}` });
const reply = Promise.resolve(fakeReply(200));

/** Target i is v{i+1}. */
function split(weights: readonly number[], random: Random = seededRandom(1), sticky?: StickyPolicy): Service {
  return splitter(
    weights.map((weight, i) => ({ ref: ref(`v${i + 1}`), weight, service: () => reply })),
    { random, sticky },
  );
}

/** Index of the target that a call gets. */
function drawOf(service: Service, headers: string[] = []): number {
  const call = testCall({ headers, destination: null });
  void service(call);
  return Number(call.destination?.subset.slice(1)) - 1;
}

function counts(service: Service, draws: number, targets: number, headers: string[] = []): number[] {
  const result = new Array<number>(targets).fill(0);
  for (let i = 0; i < draws; i++) {
    const index = drawOf(service, headers);
    result[index] = (result[index] as number) + 1;
  }
  return result;
}

const shareError = (count: number[], weights: readonly number[]): number => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const draws = count.reduce((sum, each) => sum + each, 0);
  return Math.max(...count.map((each, i) => Math.abs(each - (draws * (weights[i] as number)) / total)));
};

describe('splitter: who can be drawn', () => {
  it('passes straight through to a single target, weight or not', () => {
    expect(split([0])(testCall())).toBe(reply);
    expect(drawOf(split([0]))).toBe(0);
    expect(drawOf(split([7]))).toBe(0);
  });

  it('never draws weight 0', () => {
    expect(counts(split([0, 1, 3, 0]), 1_000, 4)).toEqual([0, expect.any(Number), expect.any(Number), 0]);
    expect(counts(split([0, 100]), 100, 2)).toEqual([0, 100]);
    expect(counts(split([0, 1, 1], seededRandom(1), { header: 'x-user' }), 100, 3, ['x-user', 'ada'])[0]).toBe(0);
  });

  it.each([[[]], [[0, 0]]])('refuses weights %j', (weights) => expect(() => split(weights)).toThrow(/weight above 0/));

  it('writes the destination down, whatever was there', () => {
    const call = testCall();
    void split([1, 1])(call);
    expect(call.destination?.service).toBe('reviews');
    expect(['v1', 'v2']).toContain(call.destination?.subset);
  });
});

describe('splitter: weights', () => {
  it.each([[[95, 5]], [[80, 20]], [[1, 1]], [[99.9, 0.1]], [[1, 2, 7]], [[50, 30, 15, 5]], [[10, 10, 10, 10, 60]]])(
    '%j: 10,000 draws are within one call of the exact share',
    (weights) => {
      for (let seed = 0; seed < 20; seed++) {
        expect(shareError(counts(split(weights, seededRandom(seed)), 10_000, weights.length), weights)).toBeLessThanOrEqual(1);
      }
    },
  );

  it('two targets are never off by a whole call, at any moment, with any weights', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 1_000 }), fc.integer(), (a, b, seed) => {
        const draw = smoothDraw([a, b], seededRandom(seed));
        let first = 0;
        for (let n = 1; n <= 300; n++) {
          if (draw() === 0) first++;
          expect(Math.abs(first - (n * a) / (a + b))).toBeLessThan(1 + 1e-6);
        }
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('more targets stay within the bound that is documented', () => {
    const weights = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer(), (list, seed) => {
        const draw = smoothDraw(list, seededRandom(seed));
        const count = list.map(() => 0);
        for (let n = 1; n <= 500; n++) {
          const index = draw();
          count[index] = (count[index] as number) + 1;
          if (n % 7 === 0) expect(shareError(count, list)).toBeLessThan(list.length - 1);
        }
      }),
      { numRuns: 100, seed: 8 },
    );
  });

  it('every full period has exact counts', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.integer(), fc.integer({ min: 0, max: 50 }), (list, seed, skipped) => {
        const period = list.reduce((sum, weight) => sum + weight, 0);
        const draw = smoothDraw(list, seededRandom(seed));
        for (let i = 0; i < skipped; i++) draw();
        const count = list.map(() => 0);
        for (let i = 0; i < period; i++) {
          const index = draw();
          count[index] = (count[index] as number) + 1;
        }
        expect(count).toEqual(list);
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  it('the very first draw is fair: no short-lived process shuns the canary', () => {
    let canary = 0;
    const random = seededRandom(42);
    for (let i = 0; i < 20_000; i++) if (smoothDraw([95, 5], random)() === 1) canary++;
    expect(canary / 20_000).toBeGreaterThan(0.045);
    expect(canary / 20_000).toBeLessThan(0.055);
  });

  it('different seeds start differently, equal ones alike', () => {
    const first = (seed: number): number => {
      const service = split([95, 5], seededRandom(seed));
      for (let n = 0; ; n++) if (drawOf(service) === 1) return n;
    };
    expect(first(1)).toBe(first(1));
    const starts = new Set(Array.from({ length: 50 }, (_, seed) => first(seed)));
    expect(starts.size).toBeGreaterThan(10);
    for (const start of starts) expect(start).toBeLessThan(20);
  });

  // S7: 50 clients with a 5 % canary, in lockstep: each sends its n-th call at the same moment.
  it('S7: 50 clients do not burst together, and the canary has its share from the start', () => {
    for (let seed = 0; seed < 5; seed++) {
      const clients = Array.from({ length: 50 }, (_, i) => split([95, 5], seededRandom(seed * 1_000 + i)));
      const perStep = Array.from({ length: 1_200 }, () => clients.reduce((sum, client) => sum + drawOf(client), 0));
      const shareOf = (steps: number[]): number => steps.reduce((sum, each) => sum + each, 0) / (steps.length * 50);
      const expected = 50 * 0.05;
      // The n-th call of all clients; lockstep from phase 0 would give 50, which is 20 times the share.
      expect(Math.max(...perStep)).toBeLessThanOrEqual(expected * 20 * 0.2);
      // 50 ms windows of a client that calls every 10 ms.
      const windows = Array.from({ length: 240 }, (_, i) => perStep.slice(5 * i, 5 * i + 5).reduce((sum, each) => sum + each, 0) / 5);
      expect(Math.max(...windows)).toBeLessThanOrEqual(2.5 * expected);
      expect(Math.abs(shareOf(perStep.slice(0, 100)) - 0.05)).toBeLessThan(0.01);
      expect(Math.abs(shareOf(perStep) - 0.05)).toBeLessThan(0.003);
    }
  });
});

describe('splitter: sticky', () => {
  const byHeader: StickyPolicy = { header: 'x-user' };
  const key = (i: number): string[] => ['x-user', `user-${i}`];

  it('the same key has the same target, in every process', () => {
    const one = split([50, 30, 20], seededRandom(1), byHeader);
    const other = split([50, 30, 20], seededRandom(2), byHeader);
    for (let i = 0; i < 500; i++) {
      const index = drawOf(one, key(i));
      expect(drawOf(one, key(i))).toBe(index);
      expect(drawOf(other, key(i))).toBe(index);
    }
  });

  it.each([[[95, 5]], [[50, 30, 20]], [[1, 1, 1, 1]], [[999, 1]]])('%j: keys spread by weight', (weights) => {
    const service = split(weights, seededRandom(1), byHeader);
    const keys = 20_000;
    const count = weights.map(() => 0);
    for (let i = 0; i < keys; i++) {
      const index = drawOf(service, key(i));
      count[index] = (count[index] as number) + 1;
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    // Four standard deviations of a fair draw.
    weights.forEach((weight, i) => {
      const share = weight / total;
      expect(Math.abs((count[i] as number) / keys - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / keys));
    });
  });

  it('a canary that grows only gains keys: 5, 10, 25, 50 %', () => {
    const steps = [5, 10, 25, 50].map((canary) => split([100 - canary, canary], seededRandom(1), byHeader));
    for (let i = 0; i < 5_000; i++) {
      const path = steps.map((service) => drawOf(service, key(i)));
      expect(path).toEqual([...path].sort());
    }
  });

  it('a change of weights moves keys only towards targets whose weight grew more', () => {
    const weight = fc.integer({ min: 0, max: 100 });
    const pairs = fc.array(fc.tuple(weight, weight), { minLength: 2, maxLength: 5 });
    let moved = 0;
    fc.assert(
      fc.property(pairs, fc.integer({ min: 0, max: 1_000_000 }), (list, first) => {
        const before = list.map(([each]) => each);
        const after = list.map(([, each]) => each);
        if (before.every((each) => each === 0) || after.every((each) => each === 0)) return;
        const one = split(before, seededRandom(1), byHeader);
        const other = split(after, seededRandom(1), byHeader);
        for (let i = first; i < first + 20; i++) {
          const from = drawOf(one, key(i));
          const to = drawOf(other, key(i));
          if (from === to) continue;
          moved++;
          const growth = (index: number): number => (after[index] as number) / (before[index] as number);
          expect(growth(to)).toBeGreaterThan(growth(from));
        }
      }),
      { numRuns: 2_000, seed: 7 },
    );
    expect(moved).toBeGreaterThan(1_000);
  });

  it('two targets of one name share by weight all the same', () => {
    const twin = { ref: ref('v1'), weight: 1 };
    const seen = [0, 0];
    const service = splitter(
      [0, 1].map((i) => ({ ...twin, service: () => ((seen[i] = (seen[i] as number) + 1), reply) })),
      { random: seededRandom(1), sticky: byHeader },
    );
    for (let i = 0; i < 1_000; i++) void service(testCall({ headers: key(i) }));
    expect(Math.min(...seen)).toBeGreaterThan(400);
  });

  it.each([
    ['no header', []],
    ['an empty header', ['x-user', '']],
    ['another header', ['x-users', 'ada']],
  ])('%s: drawn by weight', (_title, headers) => {
    expect(counts(split([3, 1], seededRandom(1), byHeader), 400, 2, headers)).toEqual([300, 100]);
  });

  it.each<[string, string[], string | null]>([
    ['alone', ['cookie', 'user=ada'], 'ada'],
    ['name in capitals', ['Cookie', 'user=ada'], 'ada'],
    ['in the middle', ['cookie', 'a=b; user=ada; c=d'], 'ada'],
    ['without blanks', ['cookie', 'a=b;user=ada;c=d'], 'ada'],
    ['with blanks', ['cookie', 'a=b; \tuser = ada ;c=d'], 'ada'],
    ['in a second header', ['cookie', 'a=b', 'accept', '*/*', 'cookie', 'user=ada'], 'ada'],
    ['the first of two', ['cookie', 'user=ada; user=bob'], 'ada'],
    ['an equals sign in the value', ['cookie', 'user=a=b'], 'a=b'],
    ['after one whose name begins alike', ['cookie', 'username=bob; user=ada'], 'ada'],
    ['after one without value', ['cookie', 'user; user=ada'], 'ada'],
    ['after an empty one', ['cookie', 'user=; user=ada'], 'ada'],
    ['after empty parts', ['cookie', '; ;;user=ada;'], 'ada'],
    ['as the value of another', ['cookie', 'a=user=ada'], null],
    ['as the end of another name', ['cookie', 'myuser=ada'], null],
    ['another case', ['cookie', 'User=ada'], null],
    ['empty', ['cookie', 'user='], null],
    ['blank', ['cookie', 'user=  ; a=b'], null],
    ['no cookie', ['accept', 'user=ada'], null],
    ['an empty header', ['cookie', ''], null],
  ])('cookie: %s', (_title, headers, value) => {
    const weights = Array.from({ length: 16 }, () => 1);
    const cookie = split(weights, seededRandom(1), { cookie: 'user' });
    if (value === null) {
      expect(counts(cookie, 160, 16, headers)).toEqual(weights.map(() => 10));
    } else {
      const expected = drawOf(split(weights, seededRandom(1), byHeader), ['x-user', value]);
      expect(counts(cookie, 160, 16, headers)[expected]).toBe(160);
    }
  });
});
