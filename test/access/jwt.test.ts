import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TokenResult } from '../../src/access/check.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import type { FetchJson } from '../../src/access/jwt-fetch.ts';
import { loadTokenCheck } from '../../src/access/jwt.ts';
import type { Timer } from '../../src/core/clock.ts';
import type { JwtRule, RequestAuthenticationPolicy } from '../../src/model/security.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { allow, request, SELF } from './cases.ts';

const ISSUER = 'https://issuer.test';
const HEAD = {
  dialect: 'istio',
  name: 'jwt',
  namespace: 'default',
  createdAtMs: 0,
  source: { file: 'a.yaml', line: 1, column: 1 },
} as const;

interface Signer {
  readonly key: CryptoKey;
  readonly jwk: JWK;
}

let first: Signer;
let second: Signer;

async function signer(kid: string, alg = 'ES256'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

beforeAll(async () => {
  first = await signer('first');
  second = await signer('second');
});

function rule(more: Partial<JwtRule> = {}): JwtRule {
  return {
    issuer: ISSUER,
    audiences: [],
    jwks: JSON.stringify({ keys: [first.jwk] }),
    fetchTimeoutMs: 5_000,
    fromHeaders: [{ name: 'authorization', prefix: 'Bearer ' }],
    fromParams: ['access_token'],
    fromCookies: [],
    forwardOriginalToken: false,
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
    required: false,
    source: HEAD.source,
    ...more,
  };
}

function fetched(more: Partial<JwtRule> = {}): JwtRule {
  const { jwks: _, ...rest } = rule(more);
  return { jwksUri: `${ISSUER}/keys`, ...rest };
}

interface Made {
  readonly check: (call: Partial<AccessRequest>) => Promise<TokenResult | null>;
  readonly clock: VirtualClock;
}

async function made(
  rules: readonly JwtRule[],
  fetchJson: FetchJson = () => Promise.reject(new Error('nobody there')),
  loadJose = (): Promise<typeof import('jose')> => import('jose'),
): Promise<Made> {
  const clock = new VirtualClock();
  const policy: RequestAuthenticationPolicy = {
    ...HEAD,
    kind: 'request-authentication',
    scope: { namespace: '', labels: {}, expressions: [] },
    rules,
  };
  const tokens = await loadTokenCheck([allow({}), policy], SELF, { clock, fetchJson, loadJose });
  return { clock, check: async (call) => (await tokens?.check(request(call))) ?? null };
}

interface Claims {
  readonly [claim: string]: unknown;
}

/** Good for five minutes of the virtual clock, unless the claims say otherwise. */
function token(
  clock: VirtualClock,
  claims: Claims = {},
  { key, jwk }: Signer = first,
  head: Record<string, unknown> = {},
): Promise<string> {
  const nowS = Math.floor(clock.wall() / 1_000);
  const all: Claims = { iss: ISSUER, sub: 'alice', exp: nowS + 300, ...claims };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(kept).setProtectedHeader({ alg: jwk.alg as string, kid: jwk.kid as string, ...head }).sign(key);
}

const bearer = (text: string): Partial<AccessRequest> => ({ headers: ['Authorization', `Bearer ${text}`] });

describe('a token', () => {
  it('that is good says who calls, and is taken out of the request', async () => {
    const { check, clock } = await made([rule()]);
    const text = await token(clock, { aud: ['api', 'web'], azp: 'app', scope: 'read  write', permission: ['a'], group: 'x y' });
    const result = await check(bearer(text));
    expect(result).toMatchObject({
      fault: '',
      jwt: { issuer: ISSUER, subject: 'alice', audiences: ['api', 'web'], presenter: 'app' },
      edits: { remove: ['authorization'], set: [], append: [], target: null },
    });
    expect(result?.jwt?.claims).toMatchObject({ scope: ['read', 'write'], permission: ['a'], group: 'x y' });
  });

  it('without presenter and audience has none', async () => {
    const { check, clock } = await made([rule({ spaceDelimitedClaims: ['group'] })]);
    const { jwt } = (await check(bearer(await token(clock, { azp: 7, aud: 'one', group: 'x y' })))) as TokenResult;
    expect(jwt).toMatchObject({ presenter: '', audiences: ['one'], claims: { group: ['x', 'y'] } });
    const { jwt: bare } = (await check(bearer(await token(clock)))) as TokenResult;
    expect(bare).toMatchObject({ audiences: [] });
  });

  it('that is missing lets the call go on', async () => {
    const { check } = await made([rule()]);
    expect(await check({})).toBeNull();
    expect(await check({ headers: ['authorization', 'Basic abc', 'authorizatiom', 'Bearer x'] })).toBeNull();
  });

  it('that is missing where one is asked for', async () => {
    const { check } = await made([rule({ required: true })]);
    expect((await check({}))?.fault).toBe('Jwt is missing');
    const { check: either } = await made([rule(), rule({ issuer: 'https://other.test', required: true })]);
    expect((await either({}))?.fault).toBe('Jwt is missing');
  });

  type Bad = readonly [what: string, fault: RegExp, make: (clock: VirtualClock) => Promise<string> | string];
  it.each<Bad>([
    ['of nobody', /^Jwt issuer is not configured$/, (clock) => token(clock, { iss: 'https://other.test' })],
    ['without an issuer', /^Jwt issuer is not configured$/, (clock) => token(clock, { iss: undefined })],
    ['without a subject', /^Jwt claim sub is missing or wrong$/, (clock) => token(clock, { sub: undefined })],
    ['without an end', /^Jwt claim exp is missing or wrong$/, (clock) => token(clock, { exp: undefined })],
    ['that has ended', /^Jwt is expired$/, (clock) => token(clock, { exp: Math.floor(clock.wall() / 1_000) - 61 })],
    ['that has not begun', /^Jwt not yet valid$/, (clock) => token(clock, { nbf: Math.floor(clock.wall() / 1_000) + 62 })],
    ['signed by another key', /^Jwt verification fails$/, (clock) => token(clock, {}, { key: second.key, jwk: first.jwk })],
    ['signed by a key that nobody knows', /^Jwt verification fails$/, (clock) => token(clock, {}, second)],
    ['with a critical extension', /^Jwt verification fails$/, (clock) => critical(clock)],
    [
      'without a signature',
      /^Jwt header \[alg\] is not supported$/,
      () => new UnsecuredJWT({ iss: ISSUER, sub: 'a' }).setExpirationTime('1h').encode(),
    ],
    ['signed with the public key as a secret', /^Jwt header \[alg\] is not supported$/, (clock) => confused(clock)],
    ['of an issuer that is no text', /^Jwt payload \[iss\] field is not a string$/, (clock) => token(clock, { iss: 7 })],
    ['of a subject that is no text', /^Jwt payload \[sub\] field is not a string$/, (clock) => token(clock, { sub: null })],
    ['of a subject that is a list', /^Jwt payload \[sub\] field is not a string$/, (clock) => token(clock, { sub: ['alice'] })],
    ['for nothing', /^Jwt payload \[aud\] field is not a string or string list$/, (clock) => token(clock, { aud: null })],
    [
      'for a number among others',
      /^Jwt payload \[aud\] field is not a string or string list$/,
      (clock) => token(clock, { aud: ['api', 7] }),
    ],
    ['that is none', /^Jwt is not in the form of Header/, () => 'abc'],
    ['that is empty', /^Jwt is not in the form of Header/, () => ''],
    [
      'whose JSON is 5,000 deep',
      /^Jwt is not in the form of Header|^Jwt issuer/,
      () => `e30.${Buffer.from('['.repeat(5_000)).toString('base64url')}.x`,
    ],
    ['of 16 KiB that is none', /^Jwt is not in the form of Header/, () => 'a'.repeat(16_384)],
    ['of more than 16 KiB', /^Jwt is too long$/, () => 'a'.repeat(16_385)],
  ])('%s is answered 401', async (_what, fault, make) => {
    const { check, clock } = await made([rule()]);
    const result = await check(bearer(await make(clock)));
    expect(result?.fault).toMatch(fault);
    expect(result?.jwt).toBeNull();
  });

  async function critical(clock: VirtualClock): Promise<string> {
    const [, payload, signature] = (await token(clock)).split('.');
    const head = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'first', crit: ['x'], x: 1 })).toString('base64url');
    return `${head}.${payload}.${signature}`;
  }

  function confused(clock: VirtualClock): Promise<string> {
    return new SignJWT({ iss: ISSUER, sub: 'alice', exp: Math.floor(clock.wall() / 1_000) + 300 })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(Buffer.from(JSON.stringify(first.jwk)));
  }

  it('is given a minute for clocks that differ', async () => {
    const { check, clock } = await made([rule()]);
    const nowS = Math.floor(clock.wall() / 1_000);
    expect((await check(bearer(await token(clock, { exp: nowS - 59 }))))?.fault).toBe('');
    expect((await check(bearer(await token(clock, { nbf: nowS + 60 }))))?.fault).toBe('');
  });

  it('is for one of the audiences', async () => {
    const { check, clock } = await made([rule({ audiences: ['api', 'web'] })]);
    expect((await check(bearer(await token(clock, { aud: 'web' }))))?.fault).toBe('');
    expect((await check(bearer(await token(clock, { aud: 'other' }))))?.fault).toBe('Audiences in Jwt are not allowed');
    expect((await check(bearer(await token(clock))))?.fault).toBe('Audiences in Jwt are not allowed');
  });

  it('of any issuer, where the rule names none', async () => {
    const { check, clock } = await made([rule({ issuer: '' })]);
    expect((await check(bearer(await token(clock, { iss: 'https://x.test' }))))?.jwt?.issuer).toBe('https://x.test');
  });

  it('is good when one of two rules takes it', async () => {
    const other = rule({ issuer: 'https://other.test', jwks: JSON.stringify({ keys: [second.jwk] }) });
    const { check, clock } = await made([rule(), other]);
    expect((await check(bearer(await token(clock))))?.jwt?.issuer).toBe(ISSUER);
    expect((await check(bearer(await token(clock, { iss: 'https://other.test' }, second))))?.jwt?.issuer).toBe('https://other.test');
    expect((await check(bearer(await token(clock, { iss: 'https://other.test' }))))?.fault).toMatch(/^Jwt /);
    const twice = await made([rule({ audiences: ['a'] }), rule({ audiences: ['b'] })]);
    expect((await twice.check(bearer(await token(clock, { aud: 'b' }))))?.fault).toBe('');
  });

  it('2021-001: two issuers and no token is nobody', async () => {
    const { check } = await made([rule(), rule({ issuer: 'https://other.test' })]);
    expect(await check({})).toBeNull();
  });
});

