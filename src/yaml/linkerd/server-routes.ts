// Routes that are attached to a Server: single calls that authorizations can be about.
// Source: linkerd2 policy-controller/k8s/index/src/inbound/routes.rs.
import type { RouteMatch } from '../../model/route.ts';
import type { ServerRoute } from '../../model/security.ts';
import { readGrpcMatches, readHttpMatches } from '../gateway-api/read-matches.ts';
import { GATEWAY_GROUP, type GrpcRuleSpec, type HttpRuleSpec, type ParentRefSpec, type RouteSpec } from '../gateway-api/route-spec.ts';
import { fullName, type Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { POLICY_GROUP } from './inbound-spec.ts';

const ROUTES = [
  [POLICY_GROUP, 'HTTPRoute'],
  [GATEWAY_GROUP, 'HTTPRoute'],
  [GATEWAY_GROUP, 'GRPCRoute'],
] as const;

/** By namespace and name of the Server, in the order of the documents. A Server and its routes are of one namespace. */
export function routesByServer(world: World): ReadonlyMap<string, readonly ServerRoute[]> {
  const found = new Map<string, ServerRoute[]>();
  for (const [group, route] of ROUTES) {
    for (const resource of world.of(group, route)) {
      const servers = new Set(parentsOf(resource).flatMap((parent) => (isServer(parent) ? parent.name : [])));
      if (servers.size === 0) continue;
      const one = { group, route, name: resource.name, hostnames: hostnamesOf(resource), matches: matchesOf(resource, route) };
      for (const name of servers) {
        const key = fullName({ namespace: resource.namespace, name });
        const known = found.get(key);
        if (known === undefined) found.set(key, [one]);
        else known.push(one);
      }
    }
  }
  return found;
}

/** Whether all that it is attached to are Servers: then it says nothing about calls of this process. */
export function isInboundOnly(resource: Resource): boolean {
  const parents = parentsOf(resource);
  return parents.length > 0 && parents.every(isServer);
}

function parentsOf({ spec }: Resource): readonly ParentRefSpec[] {
  return (spec as RouteSpec).parentRefs ?? [];
}

function isServer({ group, kind }: ParentRefSpec): boolean {
  return group === POLICY_GROUP && kind === 'Server';
}

function hostnamesOf({ spec }: Resource): string[] {
  return ((spec as RouteSpec).hostnames ?? []).map((hostname) => hostname.toLowerCase());
}

function matchesOf({ spec }: Resource, route: 'HTTPRoute' | 'GRPCRoute'): RouteMatch[] {
  const { rules = [] } = spec as RouteSpec<HttpRuleSpec & GrpcRuleSpec>;
  return rules.flatMap(({ matches }) =>
    (route === 'HTTPRoute' ? readHttpMatches(matches) : readGrpcMatches(matches)).map(({ match }) => match),
  );
}
