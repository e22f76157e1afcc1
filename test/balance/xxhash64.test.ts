import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hash64, xxHash64 } from '../../src/balance/xxhash64.ts';

function hash(text: string, seed = 0n): bigint {
  const into: Hash64 = { hi: 0, lo: 0 };
  xxHash64(text, into, Number(seed >> 32n), Number(seed & 0xffffffffn));
  return (BigInt(into.hi) << 32n) | BigInt(into.lo);
}

const MASK = 0xffffffffffffffffn;
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;

/** The specification, word by word. */
function specified(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text, 'latin1');
  let at = 0;
  let h: bigint;
  if (bytes.length >= 32) {
    const lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [i, lane] of lanes.entries()) lanes[i] = round(lane, bytes.readBigUInt64LE(at + i * 8));
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    h = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const lane of lanes) h = ((h ^ round(0n, lane)) * P1 + P4) & MASK;
  } else h = (seed + P5) & MASK;
  h = (h + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) h = (rotate(h ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
  if (at + 4 <= bytes.length) {
    h = (rotate(h ^ ((BigInt(bytes.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) h = (rotate(h ^ ((BigInt(bytes[at] as number) * P5) & MASK), 11n) * P1) & MASK;
  h = ((h ^ (h >> 33n)) * P2) & MASK;
  h = ((h ^ (h >> 29n)) * P3) & MASK;
  return h ^ (h >> 32n);
}

describe('xxHash64', () => {
  it.each([
    // Envoy's hash_test.cc.
    ['foo', 3728699739546630719n],
    ['bar', 5234164152756840025n],
    ['foo\nbar', 8917841378505826757n],
    ['lyft', 4400747396090729504n],
    ['', 17241709254077376921n],
    // Of xxhsum, over 32 bytes.
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('of %j', (text, expected) => {
    expect(hash(text)).toBe(expected);
  });

  it('goes on from a hash, as Envoy hashes several values', () => {
    expect(hash('bar', hash('foo'))).toBe(17745830980996999794n);
  });

  it('is what the specification says, for texts of all lengths and any seed', () => {
    const text = fc.array(fc.nat(255), { maxLength: 140 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(text, fc.bigInt(0n, MASK), (one, seed) => {
        expect(hash(one, seed)).toBe(specified(one, seed));
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('takes a text with wide characters as UTF-8', () => {
    expect(hash('ключ€')).toBe(hash(Buffer.from('ключ€').toString('latin1')));
  });
});
