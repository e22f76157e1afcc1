// The keys of an issuer by themselves: which are taken, when they are asked for again, and what is said when there are none.
import * as jose from 'jose';
import { describe, expect, it } from 'vitest';
import type { FetchJson } from '../../src/access/jwt-fetch.ts';
import { type KeySource, keySource } from '../../src/access/jwt-keys.ts';
import type { JwtRule } from '../../src/model/security.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const ISSUER = 'https://issuer.test';
const EC = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'ec' };

function rule(more: Partial<JwtRule> = {}): JwtRule {
  return {
    issuer: ISSUER,
    audiences: [],
    fetchTimeoutMs: 5_000,
    fromHeaders: [],
    fromParams: [],
    fromCookies: [],
    forwardOriginalToken: false,
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
    required: false,
    source: { file: 'mesh.yaml', line: 1, column: 1 },
    ...more,
  };
}

interface Bench {
  readonly source: KeySource;
  readonly clock: VirtualClock;
  /** Which keys were taken, by their `kid`; one list for each time. */
  readonly taken: (readonly (string | undefined)[])[];
  readonly asked: string[];
}

function bench(more: Partial<JwtRule>, fetchJson: FetchJson = () => Promise.reject(new Error('down'))): Bench {
  const clock = new VirtualClock();
  const taken: (readonly (string | undefined)[])[] = [];
  const asked: string[] = [];
  const watching = {
    ...jose,
    createLocalJWKSet(set: jose.JSONWebKeySet) {
      taken.push(set.keys.map(({ kid }) => kid));
      return jose.createLocalJWKSet(set);
    },
  };
  const asking: FetchJson = (url, timeoutMs) => {
    asked.push(`${url} ${timeoutMs}`);
    return fetchJson(url, timeoutMs);
  };
  return { source: keySource(rule(more), watching, asking, clock), clock, taken, asked };
}

const URI = { jwksUri: `${ISSUER}/keys` };

describe('a key set', () => {
  it.each<[string, unknown, string]>([
    ['nothing', null, 'the answer is no key set'],
    ['a list', [], 'the answer is no key set'],
    ['a text', 'keys', 'the answer is no key set'],
    ['a number', 7, 'the answer is no key set'],
    ['keys that are no list', { keys: 7 }, 'the answer is no key set'],
    ['no key', { keys: [] }, 'the key set has no key to verify with'],
    ['no mappings', { keys: [null, 'EC', ['EC']] }, 'the key set has no key to verify with'],
    ['keys of no kind', { keys: [{}, { kty: 7 }] }, 'the key set has no key to verify with'],
    ['a secret', { keys: [{ kty: 'oct', k: 'AAAA' }] }, 'the key set has no key to verify with'],
    ['a private key', { keys: [{ ...EC, d: 'AAAA' }] }, 'the key set has no key to verify with'],
    ['one key of no kind', {}, 'the key set has no key to verify with'],
  ])('that is %s is none', async (_, answer, message) => {
    const { source, taken } = bench(URI, () => Promise.resolve(answer));
    await expect(source.keys()).rejects.toThrow(message);
    expect(() => bench({ jwks: JSON.stringify(answer) })).toThrow(message);
    expect(taken).toEqual([]);
  });

  it('is the keys in it that verify', async () => {
    const keys = [{ kty: 'oct', k: 'AA', kid: 'secret' }, EC, null, { ...EC, d: 'AA', kid: 'private' }, { kty: 'RSA', kid: 'rsa' }];
    const { source, taken } = bench(URI, () => Promise.resolve({ keys }));
    await source.keys();
    expect(taken).toEqual([['ec', 'rsa']]);
  });

  it('of the document is never asked for', async () => {
    const { source, clock, asked } = bench({ jwks: JSON.stringify(EC) });
    const keys = await source.keys();
    expect(await source.refresh()).toBe(false);
    clock.advance(24 * 3_600_000);
    expect(await source.keys()).toBe(keys);
    expect(asked).toEqual([]);
  });
});

describe('keys that are fetched', () => {
  it('say why there are none', async () => {
    const { source, asked } = bench(URI);
    await expect(source.keys()).rejects.toThrow('down');
    await expect(source.keys()).rejects.toThrow('down');
    expect(asked).toEqual([`${ISSUER}/keys 5000`]);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['no address', {}],
    ['an address that is no text', { jwks_uri: 7 }],
    ['a list', [`${ISSUER}/keys`]],
  ])('are nowhere when the issuer says %s', async (_, answer) => {
    const { source, asked } = bench({ fetchTimeoutMs: 700 }, () => Promise.resolve(answer));
    await expect(source.keys()).rejects.toThrow(`${ISSUER} does not say where its keys are`);
    expect(asked).toEqual([`${ISSUER}/.well-known/openid-configuration 700`]);
  });

  it('are other keys after they were asked for again, and not within half a minute', async () => {
    let isUp = true;
    const { source, clock, asked } = bench(URI, () => (isUp ? Promise.resolve({ keys: [EC] }) : Promise.reject(new Error('down'))));
    const first = await source.keys();
    clock.advance(29_999);
    expect(await source.refresh()).toBe(false);
    clock.advance(1);
    expect(await source.refresh()).toBe(true);
    const second = await source.keys();
    expect(second === first).toBe(false);
    isUp = false;
    clock.advance(30_000);
    // Those that are there stay.
    expect(await source.refresh()).toBe(false);
    expect([await source.keys(), asked.length]).toEqual([second, 3]);
  });

  it('are believed for an hour, to the millisecond', async () => {
    let tries = 0;
    const { source, clock } = bench(URI, () => (++tries === 1 ? Promise.resolve({ keys: [EC] }) : Promise.reject(new Error('down'))));
    const keys = await source.keys();
    clock.advance(3_599_999);
    expect(await source.keys()).toBe(keys);
    clock.advance(1);
    await expect(source.keys()).rejects.toThrow('down');
  });
});
