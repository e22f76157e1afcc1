// Linkerd's and SMI's rules about callers.
import { describe, expect, it } from 'vitest';
import { compileAccess, type Access } from '../../src/access/access.ts';
import type { MatchedCall, RouteMatcher } from '../../src/access/matches.ts';
import type {
  ClientIdentity,
  LinkerdAuthorizationPolicy,
  LinkerdDefault,
  LinkerdServerPolicy,
  SecurityPolicy,
  ServerRoute,
  TrafficTargetPolicy,
} from '../../src/model/security.ts';
import { peer, request, SELF } from './cases.ts';

const HEAD = { name: 'x', namespace: 'default', createdAtMs: 0, source: { file: 'a.yaml', line: 1, column: 1 } } as const;
const ALL = { namespace: 'default', labels: {}, expressions: [] };

/** Exact paths and prefixes, as far as these tests need them. */
const matcher: RouteMatcher = (matches) =>
  matches.length === 0
    ? null
    : (call) =>
        matches.some(
          ({ path, method }) => isPath(call, path) && (method === undefined || ('value' in method && method.value === call.method)),
        );

function isPath({ path }: MatchedCall, wanted: { readonly kind: string; readonly value: string } | undefined): boolean {
  if (wanted === undefined) return true;
  const [own = ''] = path.split('?');
  return wanted.kind === 'exact' ? own === wanted.value : own.startsWith(wanted.value);
}

function server(more: Partial<LinkerdServerPolicy> = {}): LinkerdServerPolicy {
  return {
    ...HEAD,
    dialect: 'linkerd',
    kind: 'linkerd-server',
    name: 'web',
    scope: ALL,
    port: 9_080,
    protocol: 'HTTP/1',
    access: 'deny',
    routes: [],
    labels: { tier: 'web' },
    ...more,
  };
}

function authorization(more: Partial<LinkerdAuthorizationPolicy> = {}): LinkerdAuthorizationPolicy {
  return {
    ...HEAD,
    dialect: 'linkerd',
    kind: 'linkerd-authorization',
    target: { kind: 'server', name: 'web' },
    networks: null,
    clients: null,
    tls: false,
    missing: [],
    ...more,
  };
}

const access = (...policies: SecurityPolicy[]): Access => compileAccess(policies, SELF, { matcher });

const SPIFFE = peer('td/ns/books/sa/app');
const DNS = peer('', { dns: ['app.books.serviceaccount.identity.linkerd.cluster.local'] });
const identity = (value: string): ClientIdentity => ({ kind: 'identity', value });

