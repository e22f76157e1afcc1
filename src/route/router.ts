// The branch that picks the rule: the first that matches has the call. Must not know what a match looks at.
import type { RouteRef } from '../core/call.ts';
import type { Service } from '../core/service.ts';
import type { CallMatch } from './match.ts';

export interface RouterEntry {
  readonly ref: RouteRef;
  /** null: every call. */
  readonly matches: CallMatch | null;
  /** The stack of the route. */
  readonly service: Service;
}

/** The last entry must match every call, as the loader sees to: so no call is left without a route. */
export function router(routes: readonly RouterEntry[]): Service {
  const index = routes.findIndex((route) => route.matches === null);
  const fallback = routes[index];
  if (fallback === undefined || routes[routes.length - 1]?.matches !== null) {
    throw new Error(`the routes of a service must end in one that matches every call; ${routes.at(-1)?.ref.name ?? 'none'} does not`);
  }
  const { ref: fallbackRef, service: fallbackService } = fallback;
  const conditional = routes.slice(0, index);
  if (conditional.length === 0) {
    return (call) => {
      call.route = fallbackRef;
      return fallbackService(call);
    };
  }
  const refs = conditional.map((route) => route.ref);
  const services = conditional.map((route) => route.service);
  const matches = conditional.map((route) => route.matches as CallMatch);
  return (call) => {
    for (let i = 0; i < matches.length; i++) {
      if (!(matches[i] as CallMatch)(call)) continue;
      call.route = refs[i] as RouteRef;
      return (services[i] as Service)(call);
    }
    call.route = fallbackRef;
    return fallbackService(call);
  };
}
