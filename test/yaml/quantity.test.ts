import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { milliValue } from '../../src/yaml/quantity.ts';

describe('quantities of Kubernetes, in thousandths', () => {
  it.each([
    ['500m', 500],
    ['90m', 90],
    ['1', 1_000],
    [1, 1_000],
    [0, 0],
    [0.1, 100],
    ['0.1', 100],
    ['.5', 500],
    ['5.', 5_000],
    ['2k', 2_000_000],
    ['1Ki', 1_024_000],
    ['0.5Mi', 524_288_000],
    ['1e2', 100_000],
    ['1E-2', 10],
    ['1E', 1e21],
    ['1n', 1],
    ['1500u', 2],
    ['-1', -1_000],
    ['+1', 1_000],
    ['-1500u', -1],
    [1e21, 1e24],
  ])('%s is %d', (quantity, milli) => {
    expect(milliValue(quantity)).toBe(milli);
  });

  it.each(['', ' ', 'm', '1 m', '1K', '1mi', '1e', '1e100', '0x1', '1.2.3', 'Infinity', '１'])('%j is none', (quantity) => {
    // `1e` is none, although `1E` is: an exponent needs digits.
    expect(milliValue(quantity)).toBeNull();
  });

  it('never is less than what is written', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(['n', 1e-9], ['u', 1e-6], ['m', 1e-3], ['', 1]), (digits, [suffix, factor]) => {
        const milli = milliValue(`${digits}${suffix}`) as number;
        const exact = digits * (factor as number) * 1_000;
        expect(milli).toBeGreaterThanOrEqual(exact - 1e-6);
        expect(milli).toBeLessThan(exact + 1);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
