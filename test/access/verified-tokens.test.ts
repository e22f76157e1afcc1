import { describe, expect, it } from 'vitest';
import { hashOf, VerifiedTokens } from '../../src/access/verified-tokens.ts';

const KEYS = {};

describe('tokens that were verified', () => {
  it.each<[string, unknown, number, boolean]>([
    ['at once', KEYS, 1_000, true],
    ['a moment before their end', KEYS, 4_999, true],
    ['at their end', KEYS, 5_000, false],
    ['after it', KEYS, 5_001, false],
    ['with other keys', {}, 1_000, false],
    ['when the clock was set back', KEYS, 999, false],
  ])('%s', (_name, keys, wallMs, isKnown) => {
    const tokens = new VerifiedTokens<string>();
    tokens.add('a', 'alice', KEYS, 1_000, 5_000);
    expect(tokens.get('a', keys, wallMs)).toBe(isKnown ? 'alice' : undefined);
    expect(tokens.get('b', KEYS, 1_000)).toBeUndefined();
  });

  it('are not kept when they have run out, within the tolerance', () => {
    const tokens = new VerifiedTokens<string>();
    tokens.add('a', 'alice', KEYS, 5_000, 5_000);
    expect(tokens.size).toBe(0);
  });

  it('are no more than two generations; what is used stays', () => {
    const tokens = new VerifiedTokens<number>(10);
    for (let i = 0; i < 1_000; i++) {
      tokens.add(String(i), i, KEYS, 0, 1);
      expect(tokens.get('0', KEYS, 0)).toBe(0);
      expect(tokens.size).toBeLessThanOrEqual(20);
    }
    expect(tokens.get('1', KEYS, 0)).toBeUndefined();
    expect(tokens.get('999', KEYS, 0)).toBe(999);
  });

  it('are all known while two generations hold them, and then the older half goes', () => {
    const tokens = new VerifiedTokens<number>(4);
    const known = (to: number): number[] => Array.from({ length: to }, (_, i) => i).filter((i) => tokens.get(String(i), KEYS, 0) === i);
    for (let i = 0; i < 8; i++) tokens.add(String(i), i, KEYS, 0, 1);
    expect(tokens.size).toBe(8);
    tokens.add('8', 8, KEYS, 0, 1);
    expect([tokens.size, known(9)]).toEqual([5, [4, 5, 6, 7, 8]]);
  });

  it('are verified anew with new keys, and known again then', () => {
    const tokens = new VerifiedTokens<string>(1);
    const others = {};
    tokens.add('a', 'alice', KEYS, 0, 10);
    tokens.add('a', 'alice again', others, 0, 10);
    expect([tokens.get('a', KEYS, 0), tokens.get('a', others, 0), tokens.size]).toEqual([undefined, 'alice again', 1]);
  });

  it('are known by a hash of all of them', () => {
    expect(hashOf('a.b.c')).toMatch(/^[\w+/]{43}=$/);
    expect(hashOf('a.b.c')).not.toBe(hashOf('a.b.d'));
  });
});
