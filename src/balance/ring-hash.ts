// Ring hash, entry for entry as Envoy lays it out, so that processes of both kinds send a key to the same endpoint. Built once
// for a set of endpoints, then only read. Must not know calls or where the hash of a key comes from.
// Source: Envoy ring_hash_lb.cc, after ketama; gRFC A42.
import type { LiveEndpoint } from './endpoint.ts';
import { type KeyTable, normalized } from './key-table.ts';
import { type Hash64, xxHash64 } from './xxhash64.ts';

export class RingTable implements KeyTable {
  readonly #endpoints: readonly LiveEndpoint[];
  /** Entries in the order of their hashes: both halves, and whose it is. */
  readonly #hi: Uint32Array;
  readonly #lo: Uint32Array;
  readonly #owner: Uint32Array;

  /** `endpoints` must not be empty. */
  constructor(endpoints: readonly LiveEndpoint[], sizeMin: number, sizeMax: number) {
    const entries = entriesOf(endpoints, sizeMin, sizeMax);
    const { hi, lo, owner } = entries;
    const order = Uint32Array.from(hi, (_, index) => index).sort(
      (a, b) => (hi[a] as number) - (hi[b] as number) || (lo[a] as number) - (lo[b] as number),
    );
    this.#endpoints = endpoints;
    this.#hi = order.map((index) => hi[index] as number);
    this.#lo = order.map((index) => lo[index] as number);
    this.#owner = order.map((index) => owner[index] as number);
  }

  get steps(): number {
    return this.#owner.length;
  }

  /** The first entry that is not before the hash, around the end. */
  at(hash: Hash64, step: number): LiveEndpoint {
    const count = this.#owner.length;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const hi = this.#hi[middle] as number;
      if (hi < hash.hi || (hi === hash.hi && (this.#lo[middle] as number) < hash.lo)) low = middle + 1;
      else high = middle;
    }
    return this.#endpoints[this.#owner[(low + step) % count] as number] as LiveEndpoint;
  }
}

interface Entries {
  readonly hi: number[];
  readonly lo: number[];
  readonly owner: number[];
}

/** The lightest endpoint gets a whole number of entries; the others follow a running sum, so that fractions even out. */
function entriesOf(endpoints: readonly LiveEndpoint[], sizeMin: number, sizeMax: number): Entries {
  const weights = normalized(endpoints);
  const least = Math.min(...weights);
  const scale = Math.min(Math.ceil(least * sizeMin) / least, sizeMax);
  const entries: Entries = { hi: [], lo: [], owner: [] };
  const hash: Hash64 = { hi: 0, lo: 0 };
  let current = 0;
  let target = 0;
  for (const [index, { address }] of endpoints.entries()) {
    target += scale * (weights[index] as number);
    for (let i = 0; current < target; i++, current++) {
      xxHash64(`${address}_${i}`, hash);
      entries.hi.push(hash.hi);
      entries.lo.push(hash.lo);
      entries.owner.push(index);
    }
  }
  return entries;
}
