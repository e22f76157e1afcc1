// A route with what it is attached to: Gateways, whose calls it takes by host, and Services (GAMMA), whose own calls it
// takes. Source: Gateway API CommonRouteSpec.parentRefs; GEP-1294.
import type { ConfigPath } from '../../model/issue.ts';
import type { ReadContext } from '../dialect.ts';
import { servicePorts, findService } from '../k8s/service-spec.ts';
import { mappingOf, type Resource } from '../resource.ts';
import { fullHost, type World } from '../world.ts';
import { readGrpcMatches, readHttpMatches } from './read-matches.ts';
import type { Rule } from './route-order.ts';
import {
  EXPERIMENTAL_GROUP,
  GATEWAY_GROUP,
  type GrpcRuleSpec,
  type HttpRuleSpec,
  type ParentRefSpec,
  type RouteSpec,
} from './route-spec.ts';

/** A Gateway by the name that we have for it: `name.namespace.gateway`. */
export interface GatewayParent {
  readonly gateway: string;
  /** Listener and port; empty: all of them. */
  readonly section: string;
}

/** A host that is called by its own name. */
export interface HostParent {
  readonly host: string;
  /** Absent: every port. */
  readonly port?: number;
  readonly namespace: string;
}

export interface AttachedRoute {
  readonly resource: Resource;
  /** In lower case; `*` when the route names none. */
  readonly hostnames: readonly string[];
  readonly rules: readonly Rule[];
  readonly gateways: readonly GatewayParent[];
  readonly hosts: readonly HostParent[];
}

export function readRoutes(world: World, context: ReadContext): AttachedRoute[] {
  return (['HTTPRoute', 'GRPCRoute'] as const).flatMap((kind) =>
    world.of(GATEWAY_GROUP, kind).map((resource) => attachedRoute(resource, rulesOf(resource, kind), world, context)),
  );
}

function rulesOf(resource: Resource, kind: 'HTTPRoute' | 'GRPCRoute'): Rule[] {
  const { rules = [] } = resource.spec as RouteSpec<HttpRuleSpec & GrpcRuleSpec>;
  // A route without rules takes all calls, and has no backend for them.
  return (rules.length === 0 ? [{}] : rules).map(({ matches }, index) => ({
    resource,
    index,
    matches: kind === 'HTTPRoute' ? readHttpMatches(matches) : readGrpcMatches(matches),
  }));
}

function attachedRoute(resource: Resource, rules: readonly Rule[], world: World, context: ReadContext): AttachedRoute {
  const { parentRefs = [], hostnames = [], useDefaultGateways = 'None' } = resource.spec as RouteSpec;
  const gateways: GatewayParent[] = useDefaultGateways === 'All' ? [{ gateway: DEFAULT_GATEWAY, section: '' }] : [];
  const hosts: HostParent[] = [];
  for (const [i, parent] of parentRefs.entries()) {
    const path: ConfigPath = ['spec', 'parentRefs', i];
    const { namespace = resource.namespace, name } = parent;
    const family = GATEWAY_KINDS[kindOf(parent)];
    if (family !== undefined) {
      gateways.push({ gateway: `${name}.${namespace}.${family}`, section: `${parent.sectionName ?? ''} ${parent.port ?? ''}`.trim() });
    } else hosts.push(...hostParents(parent, path, resource, world, context));
  }
  if (parentRefs.length === 0 && gateways.length === 0) {
    resource.report.warn(['spec'], `no parentRefs, so nobody's calls go by this ${resource.kind}; name a Gateway or a Service`);
  }
  if (hostnames.length > 0 && hosts.length > 0 && gateways.length === 0) {
    resource.report.warn(
      ['spec', 'hostnames'],
      'hostnames mean nothing to a parent of kind Service: its calls are known by the name that was called',
    );
  }
  const names = hostnames.length === 0 ? [ANY_HOST] : [...new Set(hostnames.map((name) => name.toLowerCase()))];
  return { resource, hostnames: names, rules, gateways, hosts };
}

export const ANY_HOST = '*';
const DEFAULT_GATEWAY = 'default.gateway';

const GATEWAY_KINDS: Readonly<Record<string, string>> = Object.freeze({
  [`${GATEWAY_GROUP}/Gateway`]: 'gateway',
  [`${GATEWAY_GROUP}/ListenerSet`]: 'listenerset',
  [`${EXPERIMENTAL_GROUP}/XListenerSet`]: 'listenerset',
});

function kindOf({ group = GATEWAY_GROUP, kind = 'Gateway' }: ParentRefSpec): string {
  return `${group}/${kind}`;
}

function hostParents(parent: ParentRefSpec, path: ConfigPath, resource: Resource, world: World, context: ReadContext): HostParent[] {
  const { namespace = resource.namespace, name, sectionName } = parent;
  const kind = kindOf(parent);
  if (kind === '/Service') {
    const port = parent.port ?? (sectionName === undefined ? undefined : portNamed(sectionName, namespace, name, world));
    if (sectionName === undefined || port !== undefined) {
      return [{ host: fullHost(name, namespace, context.clusterDomain), namespace, ...(port === undefined ? {} : { port }) }];
    }
    resource.report.warn(
      [...path, 'sectionName'],
      `no Service ${namespace}/${name} with a port named ${sectionName} is loaded, so the route is not attached to it`,
    );
    return [];
  }
  if (kind === SERVICE_ENTRY) {
    const [group = '', only = ''] = kind.split('/');
    const { hosts } = mappingOf(world.get(group, only, namespace, name)?.spec);
    const names = Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
    const at = parent.port === undefined ? {} : { port: parent.port };
    if (names.length > 0) return names.map((host) => ({ host: fullHost(host, namespace, context.clusterDomain), namespace, ...at }));
    resource.report.warn(path, `no ServiceEntry ${namespace}/${name} is loaded, so the route is not attached to it`);
    return [];
  }
  // Says who may call, not where calls go.
  if (kind === LINKERD_SERVER) return [];
  resource.report.warn(
    path,
    `a parent of kind ${parent.kind ?? 'Gateway'}${parent.group === undefined ? '' : ` of ${parent.group}`} is not known here, so the route is not attached to it`,
  );
  return [];
}

const SERVICE_ENTRY = 'networking.istio.io/ServiceEntry';
const LINKERD_SERVER = 'policy.linkerd.io/Server';

function portNamed(name: string, namespace: string, service: string, world: World): number | undefined {
  const found = findService(world, namespace, service);
  return found === undefined ? undefined : servicePorts(found).find(({ spec }) => spec.name === name)?.spec.port;
}
