// Linkerd: ServiceProfiles and annotations for the calls of this process; Servers, authorizations and limits for its callers.
import type { SecurityPolicy } from '../../model/security.ts';
import { type DialectReader, type Kind, NOTHING, type ReadContext } from '../dialect.ts';
import type { MeshDraft, PolicyDraft, Registry, RoutesDraft } from '../draft.ts';
import { checkHttpRoute } from '../gateway-api/check-route.ts';
import { httpRouteSchema } from '../gateway-api/schema-routes.ts';
import { fullName, type Resource } from '../resource.ts';
import { splitHosts, splitTargets } from '../smi/read-traffic-split.ts';
import type { World } from '../world.ts';
import { routeAdjuster } from './adjust-routes.ts';
import {
  checkLinkerdAuthorization,
  checkMeshTlsAuthentication,
  checkNetworkAuthentication,
  checkRateLimit,
  checkServer,
  checkServerAuthorization,
} from './check-inbound.ts';
import { checkServiceProfile } from './check-profile.ts';
import { POLICY_GROUP } from './inbound-spec.ts';
import { checkLinkerdRoute, readOutboundRoutes } from './outbound-routes.ts';
import { readLinkerdAuthorization, readRateLimit, readServer, readServerAuthorization } from './read-inbound.ts';
import { decides, profilesOf, readProfilePolicy, readProfileRoutes } from './read-profile.ts';
import { readServices } from './read-services.ts';
import {
  linkerdAuthorizationSchema,
  meshTlsAuthenticationSchema,
  networkAuthenticationSchema,
  rateLimitSchema,
  serverAuthorizationSchema,
  serverSchema,
} from './schema-inbound.ts';
import { serviceProfileSchema } from './schema-profile.ts';
import { routesByServer } from './server-routes.ts';

const POLICY_KINDS: readonly Omit<Kind, 'group'>[] = [
  { kind: 'Server', versions: ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'], schema: serverSchema, check: checkServer },
  { kind: 'AuthorizationPolicy', versions: ['v1alpha1'], schema: linkerdAuthorizationSchema, check: checkLinkerdAuthorization },
  { kind: 'MeshTLSAuthentication', versions: ['v1alpha1'], schema: meshTlsAuthenticationSchema, check: checkMeshTlsAuthentication },
  { kind: 'NetworkAuthentication', versions: ['v1alpha1'], schema: networkAuthenticationSchema, check: checkNetworkAuthentication },
  { kind: 'HTTPLocalRateLimitPolicy', versions: ['v1alpha1'], schema: rateLimitSchema, check: checkRateLimit },
  { kind: 'ServerAuthorization', versions: ['v1alpha1', 'v1beta1'], schema: serverAuthorizationSchema, check: checkServerAuthorization },
  {
    kind: 'HTTPRoute',
    versions: ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'],
    schema: httpRouteSchema,
    check: (resource, context) => {
      checkHttpRoute(resource, context);
      checkLinkerdRoute(resource);
    },
  },
];

const KINDS: readonly Kind[] = [
  {
    group: 'linkerd.io',
    kind: 'ServiceProfile',
    versions: ['v1alpha1', 'v1alpha2'],
    schema: serviceProfileSchema,
    check: checkServiceProfile,
  },
  ...POLICY_KINDS.map((one) => ({ ...one, group: POLICY_GROUP })),
];

export const linkerdReader: DialectReader = {
  dialect: 'linkerd',
  kinds: KINDS,
  read: (world, context) => ({
    ...NOTHING,
    policies: [...readServices(world, context), ...profilePolicies(world, context)],
    mesh: inbound(world),
    late: {
      routes: (registry) => [...profileRoutes(world, context, registry), ...readOutboundRoutes(world, context, registry)],
      adjust: routeAdjuster(world, context),
    },
  }),
};

function profilePolicies(world: World, context: ReadContext): PolicyDraft[] {
  return [...profilesOf(world, context)].flatMap(([host, resource]) => {
    if (decides(resource)) return [readProfilePolicy(host, resource)];
    resource.report.warn(['spec'], 'a ServiceProfile without routes and dstOverrides changes nothing');
    return [];
  });
}

/** A split of the same service decides where its calls go. */
function profileRoutes(world: World, context: ReadContext, registry: Registry): RoutesDraft[] {
  const splits = splitHosts(world, context);
  return [...profilesOf(world, context)].flatMap(([host, resource]) => {
    if (!decides(resource)) return [];
    const split = splits.get(host);
    const targets = split === undefined ? null : splitTargets(split, world, context, registry);
    return [readProfileRoutes(host, resource, targets)];
  });
}

function inbound(world: World): MeshDraft[] {
  const read = (kind: string, reader: (resource: Resource) => SecurityPolicy): MeshDraft[] =>
    world.of(POLICY_GROUP, kind).map((resource) => ({
      dialect: 'linkerd',
      resource,
      path: ['metadata', 'name'],
      fields: {},
      inbound: { policies: [reader(resource)] },
    }));
  const routes = routesByServer(world);
  return [
    ...read('Server', (resource) => readServer(resource, routes.get(fullName(resource)) ?? [])),
    ...read('AuthorizationPolicy', (resource) => readLinkerdAuthorization(resource, world)),
    ...read('ServerAuthorization', readServerAuthorization),
    ...read('HTTPLocalRateLimitPolicy', (resource) => readRateLimit(resource, world)),
  ];
}
