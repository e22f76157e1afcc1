// How policies and rules work together, by the reference of Istio: each row with the decision and its reason.
import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import type { AuthorizationPolicy, AuthorizationRule, SecurityPolicy } from '../../src/model/security.ts';
import { allow, deny, peer, policy, request, rule, SELF } from './cases.ts';

const GET = { methods: ['GET'] };
const POST = { methods: ['POST'] };
const EMPTY: AuthorizationRule = rule({});
const scoped = (scope: Partial<AuthorizationPolicy['scope']>): Partial<AuthorizationPolicy> => ({
  scope: { namespace: 'default', labels: {}, expressions: [], ...scope },
});
/** Several sources, operations or conditions in one rule. */
const joined = (...rules: AuthorizationRule[]): AuthorizationRule => ({
  ...EMPTY,
  from: rules.flatMap(({ from }) => from),
  to: rules.flatMap(({ to }) => to),
  when: rules.flatMap(({ when }) => when),
});
const ruled = (action: AuthorizationPolicy['action'], ...rules: AuthorizationRule[]): AuthorizationPolicy => ({
  ...policy(action, []),
  rules,
});

type Row = readonly [why: string, policies: readonly SecurityPolicy[], call: Partial<AccessRequest>, allowed: boolean, condition?: string];

const ROWS: readonly Row[] = [
  ['no policy: everything is let in', [], {}, true],
  ['an ALLOW that matches', [allow(GET)], {}, true],
  ['an ALLOW that does not match', [allow(POST)], {}, false, 'methods'],
  ['a DENY that matches', [deny(GET)], {}, false, 'methods'],
  ['a DENY that does not match shuts out nobody else', [deny(POST)], {}, true],
  ['an ALLOW without rules (spec: {}) denies everything', [allow()], {}, false, 'no rule'],
  ['an ALLOW without rules beside one that matches adds nothing', [allow(), allow(GET)], {}, true],
  ['an ALLOW with the empty rule lets in everything', [allow({})], {}, true],
  ['a DENY with the empty rule denies everything', [deny({})], {}, false, 'every call'],
  ['a DENY without rules never matches', [deny()], {}, true],
  ['DENY goes before ALLOW', [allow(GET), deny(GET)], {}, false, 'methods'],
  ['DENY goes before ALLOW, whatever the order of the documents', [deny(GET), allow({})], {}, false, 'methods'],
  ['a DENY that does not match leaves it to ALLOW', [deny(POST), allow(GET)], {}, true],
  ['a DENY that does not match leaves it to ALLOW, which does not match', [deny(POST), allow({ methods: ['PUT'] })], {}, false, 'methods'],
  ['ALLOWs are a union: the second matches', [allow(POST), allow(GET)], {}, true],
  ['ALLOWs are a union: none matches', [allow(POST), allow({ methods: ['PUT'] })], {}, false, 'methods'],
  ['DENYs are a union: the second matches', [deny(POST), deny(GET)], {}, false, 'methods'],
  ['rules of one policy are alternatives', [allow(POST, GET)], {}, true],
  ['rules of one DENY are alternatives', [deny(POST, GET)], {}, false, 'methods'],
  ['AUDIT decides nothing', [policy('audit', [GET])], {}, true],
  ['AUDIT that does not match decides nothing', [policy('audit', [POST])], {}, true],
  ['a dry run of DENY denies nothing', [policy('deny', [GET], { dryRun: true })], {}, true],
  ['a dry run of ALLOW shuts out nobody', [policy('allow', [POST], { dryRun: true })], {}, true],
  ['a dry run of ALLOW lets in nobody, either', [policy('allow', [GET], { dryRun: true }), allow(POST)], {}, false, 'methods'],
  ['CUSTOM is asked elsewhere', [policy('custom', [GET], { provider: 'opa' })], {}, true],
  ['of another namespace', [policy('deny', [GET], { scope: { namespace: 'other', labels: {}, expressions: [] } })], {}, true],
  [
    'of the root namespace: everywhere',
    [policy('deny', [GET], { scope: { namespace: '', labels: {}, expressions: [] } })],
    {},
    false,
    'methods',
  ],
  ['of the own namespace', [policy('deny', [GET], scoped({}))], {}, false, 'methods'],
  ['the selector fits', [policy('deny', [GET], scoped({ labels: { app: 'reviews' } }))], {}, false, 'methods'],
  ['the selector does not fit', [policy('deny', [GET], scoped({ labels: { app: 'ratings' } }))], {}, true],
  ['a selector on a label that is not there', [policy('deny', [GET], scoped({ labels: { tier: 'x' } }))], {}, true],
  ['an ALLOW for others does not shut out anybody here', [policy('allow', [POST], scoped({ labels: { app: 'ratings' } }))], {}, true],
  ['targetRefs: this service', [policy('deny', [GET], scoped({ services: ['reviews'] }))], {}, false, 'methods'],
  ['targetRefs: another service', [policy('deny', [GET], scoped({ services: ['ratings'] }))], {}, true],
  ['fields of an operation: both must hold', [allow({ methods: ['GET'], paths: ['/a'] })], { target: '/a' }, true],
  ['fields of an operation: one does not hold', [allow({ methods: ['GET'], paths: ['/a'] })], { target: '/b' }, false, 'paths'],
  ['fields of an operation: the other does not hold', [allow({ methods: ['POST'], paths: ['/a'] })], { target: '/a' }, false, 'methods'],
  ['a DENY with two fields needs both', [deny({ methods: ['GET'], paths: ['/a'] })], { target: '/b' }, true],
  ['a DENY with two fields that both hold', [deny({ methods: ['GET'], paths: ['/a'] })], { target: '/a' }, false, 'paths, methods'],
  ['values and notValues of one field', [allow({ paths: ['/a/*'], notPaths: ['/a/b'] })], { target: '/a/c' }, true],
  [
    'values and notValues of one field: the exception',
    [allow({ paths: ['/a/*'], notPaths: ['/a/b'] })],
    { target: '/a/b' },
    false,
    'paths',
  ],
  ['values and notValues of methods: the exception', [allow({ methods: ['*'], notMethods: ['GET'] })], {}, false, 'notMethods'],
  ['from and to: both hold', [allow({ ipBlocks: ['10.0.0.0/8'], methods: ['GET'] })], {}, true],
  ['from does not hold', [allow({ ipBlocks: ['11.0.0.0/8'], methods: ['GET'] })], {}, false, 'ipBlocks'],
  ['when does not hold', [allow({ methods: ['GET'], 'source.ip': ['11.0.0.0/8'] })], {}, false, 'source.ip'],
  ['from, to and when hold', [allow({ ipBlocks: ['10.0.0.0/8'], methods: ['GET'], 'source.ip': ['10.0.0.7'] })], {}, true],
  [
    'a DENY names all that it asked for',
    [deny({ ipBlocks: ['10.0.0.0/8'], paths: ['/'], 'source.ip': ['10.0.0.7'] })],
    {},
    false,
    'ipBlocks, paths, source.ip',
  ],
  ['sources are alternatives', [ruled('allow', joined(rule({ namespaces: ['x'] }), rule({ ipBlocks: ['10.0.0.7'] })))], {}, true],
  ['no source of several', [ruled('allow', joined(rule({ namespaces: ['x'] }), rule({ ipBlocks: ['1.1.1.1'] })))], {}, false, 'ipBlocks'],
  ['operations are alternatives', [ruled('allow', joined(rule(POST), rule(GET)))], {}, true],
  ['no operation of several', [ruled('allow', joined(rule(POST), rule({ ports: ['1'] })))], {}, false, 'ports'],
  [
    'one operation has the path, the other the method',
    [ruled('allow', joined(rule({ paths: ['/a'] }), rule(POST)))],
    { target: '/b' },
    false,
    'paths',
  ],
  [
    'conditions must all hold',
    [ruled('allow', joined(rule({ 'source.ip': ['10.0.0.7'] }), rule({ 'destination.port': ['1'] })))],
    {},
    false,
    'destination.port',
  ],
  [
    'a mistake in an ALLOW of another field',
    [ruled('allow', joined(rule({ 'destination.port': ['1'] }), rule({ 'source.ip': ['10.0.0.7'] })))],
    {},
    false,
    'destination.port',
  ],
  [
    'sources of one rule do not lend fields to each other',
    [ruled('allow', joined(rule({ namespaces: ['default'], ipBlocks: ['1.1.1.1'] }), rule({ namespaces: ['x'], ipBlocks: ['10.0.0.7'] })))],
    {},
    false,
    'namespaces',
  ],
  ['the empty source takes everybody', [ruled('allow', { ...EMPTY, from: [{}] })], {}, true],
  ['the empty operation takes everything', [ruled('allow', { ...EMPTY, to: [{}] })], {}, true],
  ['2020-001: a path that is excepted, with a query', [allow({ notPaths: ['/admin'] })], { target: '/admin?a' }, false, 'notPaths'],
  ['2020-001: a path that is excepted, with a fragment', [allow({ notPaths: ['/admin'] })], { target: '/admin#a' }, false, 'notPaths'],
  ['2021-008: a fragment', [deny({ paths: ['/admin'] })], { target: '/admin#x' }, false, 'paths'],
  ['2021-005: two slashes', [deny({ paths: ['/admin'] })], { target: '//admin' }, false, 'paths'],
  ['2021-005: a slash that is escaped', [deny({ paths: ['/admin/x'] })], { target: '/admin%2fx' }, false, 'paths'],
  ['2021-005: a backslash that is escaped', [deny({ paths: ['/admin/x'] })], { target: '/admin%5cx' }, false, 'paths'],
  ['2023-001: a path in a header is not the path', [deny({ paths: ['/admin'] })], { headers: ['x-envoy-original-path', '/admin'] }, true],
  [
    '2023-001: nor does it hide the path',
    [deny({ paths: ['/admin'] })],
    { target: '/admin', headers: ['x-envoy-original-path', '/'] },
    false,
    'paths',
  ],
  [
    '2020-010: the second copy is the bad one',
    [deny({ 'request.headers[x]': ['evil'] })],
    { headers: ['x', 'good', 'x', 'evil'] },
    false,
    'request.headers[x]',
  ],
  [
    '2020-010: the first copy is the bad one',
    [deny({ 'request.headers[x]': ['evil'] })],
    { headers: ['x', 'evil', 'x', 'good'] },
    false,
    'request.headers[x]',
  ],
  [
    '2021-32777: the bad one in a list',
    [deny({ 'request.headers[x]': ['evil'] })],
    { headers: ['x', 'good, evil'] },
    false,
    'request.headers[x]',
  ],
  [
    '2026-26308: the good one and another',
    [allow({ 'request.headers[x]': ['good'] })],
    { headers: ['x', 'good', 'x', 'evil'] },
    false,
    'request.headers[x]',
  ],
  [
    '2026-26308: two good ones are not the good one',
    [allow({ 'request.headers[x]': ['good'] })],
    { headers: ['x', 'good', 'x', 'good'] },
    false,
    'request.headers[x]',
  ],
  [
    'two copies that are both allowed, as a whole and one by one',
    [allow({ 'request.headers[x]': ['good*'] })],
    { headers: ['x', 'good1', 'x', 'good2'] },
    true,
  ],
  [
    'the second copy is not allowed',
    [allow({ 'request.headers[x]': ['good*'] })],
    { headers: ['x', 'good1', 'x', 'evil'] },
    false,
    'request.headers[x]',
  ],
  [
    'the list is not among the allowed',
    [allow({ 'request.headers[x]': ['good'] })],
    { headers: ['x', 'good, evil'] },
    false,
    'request.headers[x]',
  ],
  [
    'an ALLOW but for a value: the second copy has it',
    [allow({ 'not request.headers[x]': ['evil'] })],
    { headers: ['x', 'good', 'x', 'evil'] },
    false,
    'not request.headers[x]',
  ],
  [
    'an ALLOW but for a value: an element has it',
    [allow({ 'not request.headers[x]': ['evil'] })],
    { headers: ['x', 'good,evil'] },
    false,
    'not request.headers[x]',
  ],
  [
    'an ALLOW but for a value: nobody has it',
    [allow({ 'not request.headers[x]': ['evil'] })],
    { headers: ['x', 'good', 'x', 'fine'] },
    true,
  ],
  [
    'a DENY but for a value: a second copy has another',
    [deny({ 'not request.headers[x]': ['good'] })],
    { headers: ['x', 'good', 'x', 'evil'] },
    false,
    'not request.headers[x]',
  ],
  ['a DENY but for a value with a comma', [deny({ 'not request.headers[x]': ['a, b'] })], { headers: ['x', 'a, b'] }, true],
  [
    'a header that is empty is there, for a DENY',
    [deny({ 'request.headers[x]': ['*'] })],
    { headers: ['x', ''] },
    false,
    'request.headers[x]',
  ],
  [
    'a header that is empty is not there, for an ALLOW',
    [allow({ 'request.headers[x]': ['*'] })],
    { headers: ['x', ''] },
    false,
    'request.headers[x]',
  ],
  ['2021-004: DENY of a principal does not touch plain calls', [deny({ principals: ['td/ns/a/sa/b'] })], {}, true],
  ['2021-004: DENY but for a principal shuts out plain calls', [deny({ notPrincipals: ['td/ns/a/sa/b'] })], {}, false, 'notPrincipals'],
  ['2021-004: DENY of all who have no principal', [deny({ notPrincipals: ['*'] })], {}, false, 'notPrincipals'],
  ['2021-004: DENY of all who have no principal, for one who has', [deny({ notPrincipals: ['*'] })], { peer: peer('td/ns/a/sa/b') }, true],
  ['2021-004: ALLOW but for a namespace lets plain calls in', [allow({ notNamespaces: ['x'] })], {}, true],
  [
    '2021-004: ALLOW but for a namespace, with a certificate asked for',
    [allow({ principals: ['*'], notNamespaces: ['x'] })],
    {},
    false,
    'principals',
  ],
  [
    '2021-001: no token, and two issuers are allowed',
    [allow({ requestPrincipals: ['https://a/*', 'https://b/*'] })],
    {},
    false,
    'requestPrincipals',
  ],
];

