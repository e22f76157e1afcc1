// The Gateway API: HTTPRoute and GRPCRoute, attached to Gateways and to Services, and the policies of their backends.
// Which hosts there are is known late, so all of it is said late.
import type { DialectReader, Kind, ReadContext } from '../dialect.ts';
import { NOTHING } from '../dialect.ts';
import type { Drafts } from '../draft.ts';
import { readRoutes } from './attached-route.ts';
import { checkMetadata } from '../k8s/check-names.ts';
import { checkBackendTlsPolicy, checkBackendTrafficPolicy } from './check-policies.ts';
import { checkGrpcRoute, checkHttpRoute } from './check-route.ts';
import { gatewayHosts } from './gateway-hosts.ts';
import { meshHosts } from './mesh-hosts.ts';
import { readBackendTls } from './read-backend-tls.ts';
import { readBackendTraffic } from './read-backend-traffic.ts';
import { readRule } from './read-rule.ts';
import { readReferenceGrants } from './reference-grants.ts';
import type { Rule, RouteVariant, RouteOf } from './route-order.ts';
import { EXPERIMENTAL_GROUP, GATEWAY_GROUP } from './route-spec.ts';
import { backendTlsPolicySchema, backendTrafficPolicySchema, referenceGrantSchema } from './schema-policies.ts';
import { grpcRouteSchema, httpRouteSchema } from './schema-routes.ts';
import type { World } from '../world.ts';

/** Versions in order; the last is the one to write. */
const KINDS: readonly Kind[] = Object.freeze([
  { group: GATEWAY_GROUP, kind: 'HTTPRoute', versions: ['v1alpha2', 'v1beta1', 'v1'], schema: httpRouteSchema, check: checkHttpRoute },
  { group: GATEWAY_GROUP, kind: 'GRPCRoute', versions: ['v1alpha2', 'v1'], schema: grpcRouteSchema, check: checkGrpcRoute },
  {
    group: GATEWAY_GROUP,
    kind: 'BackendTLSPolicy',
    versions: ['v1alpha3', 'v1'],
    schema: backendTlsPolicySchema,
    check: checkBackendTlsPolicy,
  },
  {
    group: GATEWAY_GROUP,
    kind: 'ReferenceGrant',
    versions: ['v1alpha2', 'v1beta1', 'v1'],
    schema: referenceGrantSchema,
    check: checkMetadata,
  },
  {
    group: EXPERIMENTAL_GROUP,
    kind: 'XBackendTrafficPolicy',
    versions: ['v1alpha1'],
    schema: backendTrafficPolicySchema,
    check: checkBackendTrafficPolicy,
  },
]);

function read(world: World, context: ReadContext): Drafts {
  const routes = readRoutes(world, context);
  const mayRefer = readReferenceGrants(world);
  const tls = readBackendTls(world, context);
  const { clusterDomain } = context;
  return {
    ...NOTHING,
    late: {
      routes: (registry) => {
        const deps = { registry, clusterDomain, trustFault: tls.fault };
        const served = once((rule) => readRule(rule, { ...deps, mayRefer, resource: rule.resource }));
        const own = once((rule) => readRule(rule, { ...deps, mayRefer: () => true, resource: rule.resource }));
        return [...gatewayHosts(routes, served, context), ...meshHosts(routes, { registry, context, routeOf: own })];
      },
      policies: (registry) => [...tls.policies(registry), ...readBackendTraffic(routes, world, context, registry)],
    },
  };
}

export const gatewayApiReader: DialectReader = Object.freeze({ dialect: 'gateway-api', kinds: KINDS, read });

/** A rule may belong to many hosts. */
function once(read: RouteOf): RouteOf {
  const known = new Map<Rule, readonly RouteVariant[]>();
  return (rule) => {
    const before = known.get(rule);
    if (before !== undefined) return before;
    const variants = read(rule);
    known.set(rule, variants);
    return variants;
  };
}
