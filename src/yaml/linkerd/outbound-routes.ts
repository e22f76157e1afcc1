// Linkerd's own HTTPRoute, from before the Gateway API was stable: the same words, so the same readers.
// Source: linkerd2 policy-controller/k8s/api/src/policy/httproute.rs.
import type { ReadContext } from '../dialect.ts';
import type { Registry, RoutesDraft } from '../draft.ts';
import { readRoutes } from '../gateway-api/attached-route.ts';
import { meshHosts } from '../gateway-api/mesh-hosts.ts';
import { readRule } from '../gateway-api/read-rule.ts';
import { GATEWAY_GROUP, type HttpRuleSpec, type RouteSpec } from '../gateway-api/route-spec.ts';
import type { Resource } from '../resource.ts';
import { World } from '../world.ts';
import { POLICY_GROUP } from './inbound-spec.ts';
import { isInboundOnly } from './server-routes.ts';

/** Filters that Linkerd's route does not have. */
const FOREIGN_FILTERS: ReadonlySet<string> = new Set(['RequestMirror', 'URLRewrite', 'CORS', 'ExternalAuth', 'ExtensionRef']);

export function checkLinkerdRoute({ spec, report }: Resource): void {
  const { rules = [] } = spec as RouteSpec<HttpRuleSpec>;
  for (const [i, { filters = [], backendRefs = [], retry, sessionPersistence }] of rules.entries()) {
    const path = ['spec', 'rules', i];
    const all = [
      ...filters.map((filter, j) => ({ filter, at: [...path, 'filters', j, 'type'] })),
      ...backendRefs.flatMap((ref, j) =>
        (ref.filters ?? []).map((filter, k) => ({ filter, at: [...path, 'backendRefs', j, 'filters', k, 'type'] })),
      ),
    ];
    for (const { filter, at } of all) {
      if (FOREIGN_FILTERS.has(filter.type))
        report.error(at, `an HTTPRoute of ${POLICY_GROUP} has no filter ${filter.type}; use that of ${GATEWAY_GROUP}`);
    }
    for (const [key, value] of Object.entries({ retry, sessionPersistence })) {
      if (value !== undefined) report.error([...path, key], `an HTTPRoute of ${POLICY_GROUP} has no ${key}`, { part: 'key' });
    }
  }
}

export function readOutboundRoutes(world: World, context: ReadContext, registry: Registry): RoutesDraft[] {
  const own = world.of(POLICY_GROUP, 'HTTPRoute').filter((resource) => !isInboundOnly(resource));
  if (own.length === 0) return [];
  const { clusterDomain } = context;
  const deps = { registry, clusterDomain, trustFault: () => null, mayRefer: () => true };
  const routes = readRoutes(viewOf(own, world), context);
  return meshHosts(routes, { registry, context, routeOf: (rule) => readRule(rule, { ...deps, resource: rule.resource }) });
}

/** As if they were the Gateway API's, beside all that these may refer to. */
function viewOf(routes: readonly Resource[], world: World): World {
  const view = new World();
  for (const resource of world.all) {
    if (resource.kind !== 'HTTPRoute' && resource.kind !== 'GRPCRoute') view.add(resource);
  }
  for (const resource of routes) view.add({ ...resource, group: GATEWAY_GROUP });
  return view;
}
