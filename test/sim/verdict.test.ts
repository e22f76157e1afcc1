import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, type Comparison, type Harm, type Verdict, verdictOf } from '../../src/sim/verdict.ts';

const NEVER = Number.POSITIVE_INFINITY;
const fine: Harm = { goodput: 1, p99Ms: 70, recoveryMs: 0 };

describe('a verdict', () => {
  it.each<[Verdict, Partial<Harm>]>([
    ['unharmed', {}],
    ['unharmed', { goodput: 0.9995, p99Ms: 140 }],
    ['slowed', { p99Ms: 141 }],
    ['hurt', { goodput: 0.99 }],
    ['hurt', { goodput: 0, p99Ms: 2_000, recoveryMs: 15_000 }],
    ['down', { recoveryMs: NEVER }],
  ])('%s: %j', (verdict, harm) => {
    expect(verdictOf({ ...fine, ...harm }, fine)).toBe(verdict);
  });

  it('is no worse than the good day was', () => {
    const poor = { goodput: 0.9, p99Ms: 500, recoveryMs: 0 };
    expect(verdictOf(poor, poor)).toBe('unharmed');
  });
});

describe('a comparison', () => {
  it.each<[Comparison, Partial<Harm>, Partial<Harm>]>([
    ['same', {}, {}],
    ['same', { p99Ms: 75, goodput: 0.999 }, {}],
    ['better', {}, { recoveryMs: NEVER }],
    ['better', { goodput: 0.2 }, { goodput: 1, recoveryMs: NEVER }],
    ['worse', { goodput: 0.98 }, { p99Ms: 500 }],
    ['better', {}, { p99Ms: 500 }],
    ['worse', { recoveryMs: 5_000 }, {}],
    ['same', { recoveryMs: NEVER }, { recoveryMs: NEVER }],
  ])('%s: %j beside %j', (expected, run, other) => {
    expect(compare({ ...fine, ...run }, { ...fine, ...other })).toBe(expected);
  });

  it('property: turned round it says the opposite', () => {
    const harm: fc.Arbitrary<Harm> = fc.record({
      goodput: fc.double({ min: 0, max: 1, noNaN: true }),
      p99Ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
      recoveryMs: fc.oneof(fc.double({ min: 0, max: 30_000, noNaN: true }), fc.constant(NEVER)),
    });
    const opposite = { better: 'worse', worse: 'better', same: 'same' } as const;
    fc.assert(
      fc.property(harm, harm, (a, b) => {
        expect(compare(b, a)).toBe(opposite[compare(a, b)]);
        expect(compare(a, a)).toBe('same');
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
