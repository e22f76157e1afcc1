// Which endpoint an attempt goes to. In this order: for a retry one that the call has not tried, in another zone if there is one;
// the pool that the call falls on; other subsets; and when nobody is sound anywhere, everybody. Endpoints without room for one
// more attempt are passed over.
import type { Call, Endpoint } from '../core/call.ts';
import type { Random } from '../core/clock.ts';
import { Candidates, type Pool, type PoolRules } from './candidates.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet, Labels } from './endpoint-set.ts';
import { isSameZone } from './locality.ts';
import type { OutlierDetector } from './outlier-detector.ts';
import type { Picker, Room } from './picker.ts';

export interface ChooserDeps {
  readonly set: EndpointSet;
  readonly labels: Labels | null;
  readonly spillTo: readonly Labels[];
  readonly picker: Picker;
  readonly outlier: OutlierDetector | null;
  readonly isRepeatable: (call: Call) => boolean;
  readonly rules: PoolRules;
  readonly random: Random;
  readonly room: Room | null;
  readonly retriesStay: boolean;
  readonly neverPanics: boolean;
}

type Tried = readonly Endpoint[];

export class Chooser {
  /** The destination's own endpoints; up to date after `choose`. */
  readonly own: Candidates;
  readonly #spills: readonly Candidates[];
  readonly #deps: ChooserDeps;
  readonly #picker: Picker;
  readonly #room: Room | null;
  readonly #panics: boolean;
  readonly #leavesZone: boolean;
  /** Neither a key nor the room of an endpoint matters: the picker alone decides. */
  readonly #isPlain: boolean;

  constructor(deps: ChooserDeps) {
    const { set, labels, spillTo, outlier, rules } = deps;
    this.#deps = deps;
    this.#picker = deps.picker;
    this.#room = deps.room;
    this.own = new Candidates(set, labels, outlier, rules);
    this.#spills = spillTo.map((other) => new Candidates(set, other, outlier, rules));
    this.#panics = (rules.policy.panicPercent ?? 0) > 0 || !(deps.neverPanics || outlier?.neverPanics === true);
    this.#leavesZone = rules.policy.locality?.retriesLeave === true;
    this.#isPlain = deps.picker.keyed === undefined && deps.room === null;
  }

  /** null: nobody is there, or nobody has room. */
  choose(attempt: Call): LiveEndpoint | null {
    const { own } = this;
    const nowMs = attempt.startedAtMs;
    own.refresh(nowMs);
    const tried = attempt.parent === null ? null : attempt.parent.tried;
    if (tried !== null && !this.#deps.retriesStay) {
      const endpoint = this.#untried(attempt, tried, nowMs);
      if (endpoint !== null) return endpoint;
    }
    const pool = own.only ?? this.#poolOf(own, attempt);
    let candidates = pool.in;
    // A retry is no probe: it has failed once already.
    if (pool.withProbes !== candidates && tried === null) {
      candidates = this.#deps.isRepeatable(attempt) ? pool.withProbes : pool.withAnyProbes;
    }
    if (candidates.length === 0) return this.#elsewhere(attempt, nowMs);
    if (this.#isPlain) return this.#picker.pick(candidates, attempt, nowMs);
    return this.#take(pool.layout, candidates, attempt, nowMs) ?? this.#nearby(own, pool, attempt, nowMs);
  }

  #poolOf(candidates: Candidates, attempt: Call): Pool {
    const { keyed } = this.#picker;
    return candidates.only ?? candidates.drawn(keyed === undefined ? this.#deps.random() : keyed.draw(attempt));
  }

  #take(layout: readonly LiveEndpoint[], candidates: readonly LiveEndpoint[], attempt: Call, nowMs: number): LiveEndpoint | null {
    const { keyed } = this.#picker;
    const room = this.#room;
    if (keyed !== undefined) return keyed.choose(layout, candidates, attempt, null, room);
    const endpoint = this.#picker.pick(candidates, attempt, nowMs);
    if (room === null || endpoint === null || room(endpoint)) return endpoint;
    const left = candidates.filter(room);
    return left.length === 0 ? null : this.#picker.pick(left, attempt, nowMs);
  }

  /** Of those that the call has not tried. */
  #takeNew(pool: Pool, candidates: readonly LiveEndpoint[], attempt: Call, tried: Tried, nowMs: number): LiveEndpoint | null {
    const { keyed } = this.#picker;
    if (keyed !== undefined) return keyed.choose(pool.all, candidates, attempt, tried, this.#room);
    const left = candidates.filter((endpoint) => !tried.includes(endpoint));
    return left.length === 0 ? null : this.#take(left, left, attempt, nowMs);
  }

  #untried(attempt: Call, tried: Tried, nowMs: number): LiveEndpoint | null {
    for (const candidates of [this.own, ...this.#spills]) {
      candidates.refresh(nowMs);
      const pool = this.#poolOf(candidates, attempt);
      const endpoint =
        (this.#leavesZone ? this.#inOtherZone(candidates, attempt, tried, nowMs) : null) ??
        this.#takeNew(pool, pool.in, attempt, tried, nowMs) ??
        this.#takeNew(candidates, candidates.in, attempt, tried, nowMs);
      if (endpoint !== null) return endpoint;
    }
    return null;
  }

  /** Untried, and in a zone where the call has not been. */
  #inOtherZone(candidates: Candidates, attempt: Call, tried: Tried, nowMs: number): LiveEndpoint | null {
    for (const pool of candidates.pools) {
      const away = pool.in.filter((one) => !tried.some((other) => isSameZone(one.locality, other.locality)));
      const endpoint = this.#takeNew(pool, away, attempt, tried, nowMs);
      if (endpoint !== null) return endpoint;
    }
    return null;
  }

  /** The pool is full: the others of the destination, the preferred one first. */
  #nearby(candidates: Candidates, full: Pool, attempt: Call, nowMs: number): LiveEndpoint | null {
    for (const pool of candidates.pools) {
      const endpoint = pool === full ? null : this.#take(pool.layout, pool.in, attempt, nowMs);
      if (endpoint !== null) return endpoint;
    }
    return null;
  }

  #elsewhere(attempt: Call, nowMs: number): LiveEndpoint | null {
    for (const spill of this.#spills) {
      spill.refresh(nowMs);
      const pool = this.#poolOf(spill, attempt);
      const endpoint = this.#take(pool.layout, pool.in, attempt, nowMs);
      if (endpoint !== null) return endpoint;
    }
    if (!this.#panics) return null;
    // Panic comes after the other subsets: sick endpoints are worse than healthy ones of another version.
    for (const pool of [this.own, ...this.#spills]) {
      const endpoint = this.#take(pool.all, pool.all, attempt, nowMs);
      if (endpoint !== null) return endpoint;
    }
    return null;
  }
}
