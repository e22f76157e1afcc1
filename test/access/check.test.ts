import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import { AccessCheck, type AccessParts, type AuthorizerAnswer, denialText, policyLabel, type TokenResult } from '../../src/access/check.ts';
import { type HeadEdits, NO_EDITS } from '../../src/access/head-edit.ts';
import type { SecurityPolicy } from '../../src/model/security.ts';
import { allow, deny, peer, policy, request, SELF, token } from './cases.ts';

function made(policies: readonly SecurityPolicy[], more: Partial<AccessParts> = {}): AccessCheck {
  return new AccessCheck({ access: compileAccess(policies, SELF), tokens: null, authorizers: new Map(), functions: [], ...more });
}

const edits = (more: Partial<HeadEdits>): HeadEdits => ({ ...NO_EDITS, ...more });
const told = (more: Partial<TokenResult>): AccessParts['tokens'] => ({ check: () => ({ fault: '', jwt: null, edits: NO_EDITS, ...more }) });
const custom = policy('custom', [{ paths: ['/a'] }], { provider: 'opa' });

function asking(answer: AuthorizerAnswer, failOpen = false): Partial<AccessParts> {
  return { authorizers: new Map([['opa', { failOpen, statusOnError: 503, check: () => Promise.resolve(answer) }]]) };
}

const yes: AuthorizerAnswer = { kind: 'allow', edits: edits({ set: [['x-user', 'opa']] }), responseHeaders: [['x-by', 'opa']] };

describe('the way past the policies', () => {
  it('gives one object for all calls that are let in, at once', () => {
    const check = made([allow({})]);
    const first = check.check(request());
    expect(first).toMatchObject({ status: 0, edits: NO_EDITS, jwt: null, note: '', decision: { allowed: true } });
    expect(check.check(request({ target: '/b' }))).toBe(first);
  });

  it.each([
    ['a rule', { target: '/a' }, 403, 'RBAC: access denied'],
    ['a host that is none', { authority: 'a,b' }, 400, 'Bad Request'],
  ])('answers what is denied by %s', (_what, call, status, body) => {
    expect(made([deny({ paths: ['/a'] })]).check(request(call))).toMatchObject({ status, body, headers: [], decision: { allowed: false } });
  });

  it('is open when nobody asks for anything', () => {
    expect(made([]).isOpen).toBe(true);
    expect(made([allow({})]).isOpen).toBe(false);
    expect(made([], { tokens: told({}) }).isOpen).toBe(false);
    expect(made([], { functions: [() => true] }).isOpen).toBe(false);
  });
});

describe('tokens', () => {
  const tokens = allow({ requestPrincipals: ['*'] });

  it('that are wrong are answered 401', async () => {
    const verdict = await made([allow({})], { tokens: told({ fault: 'Jwt is expired' }) }).check(request());
    expect(verdict).toMatchObject({
      status: 401,
      body: 'Jwt is expired',
      headers: [['www-authenticate', 'Bearer error="invalid_token"']],
      decision: { allowed: false, status: 401, reason: 'no-token', condition: 'Jwt is expired' },
    });
  });

  it('that are good are what policies ask for', async () => {
    const jwt = token();
    const change = edits({ remove: ['authorization'] });
    expect(await made([tokens], { tokens: told({ jwt, edits: change }) }).check(request())).toMatchObject({
      status: 0,
      jwt,
      edits: change,
    });
    expect(
      await made([tokens], { tokens: { check: () => Promise.resolve({ fault: '', jwt, edits: change }) } }).check(request()),
    ).toMatchObject({ status: 0 });
  });

  it('that are missing are nobody', () => {
    expect(made([tokens], { tokens: { check: () => null } }).check(request())).toMatchObject({
      status: 403,
      decision: { condition: 'requestPrincipals' },
    });
  });
});