describe('claims', () => {
  // Nearly as deep as 16 KiB allow.
  it.each([1_001, 4_000])('2026-005: %i levels deep are read or refused, never a crash', async (depth) => {
    const { check, clock } = await made([
      rule({ outputClaimToHeaders: [{ header: 'x-deep', claim: 'deep' }], spaceDelimitedClaims: ['deep'] }),
    ]);
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const exp = Math.floor(clock.wall() / 1_000) + 300;
    const payload = Buffer.from(`{"iss":"${ISSUER}","sub":"alice","exp":${exp},"deep":${deep}}`);
    const signed = await new CompactSign(payload).setProtectedHeader({ alg: 'ES256', kid: 'first' }).sign(first.key);
    expect(await check(bearer(signed))).not.toBeNull();
    const [, claims, signature] = signed.split('.');
    const head = Buffer.from(`{"alg":"ES256","kid":"first","x":${deep}}`).toString('base64url');
    for (const forged of [`${head}.${claims}.${signature}`, `${head}.e30.${signature}`]) {
      expect((await check(bearer(forged)))?.fault).toMatch(/^Jwt /);
    }
  });
});

describe('places of tokens', () => {
  it('are headers, parameters and cookies; it is taken out of each', async () => {
    const { check, clock } = await made([rule({ fromHeaders: [{ name: 'x-jwt', prefix: '' }], fromCookies: ['session'] })]);
    const text = await token(clock);
    expect((await check({ headers: ['X-Jwt', text] }))?.edits).toMatchObject({ remove: ['x-jwt'], set: [], target: null });
    expect((await check({ target: `/a?b=1&access_token=${text}&c=2` }))?.edits).toMatchObject({ remove: [], target: '/a?b=1&c=2' });
    expect((await check({ target: `/a?access_token=${text}#f` }))?.edits).toMatchObject({ target: '/a' });
    const cookies = { headers: ['cookie', `a=1; session=${text}; b=2`] };
    expect((await check(cookies))?.edits).toMatchObject({ remove: [], set: [['cookie', 'a=1; b=2']] });
    expect((await check({ headers: ['cookie', `session=${text}`] }))?.edits).toMatchObject({ remove: ['cookie'], set: [] });
    expect(await check({ headers: ['cookie', 'session'] })).toBeNull();
    expect(await check({ target: '/a?access_tokens=x' })).toBeNull();
  });

  it('leave the token where it is when the handler is to see it', async () => {
    const { check, clock } = await made([rule({ forwardOriginalToken: true })]);
    expect((await check(bearer(await token(clock))))?.edits).toMatchObject({ remove: [], set: [], target: null });
  });

  it('are all looked at: one bad token is enough for 401', async () => {
    const { check, clock } = await made([rule()]);
    const text = await token(clock);
    expect((await check({ headers: ['authorization', `Bearer ${text}`], target: '/?access_token=bad' }))?.fault).toMatch(/^Jwt is not/);
    const twice = await check({ headers: ['authorization', `Bearer ${text}`], target: `/?access_token=${text}` });
    expect(twice).toMatchObject({ fault: '', edits: { remove: ['authorization'], target: '/' } });
    const two = { headers: ['authorization', `Bearer ${text}`, 'authorization', 'Bearer bad'] };
    expect((await check(two))?.fault).toMatch(/^Jwt is not/);
  });

  it('are all emptied when several tokens come', async () => {
    const other = rule({
      issuer: 'https://other.test',
      jwks: JSON.stringify({ keys: [second.jwk] }),
      fromParams: ['t'],
      fromCookies: ['b'],
    });
    const { check, clock } = await made([rule({ fromCookies: ['a'], outputPayloadToHeader: 'x-payload' }), other]);
    const one = await token(clock);
    const two = await token(clock, { iss: 'https://other.test', sub: 'bob' }, second);
    const inCookies = await check({ headers: ['cookie', `a=${one}; b=${two}; c=1`] });
    expect(inCookies).toMatchObject({
      fault: '',
      jwt: { subject: 'alice' },
      edits: {
        remove: [],
        set: [
          ['cookie', 'c=1'],
          ['x-payload', one.split('.')[1]],
        ],
      },
    });
    expect((await check({ target: `/?access_token=${one}&c=1&t=${two}` }))?.edits).toMatchObject({ target: '/?c=1' });
  });

  it('of one rule are not those of another', async () => {
    const { check, clock } = await made([rule({ fromHeaders: [{ name: 'x-a', prefix: '' }] }), rule({ issuer: 'https://other.test' })]);
    expect((await check(bearer(await token(clock))))?.fault).toBe('Jwt issuer is not configured');
  });

  it('are not looked at for a preflight', async () => {
    const { check } = await made([rule({ required: true })]);
    const headers = ['authorization', 'Bearer bad', 'Origin', 'https://a', 'Access-Control-Request-Method', 'GET'];
    expect(await check({ method: 'OPTIONS', headers })).toBeNull();
    expect((await check({ method: 'GET', headers }))?.fault).toMatch(/^Jwt is not/);
    expect((await check({ method: 'OPTIONS', headers: headers.slice(0, 4) }))?.fault).toMatch(/^Jwt is not/);
    expect((await check({ method: 'OPTIONS', headers: ['a', 'origin', 'b', 'access-control-request-method'] }))?.fault).toBe(
      'Jwt is missing',
    );
  });
});

