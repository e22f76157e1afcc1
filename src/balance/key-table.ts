// The port of a layout of keys: which endpoint has a key, and which comes next when that one will not do.
import type { LiveEndpoint } from './endpoint.ts';
import type { Hash64 } from './xxhash64.ts';

export interface KeyTable {
  /** Steps after which the way of a key has met every endpoint that the table holds. */
  readonly steps: number;
  /** The endpoint of the key; with `step` above 0, the one that many entries further on its way. */
  at(hash: Hash64, step: number): LiveEndpoint;
}

/** Weights that sum to 1. */
export function normalized(endpoints: readonly LiveEndpoint[]): number[] {
  let total = 0;
  for (const { weight } of endpoints) total += weight;
  return endpoints.map(({ weight }) => weight / total);
}
