// Counts what a route does beside sending calls on. One counter for each action, made when it first happens.
import type { Family } from './family.ts';
import { MESH_ACTION, MESH_ROUTE, MESH_SERVICE } from './semconv.ts';
import type { Counter } from './series.ts';

/** Values of `inmesh.action`. */
export type RouteAction =
  | 'fault.delay'
  | 'fault.abort'
  | 'mirror.sent'
  | 'mirror.dropped'
  | 'hedge.sent'
  | 'hedge.won'
  | 'hedge.denied'
  | 'cache.hit'
  | 'cache.miss'
  | 'cache.stale'
  | 'cache.revalidated'
  | 'coalesced'
  | 'fallback';

export type ActionCounter = (action: RouteAction) => void;

export function actionCounter(family: Family<Counter>, service: string, route: string): ActionCounter {
  const byAction = new Map<RouteAction, Counter>();
  return (action) => {
    let counter = byAction.get(action);
    if (counter === undefined) {
      counter = family.of({ [MESH_SERVICE]: service, [MESH_ROUTE]: route, [MESH_ACTION]: action });
      byAction.set(action, counter);
    }
    counter.value++;
  };
}