describe('Linkerd: who is let into a Server', () => {
  it('ports without a Server are open', () => {
    expect(access(server()).decide(request({ localPort: 9_081 })).allowed).toBe(true);
    expect(access(server({ port: 'http' })).decide(request({ localPort: 9_081 })).allowed).toBe(false);
    expect(
      access(server({ port: 'http' }), server({ port: 9_081, access: 'all-unauthenticated' })).decide(request({ localPort: 9_081 }))
        .allowed,
    ).toBe(true);
  });

  type Row = readonly [access: LinkerdDefault, plain: boolean, known: boolean, far: boolean, farKnown: boolean];
  it.each<Row>([
    ['deny', false, false, false, false],
    ['all-unauthenticated', true, true, true, true],
    ['audit', true, true, true, true],
    ['all-authenticated', false, true, false, true],
    ['cluster-unauthenticated', true, true, false, false],
    ['cluster-authenticated', false, true, false, false],
  ])('without an authorization: %s', (kind, plain, known, far, farKnown) => {
    const open = access(server({ access: kind }));
    const may = (more: Parameters<typeof request>[0]): boolean => open.decide(request(more)).allowed;
    expect([
      may({}),
      may({ peer: SPIFFE }),
      may({ peerAddress: '203.0.113.9' }),
      may({ peer: SPIFFE, peerAddress: '203.0.113.9' }),
    ]).toEqual([plain, known, far, farKnown]);
  });

  it.each(['10.1.2.3', '172.31.0.1', '192.168.3.4', '100.64.0.1', 'fd00::1'])('%s is of the cluster', (peerAddress) => {
    expect(access(server({ access: 'cluster-unauthenticated' })).decide(request({ peerAddress })).allowed).toBe(true);
  });

  it('says who denied, and that no authorization fitted', () => {
    const web = server();
    expect(access(web, authorization({ clients: [] })).decide(request())).toMatchObject({
      status: 403,
      reason: 'no-allow',
      policy: web,
      rule: -1,
      condition: 'authorization',
      dialect: 'linkerd',
    });
  });

  type Client = readonly [what: string, client: ClientIdentity, spiffe: boolean, dns: boolean];
  it.each<Client>([
    ['anybody with a certificate', identity('*'), true, true],
    ['a DNS name', identity('app.books.serviceaccount.identity.linkerd.cluster.local'), false, true],
    ['another DNS name', identity('books.serviceaccount.identity.linkerd.cluster.local'), false, false],
    ['the end of a DNS name', identity('*.books.serviceaccount.identity.linkerd.cluster.local'), false, true],
    ['another end', identity('*.other.serviceaccount.identity.linkerd.cluster.local'), false, false],
    ['a SPIFFE identity as a text', identity('spiffe://td/ns/books/sa/app'), true, false],
    ['a SPIFFE identity', { kind: 'spiffe', value: 'td/ns/books/sa/app' }, true, false],
    ['another SPIFFE identity', { kind: 'spiffe', value: 'td/ns/books/sa/ap' }, false, false],
    ['a service account', { kind: 'service-account', namespace: 'books', name: 'app' }, true, true],
    ['the account of another namespace', { kind: 'service-account', namespace: 'other', name: 'app' }, false, false],
    ['another account', { kind: 'service-account', namespace: 'books', name: 'ap' }, false, false],
    ['a namespace', { kind: 'namespace', name: 'books' }, true, true],
    ['another namespace', { kind: 'namespace', name: 'book' }, false, false],
    ['the account is no namespace', { kind: 'namespace', name: 'app' }, false, false],
    ['labels are in no certificate', { kind: 'labels', scope: ALL }, false, false],
  ])('%s', (_what, client, spiffe, dns) => {
    const one = access(server(), authorization({ clients: [client], tls: true }));
    expect([one.decide(request({ peer: SPIFFE })).allowed, one.decide(request({ peer: DNS })).allowed]).toEqual([spiffe, dns]);
    expect(one.decide(request()).allowed).toBe(false);
  });

  it('a peer of another form is of no namespace and has no account', () => {
    const odd = { peer: peer('td/workload/x') };
    expect(access(server(), authorization({ clients: [{ kind: 'namespace', name: '' }] })).decide(request(odd)).allowed).toBe(false);
    expect(
      access(server(), authorization({ clients: [{ kind: 'service-account', namespace: '', name: '' }] })).decide(request(odd)).allowed,
    ).toBe(false);
    const long = { peer: peer('', { dns: ['a.b.books.serviceaccount.identity.x'] }) };
    expect(access(server(), authorization({ clients: [{ kind: 'namespace', name: 'books' }] })).decide(request(long)).allowed).toBe(false);
    expect(
      access(server(), authorization({ clients: [{ kind: 'namespace', name: 'x' }] })).decide(
        request({ peer: peer('', { dns: ['plain'] }) }),
      ).allowed,
    ).toBe(false);
  });

  it('networks, with their holes', () => {
    const networks = [
      { cidr: '10.0.0.0/8', except: ['10.0.0.7'] },
      { cidr: '192.168.0.0/16', except: [] },
    ];
    const one = access(server(), authorization({ networks }));
    expect(
      ['10.0.0.6', '10.0.0.7', '192.168.1.1', '203.0.113.9'].map((peerAddress) => one.decide(request({ peerAddress })).allowed),
    ).toEqual([true, false, true, false]);
  });

  it('network and client must both fit', () => {
    const one = access(server(), authorization({ networks: [{ cidr: '10.0.0.0/8', except: [] }], clients: [identity('*')] }));
    expect(one.decide(request({ peer: SPIFFE })).allowed).toBe(true);
    expect(one.decide(request({ peer: SPIFFE, peerAddress: '203.0.113.9' })).allowed).toBe(false);
    expect(one.decide(request()).allowed).toBe(false);
  });

  it('TLS of whomever', () => {
    const one = access(server(), authorization({ tls: true }));
    expect([one.decide(request({ isTls: true })).allowed, one.decide(request()).allowed]).toEqual([true, false]);
  });

  it('what refers to something that is missing lets nobody in', () => {
    expect(access(server(), authorization({ missing: ['MeshTLSAuthentication x'] })).decide(request()).allowed).toBe(false);
  });

  it('several authorizations are alternatives', () => {
    expect(access(server(), authorization({ clients: [] }), authorization()).decide(request()).allowed).toBe(true);
  });

  it('for the namespace, for Servers by their labels, not for other Servers', () => {
    const may = (target: LinkerdAuthorizationPolicy['target'], namespace = 'default'): boolean =>
      access(server(), server({ name: 'other', port: 1 }), authorization({ target, namespace })).decide(request()).allowed;
    expect(may({ kind: 'namespace' })).toBe(true);
    expect(may({ kind: 'namespace' }, 'elsewhere')).toBe(false);
    expect(may({ kind: 'servers', scope: { ...ALL, labels: { tier: 'web' } } })).toBe(true);
    expect(may({ kind: 'servers', scope: { ...ALL, labels: { tier: 'db' } } })).toBe(false);
    expect(may({ kind: 'server', name: 'other' })).toBe(false);
  });
});

