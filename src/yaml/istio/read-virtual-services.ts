// From all VirtualServices of a load to routes by host: which of them this process sees, which of several has a host, and
// what becomes of calls that no rule takes. Source: Istio, SelectVirtualServices, BuildSidecarVirtualHostWrapper.
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { Origin, Registry, RouteDraft, RoutesDraft } from '../draft.ts';
import { describeResource, type Resource } from '../resource.ts';
import { fullHost, type World } from '../world.ts';
import { byCreation } from './by-creation.ts';
import { isWildcard, isWithin } from './host-name.ts';
import { GROUP, rulesOf } from './http-rule.ts';
import { IMPLIED_ROUTE_POLICY } from './istio-defaults.ts';
import { type HttpRuleDeps, readHttpRule } from './read-http-rule.ts';
import { defaultRetries } from './read-retries.ts';
import type { SidecarScope } from './sidecar-scope.ts';
import { isForMesh, type VirtualServiceSpec } from './virtual-service-spec.ts';
import { isVisibleTo } from './visibility.ts';

export interface VirtualServiceDeps {
  readonly world: World;
  readonly context: ReadContext;
  readonly scope: SidecarScope;
  readonly isHashed: HttpRuleDeps['isHashed'];
}

/** What one VirtualService says of one host. */
interface Claim {
  readonly host: string;
  readonly origin: Origin;
  readonly routes: readonly RouteDraft[];
}

export function readVirtualServices(registry: Registry, deps: VirtualServiceDeps): RoutesDraft[] {
  const claims = new Map<string, Claim>();
  for (const resource of [...deps.world.of(GROUP, 'VirtualService')].sort(byCreation)) {
    for (const claim of claimsOf(resource, deps)) {
      const before = claims.get(claim.host);
      if (before === undefined) {
        claims.set(claim.host, claim);
        continue;
      }
      const message = `${describeResource(before.origin.resource)} has rules for ${claim.host} already, and a mesh uses the oldest alone; put them together`;
      settle(deps.context, claim.origin, deps.context.lenient ? `${message}: these rules are not used` : message, 'IST0109');
    }
  }
  return [...claims.values()].flatMap((claim) => placed(claim, claims, registry));
}

function claimsOf(resource: Resource, deps: VirtualServiceDeps): Claim[] {
  const { context, scope } = deps;
  const { self, clusterDomain } = context;
  const spec = resource.spec as VirtualServiceSpec;
  const { hosts = [], http = [] } = spec;
  if (hosts.length === 0 || http.length === 0) return [];
  if (!isForMesh(spec)) {
    const message = 'this VirtualService is for gateways only, so sidecars, and inmesh, pass it over';
    resource.report.warn(['spec', 'gateways'], message, { part: 'key', code: 'INM0021' });
    return [];
  }
  const named = hosts.map((host) => fullHost(host, resource.namespace, clusterDomain));
  if (!isVisibleTo(self.namespace, spec, resource.namespace) || !scope.importsRules(named, resource.namespace)) return [];
  const routes = routesOf(resource, deps);
  if (routes.length === 0) return [];
  return named.map((host, i) => ({ host, origin: { resource, path: ['spec', 'hosts', i] }, routes }));
}

/** Empty when no rule is meant for this process: then Istio goes on as if the document were not there. */
function routesOf(resource: Resource, { world, context, isHashed }: VirtualServiceDeps): RouteDraft[] {
  const { self, lenient, clusterDomain } = context;
  const routes: RouteDraft[] = [];
  warnOfLabels(resource, context);
  for (const rule of rulesOf(resource, { world, lenient })) {
    routes.push(...readHttpRule(rule, { self, lenient, clusterDomain, name: resource.name, isHashed }));
    if (routes.at(-1)?.matches.length === 0) break;
  }
  return withOwnNames([...routes, ...otherPorts(routes)]);
}

function warnOfLabels({ spec, report }: Resource, { self }: ReadContext): void {
  if (Object.keys(self.labels).length > 0) return;
  for (const [i, { match = [] }] of ((spec as VirtualServiceSpec).http ?? []).entries()) {
    for (const [j, { sourceLabels = {} }] of match.entries()) {
      if (Object.keys(sourceLabels).length === 0) continue;
      const message = 'sourceLabels are compared with self.labels, which are not set, so this match never holds';
      report.warn(['spec', 'http', i, 'match', j, 'sourceLabels'], message, { part: 'key', code: 'INM0022' });
    }
  }
}

/** Istio builds the rules of each port by itself: on a port that no rule is for, the host is called as if there were none. */
function otherPorts(routes: readonly RouteDraft[]): RouteDraft[] {
  const matches = routes.flatMap((route) => route.matches);
  const ports = new Set(matches.map(({ port }) => port));
  if (matches.length === 0 || ports.has(undefined) || routes.at(-1)?.matches.length === 0) return [];
  const nothing = { dialect: 'istio' as const, targets: [], mirrors: [], idempotent: false };
  const onPorts = [...ports].map((port) => ({ headers: {}, queryParams: {}, port: port as number }));
  return [
    { ...nothing, name: 'no-route', matches: onPorts, directResponse: { status: 404, headers: {}, body: '' } },
    { ...nothing, name: 'default', matches: [], timeoutMs: 0, retries: defaultRetries(false) },
  ];
}

/** Names of rules may repeat in Istio; here each has its own state. */
function withOwnNames(routes: readonly RouteDraft[]): RouteDraft[] {
  const taken = new Set<string>();
  return routes.map((route) => {
    let name = route.name;
    for (let i = 2; taken.has(name); i++) name = `${route.name}-${i}`;
    taken.add(name);
    return name === route.name ? route : { ...route, name };
  });
}

/** A wildcard means the hosts that are known, but for those that something more exact means; it is a host itself when there are none. */
function placed(claim: Claim, claims: ReadonlyMap<string, Claim>, registry: Registry): RoutesDraft[] {
  const { host, origin, routes } = claim;
  const draft = (one: string): RoutesDraft => ({ ...origin, host: one, dialect: 'istio', routes, implied: IMPLIED_ROUTE_POLICY });
  if (!isWildcard(host)) return [draft(host)];
  const known = new Set(registry.hosts.map((one) => one.host).filter((one) => one !== host && isWithin(one, host)));
  if (known.size === 0) return [draft(host)];
  return [...known].filter((one) => mostExact(one, claims) === host).map(draft);
}

function mostExact(host: string, claims: ReadonlyMap<string, Claim>): string | undefined {
  if (claims.has(host)) return host;
  let best: string | undefined;
  for (const pattern of claims.keys()) {
    if (isWildcard(pattern) && isWithin(host, pattern) && pattern.length > (best?.length ?? 0)) best = pattern;
  }
  return best;
}
