// Virtual nodes: who answers, and how endpoints are watched. What a listener says about itself (limits, times, TLS of the
// server) was for the Envoy beside it, and there is none. Source: App Mesh API Reference, VirtualNodeSpec.
import { ENVOY_OUTLIER_DEFAULTS, type EnvoyOutlierPolicy, HEALTH_CHECK_DEFAULTS, type HealthCheckPolicy } from '../../model/balancing.ts';
import { BALANCER_DEFAULTS, LIMITS_DEFAULTS } from '../../model/destination.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { ReadContext } from '../dialect.ts';
import type { BackendDraft, HostRef, PolicyDraft, Registry, ServicePolicyFields } from '../draft.ts';
import { fullHost } from '../world.ts';
import { type HealthCheckSpec, type ListenerSpec, msOf, type OutlierSpec, type VirtualNodeSpec } from './app-mesh-spec.ts';
import type { MeshObject } from './mesh-objects.ts';
import { RETRIES_DEFAULT } from './read-retries.ts';

/** Of a call whose route says nothing, ms. */
export const TIMEOUT_MS_DEFAULT = 15_000;

/** What App Mesh gives every Envoy. Source: user guide, "Envoy defaults set by App Mesh"; the round robin and the one endpoint in peril are Envoy's. */
export const IMPLIED: Partial<ServicePolicyFields> = Object.freeze({
  timeoutMs: TIMEOUT_MS_DEFAULT,
  retries: RETRIES_DEFAULT,
  retryBudget: Object.freeze({ kind: 'none' as const }),
  circuitBreaker: null,
  outlierDetection: null,
  loadBalancer: Object.freeze({ ...BALANCER_DEFAULTS, kind: 'roundRobin' as const }),
  limits: Object.freeze({ ...LIMITS_DEFAULTS, maxRequests: 0 }),
});

type Node = MeshObject<VirtualNodeSpec>;

/** Where the calls for a node go; null when nobody says who answers. */
export function hostOf({ spec, name }: Node, { self, clusterDomain }: ReadContext): string | null {
  const { dns, awsCloudMap } = spec.serviceDiscovery ?? {};
  if (dns !== undefined) return dns.hostname.toLowerCase().replace(/\.$/, '');
  if (awsCloudMap === undefined) return null;
  const { attributes = [], serviceName, namespaceName } = awsCloudMap;
  // DNS cannot tell instances by attributes, so the concise form must name the endpoints of such a node.
  return attributes.length > 0 ? fullHost(name, self.namespace, clusterDomain) : `${serviceName}.${namespaceName}`.toLowerCase();
}

function listenersOf({ spec, path }: Node): { readonly listener: ListenerSpec; readonly path: ConfigPath }[] {
  return (spec.listeners ?? []).map((listener, i) => ({ listener, path: [...path, 'listeners', i] }));
}

/** The port that a target means; undefined: the node has none. */
export function portOf({ spec }: Node, wanted: number | undefined): number | undefined {
  const ports = (spec.listeners ?? []).map(({ portMapping }) => portMapping.port);
  return wanted === undefined ? ports[0] : ports.find((port) => port === wanted);
}

export function readBackends(node: Node, context: ReadContext): BackendDraft[] {
  const host = hostOf(node, context);
  if (host === null) return [];
  const isByHand = isByAttributes(node);
  return listenersOf(node).map(({ listener: { portMapping }, path }) => ({
    dialect: 'app-mesh',
    host,
    port: portMapping.port,
    aliases: [],
    resource: node.resource,
    path: [...path, 'portMapping'],
    ...(isByHand ? { endpoints: { kind: 'static', endpoints: [] } } : {}),
    ...(portMapping.protocol === 'http2' || portMapping.protocol === 'grpc' ? { protocol: 'http2' as const } : {}),
    implied: IMPLIED,
  }));
}

function isByAttributes({ spec }: Node): boolean {
  return (spec.serviceDiscovery?.awsCloudMap?.attributes?.length ?? 0) > 0;
}

