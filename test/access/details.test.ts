// What single characters of the authorization code decide: lists with more than one value, values that are missing, names of
// conditions, and what is looked at once. Most of these were asked for by changes to the code that no other test noticed.
import { describe, expect, it } from 'vitest';
import { type Access, compileAccess } from '../../src/access/access.ts';
import { AccessCheck, type Authorizer } from '../../src/access/check.ts';
import { type HeadEdits, NO_EDITS } from '../../src/access/head-edit.ts';
import { LinkerdAccess } from '../../src/access/linkerd.ts';
import { asRead } from '../../src/access/matches.ts';
import { principalValues, requestPrincipalTest } from '../../src/access/principal.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import { alike, readingsOf } from '../../src/access/path-readings.ts';
import type { AuthorizationRule, LinkerdAuthorizationPolicy, LinkerdServerPolicy, SecurityPolicy } from '../../src/model/security.ts';
import { allow, deny, peer, policy, request, rule, SELF, token } from './cases.ts';

const compiled = (...policies: SecurityPolicy[]): Access => compileAccess(policies, SELF);
const may = (one: SecurityPolicy, more: Partial<AccessRequest>): boolean => compiled(one).decide(request(more)).allowed;

/** A rule whose sources are all of these. */
function fromAny(...short: Parameters<typeof rule>[0][]): AuthorizationRule {
  return { ...rule({}), from: short.flatMap((one) => rule(one).from) };
}

describe('names of callers', () => {
  const ours = { own: 'td', aliases: ['old'] };

  it.each([
    ['cluster.local/ns/a/sa/b', { own: '', aliases: [] }, []],
    ['cluster.local/ns/a/sa/b', ours, ['td/ns/a/sa/b', 'old/ns/a/sa/b']],
    ['old/ns/a/sa/b', ours, ['td/ns/a/sa/b']],
    ['other/ns/a/sa/b', ours, []],
    ['*/ns/a/sa/b', ours, []],
    ['td', ours, []],
    ['*', ours, []],
  ])('%s in %j', (value, domains, more) => {
    expect(principalValues([value], domains)).toEqual([value, ...more]);
  });

  it.each([
    ['iss', 'iss', '', true],
    ['iss', 'iss', 'alice', false],
    ['iss', 'is', 'iss', false],
    ['/alice', '', 'alice', true],
    ['/al*', '', 'alice', true],
    ['iss/*x', 'iss', 'ax', false],
    ['iss/*x', 'iss', '*x', true],
    ['iss/al*', 'iss', 'alice', true],
    ['iss/al*', 'iss', 'bob', false],
    ['*', 'iss', 'alice', true],
    ['*', 'iss', '', false],
  ])('a token for %s: of %s, about %s: %s', (value, issuer, subject, expected) => {
    expect(requestPrincipalTest(value)(token({ issuer, subject }))).toBe(expected);
  });
});

describe('one of several', () => {
  it.each<[string, SecurityPolicy, Partial<AccessRequest>]>([
    ['names of a certificate', allow({ principals: ['b'] }), { peer: peer('', { dns: ['a', 'b'] }) }],
    ['service accounts', allow({ serviceAccounts: ['x/y', 'a/b'] }), { peer: peer('td/ns/a/sa/b') }],
    ['principals of tokens', allow({ requestPrincipals: ['x/y', 'https://issuer.test/alice'] }), { jwt: token() }],
    ['audiences', allow({ 'request.auth.audiences': ['b'] }), { jwt: token({ audiences: ['a', 'b'] }) }],
  ])('%s is enough', (_, one, more) => {
    expect(may(one, more)).toBe(true);
  });

  it('copies of a header are a list, not one word', () => {
    const listed = allow({ 'request.headers[x]': ['a', 'b', 'ab'] });
    expect(may(listed, { headers: ['x', 'a', 'x', 'b'] })).toBe(false);
    expect(may(listed, { headers: ['x', 'ab'] })).toBe(true);
  });
});

describe('what is missing meets nothing that is wanted', () => {
  it.each<[string, SecurityPolicy, Partial<AccessRequest>]>([
    ['no namespace', allow({ namespaces: ['**'] }), { peer: peer('td/x') }],
    ['no service account', allow({ serviceAccounts: ['a/'] }), { peer: peer('td/x', { namespace: 'a' }) }],
    ['an empty audience', allow({ 'request.auth.audiences': [''] }), { jwt: token({ audiences: [''] }) }],
    ['an empty claim', allow({ 'request.auth.claims[a]': [''] }), { jwt: token({ claims: { a: '' } }) }],
    ['null instead of an object', allow({ 'request.auth.claims[a][b]': ['c'] }), { jwt: token({ claims: { a: null } }) }],
    ['no path', allow({ paths: ['*'] }), { target: '' }],
  ])('%s', (_, one, more) => {
    expect(may(one, more)).toBe(false);
  });
});

