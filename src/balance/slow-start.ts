// A new endpoint earns its weight over a window: caches and compilers are cold at first. For rules that go by weight; peak EWMA
// starts newcomers at a latency above their peers' instead. Pure: time is handed in.
// Source: Envoy SlowStartConfig, `EdfLoadBalancerBase::applySlowStartFactor`.
import type { SlowStartPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';

/** Share of its weight that an endpoint of this age is given: from the least share, which is at most 1, to 1. */
export function slowStartFactor({ windowMs, minPercent, aggression }: SlowStartPolicy, ageMs: number): number {
  if (ageMs >= windowMs) return 1;
  const share = Math.max(1, ageMs) / windowMs;
  return Math.min(1, Math.max(aggression === 1 ? share : share ** (1 / aggression), minPercent / 100));
}

/** When the last of the endpoints has its whole weight, monotonic ms. */
export function warmAt(policy: SlowStartPolicy | null, endpoints: readonly LiveEndpoint[]): number {
  let atMs = Number.NEGATIVE_INFINITY;
  if (policy !== null) for (const { upSinceMs } of endpoints) atMs = Math.max(atMs, upSinceMs + policy.windowMs);
  return atMs;
}
