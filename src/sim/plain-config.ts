// The same services, routes and timeouts without any policy: what the application would get from a list of addresses and
// round robin. The yardstick of a trial. Pure.
import type { PolicyInput } from '../model/input-policy.ts';
import type { MeshInput, RouteInput, ServiceInput } from '../model/input.ts';

const NOTHING: PolicyInput = {
  loadBalancer: 'roundRobin',
  retries: false,
  circuitBreaker: false,
  outlierDetection: false,
  limits: { maxRequests: 0 },
};

/** What says where a call goes, who is there, and how long it may take. A policy that is not named here is left out. */
const KEPT_OF_SERVICE: ReadonlySet<string> = new Set(['hosts', 'endpoints', 'subsets', 'timeout']);
const KEPT_OF_ROUTE: ReadonlySet<string> = new Set([
  'name',
  'match',
  'to',
  'timeout',
  'sticky',
  'headers',
  'rewrite',
  'redirect',
  'directResponse',
]);

export function plainConfig({ self, defaults, failures, services = {} }: MeshInput): MeshInput {
  const plain: Record<string, ServiceInput> = {};
  for (const [name, service] of Object.entries(services)) {
    const routes = service.routes?.map((route) => kept<RouteInput>(route, KEPT_OF_ROUTE));
    plain[name] = { ...kept<ServiceInput>(service, KEPT_OF_SERVICE), ...NOTHING, ...(routes === undefined ? {} : { routes }) };
  }
  return {
    ...(self === undefined ? {} : { self }),
    ...(failures === undefined ? {} : { failures }),
    ...(defaults?.timeout === undefined ? {} : { defaults: { timeout: defaults.timeout } }),
    services: plain,
  };
}

function kept<T extends object>(from: T, keys: ReadonlySet<string>): T {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.has(key))) as T;
}
