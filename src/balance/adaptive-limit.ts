// How many attempts one endpoint may have in flight, learnt from its own overload answers alone: additive increase,
// multiplicative decrease. Latency is left to the balancer: two controllers on one signal fight. Pure: time is handed in.
// Source: Netflix concurrency-limits AIMDLimit; TCP's congestion avoidance for "one more per window".
import type { Call, Outcome } from '../core/call.ts';
import type { AdaptiveLimitPolicy } from '../model/destination.ts';

export class AdaptiveLimit {
  #policy: AdaptiveLimitPolicy;
  #limit: number;
  /** Successes since the last change, of those that came while the limit was used. */
  #successes = 0;
  /** Attempts that began before this time were sent under the old limit: their overload is known already. */
  #decreasedAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(policy: AdaptiveLimitPolicy) {
    this.#policy = policy;
    this.#limit = within(policy, policy.initial);
  }

  /** A reload: what was learnt stays, within the new bounds. */
  update(policy: AdaptiveLimitPolicy): void {
    if (policy === this.#policy) return;
    this.#policy = policy;
    this.#limit = within(policy, this.#limit);
  }

  /** Attempts that may be in flight at once; a whole number. */
  get limit(): number {
    return this.#limit;
  }

  hasRoom(inFlight: number): boolean {
    return inFlight < this.#limit;
  }

  /** An attempt ended. `inFlight` counts it still. */
  record(attempt: Call, outcome: Outcome, inFlight: number): void {
    if (isOverload(outcome)) this.#decrease(attempt.startedAtMs, outcome.endedAtMs);
    else if (outcome.kind === 'success' && inFlight * 2 >= this.#limit) this.#increase();
  }

  #increase(): void {
    if (++this.#successes < this.#limit) return;
    this.#successes = 0;
    this.#limit = within(this.#policy, this.#limit + 1);
  }

  #decrease(startedAtMs: number, nowMs: number): void {
    if (startedAtMs < this.#decreasedAtMs) return;
    this.#decreasedAtMs = nowMs;
    this.#successes = 0;
    this.#limit = within(this.#policy, Math.floor(this.#limit * this.#policy.decrease));
  }
}

/** The limit that `at`, the standing of an endpoint, keeps; made when there is none. Without a policy it is forgotten. */
export function adaptiveLimitOf(at: { limit: AdaptiveLimit | null }, policy: AdaptiveLimitPolicy | null): AdaptiveLimit | null {
  if (policy === null) at.limit = null;
  else if (at.limit === null) at.limit = new AdaptiveLimit(policy);
  else at.limit.update(policy);
  return at.limit;
}

/** 429, 503 and timeouts say "too much". Everything else says nothing about load, or says that there was room. */
function isOverload({ status, error, kind }: Outcome): boolean {
  if (error === null) return status === 429 || status === 503;
  return kind === 'failure' && (error.code === 'attempt_timeout' || error.code === 'deadline_exceeded');
}

function within({ min, max }: AdaptiveLimitPolicy, limit: number): number {
  return Math.max(1, min, Math.min(max, Math.floor(limit)));
}
