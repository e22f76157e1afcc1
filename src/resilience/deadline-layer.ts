// Turns the time allowed into one absolute number on the call. It owns no timer: the leaf ends an attempt when the number
// is reached, and waits between attempts look at it. Must stand below the router, which knows the route's timeout.
import type { Clock } from '../core/clock.ts';
import type { InboundContext } from '../core/context.ts';
import type { Call } from '../core/call.ts';
import { REQUEST_ID_HEADER } from '../core/headers.ts';
import type { Layer } from '../core/service.ts';
import { refuse } from '../core/refuse.ts';

export interface DeadlineDeps {
  readonly clock: Clock;
  /** What the inbound call hands on that this one is made for; undefined when there is none. */
  readonly inherited: () => Pick<InboundContext, 'deadlineMs' | 'criticality' | 'requestId'> | undefined;
}

/**
 * Deadline = the earlier of the inherited one and start + the call's own timeout, or the route's. A timeout of 0 means
 * none. A call whose time is over is ended without an attempt. A call that does not say how much it matters matters as much
 * as the inbound one, and one without a request id has that of the inbound one.
 */
export function deadlineLayer(deps: DeadlineDeps): Layer {
  const { clock, inherited } = deps;
  return (next) => (call) => {
    const timeoutMs = call.timeoutMs > 0 ? call.timeoutMs : (call.route?.timeoutMs ?? 0);
    const ownMs = timeoutMs > 0 ? call.startedAtMs + timeoutMs : Number.POSITIVE_INFINITY;
    const inbound = inherited();
    const deadlineMs = inbound !== undefined && inbound.deadlineMs < ownMs ? inbound.deadlineMs : ownMs;
    call.deadlineMs = deadlineMs;
    // Read together, since asking for the inbound call is what costs.
    if (inbound !== undefined) inherit(call, inbound);
    if (deadlineMs > call.startedAtMs) return next(call);
    const message = 'the deadline of the inbound call had passed before this one began';
    return refuse(call, clock.now(), { code: 'deadline_exceeded', message });
  };
}

function inherit(call: Call, { criticality, requestId = '' }: Pick<InboundContext, 'criticality' | 'requestId'>): void {
  if (call.criticality < 0) call.criticality = criticality;
  if (requestId !== '' && call.header(REQUEST_ID_HEADER) === undefined) {
    call.headers = call.headers.concat(REQUEST_ID_HEADER, requestId);
  }
}
