import { describe, expect, it } from 'vitest';
import { HashKeys } from '../../src/balance/hash-key.ts';
import { type Hash64, xxHash64 } from '../../src/balance/xxhash64.ts';
import { inboundContext } from '../../src/core/context.ts';
import type { HashKey } from '../../src/model/balancing.ts';
import { type TestCallInit, testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';

const SESSION: HashKey = { cookie: 'sid', path: '/', ttlMs: null, attributes: {} };

function keysOf(...keys: HashKey[]): HashKeys {
  return new HashKeys(keys, 'this process', seededRandom(1));
}

/** The hash of the call, as text. */
function hashOf(keys: HashKeys, init: TestCallInit): string {
  const into: Hash64 = { hi: 0, lo: 0 };
  keys.read(testCall(init), into);
  return `${into.hi} ${into.lo}`;
}

/** What the hash of the values is, one after the other. */
function hashed(...values: string[]): string {
  const into: Hash64 = { hi: 0, lo: 0 };
  for (const value of values) xxHash64(value, into, into.hi, into.lo);
  return `${into.hi} ${into.lo}`;
}

describe('the key of a call', () => {
  const user: HashKey = { header: 'X-User' };

  it.each<[string, HashKey[], TestCallInit, string]>([
    ['a header, in any case', [user], { headers: ['x-uSer', 'ann'] }, hashed('ann')],
    ['an empty one is a key', [user], { headers: ['x-user', ''] }, hashed('')],
    ['several values, in any order', [user], { headers: ['x-user', 'foo', 'x-user', 'bar'] }, hashed('bar', 'foo')],
    ['the query', [{ query: 'id' }], { path: '/a?x=1&id=7&id=8' }, hashed('7')],
    ['as it is written', [{ query: 'id' }], { path: '/?id=a%20b' }, hashed('a%20b')],
    ['a name that begins alike is another', [{ query: 'id' }], { path: '/?idx=1&id=2' }, hashed('2')],
    ['a parameter without a value', [{ query: 'id' }], { path: '/?id' }, hashed('')],
    ['with an empty value', [{ query: 'id' }], { path: '/?id=&x=1' }, hashed('')],
    ['a cookie', [SESSION], { headers: ['Cookie', 'a=1; sid=s-7; b=2'] }, hashed('s-7')],
    ['in quotes', [SESSION], { headers: ['cookie', 'sid="s-7"'] }, hashed('s-7')],
    ['in a second header', [SESSION], { headers: ['cookie', 'a=1', 'cookie', 'sid=x'] }, hashed('x')],
    ['the first that the call has', [user, { query: 'id' }, SESSION], { path: '/?id=7', headers: ['cookie', 'sid=x'] }, hashed('7')],
    ['the first of all', [user, { query: 'id' }], { path: '/?id=7', headers: ['x-user', 'ann'] }, hashed('ann')],
    ['this process, when nobody asked it', [{ source: true }], {}, hashed('this process')],
  ])('%s', (_name, keys, init, expected) => {
    expect(hashOf(keysOf(...keys), init)).toBe(expected);
  });

  it('the caller of the call that is being served', () => {
    const keys = keysOf({ source: true });
    const served = (source: string): string => inboundContext.run({ deadlineMs: 0, criticality: -1, source }, () => hashOf(keys, {}));
    expect(served('10.0.0.7')).toBe(hashed('10.0.0.7'));
    expect(served('')).toBe(hashed('this process'));
  });

  it.each<[string, HashKey[], TestCallInit]>([
    ['no header', [user], { headers: ['x-other', 'ann'] }],
    ['no parameter', [{ query: 'id' }], { path: '/id=1' }],
    ['no cookie', [SESSION], { headers: ['cookie', 'SID=1; x-sid=2'] }],
    ['an empty cookie', [SESSION], { headers: ['cookie', 'sid=; a=1'] }],
    ['no keys at all', [], {}],
  ])('by chance: %s', (_name, keys, init) => {
    const one = keysOf(...keys);
    expect(new Set(Array.from({ length: 20 }, () => hashOf(one, init))).size).toBe(20);
    expect(one.setCookie(testCall(init))).toBeNull();
  });
});

describe('a cookie that is made', () => {
  const made: HashKey = { cookie: 'sid', path: '/app', ttlMs: 90_500, attributes: { SameSite: 'Lax', Secure: '' } };

  it('is the key, and stays with the retries of the call', () => {
    const keys = keysOf(made);
    const call = testCall();
    const [first, second] = [call.fork(1, 1_000), call.fork(2, 1_100)];
    const hashes = [first, second].map((attempt) => {
      const into: Hash64 = { hi: 0, lo: 0 };
      keys.read(attempt, into);
      return `${into.hi} ${into.lo}`;
    });
    const line = keys.setCookie(second) as string;
    const value = /^sid="([0-9a-f]{16})"; /.exec(line)?.[1] as string;
    expect(hashes).toEqual([hashed(value), hashed(value)]);
    expect(line).toBe(`sid="${value}"; Max-Age=91; Path=/app; SameSite=Lax; Secure; HttpOnly`);
    expect(keys.setCookie(first)).toBe(line);
    // The next call brings it along, and goes to the same place.
    expect(hashOf(keys, { headers: ['cookie', `sid="${value}"`] })).toBe(hashed(value));
  });

  it.each([
    [{ ...made, ttlMs: 0, path: '', attributes: {} }, /^sid="[0-9a-f]{16}"; HttpOnly$/],
    [{ ...made, ttlMs: 10_000, path: '', attributes: {} }, /^sid="[0-9a-f]{16}"; Max-Age=10; HttpOnly$/],
  ])('of another kind', (key, expected) => {
    const keys = keysOf(key);
    const call = testCall();
    keys.read(call, { hi: 0, lo: 0 });
    expect(keys.setCookie(call)).toMatch(expected);
  });

  it('another call has another', () => {
    const keys = keysOf(made);
    expect(hashOf(keys, {})).not.toBe(hashOf(keys, {}));
  });

  it('is not made when an earlier key decides, or the call has brought one', () => {
    const keys = keysOf({ header: 'x-user' }, made);
    for (const headers of [
      ['x-user', 'ann'],
      ['cookie', 'sid=7'],
    ]) {
      const call = testCall({ headers });
      keys.read(call, { hi: 0, lo: 0 });
      expect(keys.setCookie(call)).toBeNull();
    }
  });
});