describe('Linkerd: routes of a Server', () => {
  const route = (name: string, path: string, more: Partial<ServerRoute> = {}): ServerRoute => ({
    group: 'policy.linkerd.io',
    route: 'HTTPRoute',
    name,
    hostnames: [],
    matches: [{ path: { kind: 'prefix', value: path, invert: false }, headers: {}, queryParams: {} }],
    ...more,
  });
  const forRoute = (name: string, more: Partial<LinkerdAuthorizationPolicy> = {}): LinkerdAuthorizationPolicy =>
    authorization({ target: { kind: 'route', group: 'policy.linkerd.io', route: 'HTTPRoute', name }, ...more });
  const web = server({ routes: [route('pub', '/pub'), route('admin', '/admin')] });

  it('what fits none of them is answered 404', () => {
    expect(access(web, authorization()).decide(request({ target: '/x' }))).toMatchObject({
      status: 404,
      reason: 'no-route',
      condition: 'routes',
      policy: web,
    });
  });

  it('an authorization for one route does not let into another', () => {
    const one = access(web, forRoute('pub'));
    expect(one.decide(request({ target: '/pub/a?b=1' })).allowed).toBe(true);
    expect(one.decide(request({ target: '/admin' }))).toMatchObject({ status: 403, reason: 'no-allow' });
  });

  it('an authorization for the Server lets into all of them', () => {
    expect(access(web, authorization()).decide(request({ target: '/admin' })).allowed).toBe(true);
  });

  it('every reading of the path must be let in', () => {
    const one = access(web, forRoute('pub'));
    expect(one.decide(request({ target: '/pub/../admin' }))).toMatchObject({ status: 403 });
    expect(one.decide(request({ target: '/pub/../x' }))).toMatchObject({ status: 404 });
  });

  it('without a match takes every call', () => {
    expect(access(server({ routes: [route('all', '', { matches: [] })] }), forRoute('all')).decide(request()).allowed).toBe(true);
  });

  it('of hosts', () => {
    const hosts = server({ routes: [route('a', '/', { hostnames: ['a.test', '*.b.test'] })] });
    const one = access(hosts, forRoute('a'));
    expect(['a.test', 'A.test:80', 'x.b.test', 'b.test', 'c.test'].map((authority) => one.decide(request({ authority })).status)).toEqual([
      0, 0, 0, 404, 404,
    ]);
  });

  it.each([{ group: 'gateway.networking.k8s.io' }, { route: 'GRPCRoute' as const }, { name: 'other' }])(
    'of another kind are others: %j',
    (more) => {
      const target = { kind: 'route' as const, group: 'policy.linkerd.io', route: 'HTTPRoute' as const, name: 'pub', ...more };
      expect(access(web, authorization({ target })).decide(request({ target: '/pub' })).allowed).toBe(false);
    },
  );

  it('without anybody who compiles them take nothing', () => {
    expect(compileAccess([web, authorization()], SELF).decide(request({ target: '/pub' }))).toMatchObject({ status: 404 });
  });

  it('are asked with the scheme of the connection', () => {
    const seen: string[] = [];
    const spy: RouteMatcher = () => (call) => {
      seen.push(`${call.scheme} ${call.path}`);
      return true;
    };
    const one = compileAccess([web, authorization()], SELF, { matcher: spy });
    one.decide(request({ target: '/a?b' }));
    one.decide(request({ target: '/a', isTls: true }));
    expect(seen).toEqual(['http /a?b', 'https /a']);
  });
});