describe('policies together', () => {
  it.each(ROWS.map((row) => [row[0], row] as const))('%s', (_why, [, policies, call, allowed, condition]) => {
    const decision = compileAccess(policies, SELF).decide(request(call));
    expect({ allowed: decision.allowed, condition: decision.condition }).toEqual({ allowed, condition: condition ?? '' });
    expect(decision.status).toBe(allowed ? 0 : 403);
  });
});

describe('what nobody can read', () => {
  it.each([
    ['a list of hosts', { authority: 'a,b' }, 'bad-host'],
    ['a user before the host', { authority: 'u@h.test' }, 'bad-host'],
    ['a path behind the host', { authority: 'h.test/x' }, 'bad-host'],
    ['a port beyond 65535', { authority: 'h.test:99999' }, 'bad-host'],
    ['no host', { authority: '' }, 'bad-host'],
    ['NUL in the path', { target: '/a%00b' }, 'bad-path'],
    ['a blank in the path', { target: '/a b' }, 'bad-path'],
    ['more readings than anybody has use for', { target: '/a%2Fb//c;v/../d\\e/%2e%3f#x' }, 'bad-path'],
  ])('%s: 400', (_what, call, reason) => {
    const decision = compileAccess([allow({})], SELF).decide(request(call));
    expect(decision).toMatchObject({ allowed: false, status: 400, reason, policy: null });
  });
});

