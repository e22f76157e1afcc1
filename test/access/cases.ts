// Policies and requests for the tests of authorization, written short: fields by the names that Istio gives them.
import type { AccessRequest, RequestIdentity } from '../../src/access/request.ts';
import type { Workload } from '../../src/access/policy-scope.ts';
import type { PeerIdentity } from '../../src/identity/peer-identity.ts';
import type { Dialect } from '../../src/model/route.ts';
import type { AuthorizationPolicy, AuthorizationRule, ConditionMatch, ValueMatch } from '../../src/model/security.ts';

export const SELF: Workload = { service: 'reviews', namespace: 'default', serviceAccount: 'reviews', labels: { app: 'reviews' } };

const SOURCE = ['principals', 'requestPrincipals', 'namespaces', 'serviceAccounts', 'trustDomains', 'ipBlocks', 'remoteIpBlocks'];
const OPERATION = ['hosts', 'ports', 'methods', 'paths'];

/** `methods`, `notMethods`, `request.headers[x]`, `not request.headers[x]`, … */
export type ShortRule = Readonly<Record<string, readonly string[]>>;

function listsOf(short: ShortRule, names: readonly string[]): Record<string, ValueMatch> {
  const found: Record<string, ValueMatch> = {};
  for (const name of names) {
    const values = short[name] ?? [];
    const notValues = short[`not${name.charAt(0).toUpperCase()}${name.slice(1)}`] ?? [];
    if (values.length + notValues.length > 0) found[name] = { values, notValues };
  }
  return found;
}

export function rule(short: ShortRule): AuthorizationRule {
  const source = listsOf(short, SOURCE);
  const operation = listsOf(short, OPERATION);
  const keys = new Set(
    Object.keys(short)
      .filter((key) => key.includes('.'))
      .map((key) => key.replace(/^not /, '')),
  );
  return {
    from: Object.keys(source).length === 0 ? [] : [source],
    to: Object.keys(operation).length === 0 ? [] : [operation],
    when: [...keys].map((key): ConditionMatch => ({ key, values: short[key] ?? [], notValues: short[`not ${key}`] ?? [] })),
    source: { file: 'mesh.yaml', line: 1, column: 1 },
  };
}

let count = 0;

export function policy(
  action: AuthorizationPolicy['action'],
  rules: readonly ShortRule[],
  more: Partial<AuthorizationPolicy> = {},
): AuthorizationPolicy {
  return {
    kind: 'authorization',
    dialect: 'istio' as Dialect,
    name: `${action}-${++count}`,
    namespace: 'default',
    createdAtMs: 0,
    source: { file: 'mesh.yaml', line: 1, column: 1 },
    scope: { namespace: '', labels: {}, expressions: [] },
    action,
    dryRun: false,
    rules: rules.map(rule),
    ...more,
  };
}

export const allow = (...rules: ShortRule[]): AuthorizationPolicy => policy('allow', rules);
export const deny = (...rules: ShortRule[]): AuthorizationPolicy => policy('deny', rules);

/** `domain/ns/NS/sa/SA`. */
export function peer(principal: string, more: Partial<PeerIdentity> = {}): PeerIdentity {
  const [trustDomain = '', ns, namespace = '', sa, serviceAccount = ''] = principal.split('/');
  const isFull = ns === 'ns' && sa === 'sa';
  return {
    spiffeId: principal === '' ? '' : `spiffe://${principal}`,
    trustDomain,
    namespace: isFull ? namespace : '',
    serviceAccount: isFull ? serviceAccount : '',
    dns: [],
    notAfterMs: 0,
    fingerprint: '',
    ...more,
  };
}

export function token(more: Partial<RequestIdentity> = {}): RequestIdentity {
  return { issuer: 'https://issuer.test', subject: 'alice', audiences: [], presenter: '', claims: {}, ...more };
}

/** A plain GET / to reviews on port 9080, from 10.0.0.7. */
export function request(more: Partial<AccessRequest> = {}): AccessRequest {
  const { peer: who = null } = more;
  return {
    peer: who,
    isTls: who !== null,
    method: 'GET',
    target: '/',
    authority: 'reviews',
    headers: [],
    localAddress: '10.0.0.1',
    localPort: 9080,
    peerAddress: '10.0.0.7',
    remoteAddress: '10.0.0.7',
    sni: '',
    jwt: null,
    ...more,
  };
}
