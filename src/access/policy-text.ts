// What a security policy says, in lines for a person: the first says what it is, the others what it asks for.
import { formatDuration } from '../model/duration.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  ClientIdentity,
  JwtRule,
  LinkerdAuthorizationPolicy,
  LinkerdRateLimitPolicy,
  LinkerdServerPolicy,
  NetworkRange,
  PeerAuthenticationPolicy,
  SecurityPolicy,
  TrafficTargetPolicy,
  ValueMatch,
  WorkloadScope,
} from '../model/security.ts';
import { matchText } from './match-text.ts';

export function policyText(policy: SecurityPolicy): string[] {
  switch (policy.kind) {
    case 'authorization':
      return authorization(policy);
    case 'peer-authentication':
      return peerAuthentication(policy);
    case 'request-authentication':
      return [`tokens, for ${scopeText(policy.scope)}`, ...policy.rules.map(jwtRule)];
    case 'linkerd-server':
      return linkerdServer(policy);
    case 'linkerd-authorization':
      return [`lets into ${targetText(policy)}`, ...linkerdClients(policy)];
    case 'linkerd-rate-limit':
      return linkerdRates(policy);
    case 'traffic-target':
      return trafficTarget(policy);
  }
}

export function scopeText({ namespace, labels, expressions, services }: WorkloadScope): string {
  const conditions = [
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    ...expressions.map(({ key, operator, values }) => `${key} ${operator}${values.length === 0 ? '' : ` (${values.join(', ')})`}`),
    ...(services === undefined ? [] : [services.length === 0 ? 'no service' : `of service ${services.join(' or ')}`]),
  ];
  const where = namespace === '' ? 'all namespaces' : `namespace ${namespace}`;
  return conditions.length === 0 ? `all workloads of ${where}` : `workloads of ${where} with ${conditions.join(', ')}`;
}

function authorization({ action, provider, dryRun, scope, rules }: AuthorizationPolicy): string[] {
  const asked = provider === undefined ? '' : ` (asks ${provider})`;
  const head = `${action.toUpperCase()}${asked} for ${scopeText(scope)}${dryRun ? ', only recorded' : ''}`;
  if (rules.length > 0) return [head, ...rules.map(ruleText)];
  return [head, action === 'allow' ? 'no rule: it allows nothing, and what no other ALLOW takes is denied' : 'no rule: it never matches'];
}

function ruleText({ from, to, when }: AuthorizationRule): string {
  const parts = [
    ...(from.length === 0 ? [] : [`from ${anyOf(from.map(allOf))}`]),
    ...(to.length === 0 ? [] : [`to ${anyOf(to.map(allOf))}`]),
    ...when.map(({ key, ...match }) => `when ${valuesText(key, match)}`),
  ];
  return parts.length === 0 ? 'every call' : parts.join(' ');
}

function anyOf(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] as string) : texts.map((text) => `(${text})`).join(' or ');
}

function allOf(lists: object): string {
  return Object.entries(lists as Readonly<Record<string, ValueMatch>>)
    .map(([name, match]) => valuesText(name, match))
    .join(' and ');
}

function valuesText(name: string, { values, notValues }: ValueMatch): string {
  const parts = [
    ...(values.length === 0 ? [] : [`${name} ${values.join(' or ')}`]),
    ...(notValues.length === 0 ? [] : [`${name} not ${notValues.join(' nor ')}`]),
  ];
  return parts.join(' and ');
}

function peerAuthentication({ mode, ports, level, scope }: PeerAuthenticationPolicy): string[] {
  const where = level === 'none' ? 'nobody: a selector in the root namespace' : level === 'mesh' ? 'the whole mesh' : scopeText(scope);
  return [`connections ${mode}, for ${where}`, ...Object.entries(ports).map(([port, own]) => `on port ${port} ${own}`)];
}

