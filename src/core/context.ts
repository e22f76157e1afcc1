// What an inbound call hands on to the outbound calls made while it is served: its deadline. One AsyncLocalStorage for
// the process; written once per inbound call, only read on the outbound path.
import { AsyncLocalStorage } from 'node:async_hooks';

export interface InboundContext {
  /** Absolute, monotonic ms; Infinity when the caller stated none. */
  readonly deadlineMs: number;
}

export const inboundContext: AsyncLocalStorage<InboundContext> = new AsyncLocalStorage();

/** The deadline that calls made here must not outlive, monotonic ms. */
export function inheritedDeadlineMs(): number {
  return inboundContext.getStore()?.deadlineMs ?? Number.POSITIVE_INFINITY;
}
