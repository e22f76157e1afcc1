// What each field of a rule takes, by the reference of Istio: a row says whether the value in the policy matches the call, by
// hand. What follows for the decision is the same for every field: ALLOW lets in what matches, DENY shuts it out, and the negated
// field turns both round, for values that are missing as well.
import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import type { AccessRequest } from '../../src/access/request.ts';
import { allow, deny, peer, request, SELF, type ShortRule, token } from './cases.ts';

type Row = readonly [why: string, field: string, values: readonly string[], call: Partial<AccessRequest>, matches: boolean];

const PRODUCTPAGE = { peer: peer('cluster.local/ns/default/sa/productpage') };
const DNS_ONLY = { peer: peer('', { dns: ['client.example.com'], trustDomain: '', namespace: '', serviceAccount: '' }) };
const at = (target: string): Partial<AccessRequest> => ({ target });
const to = (authority: string): Partial<AccessRequest> => ({ authority });
const by = (method: string): Partial<AccessRequest> => ({ method });
const from = (peerAddress: string): Partial<AccessRequest> => ({ peerAddress });
const behind = (remoteAddress: string): Partial<AccessRequest> => ({ remoteAddress });
const withHeaders = (...headers: string[]): Partial<AccessRequest> => ({ headers });
const withClaims = (claims: Record<string, unknown>): Partial<AccessRequest> => ({ jwt: token({ claims }) });
const SUBJECT = { jwt: token() };
const H = 'request.headers[x-user]';
const C = 'request.auth.claims[group]';
const N = 'request.auth.claims[a][b]';

