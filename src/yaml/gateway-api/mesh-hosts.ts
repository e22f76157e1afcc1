// Routes that are attached to a Service: what becomes of calls to that Service by its own name. Routes of this process's
// namespace (consumer) take the place of those of the Service's (producer); others' consumer routes are for others.
// Source: GEP-1294.
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { Registry, RouteDraft, RoutesDraft } from '../draft.ts';
import { describeResource } from '../resource.ts';
import type { AttachedRoute, HostParent } from './attached-route.ts';
import { ANY_HOST } from './attached-route.ts';
import { candidatesOf, compareCandidates, orderedRoutes, type Rule, type RouteOf } from './route-order.ts';

interface Claim {
  readonly route: AttachedRoute;
  readonly parent: HostParent;
}

export interface MeshHostDeps {
  readonly registry: Registry;
  readonly context: ReadContext;
  readonly routeOf: RouteOf;
}

export function meshHosts(routes: readonly AttachedRoute[], deps: MeshHostDeps): RoutesDraft[] {
  const { self } = deps.context;
  const byHost = new Map<string, Claim[]>();
  for (const route of routes) {
    for (const parent of route.hosts) {
      const { namespace } = route.resource;
      if (namespace !== parent.namespace && namespace !== self.namespace) continue;
      const known = byHost.get(parent.host);
      if (known === undefined) byHost.set(parent.host, [{ route, parent }]);
      else known.push({ route, parent });
    }
  }
  return [...byHost].flatMap(([host, claims]) => hostDrafts(host, claims, deps));
}

/** One for each port that has a service of its own, and one for what has all ports. */
function hostDrafts(host: string, claims: readonly Claim[], deps: MeshHostDeps): RoutesDraft[] {
  const found = deps.registry.find({ host });
  const ports = new Set(found.map(({ port }) => port));
  const drafts = [...ports].flatMap((port) => (port === undefined ? [] : portDraft(host, port, claims, deps)));
  return found.length === 0 || ports.has(undefined) ? [...drafts, ...wholeDraft(host, claims, deps)] : drafts;
}

function portDraft(host: string, port: number, claims: readonly Claim[], { context, routeOf }: MeshHostDeps): RoutesDraft[] {
  const chosen = chosenFor(port, claims, context);
  const [first] = chosen;
  if (first === undefined) return [];
  const candidates = chosen.flatMap(({ route }) => route.rules.flatMap((rule) => candidatesOf(rule, ANY_HOST)));
  return [{ ...originOf(first), host, port, routes: orderedRoutes(candidates, routeOf) }];
}

/** Where nobody knows the ports, rules ask for theirs; a port without rules stays as it is. */
function wholeDraft(host: string, claims: readonly Claim[], { context, routeOf }: MeshHostDeps): RoutesDraft[] {
  const routes: RouteDraft[] = [];
  const ports = new Set(claims.flatMap(({ parent }) => (parent.port === undefined ? [] : [parent.port])));
  for (const port of [...ports].sort((a, b) => a - b)) {
    const candidates = chosenFor(port, claims, context).flatMap(({ route }) =>
      route.rules.flatMap((rule) => candidatesOf(rule, ANY_HOST, (match) => [{ ...match, port }])),
    );
    routes.push(...orderedRoutes(candidates, routeOf), elsewhere(`no-route:${port}`, port));
  }
  const rest = chosenFor(undefined, claims, context);
  const candidates = rest.flatMap(({ route }) => route.rules.flatMap((rule) => candidatesOf(rule, ANY_HOST)));
  routes.push(...(rest.length === 0 ? [asCalled()] : orderedRoutes(candidates, routeOf)));
  const first = rest[0] ?? claims[0];
  return first === undefined ? [] : [{ ...originOf(first), host, routes }];
}

/** Those for the port, and of them those of one kind and one side. */
function chosenFor(port: number | undefined, claims: readonly Claim[], context: ReadContext): Claim[] {
  const meant = claims.filter(({ parent }) => parent.port === undefined || parent.port === port);
  const consumers = meant.filter(({ route, parent }) => route.resource.namespace !== parent.namespace);
  const side = (consumers.length > 0 ? consumers : meant).toSorted((a, b) => compareCandidates(firstOf(a), firstOf(b)));
  const grpc = side.filter(({ route }) => route.resource.kind === 'GRPCRoute');
  const [winner] = grpc;
  if (winner === undefined || grpc.length === side.length) return side;
  // Source: GEP-1294, route type specificity.
  for (const { route } of side.filter((claim) => !grpc.includes(claim))) {
    const message = `${describeResource(winner.route.resource)} is attached to the same Service and port, and GRPCRoutes go first; attach them to different ports`;
    settle(context, { resource: route.resource, path: ['spec', 'parentRefs'] }, message, 'INM0012');
  }
  return grpc;
}

function firstOf({ route: { rules } }: Claim): Parameters<typeof compareCandidates>[0] {
  return { rule: rules[0] as Rule, index: 0, matches: [], rank: [] };
}

function originOf({ route: { resource } }: Claim): Pick<RoutesDraft, 'dialect' | 'resource' | 'path'> {
  return { dialect: 'gateway-api', resource, path: ['spec', 'parentRefs'] };
}

const PLAIN: Pick<RouteDraft, 'dialect' | 'targets' | 'mirrors' | 'idempotent'> = {
  dialect: 'gateway-api',
  targets: [],
  mirrors: [],
  idempotent: false,
};

function elsewhere(name: string, port: number): RouteDraft {
  return { ...PLAIN, name, matches: [{ headers: {}, queryParams: {}, port }], directResponse: { status: 404, headers: {}, body: '' } };
}

function asCalled(): RouteDraft {
  return { ...PLAIN, name: 'default', matches: [] };
}
