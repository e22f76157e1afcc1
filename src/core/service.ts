// The two types that carry everything. Who answers is a Service; what wraps it is a Layer.
import type { Call, Reply } from './call.ts';

/**
 * Answers one call. Resolves at the response head; rejects with a MeshError when there is no answer.
 * Has ended the call (`call.end`) before it rejects; a resolved reply ends the call at its last byte.
 */
export type Service = (call: Call) => Promise<Reply>;

/** Wraps a service. Declared `async` only if it acts after `next`: a pass-through layer returns `next(call)` and costs nothing. */
export type Layer = (next: Service) => Service;

/** Wraps `leaf` in the layers given outermost first. */
export function wrap(leaf: Service, layers: readonly Layer[]): Service {
  return layers.reduceRight((next, layer) => layer(next), leaf);
}
