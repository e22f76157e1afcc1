// Least expected latency: the moving average of an endpoint times its attempts in flight. The default: it finds slow and
// failing replicas by itself, and one client learns as much as twenty. The average itself lives on the endpoint.
import type { Random } from '../core/clock.ts';
import type { LiveEndpoint } from './endpoint.ts';
import { leastCost } from './least-cost.ts';
import type { Picker } from './picker.ts';

export function peakEwma(fullScanMax: number, random: Random): Picker {
  return { pick: (candidates, _call, nowMs) => leastCost(candidates, costOf, nowMs, fullScanMax, 2, random) };
}

function costOf(endpoint: LiveEndpoint, nowMs: number): number {
  return endpoint.cost(nowMs);
}
