// In turn, by weights that may change from pick to pick: smooth weighted round robin, as in nginx. Starts at a random point of
// its cycle, for clients that start together would otherwise walk in step, and a small weight would get nothing at first.
import type { Random } from '../core/clock.ts';
import type { LiveEndpoint } from './endpoint.ts';

/** The share of an endpoint; only the proportion matters. Above 0. */
export type WeightAt = (endpoint: LiveEndpoint, nowMs: number) => number;

/** Longest random lead-in, picks: covers a cycle of weights down to one percent. */
const LEAD_MAX = 128;

export class WeightedTurn {
  readonly #random: Random;
  readonly #weightAt: WeightAt;
  #candidates: readonly LiveEndpoint[] = [];
  /** Aligned with `#candidates`: who is owed how much. */
  #credit: Float64Array = new Float64Array(0);
  /** Credit of endpoints that are not candidates right now: a retry leaves some out, and the next call has them back. */
  readonly #saved: WeakMap<LiveEndpoint, number> = new WeakMap();
  #started = false;

  constructor(weightAt: WeightAt, random: Random) {
    this.#weightAt = weightAt;
    this.#random = random;
  }

  /** The array must not be empty. */
  next(candidates: readonly LiveEndpoint[], nowMs: number): LiveEndpoint {
    if (candidates !== this.#candidates) this.#adopt(candidates, nowMs);
    return this.#next(nowMs);
  }

  #next(nowMs: number): LiveEndpoint {
    const candidates = this.#candidates;
    const credit = this.#credit;
    let total = 0;
    let best = 0;
    let bestCredit = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < candidates.length; i++) {
      const weight = this.#weightAt(candidates[i] as LiveEndpoint, nowMs);
      const own = (credit[i] as number) + weight;
      credit[i] = own;
      total += weight;
      if (own > bestCredit) {
        best = i;
        bestCredit = own;
      }
    }
    credit[best] = bestCredit - total;
    return candidates[best] as LiveEndpoint;
  }

  #adopt(candidates: readonly LiveEndpoint[], nowMs: number): void {
    for (let i = 0; i < this.#candidates.length; i++) {
      this.#saved.set(this.#candidates[i] as LiveEndpoint, this.#credit[i] as number);
    }
    this.#candidates = candidates;
    this.#credit = Float64Array.from(candidates, (endpoint) => this.#saved.get(endpoint) ?? 0);
    if (this.#started) return;
    this.#started = true;
    for (let lead = Math.floor(this.#random() * this.#cycle(nowMs)); lead > 0; lead--) this.#next(nowMs);
  }

  /** About the picks until every endpoint had its turn. */
  #cycle(nowMs: number): number {
    let total = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const endpoint of this.#candidates) {
      const weight = this.#weightAt(endpoint, nowMs);
      total += weight;
      if (weight > 0 && weight < least) least = weight;
    }
    return total === 0 ? 1 : Math.min(LEAD_MAX, Math.ceil(total / least));
  }
}