describe('paths', () => {
  it.each([
    // Three readings: each has bits of its own.
    [allow({ paths: ['/*'] }), '/%2E/admin', true],
    [allow({ paths: ['*'] }), '/ABC', true],
    [allow({ paths: ['/a.b/{*}'] }), '/a.b/c', true],
    [allow({ paths: ['/a.b/{*}'] }), '/axb/c', false],
    [allow({ paths: ['/ab/{*}'] }), '/a.b/c', false],
    [allow({ paths: ['/a/{**}'] }), '/a/%0Ab', true],
    [deny({ paths: ['/A', '/b'] }), '/a', false],
    [deny({ paths: ['/x%2F*'] }), '/%58%2F', false],
    [deny({ paths: ['*/admin/'] }), '/x/admin', false],
    [deny({ paths: ['*/admin/'] }), '/x/Admin/', false],
    [deny({ paths: ['*/admin/'] }), '/x/admins', true],
    [deny({ paths: ['?x'] }), '?x', true],
  ])('%j and %s: %s', (one, target, expected) => {
    expect(may(one, { target })).toBe(expected);
  });

  it.each([
    ['', ['', '/']],
    ['/x/http://evil/y', ['/x/http://evil/y', '/x/http:/evil/y']],
    ['/admin%23%0Ax', ['/admin%23%0Ax', '/admin#\nx', '/admin']],
  ])('%j may be read in these ways', (path, expected) => {
    expect(readingsOf(path)?.map(({ text }) => text)).toEqual(expected);
  });

  it('a pattern of which nothing is left takes nothing more', () => {
    expect(alike(';x', ~0)).toBe('');
  });

  it('keep their query where routes look at it', () => {
    expect(asRead(request({ target: '?x=1' }), '/').path).toBe('/?x=1');
    expect(asRead(request({ target: '/a' }), '/b').path).toBe('/b');
  });
});

describe('the condition that is named', () => {
  it.each<[string, SecurityPolicy, Partial<AccessRequest>, string]>([
    ['of a host that nobody can read', allow({}), { authority: 'a b' }, 'authority'],
    ['of a path that nobody can read', allow({}), { target: '/a b' }, 'path'],
    ['of excepted paths', deny({ notPaths: ['/a'] }), { target: '/b' }, 'notPaths'],
    ['is the first of several', allow({ principals: ['x'], namespaces: ['y'] }), { peer: peer('td/ns/a/sa/b') }, 'principals'],
  ])('%s', (_, one, more, condition) => {
    expect(compiled(one).decide(request(more))).toMatchObject({ allowed: false, condition });
  });

  it('is of the rule that takes the call for some reading of its path', () => {
    const near = allow({ paths: ['/a'] });
    expect(compiled(near, allow({ methods: ['POST'] })).decide(request({ target: '/%61' }))).toMatchObject({
      policy: { name: near.name },
      condition: 'paths',
    });
  });
});

describe('what is only recorded', () => {
  it('is an AUDIT with dry run, too', () => {
    const audit = policy('audit', [{}], { dryRun: true });
    expect(compiled(audit).decide(request()).audited).toEqual([audit]);
  });

  it('is as much of the one kind as of the other', () => {
    const { shadow, audited } = compiled(policy('audit', [{}]), policy('deny', [{}], { dryRun: true })).decide(request());
    expect([shadow.length, audited.length]).toEqual([1, 1]);
  });
});

describe('what is looked at once', () => {
  it('is a caller, for all calls of its connection', () => {
    for (const namespace of ['a', 'b']) {
      let looks = 0;
      const caller = Object.defineProperty(peer('td/ns/a/sa/b'), 'namespace', { get: () => (looks++, namespace) });
      const access = compiled(allow({ namespaces: ['a'] }));
      for (let i = 0; i < 3; i++) expect(access.decide(request({ peer: caller })).allowed).toBe(namespace === 'a');
      // One more for each denial, to say why.
      expect(looks).toBe(namespace === 'a' ? 1 : 1 + 2 * 3);
    }
  });

  it('is not the address of a caller, although one source is about its certificate alone', () => {
    const one = { ...allow(), rules: [fromAny({ principals: ['x'] }, { ipBlocks: ['10.0.0.7'] })] };
    const caller = peer('td/ns/a/sa/b');
    const access = compiled(one);
    const asked = ['1.1.1.1', '10.0.0.7', '1.1.1.1'].map((peerAddress) => access.decide(request({ peer: caller, peerAddress })).allowed);
    expect(asked).toEqual([false, true, false]);
  });

  it('is nothing more of a call whose path does not fit', () => {
    const looks: string[] = [];
    const asked = new Proxy(request({ target: '/b' }), {
      get(of, key: keyof AccessRequest) {
        looks.push(key);
        return of[key];
      },
    });
    expect(compiled(deny({ paths: ['/a'], methods: ['GET'], ipBlocks: ['10.0.0.0/8'] })).decide(asked).allowed).toBe(true);
    expect(looks).not.toContain('method');
    expect(looks).not.toContain('peerAddress');
  });
});

