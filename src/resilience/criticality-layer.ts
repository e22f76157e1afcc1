// How much a call matters, said by its route when the caller does not say. Passes through. Must stand above whatever
// refuses or queues; what the inbound call says is taken over by the deadline layer, which reads that call anyway.
import type { Layer } from '../core/service.ts';

/** `criticality`: index into CRITICALITIES. */
export function criticalityLayer(criticality: number): Layer {
  return (next) => (call) => {
    if (call.criticality < 0) call.criticality = criticality;
    return next(call);
  };
}