const ROWS: readonly Row[] = [
  // principals
  ['the exact principal', 'principals', ['cluster.local/ns/default/sa/productpage'], PRODUCTPAGE, true],
  ['another account', 'principals', ['cluster.local/ns/default/sa/ratings'], PRODUCTPAGE, false],
  ['an account that only begins so', 'principals', ['cluster.local/ns/default/sa/product'], PRODUCTPAGE, false],
  ['the scheme is not part of a principal', 'principals', ['spiffe://cluster.local/ns/default/sa/productpage'], PRODUCTPAGE, false],
  ['a prefix', 'principals', ['cluster.local/ns/default/*'], PRODUCTPAGE, true],
  ['another prefix', 'principals', ['cluster.local/ns/other/*'], PRODUCTPAGE, false],
  ['a suffix', 'principals', ['*/sa/productpage'], PRODUCTPAGE, true],
  ['2020-009: a suffix that is not there', 'principals', ['*/sa/page'], PRODUCTPAGE, false],
  ['a suffix does not reach into the scheme', 'principals', ['*//cluster.local/ns/default/sa/productpage'], PRODUCTPAGE, false],
  ['2021-004: anybody with a certificate', 'principals', ['*'], PRODUCTPAGE, true],
  ['2021-004: a plain call has no principal, whatever is wanted', 'principals', ['*'], {}, false],
  ['2021-004: a plain call has no principal', 'principals', ['cluster.local/ns/default/sa/productpage'], {}, false],
  ['the second of two', 'principals', ['a/ns/b/sa/c', 'cluster.local/ns/default/sa/productpage'], PRODUCTPAGE, true],
  ['a certificate with a DNS name alone', 'principals', ['client.example.com'], DNS_ONLY, true],
  ['a DNS name that looks like SPIFFE', 'principals', ['a/ns/b/sa/c'], { peer: peer('', { dns: ['a/ns/b/sa/c'] }) }, false],
  ['DNS names count for nothing beside SPIFFE', 'principals', ['x.test'], { peer: peer('td/ns/a/sa/b', { dns: ['x.test'] }) }, false],
  ['2026-003: a dot is a dot', 'principals', ['cluster.local/ns/default/sa/a.b'], { peer: peer('cluster.local/ns/default/sa/axb') }, false],
  // namespaces
  ['the namespace', 'namespaces', ['default'], PRODUCTPAGE, true],
  ['another namespace', 'namespaces', ['kube-system'], PRODUCTPAGE, false],
  ['a namespace that only begins so', 'namespaces', ['def'], PRODUCTPAGE, false],
  ['a prefix of it', 'namespaces', ['def*'], PRODUCTPAGE, true],
  ['a suffix of it', 'namespaces', ['*ault'], PRODUCTPAGE, true],
  ['a star inside', 'namespaces', ['d*t'], PRODUCTPAGE, true],
  ['a star inside that does not fit', 'namespaces', ['d*x'], PRODUCTPAGE, false],
  ['any namespace', 'namespaces', ['*'], PRODUCTPAGE, true],
  ['2021-004: a plain call is of no namespace', 'namespaces', ['*'], {}, false],
  ['a SPIFFE identity of another form is of no namespace', 'namespaces', ['*'], { peer: peer('td/workload/x') }, false],
  ['2026-003: dots in namespaces', 'namespaces', ['a.b'], { peer: peer('td/ns/axb/sa/s') }, false],
  // service accounts and trust domains
  ['the account', 'serviceAccounts', ['default/productpage'], PRODUCTPAGE, true],
  ['the account of another namespace', 'serviceAccounts', ['other/productpage'], PRODUCTPAGE, false],
  ['another account', 'serviceAccounts', ['default/ratings'], PRODUCTPAGE, false],
  [
    'any domain will do for an account',
    'serviceAccounts',
    ['default/productpage'],
    { peer: peer('other.org/ns/default/sa/productpage') },
    true,
  ],
  ['2026-003: dots in accounts', 'serviceAccounts', ['default/a.b'], { peer: peer('td/ns/default/sa/axb') }, false],
  ['2021-004: a plain call has no account', 'serviceAccounts', ['default/productpage'], {}, false],
  ['the trust domain', 'trustDomains', ['cluster.local'], PRODUCTPAGE, true],
  ['another trust domain', 'trustDomains', ['example.org'], PRODUCTPAGE, false],
  ['a suffix of the trust domain', 'trustDomains', ['*.local'], PRODUCTPAGE, true],
  ['2021-004: a plain call is of no trust domain', 'trustDomains', ['*'], {}, false],
  // addresses
  ['the address of the peer', 'ipBlocks', ['10.0.0.7'], {}, true],
  ['another address', 'ipBlocks', ['10.0.0.8'], {}, false],
  ['a range', 'ipBlocks', ['10.0.0.0/8'], {}, true],
  ['another range', 'ipBlocks', ['192.168.0.0/16'], {}, false],
  ['the second range', 'ipBlocks', ['192.168.0.0/16', '10.0.0.0/30', '10.0.0.4/30'], {}, true],
  ['IPv4 in the clothes of IPv6', 'ipBlocks', ['10.0.0.0/8'], from('::ffff:10.0.0.7'), true],
  ['IPv6', 'ipBlocks', ['2001:db8::/32'], from('2001:db8::1'), true],
  ['IPv6 beside the range', 'ipBlocks', ['2001:db8::/32'], from('2001:db9::1'), false],
  ['a link-local address with a zone', 'ipBlocks', ['fe80::/10'], from('fe80::1%eth0'), true],
  ['no address at all', 'ipBlocks', ['0.0.0.0/0'], from(''), false],
  ['the first caller', 'remoteIpBlocks', ['203.0.113.0/24'], behind('203.0.113.9'), true],
  ['the peer is not the first caller', 'remoteIpBlocks', ['10.0.0.0/8'], behind('203.0.113.9'), false],
  // tokens
  ['issuer and subject', 'requestPrincipals', ['https://issuer.test/alice'], SUBJECT, true],
  ['another subject', 'requestPrincipals', ['https://issuer.test/bob'], SUBJECT, false],
  ['another issuer', 'requestPrincipals', ['https://other.test/alice'], SUBJECT, false],
  ['anybody with a token', 'requestPrincipals', ['*'], SUBJECT, true],
  ['2021-001: nobody without a token', 'requestPrincipals', ['*'], {}, false],
  ['any subject of the issuer', 'requestPrincipals', ['https://issuer.test/*'], SUBJECT, true],
  ['any issuer of the subject', 'requestPrincipals', ['*/alice'], SUBJECT, true],
  ['any issuer of another subject', 'requestPrincipals', ['*/bob'], SUBJECT, false],
  ['the end of the issuer', 'requestPrincipals', ['*issuer.test/alice'], SUBJECT, true],
  ['the beginning of the subject', 'requestPrincipals', ['https://issuer.test/al*'], SUBJECT, true],
  [
    'a subject with a slash is divided otherwise',
    'requestPrincipals',
    ['https://issuer.test/alice'],
    { jwt: token({ issuer: 'https:', subject: '/issuer.test/alice' }) },
    false,
  ],
  ['a suffix without a slash is of the subject', 'requestPrincipals', ['*ice'], SUBJECT, true],
  ['a prefix without a slash is of the issuer', 'requestPrincipals', ['issuer*'], { jwt: token({ issuer: 'issuer.test' }) }, true],
  ['a token without a subject is nobody', 'requestPrincipals', ['*'], { jwt: token({ subject: '' }) }, false],
  // methods
  ['the method', 'methods', ['GET'], {}, true],
  ['another method', 'methods', ['POST'], {}, false],
  ['methods are compared with regard to case', 'methods', ['get'], {}, false],
  ['the second method', 'methods', ['POST', 'GET'], {}, true],
  ['any method', 'methods', ['*'], by('PURGE'), true],
  ['a prefix of the method', 'methods', ['P*'], by('PATCH'), true],
  ['one of many', 'methods', ['A', 'B', 'C', 'D', 'E', 'GET'], {}, true],
  ['none of many', 'methods', ['A', 'B', 'C', 'D', 'E', 'F'], {}, false],
  // hosts
  ['the host', 'hosts', ['reviews'], {}, true],
  ['another host', 'hosts', ['ratings'], {}, false],
  ['2021-008: hosts without regard to case, in the call', 'hosts', ['secret.com'], to('Secret.COM'), true],
  ['hosts without regard to case, in the policy', 'hosts', ['Secret.com'], to('secret.com'), true],
  ['2021-008: a host on any port', 'hosts', ['secret.com'], to('secret.com:8080'), true],
  ['a host on one port', 'hosts', ['secret.com:8080'], to('secret.com:8080'), true],
  ['a host on another port', 'hosts', ['secret.com:8080'], to('secret.com:8081'), false],
  ['a host with a port, where none is named', 'hosts', ['secret.com:8080'], to('secret.com'), false],
  ['a dot at the end', 'hosts', ['secret.com'], to('secret.com.'), true],
  ['2020-008: a suffix over several labels', 'hosts', ['*.example.com'], to('a.b.example.com'), true],
  ['a suffix, with the port', 'hosts', ['*.example.com'], to('a.example.com:80'), true],
  ['a suffix that is not there', 'hosts', ['*.example.com'], to('example.com'), false],
  ['a prefix', 'hosts', ['secret.*'], to('SECRET.org'), true],
  ['any port, as Istio advises', 'hosts', ['secret.com:*'], to('secret.com:1'), true],
  ['IPv6', 'hosts', ['[::1]'], to('[::1]:9080'), true],
  // ports
  ['the port', 'ports', ['9080'], {}, true],
  ['another port', 'ports', ['9081'], {}, false],
  ['the second port', 'ports', ['80', '9080'], {}, true],
  // paths
  ['the path', 'paths', ['/admin'], at('/admin'), true],
  ['another path', 'paths', ['/admin'], at('/public'), false],
  ['2020-001: the query is no part of it', 'paths', ['/admin'], at('/admin?x=1'), true],
  ['a longer path', 'paths', ['/admin'], at('/administration'), false],
  ['a prefix', 'paths', ['/admin/*'], at('/admin/users'), true],
  ['a prefix that is not there', 'paths', ['/admin/*'], at('/admin2/users'), false],
  ['a suffix', 'paths', ['*/info'], at('/a/b/info'), true],
  ['a suffix that is not there', 'paths', ['*/info'], at('/a/b/info2'), false],
  ['any path', 'paths', ['*'], at('/x'), true],
  ['the method of gRPC', 'paths', ['/pkg.Service/Method'], at('/pkg.Service/Method'), true],
  ['another method of gRPC', 'paths', ['/pkg.Service/Method'], at('/pkg.Service/Other'), false],
  ['dots of a path are dots', 'paths', ['/pkg.Service/*'], at('/pkgXService/Method'), false],
  ['one segment', 'paths', ['/users/{*}/orders'], at('/users/7/orders'), true],
  ['no segment', 'paths', ['/users/{*}/orders'], at('/users//orders'), false],
  ['two segments', 'paths', ['/users/{*}/orders'], at('/users/7/8/orders'), false],
  ['the rest', 'paths', ['/users/{**}'], at('/users/7/orders'), true],
  ['the rest may be empty', 'paths', ['/users/{**}'], at('/users/'), true],
  ['something behind the rest', 'paths', ['/users/{**}/end'], at('/users/7/8/end'), true],
  ['something else behind the rest', 'paths', ['/users/{**}/end'], at('/users/7/8/begin'), false],
  ['one segment and the rest', 'paths', ['/{*}/x/{**}'], at('/a/x/b/c'), true],
  ['dots of a template are dots', 'paths', ['/a.b/{*}'], at('/axb/c'), false],
  // headers
  ['the header', H, ['alice'], withHeaders('x-user', 'alice'), true],
  ['the header, in capitals', H, ['alice'], withHeaders('X-User', 'alice'), true],
  ['another value', H, ['bob'], withHeaders('x-user', 'alice'), false],
  ['values are compared with regard to case', H, ['Alice'], withHeaders('x-user', 'alice'), false],
  ['no such header', H, ['alice'], {}, false],
  ['another header of the same length', H, ['alice'], withHeaders('x-uses', 'alice'), false],
  ['a prefix of it', H, ['ali*'], withHeaders('x-user', 'alice'), true],
  ['a suffix of it', H, ['*ice'], withHeaders('x-user', 'alice'), true],
  ['it is there', H, ['*'], withHeaders('x-user', 'alice'), true],
  ['it is not there', H, ['*'], {}, false],
  ['blanks around it', H, ['alice'], withHeaders('x-user', ' alice '), true],
  ['the name of the policy in capitals', 'request.headers[X-User]', ['alice'], withHeaders('x-user', 'alice'), true],
  // claims and the rest of a token
  ['a claim', C, ['admin'], withClaims({ group: 'admin' }), true],
  ['another claim', C, ['admin'], withClaims({ group: 'user' }), false],
  ['one of a list', C, ['admin'], withClaims({ group: ['user', 'admin'] }), true],
  ['none of a list', C, ['admin'], withClaims({ group: ['user'] }), false],
  ['an empty list', C, ['*'], withClaims({ group: [] }), false],
  ['numbers are no texts', C, ['7'], withClaims({ group: 7 }), false],
  ['numbers in a list are no texts', C, ['*'], withClaims({ group: [7] }), false],
  ['no such claim', C, ['admin'], withClaims({}), false],
  ['no token, no claim', C, ['admin'], {}, false],
  ['a prefix of a claim', C, ['adm*'], withClaims({ group: 'admin' }), true],
  ['a claim is there', C, ['*'], withClaims({ group: 'x' }), true],
  ['a claim that is empty', C, ['*'], withClaims({ group: '' }), false],
  ['a nested claim', N, ['x'], withClaims({ a: { b: 'x' } }), true],
  ['a list in a nested claim', N, ['x'], withClaims({ a: { b: ['y', 'x'] } }), true],
  ['the outer claim alone', N, ['x'], withClaims({ a: 'x' }), false],
  ['a claim with a dot in its name is not nested', N, ['x'], withClaims({ 'a.b': 'x' }), false],
  ['a list is no mapping', 'request.auth.claims[a][0]', ['x'], withClaims({ a: ['x'] }), false],
  ['what every object has is no claim', 'request.auth.claims[constructor][name]', ['Object'], withClaims({}), false],
  ['an audience', 'request.auth.audiences', ['api'], { jwt: token({ audiences: ['web', 'api'] }) }, true],
  ['another audience', 'request.auth.audiences', ['api'], { jwt: token({ audiences: ['web'] }) }, false],
  ['no token, no audience', 'request.auth.audiences', ['*'], {}, false],
  ['the presenter', 'request.auth.presenter', ['app'], { jwt: token({ presenter: 'app' }) }, true],
  ['no presenter', 'request.auth.presenter', ['*'], SUBJECT, false],
  ['no token, no presenter', 'request.auth.presenter', ['*'], {}, false],
  ['the principal of the token', 'request.auth.principal', ['https://issuer.test/alice'], SUBJECT, true],
  // the rest of `when`
  ['when: address of the peer', 'source.ip', ['10.0.0.0/24'], {}, true],
  ['when: another address', 'source.ip', ['10.1.0.0/24'], {}, false],
  ['when: address of the first caller', 'remote.ip', ['203.0.113.9'], behind('203.0.113.9'), true],
  ['when: namespace', 'source.namespace', ['default'], PRODUCTPAGE, true],
  ['when: no namespace of a plain call', 'source.namespace', ['*'], {}, false],
  ['when: principal', 'source.principal', ['*/sa/productpage'], PRODUCTPAGE, true],
  ['when: no principal of a plain call', 'source.principal', ['*'], {}, false],
  ['when: account', 'source.serviceAccount', ['default/productpage'], PRODUCTPAGE, true],
  ['when: trust domain', 'source.trustDomain', ['cluster*'], PRODUCTPAGE, true],
  ['when: own address', 'destination.ip', ['10.0.0.1'], {}, true],
  ['when: another own address', 'destination.ip', ['10.0.0.2'], {}, false],
  ['when: own port', 'destination.port', ['9080'], {}, true],
  ['when: another own port', 'destination.port', ['9081'], {}, false],
  ['when: name in TLS', 'connection.sni', ['*.reviews.svc'], { sni: 'v1.reviews.svc' }, true],
  ['when: no name in TLS', 'connection.sni', ['*'], {}, false],
  ['when: filters of Envoy say nothing here', 'experimental.envoy.filters.x[y]', ['*'], PRODUCTPAGE, false],
];

