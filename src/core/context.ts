// What an inbound call hands on to the outbound calls made while it is served: its deadline, how much it matters, who
// asked, its name. One AsyncLocalStorage for the process; written once per inbound call, only read on the outbound path.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

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

/** Runs a function in a context that was captured. */
export type Within = <Args extends unknown[], Result>(run: (...args: Args) => Result, ...args: Args) => Result;

/** The context of here, with all that others keep in it, for events that come from elsewhere. */
export function capturedContext(): Within {
  // AsyncLocalStorage.snapshot does the same and costs 18 µs.
  const scope = new AsyncResource('inmesh.call', { requireManualDestroy: true });
  return (run, ...args) => scope.runInAsyncScope(run, undefined, ...args);
}

/** What calls made here inherit; undefined when no inbound call is being served. */
export function inherited(): InboundContext | undefined {
  return inboundContext.getStore();
}
