// Fewest attempts in flight. Source: Envoy LEAST_REQUEST. A few endpoints are all compared here, and `choices` of many; unequal
// weights, and newcomers whose weight grows, make it a turn by weight ÷ (attempts in flight + 1), as in Envoy: to compare
// would give a light endpoint nothing at all while the heavy one is idle.
import type { Random } from '../core/clock.ts';
import type { BalancerPolicy } from '../model/destination.ts';
import type { LiveEndpoint } from './endpoint.ts';
import { leastCost } from './least-cost.ts';
import type { Picker } from './picker.ts';
import { slowStartFactor, warmAt } from './slow-start.ts';
import { WeightedTurn } from './weighted-turn.ts';

export function leastRequest(policy: BalancerPolicy, random: Random): Picker {
  return new LeastRequest(policy, random);
}

class LeastRequest implements Picker {
  readonly #policy: BalancerPolicy;
  readonly #random: Random;
  readonly #turn: WeightedTurn;
  #candidates: readonly LiveEndpoint[] = [];
  #isEven = true;
  /** Until when the weights of the candidates differ because one is new. */
  #warmAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(policy: BalancerPolicy, random: Random) {
    const { slowStart } = policy;
    this.#policy = policy;
    this.#random = random;
    this.#turn = new WeightedTurn((endpoint, nowMs) => {
      const factor = slowStart === null ? 1 : slowStartFactor(slowStart, nowMs - endpoint.upSinceMs);
      return (endpoint.weight * factor) / (endpoint.inFlight + 1);
    }, random);
  }

  pick(candidates: readonly LiveEndpoint[], _call: unknown, nowMs: number): LiveEndpoint | null {
    if (candidates !== this.#candidates) {
      this.#candidates = candidates;
      this.#isEven = candidates.every(({ weight }) => weight === candidates[0]?.weight);
      this.#warmAtMs = warmAt(this.#policy.slowStart, candidates);
    }
    if (candidates.length > 1 && (!this.#isEven || nowMs < this.#warmAtMs)) return this.#turn.next(candidates, nowMs);
    return leastCost(candidates, inFlightOf, nowMs, this.#policy.fullScanMax, this.#policy.choices, this.#random);
  }
}

function inFlightOf(endpoint: LiveEndpoint): number {
  return endpoint.inFlight;
}
