// The port of a balancing rule: one endpoint of those that may be taken. Each balancer has a picker of its own, which may
// keep what it needs from one pick to the next.
import type { Call } from '../core/call.ts';
import type { LiveEndpoint } from './endpoint.ts';

export interface Picker {
  /** One of the candidates; null only when there is none. The array is not to be kept or changed. */
  pick(candidates: readonly LiveEndpoint[], call: Call, nowMs: number): LiveEndpoint | null;
}
