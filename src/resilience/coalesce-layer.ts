// Makes identical GETs in flight one. Must stand below the deadline, which is each caller's own, and below the cache, whose
// answers wait for nobody; above the split and the retries, which happen once for all who wait.
import type { Layer } from '../core/service.ts';
import type { Flights } from './flights.ts';

/** Bodies, upgrades and other methods pass through. */
export function coalesceLayer(flights: Flights): Layer {
  return (next) => (call) => {
    if (call.method !== 'GET' || call.body !== null || call.upgrade !== '') return next(call);
    return flights.ask(call, next, call.startedAtMs);
  };
}
