import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHostName, isIpv6, parseHostPort } from '../../src/model/address.ts';
import { parseBytes } from '../../src/model/bytes.ts';
import { parseInstant } from '../../src/model/instant.ts';
import { formatPath } from '../../src/model/issue.ts';
import { editDistance, nearest } from '../../src/model/nearest.ts';
import { parseStatusRange } from '../../src/model/status-range.ts';

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['64', 64],
    ['64B', 64],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1KB', 1_000],
    ['1.5KiB', 1_536],
  ])('%s is %d', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', '-1', '1kb', '1 KiB', 'KiB', '1GiB', '1.KiB'])('%j is none', (text) => expect(parseBytes(text)).toBeNull());
});

describe('parseInstant', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01 00:00z', 0],
    ['2026-12-01T00:00:00Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01T01:30:00+01:30', Date.UTC(2026, 11, 1)],
    ['2026-11-30T19:00:00.25-05:00', Date.UTC(2026, 11, 1) + 250],
    ['2024-02-29T23:59:59.999999999Z', Date.UTC(2024, 1, 29, 23, 59, 59, 999)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
  ])('%s', (text, ms) => expect(parseInstant(text)).toBe(ms));

  it.each([
    '',
    '2026-12-01',
    '2026-12-01T00:00:00',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01',
    '26-01-01T00:00:00Z',
    'Dec 1 2026',
  ])('%j is none', (text) => expect(parseInstant(text)).toBeNull());

  it('reads every time that is written', () => {
    const ms = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(ms, (at) => parseInstant(new Date(at).toISOString()) === at),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

describe('parseStatusRange', () => {
  it.each([
    ['503', [503, 503]],
    ['500-599', [500, 599]],
    ['500-500', [500, 500]],
  ])('%s', (text, range) => expect(parseStatusRange(text)).toEqual(range));
  it.each(['', '5xx', '600', '99', '500-', '-500', '504-502', '500 - 599', '1000'])('%j is none', (text) =>
    expect(parseStatusRange(text)).toBeNull(),
  );
});

describe('parseHostPort', () => {
  it.each([
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['Reviews.internal:8080', 'reviews.internal', 8080],
    ['[::1]:443', '::1', 443],
    ['[FE80::1]:1', 'fe80::1', 1],
    ['a_b:65535', 'a_b', 65_535],
  ])('%s', (text, host, port) => expect(parseHostPort(text)).toEqual({ host, port }));

  it.each([
    '',
    ':80',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:b',
    '::1:80',
    '[::1]',
    '[x]:80',
    '256.0.0.1:80',
    '1.2.3:80',
    'a b:80',
    'http://a:80',
    'a:80/',
    '-a:80',
    'a..b:80',
  ])('%j is none', (text) => expect(parseHostPort(text)).toBeNull());
});

describe('isIpv6', () => {
  it.each(['::', '::1', '1::', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4', '64:ff9b::1.2.3.4', '1:2:3:4:5:6:7::'])('%s is one', (text) =>
    expect(isIpv6(text)).toBe(true),
  );
  it.each(['', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', 'g::', '1:2:3:4:5:6:7:8::', '::1.2.3', '1.2.3.4'])(
    '%j is none',
    (text) => expect(isIpv6(text)).toBe(false),
  );
});

it('takes no host name longer than DNS does', () => {
  expect(isHostName('a'.repeat(63))).toBe(true);
  expect(isHostName('a'.repeat(64))).toBe(false);
  expect(isHostName(`${'a.'.repeat(126)}a`)).toBe(true);
  expect(isHostName(`${'a.'.repeat(127)}a`)).toBe(false);
});

describe('nearest', () => {
  const keys = ['timeout', 'retries', 'to', 'tls', 'perTryTimeout', 'gateway-error'];
  it.each([
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['Timeout', 'timeout'],
    ['per_try_timeout', 'perTryTimeout'],
    ['GATEWAY_ERROR', 'gateway-error'],
    ['retires', 'retries'],
    ['tl', undefined],
    ['tlss', 'tls'],
    ['upstream', undefined],
    ['t0', undefined],
  ])('%s: %s', (word, meant) => expect(nearest(word, keys)).toBe(meant));

  it('counts a swap as one edit', () => {
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
  });
});

it('prints paths as people write them', () => {
  expect(formatPath([])).toBe('the configuration');
  expect(formatPath(['services', 'a.b', 'routes', 0, 'to'])).toBe('services["a.b"].routes[0].to');
});
