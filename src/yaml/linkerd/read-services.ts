// Annotations of Services: how each of them is called, when no route and no ServiceProfile says it.
// Source: linkerd2 policy-controller/k8s/index/src/outbound/index.rs.
import type { ReadContext } from '../dialect.ts';
import type { PolicyDraft, ServicePolicyFields } from '../draft.ts';
import { GATEWAY_GROUP, type RouteSpec } from '../gateway-api/route-spec.ts';
import { describeResource, fullName, type Resource } from '../resource.ts';
import { fullHost, type World } from '../world.ts';
import { checkAnnotations, linkerdAnnotations, pathOf } from './annotation-reader.ts';
import { IMPLIED } from './linkerd-defaults.ts';
import { readAccrual, readPenalty, readRetries, readTimeouts, totalMs } from './read-annotations.ts';
import { decides, profilesOf } from './read-profile.ts';

export function readServices(world: World, context: ReadContext): PolicyDraft[] {
  const profiles = profilesOf(world, context);
  const routed = routedServices(world);
  return world.of('', 'Service').flatMap((service) => {
    const [first] = linkerdAnnotations(service);
    if (first === undefined) return [];
    checkAnnotations(service, context.lenient);
    const host = fullHost(service.name, service.namespace, context.clusterDomain);
    const profile = profiles.get(host);
    if (profile === undefined || !decides(profile)) {
      noteGrpc(service, routed);
      return [policyOf(host, service, context.lenient)];
    }
    const message = `${describeResource(profile)} is about this Service, so Linkerd looks at none of its annotations`;
    service.report.warn(pathOf(first), message, { part: 'key' });
    return [];
  });
}

/** Namespace and name of Services that GRPCRoutes are attached to. */
function routedServices(world: World): ReadonlySet<string> {
  const routed = world
    .of(GATEWAY_GROUP, 'GRPCRoute')
    .flatMap(({ spec, namespace }) =>
      ((spec as RouteSpec).parentRefs ?? []).flatMap((parent) =>
        parent.kind === 'Service' ? fullName({ namespace: parent.namespace ?? namespace, name: parent.name }) : [],
      ),
    );
  return new Set(routed);
}

/** Without a GRPCRoute Linkerd takes gRPC for any HTTP. */
function noteGrpc(service: Resource, routed: ReadonlySet<string>): void {
  const annotation = 'retry.linkerd.io/grpc';
  if (service.annotations[annotation] === undefined || routed.has(fullName(service))) return;
  service.report.warn(pathOf(annotation), 'it holds for GRPCRoutes of this Service alone, and there is none', { part: 'key' });
}

function policyOf(host: string, service: Resource, lenient: boolean): PolicyDraft {
  const retries = readRetries(service, 'http', lenient);
  const timeouts = readTimeouts(service, lenient);
  const outlierDetection = readAccrual(service, lenient);
  const loadBalancer = readPenalty(service, lenient);
  // Read for its faults; it is for the GRPCRoutes of the Service.
  readRetries(service, 'grpc', lenient);
  const policy: Partial<ServicePolicyFields> = {
    ...(retries === null ? {} : { retries }),
    ...(timeouts === null ? {} : { timeoutMs: totalMs(timeouts, service, retries !== null) }),
    ...(outlierDetection === null ? {} : { outlierDetection }),
    ...(loadBalancer === null ? {} : { loadBalancer }),
  };
  const origins = Object.keys(policy).map(
    (field) => [field, { resource: service, path: placeOf(service, PREFIXES[field] ?? '') }] as const,
  );
  return {
    host,
    dialect: 'linkerd',
    resource: service,
    path: ['metadata', 'annotations'],
    policy,
    implied: IMPLIED,
    origins: Object.fromEntries(origins),
  };
}

/** Annotations by the field that they decide. */
const PREFIXES: Readonly<Record<string, string>> = Object.freeze({
  retries: 'retry.linkerd.io/',
  timeoutMs: 'timeout.linkerd.io/',
  outlierDetection: 'balancer.linkerd.io/',
  loadBalancer: 'balancer.alpha.linkerd.io/penalize-failures',
});

function placeOf(service: Resource, prefix: string): ReturnType<typeof pathOf> {
  const key = linkerdAnnotations(service).find((one) => one.startsWith(prefix));
  return key === undefined ? ['metadata', 'annotations'] : pathOf(key);
}