describe('what the handler gets', () => {
  const outputs = (): JwtRule =>
    rule({
      outputPayloadToHeader: 'X-Payload',
      outputClaimToHeaders: [
        { header: 'X-Sub', claim: 'sub' },
        { header: 'x-level', claim: 'level' },
        { header: 'x-admin', claim: 'admin' },
        { header: 'x-deep', claim: 'a.b' },
        { header: 'x-dots', claim: 'c.d' },
        { header: 'x-list', claim: 'list' },
        { header: 'x-none', claim: 'none.at.all' },
        { header: 'x-length', claim: 'sub.length' },
        { header: 'x-null', claim: 'nil.x' },
        { header: 'x-evil', claim: 'evil' },
      ],
    });

  it('is the payload and the claims', async () => {
    const { check, clock } = await made([outputs()]);
    const text = await token(clock, { level: 7, admin: false, a: { b: 'deep' }, 'c.d': 'dots', list: ['x'], nil: null, evil: 'a\r\nb: c' });
    expect((await check(bearer(text)))?.edits.set).toEqual([
      ['x-payload', text.split('.')[1]],
      ['x-sub', 'alice'],
      ['x-level', '7'],
      ['x-admin', 'false'],
      ['x-deep', 'deep'],
      ['x-dots', 'dots'],
    ]);
  });

  it('is never what the caller wrote there', async () => {
    const { check, clock } = await made([outputs()]);
    expect(await check({ headers: ['X-Sub', 'admin', 'x-other', '1'] })).toEqual({
      fault: '',
      jwt: null,
      edits: { remove: ['x-sub'], set: [], append: [], target: null },
    });
    const { headers } = bearer(await token(clock));
    expect((await check({ headers: [...(headers ?? []), 'x-list', 'admin'] }))?.edits.remove).toEqual(['x-list', 'authorization']);
  });
});

