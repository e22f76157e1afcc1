// What an inbound call hands on to the outbound calls made while it is served: its deadline, how much it matters, who
// asked, its name. One AsyncLocalStorage for the process; written once per inbound call, only read on the outbound path.
import { AsyncLocalStorage } from 'node:async_hooks';

export interface InboundContext {
  /** Absolute, monotonic ms; Infinity when the caller stated none. */
  readonly deadlineMs: number;
  /** Index into CRITICALITIES, -1 when the caller did not say. */
  readonly criticality: number;
  /** Address of the caller, '' when unknown. */
  readonly source: string;
  /** Name of the request on its whole way, for the logs of all processes. @default '', none: nothing is handed on */
  readonly requestId?: string;
}

export const inboundContext: AsyncLocalStorage<InboundContext> = new AsyncLocalStorage();

/** What calls made here inherit; undefined when no inbound call is being served. */
export function inherited(): InboundContext | undefined {
  return inboundContext.getStore();
}
