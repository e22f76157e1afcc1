// The port of a balancing rule: one endpoint of those that may be taken. Each balancer has a picker of its own, which may
// keep what it needs from one pick to the next.
import type { Call, Endpoint } from '../core/call.ts';
import type { LiveEndpoint } from './endpoint.ts';

/** Whether an endpoint has room for one more attempt. */
export type Room = (endpoint: LiveEndpoint) => boolean;

export interface Picker {
  /** One of the candidates; null only when there is none. The array is never changed by anybody. */
  pick(candidates: readonly LiveEndpoint[], call: Call, nowMs: number): LiveEndpoint | null;
  /** Absent for rules that know no key. */
  readonly keyed?: KeyedRule;
}

/** What a rule does besides that sends the calls of one key to one endpoint. */
export interface KeyedRule {
  /** In [0, 1), the same for the same key: in which of several pools it belongs. */
  draw(call: Call): number;
  /**
   * The first candidate on the way of the key that was not tried and has room; null when there is none. `layout` holds all
   * candidates, and those that are out for a while: their keys go on to the next, and all other keys stay where they are.
   */
  choose(
    layout: readonly LiveEndpoint[],
    candidates: readonly LiveEndpoint[],
    call: Call,
    tried: readonly Endpoint[] | null,
    room: Room | null,
  ): LiveEndpoint | null;
  /** `set-cookie` for the answer of a call whose key was made by its pick; null when it has brought one. */
  setCookie(call: Call): string | null;
}
