// Fewest attempts in flight, by weight. Source: Envoy LEAST_REQUEST, which compares two at random; a few are all compared here.
import type { Random } from '../core/clock.ts';
import type { LiveEndpoint } from './endpoint.ts';
import { leastCost } from './least-cost.ts';
import type { Picker } from './picker.ts';

export function leastRequest(fullScanMax: number, random: Random): Picker {
  return { pick: (candidates, _call, nowMs) => leastCost(candidates, costOf, nowMs, fullScanMax, random) };
}

function costOf(endpoint: LiveEndpoint): number {
  return (endpoint.inFlight + 1) / endpoint.weight;
}
