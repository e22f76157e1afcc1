// No more calls at once than somebody has written down, whatever the process could do.
// Source: Istio Sidecar inboundConnectionPool, http2MaxRequests.
import type { Clock } from '../core/clock.ts';
import { refuse } from '../core/refuse.ts';
import type { Layer } from '../core/service.ts';

/** Calls under way; survives reloads. */
export class ServedCalls {
  count = 0;
  readonly onEnd = (): void => {
    this.count--;
  };
}

export function requestLimitLayer(served: ServedCalls, requestsMax: number, clock: Clock): Layer {
  return (next) => (call) => {
    if (served.count >= requestsMax)
      return refuse(call, clock.now(), {
        code: 'overloaded',
        message: `the server takes ${requestsMax} calls at once (inbound.limits.maxRequests)`,
      });
    served.count++;
    call.onEnd(served.onEnd);
    return next(call);
  };
}
