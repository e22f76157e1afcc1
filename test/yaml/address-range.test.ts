import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressRange, holdsRange, parseAddressRange } from '../../src/yaml/address-range.ts';

function rangeOf(text: string): AddressRange {
  const range = parseAddressRange(text);
  if (range === null) throw new Error(`${text} is no range`);
  return range;
}

describe('ranges of addresses', () => {
  it.each([
    ['10.1.2.3', [10, 1, 2, 3], 32],
    ['10.0.0.0/8', [10, 0, 0, 0], 8],
    ['0.0.0.0/0', [0, 0, 0, 0], 0],
    ['::1', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 128],
    ['2001:db8::/32', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 32],
    ['::ffff:10.1.2.3', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3], 128],
    ['::/0', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0],
  ])('%s', (text, bytes, bits) => {
    expect(parseAddressRange(text)).toEqual({ bytes, bits });
  });

  it.each([
    '',
    'a',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '::/129',
    ':::',
    '10.0.0.0/-1',
    'a.b.c.d',
  ])('%j is none', (text) => {
    expect(parseAddressRange(text)).toBeNull();
  });

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '11.0.0.0/16', false],
    ['10.128.0.0/9', '10.127.0.0/16', false],
    ['0.0.0.0/0', '::1', false],
    ['2001:db8::/33', '2001:db8:8000::/34', false],
    ['2001:db8::/33', '2001:db8:7fff::', true],
  ])('%s holds %s: %s', (outer, inner, holds) => {
    expect(holdsRange(rangeOf(outer), rangeOf(inner))).toBe(holds);
  });

  it('holds an address exactly when the first bits are the same', () => {
    const address = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    const asNumber = (bytes: readonly number[]): bigint => bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    fc.assert(
      fc.property(address, address, fc.nat(32), fc.boolean(), (network, other, bits, near) => {
        const inner = near ? network.map((byte, i) => (i === 3 ? byte ^ ((other[3] as number) & 3) : byte)) : other;
        const shift = BigInt(32 - bits);
        const same = asNumber(network) >> shift === asNumber(inner) >> shift;
        expect(holdsRange(rangeOf(`${network.join('.')}/${bits}`), rangeOf(inner.join('.')))).toBe(same);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