describe('key sets', () => {
  it('are fetched once, for all who wait', async () => {
    const asked: string[] = [];
    const { check, clock } = await made([fetched()], (url, ms) => {
      asked.push(`${url} ${ms}`);
      return Promise.resolve({ keys: [first.jwk] });
    });
    const call = bearer(await token(clock));
    const results = await Promise.all([check(call), check(call), check(call)]);
    expect(results.map((result) => result?.fault)).toEqual(['', '', '']);
    expect(asked).toEqual([`${ISSUER}/keys 5000`]);
  });

  it('2026-001: fail closed when they cannot be had, and are asked for again after half a minute', async () => {
    let tries = 0;
    let isUp = false;
    const { check, clock } = await made([fetched()], () => {
      tries++;
      return isUp ? Promise.resolve({ keys: [first.jwk] }) : Promise.reject(new Error('down'));
    });
    const call = bearer(await token(clock));
    expect((await check(call))?.fault).toBe('Jwks remote fetch is failed');
    expect((await check(call))?.fault).toBe('Jwks remote fetch is failed');
    isUp = true;
    clock.advance(29_999);
    expect((await check(call))?.fault).toBe('Jwks remote fetch is failed');
    expect(tries).toBe(1);
    clock.advance(1);
    expect((await check(call))?.fault).toBe('');
    expect(tries).toBe(2);
  });

  it('are fetched again when a token names a key that is not there, once in half a minute', async () => {
    let keys = [first.jwk];
    let tries = 0;
    const { check, clock } = await made([fetched()], () => {
      tries++;
      return Promise.resolve({ keys });
    });
    expect((await check(bearer(await token(clock))))?.fault).toBe('');
    keys = [first.jwk, second.jwk];
    const turned = bearer(await token(clock, {}, second));
    expect((await check(turned))?.fault).toMatch(/^Jwt /);
    clock.advance(30_000);
    expect((await check(turned))?.fault).toBe('');
    expect(tries).toBe(2);
    expect((await check(turned))?.fault).toBe('');
    expect(tries).toBe(2);
    // Nothing else that is wrong with a token is a reason to ask.
    clock.advance(30_000);
    expect((await check(bearer(await token(clock, {}, { key: second.key, jwk: first.jwk }))))?.fault).toBe('Jwt verification fails');
    expect(tries).toBe(2);
  });

  it('fail closed whatever a fetch of yours rejects with', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what others do
    const { check, clock } = await made([fetched()], () => Promise.reject());
    expect((await check(bearer(await token(clock))))?.fault).toBe('Jwks remote fetch is failed');
  });

  it('are fetched again beside the calls when they are old, and are good for an hour without the issuer', async () => {
    let tries = 0;
    const { check, clock } = await made([fetched()], () =>
      ++tries === 1 ? Promise.resolve({ keys: [first.jwk] }) : Promise.reject(new Error('down')),
    );
    const at = async (): Promise<string | undefined> => (await check(bearer(await token(clock))))?.fault;
    expect(await at()).toBe('');
    clock.advance(299_999);
    expect([await at(), tries]).toEqual(['', 1]);
    clock.advance(1);
    expect([await at(), tries]).toEqual(['', 2]);
    clock.advance(3_299_999);
    expect(await at()).toBe('');
    clock.advance(30_000);
    expect(await at()).toBe('Jwks remote fetch is failed');
  });

  it('are found by way of the issuer', async () => {
    const asked: string[] = [];
    const { jwksUri: _, ...bare } = fetched();
    const { check, clock } = await made([{ ...bare, issuer: `${ISSUER}/` }], (url) => {
      asked.push(url);
      return Promise.resolve(url.endsWith('/keys') ? { keys: [first.jwk] } : { jwks_uri: `${ISSUER}/keys` });
    });
    expect((await check(bearer(await token(clock, { iss: `${ISSUER}/` }))))?.fault).toBe('');
    expect(asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
  });

  it.each([
    ['an issuer that does not say where they are', {}],
    ['an issuer that says nothing', null],
  ])('%s has none', async (_what, answer) => {
    const { jwksUri: _, ...bare } = fetched();
    const { check, clock } = await made([bare], () => Promise.resolve(answer));
    expect((await check(bearer(await token(clock))))?.fault).toBe('Jwks remote fetch is failed');
  });

  it.each([
    ['no mapping', []],
    ['a list that is none', { keys: 7 }],
    ['nothing but a secret', { keys: [{ kty: 'oct', k: 'AAAA' }] }],
    ['nothing but a private key', { keys: [{ kty: 'EC', d: 'AAAA' }] }],
    ['no kind of key', { keys: [{}, null] }],
  ])('that are %s are none', async (_what, answer) => {
    const { check, clock } = await made([fetched()], () => Promise.resolve(answer));
    expect((await check(bearer(await token(clock))))?.fault).toBe('Jwks remote fetch is failed');
  });

  it('may be one key in the document', async () => {
    const { check, clock } = await made([rule({ jwks: JSON.stringify(first.jwk) })]);
    expect((await check(bearer(await token(clock))))?.fault).toBe('');
  });

  it('in the document that verify nothing are refused at once', async () => {
    await expect(made([rule({ jwks: '{"keys":[]}' })])).rejects.toThrow('no key to verify with');
  });
});

