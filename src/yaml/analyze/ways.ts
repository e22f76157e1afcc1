// The ways that a call can go: from the service that is called, over a rule, to the service that is asked. Timeouts are
// those of the rule or of the first; all that concerns the attempts is the second's, unless the rule has retries of its own.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { RetryPolicy } from '../../model/destination.ts';
import { routeRetries } from '../../model/route-retries.ts';

export interface Way {
  readonly owner: ServiceConfig;
  readonly route: RouteConfig;
  readonly destination: ServiceConfig;
  readonly subset: string | undefined;
  readonly retries: RetryPolicy;
  /** 0: none. */
  readonly timeoutMs: number;
}

/** Rules that answer themselves, destinations that fail, and services that nobody can name lead nowhere. */
export function waysOf({ services }: MeshConfig): Way[] {
  return Object.values(services).flatMap((owner) =>
    owner.hosts.length === 0 ? [] : owner.routes.flatMap((route) => ways(owner, route, services)),
  );
}

function ways(owner: ServiceConfig, route: RouteConfig, services: MeshConfig['services']): Way[] {
  if (route.redirect !== undefined || route.directResponse !== undefined) return [];
  return route.targets.flatMap(({ service, subset, weight, fails, redirect }) => {
    const destination = services[service];
    const isDrawn = weight > 0 || route.targets.length === 1;
    if (destination === undefined || fails !== undefined || redirect !== undefined || !isDrawn) return [];
    const timeoutMs = route.timeoutMs ?? owner.timeoutMs;
    return [{ owner, route, destination, subset, retries: routeRetries(route, destination), timeoutMs }];
  });
}

/** Whether nobody has written the rule: what is done with calls that no rule of a service of the concise form matches. */
export function isImplied({ route }: Way): boolean {
  return route.dialect === 'inmesh' && route.source === undefined;
}
