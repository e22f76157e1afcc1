// What each kind of policy tells a person, field by field; whole documents are in explain-policies.test.ts.
import { describe, expect, it } from 'vitest';
import { matchText } from '../../src/access/match-text.ts';
import { policyText, scopeText } from '../../src/access/policy-text.ts';
import type {
  AuthorizationPolicy,
  ClientIdentity,
  LinkerdAuthorizationPolicy,
  LinkerdRateLimitPolicy,
  LinkerdServerPolicy,
  LinkerdTarget,
  PeerAuthenticationPolicy,
  RequestAuthenticationPolicy,
  TrafficTargetPolicy,
  WorkloadScope,
} from '../../src/model/security.ts';
import type { RouteMatch } from '../../src/model/route.ts';

const SOURCE = { file: 'a.yaml', line: 1, column: 1 };
const HEAD = { dialect: 'istio', name: 'n', namespace: 'shop', createdAtMs: 0, source: SOURCE } as const;
const ALL: WorkloadScope = { namespace: 'shop', labels: {}, expressions: [] };
const EVERY: RouteMatch = { headers: {}, queryParams: {} };

describe('matches', () => {
  const exact = { kind: 'exact', value: 'a', invert: false } as const;
  const is = (match: Partial<RouteMatch>): string => matchText({ ...EVERY, ...match });
  it.each<[string, Partial<RouteMatch>]>([
    ['every call', {}],
    ['method is a', { method: exact }],
    ['method is not a', { method: { ...exact, invert: true } }],
    ['path is under /a', { path: { kind: 'pathPrefix', value: '/a', invert: false } as NonNullable<RouteMatch['path']> }],
    ['path begins with /a', { path: { kind: 'prefix', value: '/a', invert: false } as NonNullable<RouteMatch['path']> }],
    ['host is a and scheme is a and port 80', { authority: exact, scheme: exact, port: 80 }],
    ['header x does not match .*', { headers: { x: { kind: 'regex', value: '.*', invert: true } } }],
    ['header x does not begin with a', { headers: { x: { kind: 'prefix', value: 'a', invert: true } } }],
    ['header x is there and no header y', { headers: { x: { kind: 'present', invert: false }, y: { kind: 'present', invert: true } } }],
    ['header x is a and header x is not a', { headers: { x: exact }, withoutHeaders: { x: { ...exact, invert: true } } }],
    ['query q is a', { queryParams: { q: exact } }],
  ])('%s', (text, match) => {
    expect(is(match)).toBe(text);
  });
});

describe('scopes', () => {
  it.each<[string, WorkloadScope]>([
    ['all workloads of all namespaces', { ...ALL, namespace: '' }],
    ['all workloads of namespace shop', ALL],
    ['workloads of namespace shop with a=b, c=d', { ...ALL, labels: { a: 'b', c: 'd' } }],
    ['workloads of namespace shop with a Exists', { ...ALL, expressions: [{ key: 'a', operator: 'Exists', values: [] }] }],
    ['workloads of namespace shop with a NotIn (b, c)', { ...ALL, expressions: [{ key: 'a', operator: 'NotIn', values: ['b', 'c'] }] }],
    ['workloads of namespace shop with of service x or y', { ...ALL, services: ['x', 'y'] }],
    ['workloads of namespace shop with no service', { ...ALL, services: [] }],
  ])('%s', (text, scope) => {
    expect(scopeText(scope)).toBe(text);
  });
});

describe('Istio', () => {
  const authorization: AuthorizationPolicy = { ...HEAD, kind: 'authorization', scope: ALL, action: 'deny', dryRun: false, rules: [] };
  it.each<[string, Partial<AuthorizationPolicy>, string[]]>([
    ['a DENY without rules', {}, ['DENY for all workloads of namespace shop', 'no rule: it never matches']],
    [
      'a dry run of a question',
      { action: 'custom', provider: 'opa', dryRun: true, rules: [{ from: [], to: [], when: [], source: SOURCE }] },
      ['CUSTOM (asks opa) for all workloads of namespace shop, only recorded', 'every call'],
    ],
    [
      'a source with several conditions, and one operation of two',
      {
        rules: [
          {
            from: [{ principals: { values: ['a', 'b'], notValues: ['c', 'd'] }, namespaces: { values: ['x'], notValues: [] } }],
            to: [{ methods: { values: ['GET'], notValues: [] } }, { paths: { values: [], notValues: ['/x'] } }],
            when: [],
            source: SOURCE,
          },
        ],
      },
      [
        'DENY for all workloads of namespace shop',
        'from principals a or b and principals not c nor d and namespaces x to (methods GET) or (paths not /x)',
      ],
    ],
  ])('%s', (_, policy, text) => {
    expect(policyText({ ...authorization, ...policy })).toEqual(text);
  });

  it.each<[PeerAuthenticationPolicy['level'], string]>([
    ['none', 'nobody: a selector in the root namespace'],
    ['mesh', 'the whole mesh'],
    ['namespace', 'all workloads of namespace shop'],
    ['workload', 'all workloads of namespace shop'],
  ])('connections on level %s', (level, where) => {
    const policy: PeerAuthenticationPolicy = { ...HEAD, kind: 'peer-authentication', scope: ALL, level, mode: 'strict', ports: {} };
    expect(policyText(policy)).toEqual([`connections strict, for ${where}`]);
  });

  it('tokens: keys in the document, several audiences, a header without a prefix', () => {
    const rule: RequestAuthenticationPolicy['rules'][number] = {
      issuer: 'me',
      audiences: ['a', 'b'],
      jwks: '{}',
      fetchTimeoutMs: 5_000,
      fromHeaders: [{ name: 'x-token', prefix: '' }],
      fromParams: [],
      fromCookies: [],
      forwardOriginalToken: false,
      outputClaimToHeaders: [],
      spaceDelimitedClaims: [],
      required: false,
      source: SOURCE,
    };
    expect(policyText({ ...HEAD, kind: 'request-authentication', scope: ALL, rules: [rule] })).toEqual([
      'tokens, for all workloads of namespace shop',
      'issuer me for a or b; keys: in the document; in header x-token; without a token let through',
    ]);
  });
});