describe('an external authorizer', () => {
  it('is asked for what its policy names, and nothing else', async () => {
    const check = made([custom], asking({ kind: 'deny', status: 418, headers: [['x-why', 'tea']], body: 'no' }));
    expect(check.check(request({ target: '/b' }))).toMatchObject({ status: 0 });
    expect(await check.check(request({ target: '/a' }))).toMatchObject({
      status: 418,
      headers: [['x-why', 'tea']],
      body: 'no',
      decision: { allowed: false, reason: 'refused', policy: custom, rule: 0, condition: 'provider', dialect: 'istio' },
    });
  });

  it('that says yes leaves the rest to the other policies, and may change the call', async () => {
    expect(await made([custom], asking(yes)).check(request({ target: '/a' }))).toMatchObject({
      status: 0,
      edits: { set: [['x-user', 'opa']] },
      responseHeaders: [['x-by', 'opa']],
      decision: { allowed: true },
    });
    expect(await made([custom, deny({})], asking(yes)).check(request({ target: '/a' }))).toMatchObject({
      status: 403,
      decision: { reason: 'deny' },
    });
  });

  it('that says nothing is a no, or a yes where that was decided', async () => {
    const error: AuthorizerAnswer = { kind: 'error', message: 'no answer within 200 ms' };
    expect(await made([custom], asking(error)).check(request({ target: '/a' }))).toMatchObject({
      status: 503,
      note: 'no answer within 200 ms',
      decision: { reason: 'unanswered' },
    });
    expect(await made([custom], asking(error, true)).check(request({ target: '/a' }))).toMatchObject({
      status: 0,
      note: 'no answer within 200 ms',
      decision: { allowed: true },
    });
  });

  it('that nobody knows is a no', async () => {
    expect(await made([custom]).check(request({ target: '/a' }))).toMatchObject({
      status: 403,
      decision: { reason: 'provider', policy: custom },
    });
  });

  it('that is not the only one is a no', async () => {
    const two = [custom, policy('custom', [{ paths: ['/z'] }], { provider: 'other' })];
    expect(await made(two, asking(yes)).check(request({ target: '/a' }))).toMatchObject({ status: 403, decision: { reason: 'provider' } });
  });

  it('comes after tokens: its word on a header counts more', async () => {
    const tokens = told({
      edits: edits({
        remove: ['a'],
        set: [
          ['x-user', 'jwt'],
          ['x-gone', '1'],
          ['x-kept', '1'],
        ],
        append: [['p', '1']],
        target: '/t',
      }),
    });
    const answer = { ...yes, edits: edits({ remove: ['x-gone'], set: [['x-user', 'opa']], append: [['q', '2']] }) };
    const joined = {
      remove: ['a', 'x-gone'],
      set: [
        ['x-kept', '1'],
        ['x-user', 'opa'],
      ],
      append: [
        ['p', '1'],
        ['q', '2'],
      ],
      target: '/t',
    };
    expect(await made([custom], { tokens, ...asking(answer) }).check(request({ target: '/a' }))).toMatchObject({ edits: joined });
    const moved = { ...answer, edits: edits({ target: '/u' }) };
    expect(await made([custom], { tokens, ...asking(moved) }).check(request({ target: '/a' }))).toMatchObject({ edits: { target: '/u' } });
    expect(await made([custom], { tokens: told({}), ...asking(answer) }).check(request({ target: '/a' }))).toMatchObject({
      edits: answer.edits,
    });
  });
});

describe('a function of yours', () => {
  type Case = readonly [what: string, ask: AccessParts['functions'][number], note: string | null];
  it.each<Case>([
    ['says yes', () => true, null],
    ['says yes later', () => Promise.resolve(true), null],
    ['says no', () => false, 'it said no'],
    ['says why not', () => 'not on Sundays', 'not on Sundays'],
    ['says why not, later', () => Promise.resolve('not on Sundays'), 'not on Sundays'],
    ['says an empty text', () => '', ''],
    ['throws', () => thrown(new Error('oops')), 'it failed: oops'],
    ['throws what is no error', () => thrown('oops'), 'it failed: oops'],
  ])('that %s', async (_what, ask, note) => {
    const verdict = await made([], { functions: [ask] }).check(request());
    if (note === null) expect(verdict).toMatchObject({ status: 0, decision: { allowed: true } });
    else
      expect(verdict).toMatchObject({
        status: 403,
        note,
        body: 'RBAC: access denied',
        decision: { reason: 'function', condition: 'function' },
      });
  });

  function thrown(what: unknown): never {
    throw what;
  }

  it('is asked after the policies, and sees the token', async () => {
    const seen: unknown[] = [];
    const functions = [
      (call: unknown): boolean => {
        seen.push(call);
        return true;
      },
    ];
    expect(await made([deny({})], { functions }).check(request())).toMatchObject({ status: 403, decision: { reason: 'deny' } });
    expect(seen).toEqual([]);
    const jwt = token();
    await made([], { functions, tokens: told({ jwt }) }).check(request());
    expect(seen).toEqual([request({ jwt })]);
  });

  it('ends it with the first no', async () => {
    const functions = [(): boolean => true, (): string => 'second', (): string => 'third'];
    expect(await made([], { functions }).check(request())).toMatchObject({ note: 'second' });
  });
});

describe('what is written of a denial', () => {
  const denying = { ...deny({ paths: ['/secret'] }), name: 'no-secrets' };

  it.each([
    ['a plain caller', {}, '10.0.0.7'],
    ['a caller with SPIFFE', { peer: peer('td/ns/a/sa/b') }, 'spiffe://td/ns/a/sa/b'],
    ['a caller with a DNS name', { peer: peer('', { dns: ['a.test'] }) }, 'a.test'],
    ['a caller whose certificate names nobody', { peer: peer('') }, '10.0.0.7'],
  ])('%s: who, by whom, for what, and no value of the call', async (_what, more, caller) => {
    const call = request({ target: '/secret?token=abc', headers: ['authorization', 'abc'], ...more });
    const verdict = await made([denying]).check(call);
    expect(denialText(verdict, call)).toBe(`GET of ${caller}: deny by default/no-secrets, rule 1 (istio), paths`);
  });

  it('without a policy, without a rule, with a note', async () => {
    const call = request();
    expect(denialText(await made([], { functions: [() => 'why not'] }).check(call), call)).toBe(
      'GET of 10.0.0.7: function by no policy, function: why not',
    );
    const empty = { ...allow(), name: 'nobody' };
    expect(denialText(await made([empty]).check(call), call)).toBe('GET of 10.0.0.7: no-allow by default/nobody (istio), no rule');
  });

  it('counts by policy', () => {
    expect([policyLabel(denying), policyLabel(null)]).toEqual(['default/no-secrets', '']);
  });
});
