// Sends the calls of one key to one endpoint, by a ring or by Maglev's table. Tables are made when a set of endpoints is seen
// first, and the last few are kept. An endpoint that is out for a while keeps its place, and its keys go on to the next: a new
// table would cost milliseconds, and move keys that have nothing to do with it. Envoy makes a new one.
import type { Call, Endpoint } from '../core/call.ts';
import type { Random } from '../core/clock.ts';
import type { HashPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';
import { HashKeys } from './hash-key.ts';
import type { KeyTable } from './key-table.ts';
import { MaglevTable } from './maglev.ts';
import type { KeyedRule, Picker, Room } from './picker.ts';
import { RingTable } from './ring-hash.ts';
import type { Hash64 } from './xxhash64.ts';

const TABLES_MAX = 4;

export interface HashPickerDeps {
  readonly random: Random;
  /** A number of this process, the same in all its balancers: the key of calls that nobody else made. */
  readonly seed: number;
}

/** A ring when the policy says so, else Maglev. */
export function hashPicker(kind: 'ringHash' | 'maglev', policy: HashPolicy, deps: HashPickerDeps): Picker {
  const { ringSizeMin, ringSizeMax, maglevTableSize } = policy;
  const keys = new HashKeys(policy.keys, `process ${deps.seed}`, deps.random);
  return new HashPicker(keys, (endpoints) =>
    kind === 'ringHash' ? new RingTable(endpoints, ringSizeMin, ringSizeMax) : new MaglevTable(endpoints, maglevTableSize),
  );
}

interface KnownTable {
  layout: readonly LiveEndpoint[];
  readonly weights: readonly number[];
  readonly table: KeyTable;
}

class HashPicker implements Picker, KeyedRule {
  readonly keyed: KeyedRule = this;
  readonly #keys: HashKeys;
  readonly #make: (endpoints: readonly LiveEndpoint[]) => KeyTable;
  readonly #hash: Hash64 = { hi: 0, lo: 0 };
  /** Used last comes first. */
  #known: KnownTable[] = [];

  constructor(keys: HashKeys, make: (endpoints: readonly LiveEndpoint[]) => KeyTable) {
    this.#keys = keys;
    this.#make = make;
  }

  pick(candidates: readonly LiveEndpoint[], call: Call): LiveEndpoint | null {
    return this.choose(candidates, candidates, call, null, null);
  }

  choose(
    layout: readonly LiveEndpoint[],
    candidates: readonly LiveEndpoint[],
    call: Call,
    tried: readonly Endpoint[] | null,
    room: Room | null,
  ): LiveEndpoint | null {
    if (candidates.length === 0) return null;
    this.#keys.read(call, this.#hash);
    const table = this.#tableOf(layout);
    for (let step = 0; step < table.steps; step++) {
      const endpoint = table.at(this.#hash, step);
      if ((candidates === layout || candidates.includes(endpoint)) && suits(endpoint, tried, room)) return endpoint;
      // So far on the way, it is worth asking whether there is anybody at all.
      if (step === candidates.length && firstOf(candidates, tried, room) === null) return null;
    }
    // A table smaller than the set has no place for some.
    return firstOf(candidates, tried, room);
  }

  draw(call: Call): number {
    this.#keys.read(call, this.#hash);
    // In hundredths, as Envoy chooses a priority: 2³² is 96 of 100.
    return (((this.#hash.hi % 100) * 96 + this.#hash.lo) % 100) / 100;
  }

  setCookie(call: Call): string | null {
    return this.#keys.setCookie(call);
  }

  #tableOf(layout: readonly LiveEndpoint[]): KeyTable {
    const [last] = this.#known;
    if (last !== undefined && last.layout === layout) return last.table;
    const known = this.#known.find((one) => isSame(one, layout));
    const one = known ?? { layout, weights: layout.map(({ weight }) => weight), table: this.#make(layout) };
    one.layout = layout;
    this.#known = [one, ...this.#known.filter((other) => other !== one)].slice(0, TABLES_MAX);
    return one.table;
  }
}

function suits(endpoint: LiveEndpoint, tried: readonly Endpoint[] | null, room: Room | null): boolean {
  return (tried === null || !tried.includes(endpoint)) && (room === null || room(endpoint));
}

function firstOf(candidates: readonly LiveEndpoint[], tried: readonly Endpoint[] | null, room: Room | null): LiveEndpoint | null {
  return candidates.find((endpoint) => suits(endpoint, tried, room)) ?? null;
}

function isSame({ layout, weights }: KnownTable, other: readonly LiveEndpoint[]): boolean {
  if (layout.length !== other.length) return false;
  return other.every((endpoint, index) => endpoint === layout[index] && endpoint.weight === weights[index]);
}