function jwtRule(rule: JwtRule): string {
  const { issuer, audiences, jwks, jwksUri, fetchTimeoutMs, fromHeaders, fromParams, fromCookies, required } = rule;
  const keys =
    jwks === undefined ? `${jwksUri ?? 'those that the issuer names'}, within ${formatDuration(fetchTimeoutMs)}` : 'in the document';
  const places = [
    ...fromHeaders.map(({ name, prefix }) => `header ${name}${prefix === '' ? '' : ` "${prefix}"`}`),
    ...fromParams.map((name) => `parameter ${name}`),
    ...fromCookies.map((name) => `cookie ${name}`),
  ];
  const who = issuer === '' ? 'any issuer' : `issuer ${issuer}`;
  const audience = audiences.length === 0 ? '' : ` for ${audiences.join(' or ')}`;
  return `${who}${audience}; keys: ${keys}; in ${places.join(', ')}; without a token ${required ? 'refused' : 'let through'}`;
}

function linkerdServer({ port, protocol, access, scope, routes }: LinkerdServerPolicy): string[] {
  const head = `port ${port} (${protocol}) of ${scopeText(scope)}; for whom nothing fits: ${access}`;
  const own = routes.map(({ route, name, hostnames, matches }) => {
    const hosts = hostnames.length === 0 ? '' : ` on ${hostnames.join(' or ')}`;
    return `${route} ${name}${hosts}: ${anyOf(matches.map(matchText))}`;
  });
  return [head, ...own];
}

function targetText({ target, namespace }: LinkerdAuthorizationPolicy): string {
  switch (target.kind) {
    case 'namespace':
      return `all of namespace ${namespace}`;
    case 'server':
      return `Server ${target.name}`;
    case 'servers':
      return scopeText(target.scope).replace('workloads', 'Servers');
    case 'route':
      return `${target.route} ${target.name}`;
  }
}

function linkerdClients({ networks, clients, tls, missing }: LinkerdAuthorizationPolicy): string[] {
  if (missing.length > 0) return [`nobody, because there is no ${missing.join(' and no ')}`];
  const who = clients === null ? (tls ? 'anybody with TLS' : 'anybody') : clients.map(identityText).join(' or ');
  return [networks === null ? who : `${who} from ${networks.map(networkText).join(' or ')}`];
}

function networkText({ cidr, except }: NetworkRange): string {
  return except.length === 0 ? cidr : `${cidr} without ${except.join(', ')}`;
}

function identityText(identity: ClientIdentity): string {
  switch (identity.kind) {
    case 'identity':
      return identity.value === '*' ? 'anybody with a certificate' : identity.value;
    case 'spiffe':
      return `spiffe://${identity.value}`;
    case 'service-account':
      return `service account ${identity.namespace}/${identity.name}`;
    case 'namespace':
      return `namespace ${identity.name}`;
    case 'labels':
      return scopeText(identity.scope);
  }
}

function linkerdRates({ server, totalPerSecond, identityPerSecond, overrides }: LinkerdRateLimitPolicy): string[] {
  const limits = [
    ...(totalPerSecond === undefined ? [] : [`${totalPerSecond} calls a second of all callers together`]),
    ...(identityPerSecond === undefined ? [] : [`${identityPerSecond} of each caller`]),
    ...overrides.map(({ perSecond, clients }) => `${perSecond} of ${clients.map(identityText).join(', of ')}`),
  ];
  return [`rate limit of Server ${server}`, ...limits];
}

function trafficTarget({ destinations, sources, matches, anyHttp, ports }: TrafficTargetPolicy): string[] {
  const names = (identities: readonly ClientIdentity[]): string => identities.map(identityText).join(' or ') || 'nobody';
  const calls = anyHttp ? 'every call' : anyOf(matches.map(matchText)) || 'no call';
  return [`lets into ${names(destinations)}`, `${names(sources)}: ${calls}${ports.length === 0 ? '' : ` on port ${ports.join(', ')}`}`];
}
