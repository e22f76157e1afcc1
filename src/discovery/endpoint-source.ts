// The port of discovery: who is there, now and whenever it changes. Must not know balancing, health or transport.
import type { EndpointConfig } from '../model/destination.ts';

export interface EndpointSource {
  /**
   * Starts once. `update` gets every endpoint, each time the set has changed, the first time within `start` if it is known
   * at once. `failed` gets a sentence for people, once for each run of failures; the last good set stays in force.
   */
  start(update: (endpoints: readonly EndpointConfig[]) => void, failed: (message: string) => void): void;
  /** A connect failed, so what is known may be old: looks again, at most every 5 s. */
  refresh(): void;
  /** Ends it for good; nothing is reported afterwards. */
  close(): void;
}

/** Shortest time between two looks that `refresh` asks for, ms. Source: gRPC's DNS resolver spaces them by 30 s; we recover within 6 s of a swap. */
export const REFRESH_MIN_MS = 5_000;
