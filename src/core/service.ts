// The two types that carry everything. Who answers is a Service; what wraps it is a Layer.
import type { Service } from './call.ts';

export type { Service } from './call.ts';

/** Wraps a service. Declared `async` only if it acts after `next`: a pass-through layer returns `next(call)` and costs nothing. */
export type Layer = (next: Service) => Service;

/** Wraps `leaf` in the layers given outermost first. */
export function wrap(leaf: Service, layers: readonly Layer[]): Service {
  return layers.reduceRight((next, layer) => layer(next), leaf);
}
