// Linkerd's annotations on routes of the Gateway API, and on the Services that they are attached to: what a route says about
// retries, or about time, takes the place of what its Service says about the same. Source: linkerd2 policy-controller
// k8s/index/src/outbound/http.rs, grpc/src/outbound/http.rs.
import type { ReadContext } from '../dialect.ts';
import type { RouteDraft, RoutesDraft } from '../draft.ts';
import { positionIn, type Resource } from '../resource.ts';
import { kubernetesName, type World } from '../world.ts';
import { checkAnnotations, linkerdAnnotations, pathOf } from './annotation-reader.ts';
import { IMPLIED, NO_RETRIES } from './linkerd-defaults.ts';
import { type CallKind, readRetries, readTimeouts, totalMs } from './read-annotations.ts';
import { decides, profilesOf } from './read-profile.ts';

export function routeAdjuster(world: World, context: ReadContext): (draft: RoutesDraft) => RoutesDraft {
  const profiles = profilesOf(world, context);
  return (draft) => {
    if (draft.dialect !== 'gateway-api') return draft;
    const profile = profiles.get(draft.host);
    // Linkerd looks at no route then, either.
    if (profile !== undefined && decides(profile)) return draft;
    const name = kubernetesName(draft.host, context.clusterDomain);
    const service = name === null ? undefined : world.get('', 'Service', name.namespace, name.name);
    const routes = draft.routes.map((route) => adjusted(route, documentOf(route, draft), service, context.lenient));
    if (routes.every((route, i) => route === draft.routes[i])) return draft;
    return { ...draft, routes, implied: { ...IMPLIED, ...draft.implied } };
  };
}

/** Rules of several documents may make up the routes of one host. */
function documentOf({ targets }: RouteDraft, { resource }: RoutesDraft): Resource {
  return targets[0]?.resource ?? resource;
}

function adjusted(route: RouteDraft, document: Resource, service: Resource | undefined, lenient: boolean): RouteDraft {
  const parents = service === undefined ? [] : [service];
  const isRoute = document.kind === 'HTTPRoute' || document.kind === 'GRPCRoute';
  if (!isRoute || ![document, ...parents].some((one) => linkerdAnnotations(one).length > 0)) return route;
  checkAnnotations(document, lenient);
  const kind: CallKind = document.kind === 'GRPCRoute' ? 'grpc' : 'http';
  noteIdle(document, kind);
  const [retries = null, retriesBy] = firstOf([document, ...parents], (one) => readRetries(one, kind, lenient));
  const own = readTimeouts(document, lenient);
  const isTimed = own !== null || (route.timeoutMs ?? 0) > 0;
  const timesBy = isTimed ? document : service;
  const times = isTimed ? { requestMs: route.timeoutMs ?? 0, ...own } : service === undefined ? null : readTimeouts(service, lenient);
  const effective = retries ?? route.retries ?? NO_RETRIES;
  // An annotation that has retries has the time of an attempt, too.
  const { perTryTimeoutMs, ...rest } = route;
  return {
    ...rest,
    ...(perTryTimeoutMs === undefined || (retries?.perTryTimeoutMs ?? 0) > 0 ? {} : { perTryTimeoutMs }),
    retries: effective,
    timeoutMs: times === null || timesBy === undefined ? 0 : totalMs(times, timesBy, effective.attempts > 0),
    sources: {
      ...route.sources,
      ...(retriesBy === undefined ? {} : { retries: positionOf(retriesBy, 'retry.linkerd.io/') }),
      ...(times === null || timesBy === undefined || (timesBy === document && own === null)
        ? {}
        : { timeoutMs: positionOf(timesBy, 'timeout.linkerd.io/') }),
    },
  };
}

/** What Linkerd looks for on other documents alone. */
function noteIdle(document: Resource, kind: CallKind): void {
  for (const key of linkerdAnnotations(document)) {
    const isOther = key === (kind === 'grpc' ? 'retry.linkerd.io/http' : 'retry.linkerd.io/grpc');
    if (!isOther && !/^balancer\./.test(key)) continue;
    const where = isOther ? (kind === 'grpc' ? 'a Service or an HTTPRoute' : 'a GRPCRoute, or on its Service') : 'a Service';
    document.report.warn(pathOf(key), `on ${kind === 'grpc' ? 'a' : 'an'} ${document.kind} it does nothing; it is for ${where}`, {
      part: 'key',
    });
  }
}

/** What the first of them says that says anything, and which it is. */
function firstOf<T>(resources: readonly Resource[], read: (resource: Resource) => T | null): [T?, Resource?] {
  for (const resource of resources) {
    const found = read(resource);
    if (found !== null) return [found, resource];
  }
  return [];
}

/** Where the first annotation of the group stands. */
function positionOf(resource: Resource, group: string): ReturnType<typeof positionIn> {
  const key = linkerdAnnotations(resource).find((one) => one.startsWith(group));
  return positionIn(resource, key === undefined ? ['metadata', 'annotations'] : pathOf(key), 'key');
}
