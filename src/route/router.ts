// The branch that picks the rule: the first that matches has the call. Must not know what a match looks at.
import type { RouteRef } from '../core/call.ts';
import type { Service } from '../core/service.ts';
import type { RouteMatch } from '../model/route.ts';
import type { CallMatch } from './match.ts';
import { type IndexedRule, RouteIndex } from './route-index.ts';

/** From so many rules on, an index is cheaper than to ask one after the other. */
const INDEXED_MIN = 24;

export interface RouterEntry {
  readonly ref: RouteRef;
  /** null: every call. */
  readonly matches: CallMatch | null;
  /** What `matches` was compiled from, so that many rules can be indexed. @default each is asked */
  readonly rules?: readonly RouteMatch[];
  /** The stack of the route. */
  readonly service: Service;
}

/** One entry must match every call, as the loader sees to: so no call is left without a route. Those after it are never asked. */
export function router(routes: readonly RouterEntry[]): Service {
  const index = routes.findIndex((route) => route.matches === null);
  const fallback = routes[index];
  if (fallback === undefined) throw new Error('one of the routes of a service must match every call; none does');
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
  const indexed = conditional.flatMap(({ rules }, i): IndexedRule[] =>
    rules === undefined ? [] : [{ matches: rules, test: matches[i] as CallMatch }],
  );
  if (indexed.length === conditional.length && indexed.length >= INDEXED_MIN) {
    const index = new RouteIndex(indexed);
    return (call) => {
      const i = index.find(call);
      call.route = i < 0 ? fallbackRef : (refs[i] as RouteRef);
      return (i < 0 ? fallbackService : (services[i] as Service))(call);
    };
  }
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
