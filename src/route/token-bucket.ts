// The tokens of a rate limit. They come in steps, all of a fill at once, as Envoy's timer adds them, and not little by
// little; but without a timer: what is due is added when somebody looks. Pure: time is handed in. Survives reloads.
// Source: Envoy local rate limit (`token_bucket`).
import type { RateLimitPolicy } from '../model/traffic.ts';

export class TokenBucket {
  #policy: RateLimitPolicy;
  #tokens: number;
  /** When the last fill was due. */
  #filledAtMs: number;

  constructor(policy: RateLimitPolicy, nowMs: number) {
    this.#policy = policy;
    this.#tokens = policy.tokensMax;
    this.#filledAtMs = nowMs;
  }

  get policy(): RateLimitPolicy {
    return this.#policy;
  }

  balance(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens;
  }

  /** Takes one token, if there is a whole one. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Until there is a token again, ms; 0 when there is one. */
  retryAfterMs(nowMs: number): number {
    this.#fill(nowMs);
    if (this.#tokens >= 1) return 0;
    const { tokensPerFill, fillMs } = this.#policy;
    return this.#filledAtMs + Math.ceil((1 - this.#tokens) / tokensPerFill) * fillMs - nowMs;
  }

  /** A new policy: the balance stays, within the new capacity. Another interval starts now: time gone by is no credit under it. */
  update(policy: RateLimitPolicy, nowMs: number): void {
    this.#fill(nowMs);
    if (policy.fillMs !== this.#policy.fillMs) this.#filledAtMs = nowMs;
    this.#policy = policy;
    this.#tokens = Math.min(this.#tokens, policy.tokensMax);
  }

  #fill(nowMs: number): void {
    const { tokensMax, tokensPerFill, fillMs } = this.#policy;
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs < fillMs) return;
    const fills = Math.floor(elapsedMs / fillMs);
    this.#filledAtMs += fills * fillMs;
    this.#tokens = Math.min(tokensMax, this.#tokens + fills * tokensPerFill);
  }
}
