// Which policies are about this process, and which connections they have it accept. Of all that the documents of a mesh say,
// most is about other workloads.
// Source: Istio ComposePeerAuthentication; Kubernetes label selectors; Linkerd policy-controller, index of inbound policies.
import type { SelfConfig } from '../model/config.ts';
import type {
  ClientIdentity,
  LabelExpression,
  LinkerdAuthorizationPolicy,
  LinkerdServerPolicy,
  PeerAuthenticationPolicy,
  PeerMode,
  SecurityPolicy,
  TrafficTargetPolicy,
  WorkloadScope,
} from '../model/security.ts';

/** What tells one workload from another. */
export type Workload = Pick<SelfConfig, 'service' | 'namespace' | 'serviceAccount' | 'labels'>;

export function isAbout({ namespace, labels, expressions, services }: WorkloadScope, self: Workload): boolean {
  return (
    (namespace === '' || namespace === self.namespace) &&
    hasLabels(labels, expressions, self.labels) &&
    (services === undefined || services.includes(self.service))
  );
}

export function hasLabels(
  wanted: Readonly<Record<string, string>>,
  expressions: readonly LabelExpression[],
  own: Readonly<Record<string, string>>,
): boolean {
  const value = (key: string): string | undefined => (Object.hasOwn(own, key) ? own[key] : undefined);
  return Object.entries(wanted).every(([key, one]) => value(key) === one) && expressions.every((one) => holds(one, value(one.key)));
}

/** What is missing is in no list, so `NotIn` takes it. */
function holds({ operator, values }: LabelExpression, own: string | undefined): boolean {
  if (operator === 'Exists') return own !== undefined;
  if (operator === 'DoesNotExist') return own === undefined;
  const isIn = own !== undefined && values.includes(own);
  return operator === 'In' ? isIn : !isIn;
}

/** Those about this process, in their order. */
export function policiesFor(policies: readonly SecurityPolicy[], self: Workload): SecurityPolicy[] {
  const servers = policies.filter((policy) => policy.kind === 'linkerd-server').filter((policy) => isAbout(policy.scope, self));
  return policies.filter((policy) => {
    switch (policy.kind) {
      case 'authorization':
      case 'request-authentication':
        return isAbout(policy.scope, self);
      case 'peer-authentication':
        return policy.level !== 'none' && isAbout(policy.scope, self);
      case 'linkerd-server':
        return servers.includes(policy);
      case 'linkerd-rate-limit':
        return servers.some(({ name, namespace }) => name === policy.server && namespace === policy.namespace);
      case 'linkerd-authorization':
        return opens(policy, servers, self);
      case 'traffic-target':
        return isDestination(policy, self);
    }
  });
}

function opens({ target, namespace }: LinkerdAuthorizationPolicy, servers: readonly LinkerdServerPolicy[], self: Workload): boolean {
  if (target.kind === 'namespace') return namespace === self.namespace;
  return servers.some((server) => {
    if (server.namespace !== namespace) return false;
    if (target.kind === 'server') return server.name === target.name;
    if (target.kind === 'servers') return hasLabels(target.scope.labels, target.scope.expressions, server.labels);
    return server.routes.some(({ group, route, name }) => group === target.group && route === target.route && name === target.name);
  });
}

function isDestination({ destinations }: TrafficTargetPolicy, self: Workload): boolean {
  return destinations.some((one) => isSelf(one, self));
}

function isSelf(identity: ClientIdentity, self: Workload): boolean {
  const { namespace, serviceAccount } = self;
  switch (identity.kind) {
    case 'service-account':
      return identity.namespace === namespace && identity.name === serviceAccount;
    case 'namespace':
      return identity.name === namespace;
    case 'labels':
      return isAbout(identity.scope, self);
    case 'spiffe':
      // The trust domain stands in the certificate alone.
      return identity.value.endsWith(`/ns/${namespace}/sa/${serviceAccount}`);
    case 'identity':
      return false;
  }
}

export interface PeerDecision {
  readonly mode: Exclude<PeerMode, 'unset'>;
  /** Who has said so; null: nobody has. */
  readonly policy: PeerAuthenticationPolicy | null;
}

/** Of each level the oldest policy counts; the narrowest that is not `unset` holds. */
export function peerModeOn(port: number, policies: readonly SecurityPolicy[], self: Workload): PeerDecision {
  const own = policies.filter((policy) => policy.kind === 'peer-authentication').filter(({ scope }) => isAbout(scope, self));
  const levels = (['workload', 'namespace', 'mesh'] as const).flatMap((level) => {
    const [oldest] = own.filter((policy) => policy.level === level).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    return oldest ?? [];
  });
  for (const policy of levels) {
    const byPort = policy.level === 'workload' ? policy.ports[port] : undefined;
    const mode = byPort === undefined || byPort === 'unset' ? policy.mode : byPort;
    if (mode !== 'unset') return { mode, policy };
  }
  return { mode: 'permissive', policy: null };
}