export function readNodePolicies(node: Node, context: ReadContext, registry: Registry): PolicyDraft[] {
  const host = hostOf(node, context);
  if (host === null) return [];
  noteDiscovery(node, host, registry);
  return listenersOf(node).flatMap(({ listener, path }) => {
    const { outlierDetection, healthCheck, portMapping } = listener;
    noteListener(listener, path, node);
    const policy: Partial<ServicePolicyFields> = {
      ...(outlierDetection === undefined ? {} : { outlierDetection: outlierOf(outlierDetection) }),
      ...(healthCheck === undefined ? {} : { healthCheck: healthOf(healthCheck) }),
    };
    const ref: HostRef = { host, port: portMapping.port };
    const origins = Object.fromEntries(Object.keys(policy).map((field) => [field, { resource: node.resource, path: [...path, field] }]));
    return [{ ...ref, dialect: 'app-mesh' as const, resource: node.resource, path, policy, implied: IMPLIED, origins }];
  });
}

/** Consecutive errors alone; at least one endpoint may always go. Source: API Reference, OutlierDetection. */
function outlierOf({ maxServerErrors, interval, baseEjectionDuration, maxEjectionPercent }: OutlierSpec): EnvoyOutlierPolicy {
  return {
    ...ENVOY_OUTLIER_DEFAULTS,
    consecutive5xx: maxServerErrors,
    intervalMs: msOf(interval),
    baseEjectionMs: msOf(baseEjectionDuration),
    maxEjectionPercent,
    alwaysEjectOne: true,
  };
}

function healthOf({
  protocol,
  path,
  port = 0,
  intervalMillis,
  timeoutMillis,
  unhealthyThreshold,
  healthyThreshold,
}: HealthCheckSpec): HealthCheckPolicy {
  return {
    ...HEALTH_CHECK_DEFAULTS,
    kind: protocol === 'http2' ? 'http' : protocol,
    path: path ?? HEALTH_CHECK_DEFAULTS.path,
    statuses: [[200, 200]],
    port,
    intervalMs: intervalMillis,
    timeoutMs: timeoutMillis,
    unhealthyThreshold,
    healthyThreshold,
    always: true,
  };
}

/** Said about the server itself, by the Envoy that stood before it. */
const SERVER_SIDE: Readonly<Record<string, string>> = Object.freeze({
  connectionPool: 'limits of a listener protected the server in its own Envoy; use inbound.admission in the server',
  timeout: 'times of a listener were kept by the Envoy of the server; the timeouts of routes hold here',
  tls: 'the TLS of a listener was that of the Envoy of the server; use tls of the service, or a client policy',
});

function noteListener(listener: ListenerSpec, path: ConfigPath, { resource }: Node): void {
  for (const [key, reason] of Object.entries(SERVER_SIDE)) {
    if (listener[key as keyof ListenerSpec] !== undefined) resource.report.warn([...path, key], reason, { part: 'key', code: 'INM0020' });
  }
}

function noteDiscovery(node: Node, host: string, registry: Registry): void {
  const { dns, awsCloudMap } = node.spec.serviceDiscovery ?? {};
  const { report } = node.resource;
  const path = [...node.path, 'serviceDiscovery'];
  if (dns?.responseType === 'LOADBALANCER') {
    report.warn([...path, 'dns', 'responseType'], 'all addresses of the name are endpoints, as with ENDPOINTS', { code: 'INM0017' });
  }
  if (awsCloudMap === undefined) return;
  if (!isByAttributes(node)) {
    report.warn([...path, 'awsCloudMap'], `Cloud Map is asked by DNS, for ${host}; instances without a DNS record are not found`, {
      code: 'INM0017',
    });
  } else if (!registry.find({ host }).some(({ isConcise }) => isConcise)) {
    const message = `instances cannot be told by attributes through DNS; name the endpoints of a service ${node.name}, and it stands for this node`;
    report.warn([...path, 'awsCloudMap', 'attributes'], message, { part: 'key', code: 'INM0011' });
  }
}