describe('what is only recorded', () => {
  it('says what a DENY would have denied, and what an ALLOW would have let in', () => {
    const would = policy('deny', [POST, GET], { dryRun: true });
    const might = policy('allow', [POST, GET], { dryRun: true });
    const { allowed, shadow, audited } = compileAccess([would, might], SELF).decide(request());
    expect({ allowed, shadow, audited }).toEqual({
      allowed: true,
      shadow: [
        { policy: would, rule: 1, result: 'deny' },
        { policy: might, rule: 1, result: 'allow' },
      ],
      audited: [],
    });
  });

  it('says that no ALLOW would have let it in', () => {
    const first = policy('allow', [], { dryRun: true });
    const { shadow } = compileAccess([first, policy('allow', [POST], { dryRun: true })], SELF).decide(request());
    expect(shadow).toEqual([{ policy: first, rule: -1, result: 'no-allow' }]);
  });

  it('names the policies with AUDIT that take the call, each once, of denied calls as well', () => {
    const audit = policy('audit', [GET, {}]);
    const decision = compileAccess([audit, policy('audit', [POST]), deny(GET)], SELF).decide(request());
    expect(decision).toMatchObject({ allowed: false, reason: 'deny', audited: [audit], shadow: [] });
  });

  it('costs no object when there is nothing to record', () => {
    const access = compileAccess([allow(GET), policy('audit', [POST]), policy('deny', [POST], { dryRun: true })], SELF);
    expect(access.decide(request())).toBe(access.decide(request()));
  });

  it('takes part in a dry run of DENY only where it matches', () => {
    expect(compileAccess([policy('deny', [POST], { dryRun: true })], SELF).decide(request()).shadow).toEqual([]);
  });
});

