// Maglev, entry for entry as Envoy fills its table: looked up in constant time, more even than a ring, a little less stable.
// Built once for a set of endpoints, then only read. Must not know calls or where the hash of a key comes from.
// Source: Envoy maglev_lb.cc; Eisenbud et al., "Maglev", NSDI 2016.
import type { LiveEndpoint } from './endpoint.ts';
import { type KeyTable, normalized } from './key-table.ts';
import { type Hash64, xxHash64 } from './xxhash64.ts';

const FREE = 0xffffffff;

export class MaglevTable implements KeyTable {
  readonly #endpoints: readonly LiveEndpoint[];
  readonly #owner: Uint32Array;

  /** `endpoints` must not be empty, `size` must be a prime. */
  constructor(endpoints: readonly LiveEndpoint[], size: number) {
    // Whose turn it is decides who gets an entry: the order must be the same in every process.
    this.#endpoints = [...endpoints].sort((a, b) => (a.address < b.address ? -1 : 1));
    this.#owner = filled(this.#endpoints, size);
  }

  get steps(): number {
    return this.#owner.length;
  }

  at(hash: Hash64, step: number): LiveEndpoint {
    const size = this.#owner.length;
    // Another step, another hash, far away: exclusive or with 2⁶⁴ - step.
    const entry = step === 0 ? modulo(hash.hi, hash.lo, size) : modulo(~hash.hi >>> 0, (hash.lo ^ -step) >>> 0, size);
    return this.#endpoints[this.#owner[entry] as number] as LiveEndpoint;
  }
}

/** Round by round, each endpoint takes the next free entry of a permutation of its own; lighter ones miss rounds. */
function filled(endpoints: readonly LiveEndpoint[], size: number): Uint32Array {
  const weights = normalized(endpoints);
  const most = Math.max(...weights);
  const { next, skip } = permutations(endpoints, size);
  const target = new Float64Array(endpoints.length);
  const owner = new Uint32Array(size).fill(FREE);
  let taken = 0;
  for (let round = 1; taken < size; round++) {
    for (let i = 0; i < endpoints.length && taken < size; i++) {
      if (round * (weights[i] as number) < (target[i] as number)) continue;
      target[i] = (target[i] as number) + most;
      const step = skip[i] as number;
      let entry = next[i] as number;
      while (owner[entry] !== FREE) entry = entry + step < size ? entry + step : entry + step - size;
      owner[entry] = i;
      next[i] = entry + step < size ? entry + step : entry + step - size;
      taken++;
    }
  }
  return owner;
}

/** Where each begins, and how far it goes from entry to entry. */
function permutations(endpoints: readonly LiveEndpoint[], size: number): { next: Uint32Array; skip: Uint32Array } {
  const hash: Hash64 = { hi: 0, lo: 0 };
  const next = Uint32Array.from(endpoints, ({ address }) => {
    xxHash64(address, hash);
    return modulo(hash.hi, hash.lo, size);
  });
  const skip = Uint32Array.from(endpoints, ({ address }) => {
    xxHash64(address, hash, 0, 1);
    return modulo(hash.hi, hash.lo, size - 1) + 1;
  });
  return { next, skip };
}

/** The remainder of 64 bits. Exact for `by` below 5000011: a product of two remainders stays below 2⁵³. */
function modulo(hi: number, lo: number, by: number): number {
  return remainder(remainder(hi, by) * remainder(4_294_967_296, by) + lo, by);
}

/** `%` of numbers beyond 2³¹ takes longer than all the rest of a look-up. */
function remainder(value: number, by: number): number {
  const rest = value - Math.floor(value / by) * by;
  // A quotient that was rounded up to the next whole number.
  return rest < 0 ? rest + by : rest;
}
