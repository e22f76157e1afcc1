// Linkerd's documents about callers to the data that enforcement obeys. They have been checked; what they refer to is looked
// up. What refers to something that is not there lets nobody in, as with Linkerd, which says so in a log.
import type {
  ClientIdentity,
  LinkerdAuthorizationPolicy,
  LinkerdRateLimitPolicy,
  LinkerdServerPolicy,
  LinkerdTarget,
  NetworkRange,
  PolicyHead,
  ServerRoute,
  WorkloadScope,
} from '../../model/security.ts';
import { nearestName } from '../nearest-name.ts';
import { positionIn, type Resource } from '../resource.ts';
import type { World } from '../world.ts';
import {
  type AuthorizationPolicySpec,
  kindOf,
  type LabelSelectorSpec,
  type MeshTlsAuthenticationSpec,
  type NetworkAuthenticationSpec,
  type NetworkSpec,
  POLICY_GROUP,
  type RateLimitSpec,
  type RefSpec,
  type ServerAuthorizationSpec,
  type ServerSpec,
} from './inbound-spec.ts';

function headOf(resource: Resource): PolicyHead {
  const { name, namespace, createdAtMs } = resource;
  return { dialect: 'linkerd', name, namespace, createdAtMs, source: positionIn(resource, ['metadata', 'name']) };
}

function scopeOf(namespace: string, { matchLabels = {}, matchExpressions = [] }: LabelSelectorSpec): WorkloadScope {
  return { namespace, labels: matchLabels, expressions: matchExpressions.map(({ values = [], ...rest }) => ({ ...rest, values })) };
}

export function readServer(resource: Resource, routes: readonly ServerRoute[]): LinkerdServerPolicy {
  const { podSelector, externalWorkloadSelector, port, proxyProtocol, accessPolicy } = resource.spec as unknown as ServerSpec;
  return {
    ...headOf(resource),
    kind: 'linkerd-server',
    scope: scopeOf(resource.namespace, podSelector ?? externalWorkloadSelector ?? {}),
    port,
    protocol: proxyProtocol ?? 'unknown',
    access: accessPolicy ?? 'deny',
    routes,
    labels: resource.labels,
  };
}

export function readLinkerdAuthorization(resource: Resource, world: World): LinkerdAuthorizationPolicy {
  const { targetRef, requiredAuthenticationRefs: refs } = resource.spec as unknown as AuthorizationPolicySpec;
  const { namespace, report } = resource;
  const missing: string[] = [];
  let clients: readonly ClientIdentity[] | null = null;
  let networks: readonly NetworkRange[] | null = null;
  for (const [i, ref] of refs.entries()) {
    const kind = kindOf(ref) ?? ref.kind;
    if (kind === 'ServiceAccount') {
      clients = [{ kind: 'service-account', namespace: ref.namespace ?? namespace, name: ref.name }];
      continue;
    }
    const found = world.get(POLICY_GROUP, kind, ref.namespace ?? namespace, ref.name);
    if (found === undefined) {
      const name = `${kind} ${ref.namespace ?? namespace}/${ref.name}`;
      missing.push(name);
      const suggestion = nearestName(world, POLICY_GROUP, kind, ref.name);
      report.warn(['spec', 'requiredAuthenticationRefs', i, 'name'], `there is no ${name}, so this policy lets nobody in`, { suggestion });
    } else if (kind === 'MeshTLSAuthentication') clients = identitiesOf(found);
    else networks = networksOf((found.spec as unknown as NetworkAuthenticationSpec).networks);
  }
  noteTarget(targetRef, resource, world);
  const target = targetOf(targetRef);
  return { ...headOf(resource), kind: 'linkerd-authorization', target, networks, clients, tls: clients !== null, missing };
}

function targetOf(ref: RefSpec): LinkerdTarget {
  const kind = kindOf(ref);
  if (kind === 'Namespace') return { kind: 'namespace' };
  if (kind === 'Server') return { kind: 'server', name: ref.name };
  return { kind: 'route', group: (ref.group ?? '').toLowerCase(), route: kind === 'GRPCRoute' ? 'GRPCRoute' : 'HTTPRoute', name: ref.name };
}

/** A target that is not there is nobody's. */
function noteTarget(ref: RefSpec, { namespace, report }: Resource, world: World): void {
  const kind = kindOf(ref);
  if (kind === null || kind === 'Namespace') return;
  const group = kind === 'Server' ? POLICY_GROUP : (ref.group ?? '').toLowerCase();
  if (world.get(group, kind, namespace, ref.name) !== undefined) return;
  const suggestion = nearestName(world, group, kind, ref.name);
  report.warn(['spec', 'targetRef', 'name'], `there is no ${kind} ${namespace}/${ref.name}, so this policy does nothing`, { suggestion });
}

function identitiesOf({ spec, namespace }: Resource): ClientIdentity[] {
  const { identities = [], identityRefs = [] } = spec as MeshTlsAuthenticationSpec;
  return [...identities.map(identityOf), ...identityRefs.map((ref) => clientOf(ref, namespace))];
}

function identityOf(value: string): ClientIdentity {
  return value.startsWith('spiffe://') ? { kind: 'spiffe', value: value.slice('spiffe://'.length) } : { kind: 'identity', value };
}

function clientOf(ref: RefSpec, namespace: string): ClientIdentity {
  if (kindOf(ref) === 'Namespace') return { kind: 'namespace', name: ref.name };
  return { kind: 'service-account', namespace: ref.namespace ?? namespace, name: ref.name };
}

function networksOf(networks: readonly NetworkSpec[]): NetworkRange[] {
  return networks.map(({ cidr, except = [] }) => ({ cidr, except }));
}

export function readServerAuthorization(resource: Resource): LinkerdAuthorizationPolicy {
  const { server, client } = resource.spec as unknown as ServerAuthorizationSpec;
  const { networks = [], meshTLS } = client;
  const { unauthenticatedTLS = false, identities = [], serviceAccounts = [] } = meshTLS ?? {};
  const accounts = serviceAccounts.map(
    ({ name, namespace = resource.namespace }): ClientIdentity => ({ kind: 'service-account', namespace, name }),
  );
  return {
    ...headOf(resource),
    kind: 'linkerd-authorization',
    target:
      server.name === undefined
        ? { kind: 'servers', scope: scopeOf(resource.namespace, server.selector ?? {}) }
        : { kind: 'server', name: server.name },
    networks: networks.length === 0 ? null : networksOf(networks),
    clients: meshTLS === undefined || unauthenticatedTLS ? null : [...identities.map(identityOf), ...accounts],
    tls: meshTLS !== undefined,
    missing: [],
  };
}

export function readRateLimit(resource: Resource, world: World): LinkerdRateLimitPolicy {
  const { targetRef, total, identity, overrides = [] } = resource.spec as unknown as RateLimitSpec;
  noteTarget(targetRef, resource, world);
  return {
    ...headOf(resource),
    kind: 'linkerd-rate-limit',
    server: targetRef.name,
    ...(total === undefined ? {} : { totalPerSecond: total.requestsPerSecond }),
    ...(identity === undefined ? {} : { identityPerSecond: identity.requestsPerSecond }),
    overrides: overrides.map(({ requestsPerSecond, clientRefs }) => ({
      perSecond: requestsPerSecond,
      clients: clientRefs.map((ref) => clientOf(ref, resource.namespace)),
    })),
  };
}
