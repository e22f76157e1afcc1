// What the edges need to know of a mesh: which hosts are its own, and the stack behind each. mesh/ fulfils it.
import type { Criticality } from '../model/traffic.ts';
import type { Call } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { criticalityIndex } from '../core/criticality.ts';
import type { Service } from '../core/service.ts';

/** One origin that the mesh knows. */
export interface Origin {
  readonly scheme: string;
  /** As the caller wrote it, port included. */
  readonly authority: string;
  readonly service: Service;
  /** Bytes of a request body kept for replay. */
  readonly bodyBytesMax: number;
}

/** Options of one call, given as `mesh` in fetch's init or in undici's options. */
export interface CallOptions {
  /** Total time, ms or Go duration. @default that of the route */
  readonly timeout?: number | string;
  /** The call may reach the application twice, whatever its method. @default by method and Idempotency-Key */
  readonly idempotent?: boolean;
  /** Who is dropped first when there is too much: the lowest. @default that of the route, else of the inbound call that is served, else critical */
  readonly criticality?: Criticality;
}

export interface Outbound {
  readonly clock: Clock;
  /** The stack for `scheme://host[:port]`, or null when no service names the host. */
  origin(origin: string): Origin | null;
  /** Whether unknown hosts are refused rather than passed on. */
  readonly refusesUnknown: boolean;
  /** Whether an origin passes even then. @default none does */
  readonly passes?: (origin: string) => boolean;
  readonly isClosed: boolean;
}

/** Applies the options of the edge to the call. */
export function applyOptions(call: Call, options: CallOptions, parseDuration: (text: string) => number): void {
  const { timeout, idempotent, criticality } = options;
  if (timeout !== undefined) call.timeoutMs = typeof timeout === 'number' ? timeout : parseDuration(timeout);
  if (idempotent === true) call.idempotent = true;
  if (criticality !== undefined) call.criticality = criticalityIndex(criticality);
}
