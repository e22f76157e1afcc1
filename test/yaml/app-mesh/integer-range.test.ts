import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangePattern } from '../../../src/yaml/app-mesh/integer-range.ts';

function isIn(start: number, end: number, text: string): boolean {
  const pattern = rangePattern(start, end);
  return pattern !== null && new RegExp(`^(?:${pattern})$`).test(text);
}

const small = fc.integer({ min: -2_000, max: 2_000 });
const large = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });

describe('a range of whole numbers as a pattern', () => {
  it.each([
    [0, 1, ['0', '00', '-0', '+0'], ['1', '-1', '', 'a']],
    [1, 10, ['1', '9', '09'], ['0', '10', '1.0', ' 1', '1 ']],
    [-5, -1, ['-5', '-2', '-02'], ['-1', '-6', '0', '5']],
    [-10, 11, ['-10', '0', '10', '+10'], ['-11', '11']],
    [995, 1_005, ['995', '999', '1000', '1004'], ['994', '1005', '99', '9995']],
  ])('from %d to below %d', (start, end, yes, no) => {
    for (const text of yes) expect([text, isIn(start, end, text)]).toEqual([text, true]);
    for (const text of no) expect([text, isIn(start, end, text)]).toEqual([text, false]);
  });

  it('is never when it is empty', () => {
    expect([rangePattern(5, 5), rangePattern(5, 4)]).toEqual([null, null]);
  });

  it.each([
    ['small', small],
    ['large', large],
  ])('takes exactly the numbers in it: %s', (_, number) => {
    fc.assert(
      fc.property(number, number, number, fc.nat(3), fc.integer({ min: -2, max: 2 }), (a, b, other, zeros, near) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        for (const value of [other, start + near, end + near]) {
          if (!Number.isSafeInteger(value)) continue;
          const text = `${value < 0 ? '-' : ''}${'0'.repeat(zeros)}${Math.abs(value)}`;
          expect([start, end, text, isIn(start, end, text)]).toEqual([start, end, text, value >= start && value < end]);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('is short enough for numbers of 12 digits', () => {
    const number = fc.integer({ min: -999_999_999_999, max: 999_999_999_999 });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(rangePattern(Math.min(a, b), Math.max(a, b))?.length ?? 0).toBeLessThanOrEqual(1_024);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
