// Turns the time allowed into one absolute number on the call. It owns no timer: the leaf ends an attempt when the number
// is reached, and waits between attempts look at it. Must stand below the router, which knows the route's timeout.
import type { Clock } from '../core/clock.ts';
import type { Layer } from '../core/service.ts';
import { refuse } from '../core/refuse.ts';

export interface DeadlineDeps {
  readonly clock: Clock;
  /** The deadline of the inbound call that this one is made for, monotonic ms; Infinity when there is none. */
  readonly inheritedDeadlineMs: () => number;
}

/**
 * Deadline = the earlier of the inherited one and start + the call's own timeout, or the route's. A timeout of 0 means
 * none. A call whose time is over is ended without an attempt.
 */
export function deadlineLayer(deps: DeadlineDeps): Layer {
  const { clock, inheritedDeadlineMs } = deps;
  return (next) => (call) => {
    const timeoutMs = call.timeoutMs > 0 ? call.timeoutMs : (call.route?.timeoutMs ?? 0);
    const ownMs = timeoutMs > 0 ? call.startedAtMs + timeoutMs : Number.POSITIVE_INFINITY;
    const inheritedMs = inheritedDeadlineMs();
    const deadlineMs = inheritedMs < ownMs ? inheritedMs : ownMs;
    call.deadlineMs = deadlineMs;
    if (deadlineMs > call.startedAtMs) return next(call);
    const message = 'the deadline of the inbound call had passed before this one began';
    return refuse(call, clock.now(), { code: 'deadline_exceeded', message });
  };
}
