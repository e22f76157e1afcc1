// How many calls a second a Server of Linkerd takes: of all together, of each caller, of some callers. Asked last, when a call has been
// let in otherwise; what is refused for its rate has spent of the total, as with Linkerd. A reload begins anew.
// Source: Linkerd HTTPLocalRateLimitPolicy; linkerd2-proxy linkerd/proxy/server-policy/src/local_rate_limit.rs.
import type { Clock } from '../core/clock.ts';
import type { LinkerdRateLimitPolicy, LinkerdServerPolicy, SecurityPolicy } from '../model/security.ts';
import { clientTest, type PeerTest } from './clients.ts';
import { serverOn } from './linkerd.ts';
import type { AccessRequest, RateCheck } from './request.ts';

/** Callers that are remembered before those are dropped who have spent nothing: looked for once a second, as long as it takes to be one. */
const CALLERS_MAX = 1_024;

/** Even spacing with a burst of one second. Source: generic cell rate algorithm, as the crate `governor` has it. */
class Rate {
  readonly #gapMs: number;
  /** When all that was taken would have come, one after the other. */
  #untilMs = 0;

  constructor(perSecond: number) {
    this.#gapMs = 1_000 / perSecond;
  }

  take(nowMs: number): boolean {
    const untilMs = Math.max(this.#untilMs, nowMs);
    // The burst less this one, with room for what numbers cannot say exactly.
    if (untilMs - nowMs > 1_000 - this.#gapMs + 1e-6) return false;
    this.#untilMs = untilMs + this.#gapMs;
    return true;
  }

  isFull(nowMs: number): boolean {
    return this.#untilMs <= nowMs;
  }
}

class ServerRates {
  readonly policy: LinkerdRateLimitPolicy;
  readonly #total: Rate | null;
  readonly #overrides: readonly { readonly isMeant: PeerTest; readonly rate: Rate }[];
  readonly #perSecond: number;
  readonly #callers: Map<string, Rate> = new Map();
  #sweptAtMs = 0;

  constructor(policy: LinkerdRateLimitPolicy) {
    const { totalPerSecond = 0, identityPerSecond = 0, overrides } = policy;
    this.policy = policy;
    this.#total = totalPerSecond === 0 ? null : new Rate(totalPerSecond);
    this.#perSecond = identityPerSecond;
    // Those of one override share it. For a caller in several the last one counts.
    this.#overrides = overrides
      .filter(({ perSecond }) => perSecond > 0)
      .map(({ perSecond, clients }) => ({ isMeant: clientTest(clients), rate: new Rate(perSecond) }))
      .reverse();
  }

  /** Which rate is spent; '' when none is. */
  spent({ peer }: AccessRequest, nowMs: number): string {
    if (this.#total?.take(nowMs) === false) return 'total';
    const own = peer === null ? undefined : this.#overrides.find(({ isMeant }) => isMeant(peer));
    if (own !== undefined) return own.rate.take(nowMs) ? '' : 'overrides';
    if (this.#perSecond === 0) return '';
    // Who has no identity is one with all who have none.
    return this.#rateOf(peer === null ? '' : peer.spiffeId || (peer.dns[0] ?? ''), nowMs).take(nowMs) ? '' : 'identity';
  }

  #rateOf(caller: string, nowMs: number): Rate {
    let rate = this.#callers.get(caller);
    if (rate !== undefined) return rate;
    if (this.#callers.size >= CALLERS_MAX && nowMs - this.#sweptAtMs >= 1_000) this.#sweep(nowMs);
    rate = new Rate(this.#perSecond);
    this.#callers.set(caller, rate);
    return rate;
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [name, one] of this.#callers) if (one.isFull(nowMs)) this.#callers.delete(name);
  }
}

/** `policies`: those about this process. null: nothing is limited. */
export function linkerdRates(policies: readonly SecurityPolicy[], clock: Clock): RateCheck | null {
  const limits = policies.filter((policy) => policy.kind === 'linkerd-rate-limit');
  if (limits.length === 0) return null;
  const servers = policies.filter((policy) => policy.kind === 'linkerd-server');
  const rates = new Map<LinkerdServerPolicy, ServerRates>();
  for (const server of servers) {
    // Linkerd takes the oldest of several.
    const [limit] = limits
      .filter(({ server: name, namespace }) => name === server.name && namespace === server.namespace)
      .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1));
    if (limit !== undefined) rates.set(server, new ServerRates(limit));
  }
  return (request) => {
    const server = serverOn(servers, request.localPort);
    const own = server === null ? undefined : rates.get(server);
    if (own === undefined) return null;
    const condition = own.spent(request, clock.now());
    return condition === '' ? null : { policy: own.policy, condition };
  };
}