describe('SMI: TrafficTarget', () => {
  const account = (name: string): ClientIdentity => ({ kind: 'service-account', namespace: 'default', name });
  const target = (more: Partial<TrafficTargetPolicy> = {}): TrafficTargetPolicy => ({
    ...HEAD,
    dialect: 'smi',
    kind: 'traffic-target',
    destinations: [account('reviews')],
    sources: [account('productpage')],
    matches: [{ path: { kind: 'prefix', value: '/api', invert: false }, headers: {}, queryParams: {} }],
    anyHttp: false,
    ports: [],
    ...more,
  });
  const PAGE = peer('td/ns/default/sa/productpage');

  it('lets its sources into its rules', () => {
    const one = access(target());
    expect(one.decide(request({ peer: PAGE, target: '/api/1' })).allowed).toBe(true);
    expect(one.decide(request({ peer: PAGE, target: '/x' }))).toMatchObject({
      status: 403,
      reason: 'no-allow',
      condition: 'rules',
      dialect: 'smi',
    });
    expect(one.decide(request({ peer: peer('td/ns/default/sa/other'), target: '/api' }))).toMatchObject({
      condition: 'sources',
      policy: { kind: 'traffic-target' },
    });
    expect(one.decide(request({ target: '/api' }))).toMatchObject({ condition: 'sources' });
  });

  it('every reading of the path must be let in', () => {
    expect(access(target()).decide(request({ peer: PAGE, target: '/api/../x' })).allowed).toBe(false);
  });

  it('are added up', () => {
    const more = target({ sources: [account('other')], anyHttp: true, matches: [] });
    expect(access(target(), more).decide(request({ peer: peer('td/ns/default/sa/other'), target: '/x' })).allowed).toBe(true);
  });

  it('without rules for HTTP lets no call in, with ports alone all of those ports', () => {
    expect(access(target({ matches: [] })).decide(request({ peer: PAGE })).allowed).toBe(false);
    const ports = access(target({ matches: [], anyHttp: true, ports: [9_080] }));
    expect(ports.decide(request({ peer: PAGE })).allowed).toBe(true);
    expect(ports.decide(request({ peer: PAGE, localPort: 1 })).allowed).toBe(false);
  });

  it('about others alone shuts out everybody here', () => {
    const one = access(target({ destinations: [account('ratings')] }));
    expect(one.isOpen).toBe(false);
    expect(one.decide(request({ peer: PAGE }))).toMatchObject({ allowed: false, policy: null, condition: 'sources' });
  });
});