describe('a token that was good', () => {
  /** As `made`, and how often a signature was looked at. */
  async function counted(rules: readonly JwtRule[], fetchJson?: FetchJson): Promise<Made & { verified: number }> {
    const counts = { verified: 0 };
    const jose = await import('jose');
    const jwtVerify = ((...args: Parameters<typeof jose.jwtVerify>) => {
      counts.verified++;
      return jose.jwtVerify(...args);
    }) as typeof jose.jwtVerify;
    const one = await made(rules, fetchJson, () => Promise.resolve({ ...jose, jwtVerify }));
    return Object.assign(counts, one);
  }

  it('is not verified again, until it ends', async () => {
    const world = await counted([rule()]);
    const call = bearer(await token(world.clock));
    const first = await world.check(call);
    expect(await world.check(call)).toEqual(first);
    expect(world.verified).toBe(1);
    world.clock.advance(300_000);
    // Within the tolerance it is good, and asked of jose.
    expect((await world.check(call))?.fault).toBe('');
    expect((await world.check(call))?.fault).toBe('');
    expect(world.verified).toBe(3);
    world.clock.advance(60_000);
    expect((await world.check(call))?.fault).toBe('Jwt is expired');
  });

  it('is verified again with other keys: one that was taken back is none', async () => {
    let keys = [first.jwk];
    const world = await counted([fetched()], () => Promise.resolve({ keys }));
    const call = bearer(await token(world.clock, { exp: Math.floor(world.clock.wall() / 1_000) + 10_000 }));
    expect((await world.check(call))?.fault).toBe('');
    keys = [second.jwk];
    world.clock.advance(300_000);
    await world.check(call);
    expect((await world.check(call))?.fault).toBe('Jwt verification fails');
  });

  it('says nothing of one with the same words and another signature', async () => {
    const world = await counted([rule()]);
    const good = await token(world.clock);
    await world.check(bearer(good));
    const [head, payload] = good.split('.') as [string, string];
    const other = (await token(world.clock, { sub: 'bob' })).split('.')[2] as string;
    for (const text of [`${head}.${payload}.${other}`, `${head}.${payload}.`])
      expect((await world.check(bearer(text)))?.fault).toMatch(/^Jwt/);
    expect((await world.check(bearer(`${good}=`)))?.fault).toMatch(/^Jwt/);
  });

  it('is of the rule that found it good alone', async () => {
    const world = await counted([rule({ audiences: ['api'] }), rule({ fromHeaders: [{ name: 'x-token', prefix: '' }] })]);
    const text = await token(world.clock, { aud: 'web' });
    expect((await world.check({ headers: ['x-token', text] }))?.fault).toBe('');
    expect((await world.check(bearer(text)))?.fault).toBe('Audiences in Jwt are not allowed');
  });

  it('cannot be changed by one call for the next', async () => {
    const world = await counted([rule()]);
    const call = bearer(await token(world.clock, { roles: { list: ['a'] } }));
    for (let i = 0; i < 2; i++) {
      const result = (await world.check(call)) as TokenResult & { jwt: { claims: { roles: { list: string[] } } } };
      const { roles } = result.jwt.claims;
      expect(() => roles.list.push('admin')).toThrow(TypeError);
      expect(roles).toEqual({ list: ['a'] });
    }
  });
});

