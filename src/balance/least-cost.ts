// The cheapest of a few endpoints, or the cheaper of two random ones of many. Shared by the rules that know a cost.
import type { Random } from '../core/clock.ts';
import type { LiveEndpoint } from './endpoint.ts';

/** What one more call costs at an endpoint; only the order matters. */
export type Cost = (endpoint: LiveEndpoint, nowMs: number) => number;

/**
 * Up to `fullScanMax` candidates are all compared, ties drawn at random; of more, `choices` random ones: two are distinct, of
 * more than two some may be the same. A scan has no blind spot: with two of three bad, a random pair is bad one time in three.
 */
export function leastCost(
  candidates: readonly LiveEndpoint[],
  cost: Cost,
  nowMs: number,
  fullScanMax: number,
  choices: number,
  random: Random,
): LiveEndpoint | null {
  const count = candidates.length;
  if (count <= 1) return candidates[0] ?? null;
  if (count <= fullScanMax) return cheapest(candidates, cost, nowMs, random);
  return choices === 2 ? cheaperOfTwo(candidates, cost, nowMs, random) : cheapestOf(candidates, cost, nowMs, choices, random);
}

function cheapest(candidates: readonly LiveEndpoint[], cost: Cost, nowMs: number, random: Random): LiveEndpoint {
  let best = candidates[0] as LiveEndpoint;
  let bestCost = cost(best, nowMs);
  let ties = 1;
  for (let i = 1; i < candidates.length; i++) {
    const candidate = candidates[i] as LiveEndpoint;
    const candidateCost = cost(candidate, nowMs);
    if (candidateCost > bestCost) continue;
    if (candidateCost < bestCost) {
      best = candidate;
      bestCost = candidateCost;
      ties = 1;
    } else if (random() * ++ties < 1) {
      best = candidate;
    }
  }
  return best;
}

function cheaperOfTwo(candidates: readonly LiveEndpoint[], cost: Cost, nowMs: number, random: Random): LiveEndpoint {
  const count = candidates.length;
  const first = Math.floor(random() * count);
  const other = Math.floor(random() * (count - 1));
  const second = other >= first ? other + 1 : other;
  const a = candidates[first] as LiveEndpoint;
  const b = candidates[second] as LiveEndpoint;
  return cost(b, nowMs) < cost(a, nowMs) ? b : a;
}

function cheapestOf(candidates: readonly LiveEndpoint[], cost: Cost, nowMs: number, choices: number, random: Random): LiveEndpoint {
  let best = candidates[Math.floor(random() * candidates.length)] as LiveEndpoint;
  for (let i = 1; i < choices; i++) {
    const candidate = candidates[Math.floor(random() * candidates.length)] as LiveEndpoint;
    if (cost(candidate, nowMs) < cost(best, nowMs)) best = candidate;
  }
  return best;
}
