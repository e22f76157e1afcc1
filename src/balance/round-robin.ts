// In turn, by weight. A newcomer's weight may grow over a window.
import type { Random } from '../core/clock.ts';
import type { SlowStartPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { Picker } from './picker.ts';
import { slowStartFactor } from './slow-start.ts';
import { type WeightAt, WeightedTurn } from './weighted-turn.ts';

export function roundRobin(slowStart: SlowStartPolicy | null, random: Random): Picker {
  const turn = new WeightedTurn(slowStart === null ? weightOf : growingWeight(slowStart), random);
  return { pick: (candidates, _call, nowMs) => (candidates.length === 0 ? null : turn.next(candidates, nowMs)) };
}

function weightOf(endpoint: LiveEndpoint): number {
  return endpoint.weight;
}

function growingWeight(slowStart: SlowStartPolicy): WeightAt {
  return (endpoint, nowMs) => endpoint.weight * slowStartFactor(slowStart, nowMs - endpoint.upSinceMs);
}