describe('CUSTOM', () => {
  const asks = policy('custom', [{ paths: ['/a'] }, { paths: ['/b'] }], { provider: 'opa' });

  it('names the provider, the policy and the rule', () => {
    const access = compileAccess([allow(GET), asks], SELF);
    expect(access.custom(request({ target: '/b' }))).toEqual({ policy: asks, rule: 1, provider: 'opa' });
    expect(access.custom(request({ target: '/%62' }))).toEqual({ policy: asks, rule: 1, provider: 'opa' });
    expect(access.custom(request({ target: '/c' }))).toBeNull();
  });

  it('asks nobody when there is nobody, or the call cannot be read', () => {
    expect(compileAccess([allow(GET)], SELF).custom(request())).toBeNull();
    expect(compileAccess([asks], SELF).custom(request({ target: '/a', authority: '' }))).toBeNull();
    expect(compileAccess([asks], SELF).custom(request({ target: '/a%00' }))).toBeNull();
  });

  it('with several providers cannot say whom to ask', () => {
    const other = policy('custom', [{ paths: ['/z'] }], { provider: 'other' });
    expect(compileAccess([asks, other], SELF).custom(request({ target: '/a' }))).toMatchObject({ provider: null });
    const silent = { ...other, dryRun: true };
    expect(compileAccess([asks, silent], SELF).custom(request({ target: '/a' }))).toMatchObject({ provider: 'opa' });
    const { provider: _, ...nameless } = other;
    expect(compileAccess([nameless], SELF).custom(request({ target: '/z' }))).toMatchObject({ provider: '' });
  });
});

