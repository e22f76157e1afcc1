import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DURATION_MS_MAX, formatDuration, parseDuration } from '../../src/model/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5s', 1_500],
    ['1.234s', 1_234],
    ['.5s', 500],
    ['1.s', 1_000],
    ['2h45m', 9_900_000],
    ['100us', 0.1],
    ['100µs', 0.1],
    ['5ns', 0.000005],
    ['0s', 0],
    ['8760h', DURATION_MS_MAX],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    '5',
    '5x',
    's',
    '-1s',
    '+1s',
    '1s ',
    ' 1s',
    '1 s',
    '1.2.3s',
    '.s',
    '1e3s',
    '8761h',
    '1d',
    '1S',
    'Infinitys',
    '9'.repeat(70),
  ])('%j is none', (text) => expect(parseDuration(text)).toBeNull());
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.25, '250us'],
    [0.000005, '5ns'],
    [1, '1ms'],
    [0.5, '500us'],
    [999, '999ms'],
    [1_500, '1.5s'],
    [60_000, '1m'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
    [3_661_001, '1h1m1.001s'],
    [59_999.9999999999, '1m'],
    [3_599_999.9999999995, '1h'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('is read back as the same whole number of ms', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: DURATION_MS_MAX }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  it('is read back to the nanosecond', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
        const back = parseDuration(formatDuration(ms));
        return back !== null && Math.abs(back - ms) <= 1e-6;
      }),
    );
  });

  it('takes no long for any text', () => {
    expect(parseDuration('1s'.repeat(500_000))).toBeNull();
    fc.assert(fc.property(fc.string(), (text) => /^[0-9.]/.test(text) || parseDuration(text) === null));
  });
});
