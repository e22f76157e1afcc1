// The same services, routes and timeouts without any policy: what the application would get from a list of addresses and
// round robin. The yardstick of a trial. Pure.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import { resolveConfig } from '../model/resolve.ts';

/** What there is when everything is switched off. */
const NOTHING: MeshConfig = (() => {
  const resolved = resolveConfig({
    defaults: { loadBalancer: 'roundRobin', retries: false, circuitBreaker: false, outlierDetection: false, limits: { maxRequests: 0 } },
  });
  if ('issues' in resolved) throw new TypeError('the plain configuration has faults');
  return resolved.config;
})();

/** What says where a call goes, who is there, and how long it may take, stays. A policy that is not named here is left out. */
export function plainConfig({ self, failures, unknownHosts, passHosts, services }: MeshConfig): MeshConfig {
  return {
    ...NOTHING,
    self,
    failures,
    unknownHosts,
    ...(passHosts === undefined ? {} : { passHosts }),
    services: Object.fromEntries(Object.entries(services).map(([name, service]) => [name, plainService(service)])),
  };
}

function plainService({ name, hosts, endpoints, subsets, timeoutMs, routes }: ServiceConfig): ServiceConfig {
  return { ...NOTHING.unnamed, name, hosts, endpoints, subsets, timeoutMs, routes: routes.map(plainRoute) };
}

function plainRoute(route: RouteConfig): RouteConfig {
  const { name, dialect, matches, targets, timeoutMs, sticky, requestHeaders, responseHeaders, rewrite, redirect, directResponse } = route;
  return {
    name,
    dialect,
    matches,
    targets,
    mirrors: [],
    idempotent: false,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(sticky === undefined ? {} : { sticky }),
    ...(requestHeaders === undefined ? {} : { requestHeaders }),
    ...(responseHeaders === undefined ? {} : { responseHeaders }),
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(directResponse === undefined ? {} : { directResponse }),
  };
}