describe('a verdict', () => {
  const pairs = (...names: string[]): (readonly [string, string])[] => names.map((name) => [name, '1']);
  const authorizer = (edits: HeadEdits): Authorizer => ({
    failOpen: false,
    statusOnError: 403,
    check: () => Promise.resolve({ kind: 'allow', edits, responseHeaders: [] }),
  });

  it('has no note unless somebody said something', async () => {
    const check = new AccessCheck({ access: compiled(), tokens: null, authorizers: new Map(), functions: [() => true] });
    expect(await check.check(request())).toMatchObject({ status: 0, note: '' });
  });

  it('changes the head as the token says, and then as the authorizer says', async () => {
    const tokens = { check: () => ({ fault: '', jwt: null, edits: { ...NO_EDITS, remove: ['t'], set: pairs('a', 'b', 'gone') } }) };
    const edits = { ...NO_EDITS, remove: ['gone'], set: pairs('a', 'c') };
    const check = new AccessCheck({
      access: compiled(policy('custom', [{}], { provider: 'opa' })),
      tokens,
      authorizers: new Map([['opa', authorizer(edits)]]),
      functions: [],
    });
    const { edits: both } = await check.check(request());
    expect(both).toMatchObject({ remove: ['t', 'gone'], set: pairs('b', 'a', 'c') });
  });
});

describe('documents of several kinds', () => {
  const head = { name: 'x', namespace: 'default', createdAtMs: 0, source: { file: 'a.yaml', line: 1, column: 1 } } as const;
  const own = { kind: 'service-account', namespace: 'default', name: 'reviews' } as const;
  const scope = { namespace: 'default', labels: {}, expressions: [] };

  function target(name: string, more: object = {}): SecurityPolicy {
    const rest = { destinations: [own], sources: [{ kind: 'namespace', name: 'a' }], matches: [], anyHttp: true, ports: [] } as const;
    return { ...head, name, dialect: 'smi', kind: 'traffic-target', ...rest, ...more };
  }

  it('tokens alone ask nothing of a caller', () => {
    const tokens = { ...head, dialect: 'istio', kind: 'request-authentication', scope, rules: [] } as const;
    expect(compiled(tokens).isOpen).toBe(true);
    expect(compiled(tokens, allow({})).isOpen).toBe(false);
  });

  it('each decides by its own, and one target is enough', () => {
    const caller = { peer: peer('td/ns/a/sa/b') };
    expect(compiled(allow({}), target('t')).decide(request(caller)).allowed).toBe(true);
    expect(compiled(target('closed', { anyHttp: false }), target('open')).decide(request(caller)).allowed).toBe(true);
  });

  it('one of its sources is enough', () => {
    const sources = ['z', 'a'].map((name) => ({ kind: 'namespace', name }));
    expect(compiled(target('t', { sources })).decide(request({ peer: peer('td/ns/a/sa/b') })).allowed).toBe(true);
  });

  it('the target that is named is one whose sources fit', () => {
    const denial = compiled(target('near', { anyHttp: false }), target('far', { sources: [{ kind: 'namespace', name: 'z' }] })).decide(
      request({ peer: peer('td/ns/a/sa/b') }),
    );
    expect(denial).toMatchObject({ policy: { name: 'near' }, condition: 'rules', rule: -1 });
  });

  const route = { group: 'policy.linkerd.io', route: 'HTTPRoute', name: 'r', hostnames: [], matches: [] } as const;
  const server: LinkerdServerPolicy = {
    ...head,
    dialect: 'linkerd',
    kind: 'linkerd-server',
    scope,
    port: 9_080,
    protocol: 'HTTP/1',
    access: 'deny',
    routes: [route],
    labels: {},
  };
  const opening: LinkerdAuthorizationPolicy = {
    ...head,
    dialect: 'linkerd',
    kind: 'linkerd-authorization',
    target: { kind: 'route', group: route.group, route: route.route, name: 'r' },
    networks: null,
    clients: null,
    tls: false,
    missing: [],
  };

  it.each<[string, Partial<LinkerdAuthorizationPolicy>, boolean]>([
    ['this route', {}, true],
    ['a route of another name', { target: { ...opening.target, name: 's' } as typeof opening.target }, false],
    ['a route of another kind', { target: { ...opening.target, route: 'GRPCRoute' } as typeof opening.target }, false],
    ['a route of another group', { target: { ...opening.target, group: 'x' } as typeof opening.target }, false],
    ['another server', { target: { kind: 'server', name: 'y' } }, false],
    ['its namespace', { target: { kind: 'namespace' } }, true],
    ['another namespace', { target: { kind: 'namespace' }, namespace: 'other' }, false],
  ])('what opens a route of Linkerd: %s', (_, more, expected) => {
    const access = new LinkerdAccess([server], [{ ...opening, ...more }], () => null);
    const denial = access.decide(
      request(),
      { name: 'h', port: '', full: 'h' },
      { readings: readingsOf('/') ?? [], full: 3, bits: new Int32Array(0) },
    );
    expect(denial === null || denial.condition).toBe(expected || 'authorization');
  });
});