describe('Linkerd', () => {
  it('a Server with routes', () => {
    const policy: LinkerdServerPolicy = {
      ...HEAD,
      kind: 'linkerd-server',
      scope: ALL,
      port: 'http',
      protocol: 'gRPC',
      access: 'deny',
      routes: [
        { group: 'g', route: 'HTTPRoute', name: 'a', hostnames: [], matches: [EVERY] },
        { group: 'g', route: 'GRPCRoute', name: 'b', hostnames: ['x', '*.y'], matches: [EVERY, { ...EVERY, port: 1 }] },
      ],
      labels: {},
    };
    expect(policyText(policy)).toEqual([
      'port http (gRPC) of all workloads of namespace shop; for whom nothing fits: deny',
      'HTTPRoute a: every call',
      'GRPCRoute b on x or *.y: (every call) or (port 1)',
    ]);
  });

  const authorization: LinkerdAuthorizationPolicy = {
    ...HEAD,
    kind: 'linkerd-authorization',
    target: { kind: 'namespace' },
    networks: null,
    clients: null,
    tls: false,
    missing: [],
  };
  it.each<[string, LinkerdTarget]>([
    ['all of namespace shop', { kind: 'namespace' }],
    ['Server web', { kind: 'server', name: 'web' }],
    ['all Servers of namespace shop', { kind: 'servers', scope: ALL }],
    ['GRPCRoute r', { kind: 'route', group: 'g', route: 'GRPCRoute', name: 'r' }],
  ])('lets into %s', (text, target) => {
    expect(policyText({ ...authorization, target })).toEqual([`lets into ${text}`, 'anybody']);
  });

  it.each<[string, Partial<LinkerdAuthorizationPolicy>]>([
    ['anybody', {}],
    ['anybody with TLS', { tls: true }],
    ['nobody, because there is no a and no b', { missing: ['a', 'b'] }],
    [
      'anybody from 10.0.0.0/8 or ::/0 without fd00::/8, fe80::/10',
      {
        networks: [
          { cidr: '10.0.0.0/8', except: [] },
          { cidr: '::/0', except: ['fd00::/8', 'fe80::/10'] },
        ],
      },
    ],
  ])('%s', (text, policy) => {
    expect(policyText({ ...authorization, ...policy })[1]).toBe(text);
  });

  it.each<[string, ClientIdentity]>([
    ['anybody with a certificate', { kind: 'identity', value: '*' }],
    ['*.shop.local', { kind: 'identity', value: '*.shop.local' }],
    ['spiffe://td/a', { kind: 'spiffe', value: 'td/a' }],
    ['service account shop/a', { kind: 'service-account', namespace: 'shop', name: 'a' }],
    ['namespace shop', { kind: 'namespace', name: 'shop' }],
    ['workloads of namespace shop with a=b', { kind: 'labels', scope: { ...ALL, labels: { a: 'b' } } }],
  ])('%s', (text, identity) => {
    expect(policyText({ ...authorization, clients: [identity] })[1]).toBe(text);
  });

  it.each<[string, Partial<LinkerdRateLimitPolicy>, string[]]>([
    ['nothing', { overrides: [] }, []],
    ['a total', { totalPerSecond: 5 }, ['5 calls a second of all callers together']],
    ['each caller', { identityPerSecond: 5 }, ['5 of each caller']],
    [
      'an exception for two',
      {
        overrides: [
          {
            perSecond: 9,
            clients: [
              { kind: 'spiffe', value: 'a' },
              { kind: 'namespace', name: 'b' },
            ],
          },
        ],
      },
      ['9 of spiffe://a, of namespace b'],
    ],
  ])('a rate limit: %s', (_, policy, lines) => {
    const limit: LinkerdRateLimitPolicy = { ...HEAD, kind: 'linkerd-rate-limit', server: 'web', overrides: [], ...policy };
    expect(policyText(limit)).toEqual(['rate limit of Server web', ...lines]);
  });
});

describe('SMI', () => {
  const target: TrafficTargetPolicy = {
    ...HEAD,
    kind: 'traffic-target',
    destinations: [],
    sources: [],
    matches: [],
    anyHttp: false,
    ports: [],
  };
  it.each<[string, Partial<TrafficTargetPolicy>]>([
    ['nobody: no call', {}],
    ['nobody: every call on port 80, 81', { anyHttp: true, ports: [80, 81] }],
    ['namespace a: every call', { sources: [{ kind: 'namespace', name: 'a' }], matches: [EVERY] }],
  ])('%s', (text, policy) => {
    expect(policyText({ ...target, ...policy })).toEqual(['lets into nobody', text]);
  });
});
