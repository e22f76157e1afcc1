// Linkerd's rules: a Server is one port of this process; who calls it needs an authorization, for the Server, for its namespace,
// or for the route that is meant. Ports without a Server are open. Every reading of the path must be let in.
// Source: linkerd2 policy-controller/k8s/index; linkerd2-proxy linkerd/app/inbound/src/policy.
import type { LinkerdAuthorizationPolicy, LinkerdDefault, LinkerdServerPolicy, NetworkRange, ServerRoute } from '../model/security.ts';
import { clientTest, networkTest } from './clients.ts';
import type { AccessRequest } from './request.ts';
import type { KnownPath } from './rule.ts';
import type { AccessGroup, Denial } from './rules.ts';
import { textTest } from './text.ts';
import type { HostName } from './host-name.ts';
import { hasLabels } from './policy-scope.ts';
import { asRead, type MatchedCall, type MatchTest, type RouteMatcher } from './matches.ts';

/** Source: Linkerd `clusterNetworks`. */
const CLUSTER: readonly NetworkRange[] = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'].map((cidr) => ({
  cidr,
  except: [],
}));

type Test = (request: AccessRequest) => boolean;

interface Authorization {
  readonly policy: LinkerdAuthorizationPolicy;
  readonly test: Test;
}

interface Route {
  readonly hosts: readonly ((name: string) => boolean)[];
  readonly matches: MatchTest | null;
  readonly authorizations: readonly Authorization[];
}

interface Server {
  readonly routes: readonly Route[];
  /** For all of it. */
  readonly authorizations: readonly Authorization[];
  /** Who is let in when no authorization fits. */
  readonly others: Test;
}

export class LinkerdAccess implements AccessGroup {
  readonly #policies: readonly LinkerdServerPolicy[];
  readonly #servers: readonly Server[];

  constructor(servers: readonly LinkerdServerPolicy[], authorizations: readonly LinkerdAuthorizationPolicy[], matcher: RouteMatcher) {
    this.#policies = servers;
    this.#servers = servers.map((policy) => compileServer(policy, authorizations, matcher));
  }

  decide(request: AccessRequest, host: HostName, path: KnownPath): Denial | null {
    const policy = serverOn(this.#policies, request.localPort);
    if (policy === null) return null;
    const server = this.#servers[this.#policies.indexOf(policy)] as Server;
    const { routes } = server;
    if (routes.length === 0)
      return this.#letsIn(server, server.authorizations, request) ? null : denial(policy, 'no-allow', 'authorization');
    for (const { text } of path.readings) {
      const route = routeOf(routes, host, asRead(request, text));
      if (route === null) return denial(policy, 'no-route', 'routes');
      if (!this.#letsIn(server, route.authorizations, request)) return denial(policy, 'no-allow', 'authorization');
    }
    return null;
  }

  #letsIn({ others }: Server, authorizations: readonly Authorization[], request: AccessRequest): boolean {
    return authorizations.some(({ test }) => test(request)) || others(request);
  }
}

/** One that has the number; else one that has a name, because nobody here knows the names of ports. */
export function serverOn(servers: readonly LinkerdServerPolicy[], port: number): LinkerdServerPolicy | null {
  return servers.find((server) => server.port === port) ?? servers.find((server) => typeof server.port === 'string') ?? null;
}

function denial(policy: LinkerdServerPolicy, reason: Denial['reason'], condition: string): Denial {
  return { reason, policy, rule: -1, condition, dialect: 'linkerd' };
}

function routeOf(routes: readonly Route[], { name }: HostName, call: MatchedCall): Route | null {
  for (const route of routes) {
    if (route.hosts.length > 0 && !route.hosts.some((test) => test(name))) continue;
    if (route.matches === null || route.matches(call)) return route;
  }
  return null;
}

function compileServer(policy: LinkerdServerPolicy, all: readonly LinkerdAuthorizationPolicy[], matcher: RouteMatcher): Server {
  const own = all.filter(({ namespace }) => namespace === policy.namespace);
  const authorizations = own.filter(({ target }) => {
    if (target.kind === 'namespace') return true;
    if (target.kind === 'server') return target.name === policy.name;
    return target.kind === 'servers' && hasLabels(target.scope.labels, target.scope.expressions, policy.labels);
  });
  const compiled = authorizations.map(authorization);
  return {
    authorizations: compiled,
    routes: policy.routes.map(
      (route): Route => ({
        hosts: route.hostnames.map(textTest),
        matches: matcher(route.matches),
        authorizations: [...own.filter((one) => isFor(one, route)).map(authorization), ...compiled],
      }),
    ),
    others: othersTest(policy.access),
  };
}

function isFor({ target }: LinkerdAuthorizationPolicy, { group, route, name }: ServerRoute): boolean {
  return target.kind === 'route' && target.group === group && target.route === route && target.name === name;
}

function authorization(policy: LinkerdAuthorizationPolicy): Authorization {
  const { networks, clients, tls, missing } = policy;
  const isNear = networks === null ? null : networkTest(networks);
  const isKnown = clients === null ? null : clientTest(clients);
  return {
    policy,
    test: ({ peer, peerAddress, isTls }) => {
      if (missing.length > 0 || (tls && !isTls)) return false;
      if (isNear !== null && !isNear(peerAddress)) return false;
      return isKnown === null || (peer !== null && isKnown(peer));
    },
  };
}

/** `audit` lets in whom it would not know. */
function othersTest(access: LinkerdDefault): Test {
  const isNear = networkTest(CLUSTER);
  switch (access) {
    case 'deny':
      return () => false;
    case 'audit':
    case 'all-unauthenticated':
      return () => true;
    case 'all-authenticated':
      return ({ peer }) => peer !== null;
    case 'cluster-unauthenticated':
      return ({ peerAddress }) => isNear(peerAddress);
    case 'cluster-authenticated':
      return ({ peer, peerAddress }) => peer !== null && isNear(peerAddress);
  }
}
