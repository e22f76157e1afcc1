import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatGatewayDuration, parseGatewayDuration } from '../../../src/yaml/gateway-api/gateway-duration.ts';

describe('durations of GEP-2257', () => {
  it.each<[string, number | null, string]>([
    ['0h', 0, '0s'],
    ['0s', 0, '0s'],
    ['0h0m0s', 0, '0s'],
    ['1h', 3_600_000, '1h'],
    ['30m', 1_800_000, '30m'],
    ['10s', 10_000, '10s'],
    ['500ms', 500, '500ms'],
    ['2h30m', 9_000_000, '2h30m'],
    ['150m', 9_000_000, '2h30m'],
    ['7230s', 7_230_000, '2h30s'],
    ['1h30m10s', 5_410_000, '1h30m10s'],
    ['10s30m1h', 5_410_000, '1h30m10s'],
    ['100ms200ms300ms', 600, '600ms'],
    ['1h2h20m10m', 12_600_000, '3h30m'],
    ['00060m', 3_600_000, '1h'],
    ['99999h', 31_536_000_000, '8760h'],
  ])('%s', (text, ms, written) => {
    expect(parseGatewayDuration(text)).toBe(ms);
    expect(formatGatewayDuration(ms ?? 0)).toBe(written);
  });

  it.each(['1', '0', '1m1', '1h30m10s20ms50h', '999999h', '1.5h', '-15m', '', '1d', '10us', ' 1s', '1 s'])('%j is none', (text) => {
    expect(parseGatewayDuration(text)).toBeNull();
  });

  it('law: what is written is read as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999 * 3_600_000 }), (ms) => {
        const text = formatGatewayDuration(ms);
        expect(parseGatewayDuration(text)).toBe(Math.min(ms, 31_536_000_000));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
