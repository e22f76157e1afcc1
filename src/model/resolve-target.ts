// Where a route sends its calls or copies of them: subsets and services that exist, weights that can be drawn.
import type { RouteInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import { nearest } from './nearest.ts';
import type { Report } from './report.ts';
import type { RouteTarget } from './route.ts';

export interface TargetDeps {
  readonly report: Report;
  readonly service: string;
  /** Subset names of every service; null where the service itself has faults. */
  readonly services: ReadonlyMap<string, ReadonlySet<string> | null>;
}

export function resolveTargets(to: RouteInput['to'], path: ConfigPath, deps: TargetDeps): RouteTarget[] {
  if (to === undefined) return [{ service: deps.service, weight: 1 }];
  if (typeof to === 'string') return [{ ...resolveTarget(to, path, 'value', deps), weight: 1 }];
  const targets: RouteTarget[] = [];
  const taken = new Set<string>();
  let sum = 0;
  for (const [key, weight] of Object.entries(to)) {
    const at = [...path, key];
    const target = resolveTarget(key, at, 'key', deps);
    const destination = `${target.service}/${target.subset ?? ''}`;
    if (taken.has(destination)) {
      deps.report.error(at, `"${key}" names a destination that this route already has; keep one weight`, { part: 'key' });
    }
    taken.add(destination);
    targets.push({ ...target, weight });
    sum += weight;
  }
  if (!(sum > 0)) deps.report.error(path, 'the weights sum to 0, so no call could be sent; give at least one a weight above 0');
  return targets;
}

/** A subset of this service first, then a service, then `service/subset`. */
export function resolveTarget(
  text: string,
  path: ConfigPath,
  part: 'key' | 'value',
  deps: TargetDeps,
): { service: string; subset?: string } {
  const { report, service, services } = deps;
  const own = services.get(service);
  if (own?.has(text) === true) return { service, subset: text };
  if (services.has(text)) return { service: text };
  const slash = text.indexOf('/');
  const name = slash < 0 ? service : text.slice(0, slash);
  const subset = text.slice(slash + 1);
  const subsets = services.get(name);
  // A service with faults of its own may well have the subset.
  if (subsets === null || subsets?.has(subset) === true) return { service: name, subset };
  if (report.isFull) return { service };
  const shown = report.show(path, text);
  const allowed = [
    ...(own ?? []),
    ...services.keys(),
    ...[...services].flatMap(([other, of]) => [...(of ?? [])].map((one) => `${other}/${one}`)),
  ];
  const missing = slash < 0 ? `neither a subset of service "${service}" nor a service` : `not a subset of a service`;
  report.error(path, `${shown} is ${missing}`, { part, suggestion: report.isSecret(path) ? undefined : nearest(text, allowed), allowed });
  return { service };
}