describe('loading', () => {
  const scope = { namespace: '', labels: {}, expressions: [] };

  it('takes nothing when no policy asks for tokens', async () => {
    const policy: RequestAuthenticationPolicy = { ...HEAD, kind: 'request-authentication', scope, rules: [] };
    const loadJose = (): never => {
      throw new Error('not asked for');
    };
    expect(await loadTokenCheck([policy], SELF, { clock: new VirtualClock(), loadJose })).toBeNull();
    const other = { ...policy, rules: [rule()], scope: { ...scope, namespace: 'other' } };
    expect(await loadTokenCheck([other], SELF, { clock: new VirtualClock(), loadJose })).toBeNull();
  });

  it('says what to install', async () => {
    const policy: RequestAuthenticationPolicy = { ...HEAD, kind: 'request-authentication', scope, rules: [rule()] };
    const cause = new Error('no module');
    const loadJose = (): Promise<never> => Promise.reject(cause);
    await expect(loadTokenCheck([policy], SELF, { clock: new VirtualClock(), loadJose })).rejects.toMatchObject({
      message: expect.stringContaining('npm install jose'),
      cause,
    });
  });

  it('takes the guarded fetch by itself', async () => {
    const policy: RequestAuthenticationPolicy = {
      ...HEAD,
      kind: 'request-authentication',
      scope,
      rules: [fetched({ jwksUri: 'http://a.test/' })],
    };
    const clock = new VirtualClock();
    const tokens = await loadTokenCheck([policy], SELF, { clock });
    expect(await tokens?.check(request(bearer(await token(clock))))).toMatchObject({ fault: 'Jwks remote fetch is failed' });
  });

  it('waits for a key set by the clock that it is given', async () => {
    const rules = [fetched({ jwksUri: 'https://localhost:1/', fetchTimeoutMs: 700 })];
    const policy: RequestAuthenticationPolicy = { ...HEAD, kind: 'request-authentication', scope, rules };
    const due: number[] = [];
    class Watched extends VirtualClock {
      override arm(timer: Timer, dueMs: number): void {
        due.push(dueMs - this.now());
        super.arm(timer, dueMs);
      }
    }
    const clock = new Watched();
    const tokens = await loadTokenCheck([policy], SELF, { clock });
    expect(await tokens?.check(request(bearer(await token(clock))))).toMatchObject({ fault: 'Jwks remote fetch is failed' });
    expect(due).toEqual([700]);
  });
});
