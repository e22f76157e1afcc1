// Routes that Gateways serve, by the host that is called. Each hostname is a virtual host, each Gateway is one too: under
// its own name it takes calls as if they had come to its door, whatever host they are for. What a listener alone decides
// (its port, its certificate, its hostname) is nobody's business here.
import type { RouteMatch } from '../../model/route.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { RoutesDraft } from '../draft.ts';
import { describeResource } from '../resource.ts';
import { ANY_HOST, type AttachedRoute, type GatewayParent } from './attached-route.ts';
import { type Candidate, candidatesOf, compareCandidates, orderedRoutes, type Rule, type RouteOf } from './route-order.ts';

/** One route under one of its hostnames. */
interface Serving {
  readonly route: AttachedRoute;
  readonly hostname: string;
  readonly gateways: ReadonlySet<string>;
}

export function gatewayHosts(routes: readonly AttachedRoute[], routeOf: RouteOf, context: ReadContext): RoutesDraft[] {
  const served = withoutRivals(routes, context).filter(({ gateways }) => gateways.length > 0);
  const byHostname = new Map<string, Serving[]>();
  const byGateway = new Map<string, Serving[]>();
  for (const route of served) {
    const gateways = new Set(route.gateways.map(({ gateway }) => gateway));
    for (const hostname of route.hostnames) {
      const serving = { route, hostname, gateways };
      push(byHostname, hostname, serving);
      for (const gateway of gateways) push(byGateway, gateway, serving);
    }
    if (route.hostnames.includes(ANY_HOST)) warnOfAnyHost(route);
  }
  const hosts = [...byHostname].map(([hostname, own]) =>
    draft(hostname, [...own, ...lessExact(hostname, own, byHostname)], own, routeOf, false),
  );
  const gateways = [...byGateway].map(([gateway, own]) => draft(gateway, own, own, routeOf, true));
  return [...hosts, ...gateways];
}

function warnOfAnyHost({ resource, gateways }: AttachedRoute): void {
  const names = gateways.map(({ gateway }) => gateway).join(', ');
  const message = `no hostnames, so this ${resource.kind} takes calls to every host that nothing else names, strangers included; add hostnames, or call ${names}`;
  resource.report.warn(['spec'], message);
}

/** Rules of `*.b.c`, `*.c` and `*` come after those of `a.b.c`, where the same Gateway has them; each route under its most exact name. */
function lessExact(hostname: string, own: readonly Serving[], all: ReadonlyMap<string, readonly Serving[]>): Serving[] {
  const gateways = new Set(own.flatMap((serving) => [...serving.gateways]));
  const seen = new Set(own.map(({ route }) => route));
  return wider(hostname)
    .flatMap((name) => all.get(name) ?? [])
    .filter(({ route, gateways: theirs }) => {
      if (seen.has(route) || ![...theirs].some((gateway) => gateways.has(gateway))) return false;
      seen.add(route);
      return true;
    });
}

function wider(hostname: string): string[] {
  if (hostname === ANY_HOST) return [];
  const labels = hostname.split('.');
  return [
    ...labels
      .slice(1)
      .map((_, i) => `*.${labels.slice(i + 1).join('.')}`)
      .filter((name) => name !== hostname),
    ANY_HOST,
  ];
}

function draft(host: string, servings: readonly Serving[], own: readonly Serving[], routeOf: RouteOf, isGateway: boolean): RoutesDraft {
  const candidates = servings.flatMap(({ route, hostname }) =>
    route.rules.flatMap((rule) => candidatesOf(rule, hostname, isGateway ? (match) => forHost(match, hostname) : undefined)),
  );
  const first = [...own].sort((a, b) => compareCandidates(firstOf(a), firstOf(b)))[0] as Serving;
  const { resource } = first.route;
  const index = first.route.hostnames.indexOf(first.hostname);
  return {
    dialect: 'gateway-api',
    host,
    resource,
    path: isGateway || first.hostname === ANY_HOST ? ['spec', 'parentRefs'] : ['spec', 'hostnames', index],
    routes: orderedRoutes(candidates, routeOf),
  };
}

function firstOf({ route: { rules } }: Serving): Candidate {
  return { rule: rules[0] as Rule, index: 0, matches: [], rank: [] };
}

/** The host with and without a port: the Gateway API does not look at the port. */
function forHost(match: RouteMatch, hostname: string): RouteMatch[] {
  if (hostname === ANY_HOST || match.authority !== undefined) return [match];
  if (!hostname.startsWith('*')) {
    return [
      { ...match, authority: { kind: 'exact', value: hostname, invert: false } },
      { ...match, authority: { kind: 'prefix', value: `${hostname}:`, invert: false } },
    ];
  }
  const suffix = `.+${hostname.slice(1).replaceAll('.', '\\.')}`;
  return [suffix, `${suffix}:.*`].map((value) => ({ ...match, authority: { kind: 'regex', value, invert: false } }));
}

/** Routes of two kinds that take the same calls: the oldest stays. Source: GRPCRouteSpec.hostnames. */
function withoutRivals(routes: readonly AttachedRoute[], context: ReadContext): readonly AttachedRoute[] {
  const http = routes.filter(({ resource, gateways }) => resource.kind === 'HTTPRoute' && gateways.length > 0);
  const grpc = routes.filter(({ resource, gateways }) => resource.kind === 'GRPCRoute' && gateways.length > 0);
  const lost = new Map<AttachedRoute, Set<GatewayParent>>();
  for (const a of grpc) {
    for (const b of http) {
      if (!a.hostnames.some((one) => b.hostnames.some((other) => overlap(one, other)))) continue;
      const [winner, loser] = compareCandidates(firstOfRoute(a), firstOfRoute(b)) < 0 ? [a, b] : [b, a];
      const shared = loser.gateways.filter((one) => winner.gateways.some((other) => isSameDoor(one, other)));
      if (shared.length === 0) continue;
      const message = `${describeResource(winner.resource)} serves the same host of the same Gateway, and a host has routes of one kind only; give them different hostnames`;
      settle(context, { resource: loser.resource, path: ['spec'] }, message, 'INM0012');
      lost.set(loser, new Set([...(lost.get(loser) ?? []), ...shared]));
    }
  }
  if (lost.size === 0) return routes;
  return routes.map((route) => ({ ...route, gateways: route.gateways.filter((one) => lost.get(route)?.has(one) !== true) }));
}

function firstOfRoute({ rules }: AttachedRoute): Candidate {
  return { rule: rules[0] as Rule, index: 0, matches: [], rank: [] };
}

/** Listeners that are named apart are taken to be apart. */
function isSameDoor(a: GatewayParent, b: GatewayParent): boolean {
  return a.gateway === b.gateway && (a.section === '' || b.section === '' || a.section === b.section);
}

function overlap(a: string, b: string): boolean {
  if (a === b) return true;
  const within = (name: string, pattern: string): boolean => pattern.startsWith('*') && name.endsWith(pattern.slice(1));
  return within(a, b) || within(b, a);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