function negated(field: string): string {
  return field.includes('.') ? `not ${field}` : `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}

const decide = (policy: ReturnType<typeof allow>, call: Partial<AccessRequest>): boolean =>
  compileAccess([policy], SELF).decide(request(call)).allowed;

describe('a field of a rule', () => {
  it.each(ROWS)('%s: %s %j', (_why, field, values, call, matches) => {
    const short: ShortRule = { [field]: values };
    const not: ShortRule = { [negated(field)]: values };
    expect({ allow: decide(allow(short), call), deny: decide(deny(short), call) }).toEqual({ allow: matches, deny: !matches });
    expect({ allow: decide(allow(not), call), deny: decide(deny(not), call) }).toEqual({ allow: !matches, deny: matches });
  });

  it('has enough rows', () => {
    expect(ROWS.length * 4).toBeGreaterThan(250);
    expect(new Set(ROWS.map(([why, field]) => `${field} ${why}`)).size).toBe(ROWS.length);
  });
});

describe('the reason of a denial', () => {
  it.each(ROWS.filter(([, , , , matches]) => !matches))('%s: %s %j names the field', (_why, field, values, call) => {
    expect(compileAccess([allow({ [field]: values })], SELF).decide(request(call))).toMatchObject({
      status: 403,
      reason: 'no-allow',
      rule: 0,
      condition: field,
      dialect: 'istio',
    });
  });

  it.each(ROWS.filter(([, , , , matches]) => matches))('%s: %s %j names what is met, or what is negated', (_why, field, values, call) => {
    const denying = deny({ [field]: values });
    expect(compileAccess([denying], SELF).decide(request(call))).toMatchObject({
      reason: 'deny',
      policy: denying,
      rule: 0,
      condition: field,
    });
    const not = negated(field);
    expect(compileAccess([allow({ [not]: values })], SELF).decide(request(call))).toMatchObject({ reason: 'no-allow', condition: not });
  });
});
