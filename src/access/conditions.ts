// What rules may ask of a call besides its path: one function for each thing that is asked, named as the policy names it.
// A value that is missing meets nothing that is wanted and everything that is not. `isWide`: the rule forbids, so what can be
// read in several ways is met by any of them; else by all. Source: istio/istio pilot/pkg/security/authz/model.
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { ConditionMatch, OperationMatch, SourceMatch, ValueMatch } from '../model/security.ts';
import { addressTest } from './address.ts';
import { headerConditions } from './header.ts';
import type { AccessRequest } from './request.ts';
import { anyText, globTest, type TextTest, textTest } from './text.ts';
import type { HostName } from './host-name.ts';
import { principalValues, requestPrincipalTest, type TrustDomains } from './principal.ts';

/** The call, and its host in normal form. */
export type Test = (request: AccessRequest, host: HostName) => boolean;

export interface Condition {
  /** As the policy has it, such as `notPrincipals` or `request.headers[x-user]`. Never a value. */
  readonly name: string;
  readonly test: Test;
}

export interface ConditionContext {
  readonly trustDomains: TrustDomains;
  readonly isWide: boolean;
}

/** Whether something of the call is among the values that the function was made of. */
type Among = (values: readonly string[], context: ConditionContext) => Test;

/** One text; '' when it is missing. */
function text(read: (request: AccessRequest) => string, make: (value: string) => TextTest = textTest): Among {
  return (values) => {
    const test = anyText(values, make);
    return (request) => {
      const own = read(request);
      return own !== '' && test(own);
    };
  };
}

/** Of the certificate; '' when there is none. */
function ofPeer(read: (peer: PeerIdentity) => string, make?: (value: string) => TextTest): Among {
  return text(({ peer }) => (peer === null ? '' : read(peer)), make);
}

function address(read: (request: AccessRequest) => string): Among {
  return (values) => {
    const test = addressTest(values);
    return (request) => test(read(request));
  };
}

const PRINCIPAL: Among = (values, { trustDomains }) => {
  const test = anyText(principalValues(values, trustDomains));
  const isAmong = (peer: PeerIdentity): boolean => {
    if (peer.spiffeId !== '') return test(peer.spiffeId.slice('spiffe://'.length));
    // A name with a slash in it would look like a SPIFFE identity.
    return peer.dns.some((name) => !name.includes('/') && test(name));
  };
  return ({ peer }) => peer !== null && isAmong(peer);
};

const ACCOUNT: Among = (values) => {
  const wanted = values.map((value) => value.split('/') as [string, string]);
  return ({ peer }) =>
    peer !== null && peer.serviceAccount !== '' && wanted.some(([ns, sa]) => peer.serviceAccount === sa && peer.namespace === ns);
};

const REQUEST_PRINCIPAL: Among = (values) => {
  const tests = values.map(requestPrincipalTest);
  return ({ jwt }) => jwt !== null && tests.some((test) => test(jwt));
};

const AUDIENCES: Among = (values) => {
  const test = anyText(values);
  return ({ jwt }) => jwt !== null && jwt.audiences.some((one) => one !== '' && test(one));
};

const PORT: Among = (values) => {
  const ports = new Set(values.map(Number));
  return ({ localPort }) => ports.has(localPort);
};

/** With its port or without: a name alone means the host on every port. */
const HOST: Among = (values) => {
  const test = anyText(values.map((value) => value.toLowerCase()));
  return (_, { name, full }) => test(name) || (full !== name && test(full));
};

const NAMESPACE: Among = ofPeer(({ namespace }) => namespace, globTest);
const TRUST_DOMAIN: Among = ofPeer(({ trustDomain }) => trustDomain);
const PEER_ADDRESS: Among = address(({ peerAddress }) => peerAddress);
const REMOTE_ADDRESS: Among = address(({ remoteAddress }) => remoteAddress);

const SOURCE: Readonly<Record<keyof SourceMatch, Among>> = {
  principals: PRINCIPAL,
  requestPrincipals: REQUEST_PRINCIPAL,
  namespaces: NAMESPACE,
  serviceAccounts: ACCOUNT,
  trustDomains: TRUST_DOMAIN,
  ipBlocks: PEER_ADDRESS,
  remoteIpBlocks: REMOTE_ADDRESS,
};

const OPERATION: Readonly<Record<Exclude<keyof OperationMatch, 'paths'>, Among>> = {
  methods: text(({ method }) => method),
  ports: PORT,
  hosts: HOST,
};

const ATTRIBUTES: ReadonlyMap<string, Among> = new Map([
  ['source.ip', PEER_ADDRESS],
  ['remote.ip', REMOTE_ADDRESS],
  ['source.namespace', NAMESPACE],
  ['source.principal', PRINCIPAL],
  ['source.serviceAccount', ACCOUNT],
  ['source.trustDomain', TRUST_DOMAIN],
  ['request.auth.principal', REQUEST_PRINCIPAL],
  ['request.auth.audiences', AUDIENCES],
  ['request.auth.presenter', text(({ jwt }) => jwt?.presenter ?? '')],
  ['destination.ip', address(({ localAddress }) => localAddress)],
  ['destination.port', PORT],
  ['connection.sni', text(({ sni }) => sni)],
]);

const HEADER = 'request.headers[';
const CLAIM = 'request.auth.claims[';

export function sourceConditions(source: SourceMatch, context: ConditionContext): Condition[] {
  return listed(source, SOURCE, context);
}

/** All but the paths. */
export function operationConditions(operation: OperationMatch, context: ConditionContext): Condition[] {
  return listed(operation, OPERATION, context);
}

function listed<K extends string>(
  lists: { readonly [key in K]?: ValueMatch },
  all: Readonly<Record<K, Among>>,
  context: ConditionContext,
): Condition[] {
  return (Object.keys(all) as K[]).flatMap((name) => {
    const match = lists[name];
    return match === undefined ? [] : both(name, `not${name.charAt(0).toUpperCase()}${name.slice(1)}`, match, all[name], context);
  });
}

export function whenConditions(match: ConditionMatch, context: ConditionContext): Condition[] {
  const { key } = match;
  if (key.startsWith(HEADER)) {
    const name = key.slice(HEADER.length, -1).toLowerCase();
    return headerConditions(key, name, match, context.isWide);
  }
  const among = key.startsWith(CLAIM) ? claim(key.slice(CLAIM.length, -1).split('][')) : (ATTRIBUTES.get(key) ?? missing);
  return both(key, `not ${key}`, match, among, context);
}

function both(name: string, notName: string, { values, notValues }: ValueMatch, among: Among, context: ConditionContext): Condition[] {
  const conditions: Condition[] = [];
  if (values.length > 0) conditions.push({ name, test: among(values, context) });
  if (notValues.length > 0) {
    const test = among(notValues, context);
    conditions.push({ name: notName, test: (request, host) => !test(request, host) });
  }
  return conditions;
}

/** What filters of Envoy would have set. */
const missing: Among = () => () => false;

/** A text, or a list of texts: numbers and the rest meet nothing. */
function claim(path: readonly string[]): Among {
  return (values) => {
    const test = anyText(values);
    return ({ jwt }) => {
      let value: unknown = jwt?.claims;
      for (const step of path) value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
      return Array.isArray(value) ? value.some((one) => isText(one) && test(one)) : isText(value) && test(value);
    };
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