describe('dialects', () => {
  it('decide apart, and all must let the call in', () => {
    const own = { ...allow(GET), dialect: 'inmesh' as const };
    const istio = allow({ paths: ['/a'] });
    const access = compileAccess([own, istio], SELF);
    expect(access.decide(request({ target: '/a' })).allowed).toBe(true);
    expect(access.decide(request({ target: '/b' }))).toMatchObject({ allowed: false, dialect: 'istio', policy: istio });
    expect(access.decide(request({ target: '/a', method: 'PUT' }))).toMatchObject({ allowed: false, dialect: 'inmesh', policy: own });
  });

  it('are open when nobody asks for anything', () => {
    expect(compileAccess([], SELF).isOpen).toBe(true);
    expect(compileAccess([policy('deny', [{}], scoped({ namespace: 'other' }))], SELF).isOpen).toBe(true);
    expect(compileAccess([allow({})], SELF).isOpen).toBe(false);
  });
});

describe('trust domains that had other names', () => {
  const of = (principal: string, values: readonly string[], own = 'new.org', aliases: readonly string[] = ['old.org']): boolean =>
    compileAccess([allow({ principals: values })], SELF, { trustDomains: { own, aliases } }).decide(request({ peer: peer(principal) }))
      .allowed;

  it.each([
    ['the alias in the policy, the new name in the certificate', 'new.org/ns/a/sa/b', ['old.org/ns/a/sa/b'], true],
    ['the new name in the policy, the alias in the certificate', 'old.org/ns/a/sa/b', ['new.org/ns/a/sa/b'], true],
    ['cluster.local stands for the own domain', 'new.org/ns/a/sa/b', ['cluster.local/ns/a/sa/b'], true],
    ['cluster.local stands for the aliases', 'old.org/ns/a/sa/b', ['cluster.local/ns/a/sa/b'], true],
    ['a domain of somebody else stays what it is', 'new.org/ns/a/sa/b', ['evil.org/ns/a/sa/b'], false],
    ['the certificate of somebody else', 'evil.org/ns/a/sa/b', ['old.org/ns/a/sa/b'], false],
    ['the account must still be right', 'new.org/ns/a/sa/c', ['old.org/ns/a/sa/b'], false],
    ['a suffix of the domain', 'new.org/ns/a/sa/b', ['*.org/ns/a/sa/b'], true],
    ['a suffix that is only that of the alias', 'new.org/ns/a/sa/b', ['*ld.org/ns/a/sa/b'], true],
    ['a suffix of no domain of ours', 'new.org/ns/a/sa/b', ['*x.org/ns/a/sa/b'], false],
    ['any domain', 'x.org/ns/a/sa/b', ['*/ns/a/sa/b'], true],
    ['not five parts: as it is written', 'new.org/x', ['old.org/x'], false],
  ])('%s', (_why, principal, values, expected) => {
    expect(of(principal, values)).toBe(expected);
  });

  it('without an identity nothing has another name', () => {
    expect(of('new.org/ns/a/sa/b', ['cluster.local/ns/a/sa/b'], '', [])).toBe(false);
    expect(of('cluster.local/ns/a/sa/b', ['cluster.local/ns/a/sa/b'], '', [])).toBe(true);
  });
});
