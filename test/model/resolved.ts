// Resolves configurations for the tests: the one service or route that is looked at, or what is said about a wrong one.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../src/model/config.ts';
import type { PolicyInput } from '../../src/model/input-policy.ts';
import type { MeshInput, RouteInput, ServiceInput } from '../../src/model/input.ts';
import type { ConfigIssue } from '../../src/model/issue.ts';
import { formatPath } from '../../src/model/issue.ts';
import type { ResolveOptions } from '../../src/model/resolve.ts';
import { resolveConfig } from '../../src/model/resolve.ts';

const ENDPOINTS: ServiceInput['endpoints'] = [
  { address: '10.0.0.1:80', labels: { v: '1' } },
  { address: '10.0.0.2:80', labels: { v: '2' } },
];
const SERVICE: ServiceInput = { endpoints: ENDPOINTS, subsets: { v1: { v: '1' }, v2: { v: '2' } } };

export function good(input: MeshInput): MeshConfig {
  const result = resolveConfig(input);
  if ('issues' in result) throw new Error(JSON.stringify(result.issues, null, 1));
  return result.config;
}

/** Service `a`, with the subsets v1 and v2, beside service `b`. */
export function serviceOf(input: ServiceInput, defaults: PolicyInput = {}, more: MeshInput = {}): ServiceConfig {
  const services = { a: { ...SERVICE, ...input }, b: { dns: 'b:80' } };
  return good({ ...more, defaults, services }).services.a as ServiceConfig;
}

/** Routes of such a service, without the one that the loader appends. */
export function routesOf(...routes: RouteInput[]): readonly RouteConfig[] {
  const all = serviceOf({ routes }).routes;
  return all.at(-1)?.source === undefined && all.at(-1)?.name.startsWith('default') === true ? all.slice(0, -1) : all;
}

export function issuesOf(input: unknown, options: ResolveOptions = {}): readonly ConfigIssue[] {
  const result = resolveConfig(input as MeshInput, options);
  return 'issues' in result ? result.issues : result.warnings;
}

/** `path: severity message` of everything that is said. */
export function saidOf(input: unknown, options: ResolveOptions = {}): string[] {
  return issuesOf(input, options).map(({ path, severity, message }) => `${formatPath(path)}: ${severity} ${message}`);
}

/** The same for a route of service `a`, below its place. */
export function saidOfRoute(route: unknown, options: ResolveOptions = {}): string[] {
  return saidOf({ services: { a: { ...SERVICE, routes: [route] }, b: { dns: 'b:80' } } }, options).map(withoutPlace);
}

/** The same for the policies of service `a`, below its place. */
export function saidOfService(service: unknown, more: MeshInput = {}): string[] {
  return saidOf({ ...more, services: { a: { ...SERVICE, ...(service as object) } } }).map(withoutPlace);
}

function withoutPlace(text: string): string {
  return text.replaceAll('services.a.routes[0].', '').replaceAll('services.a.', '');
}
