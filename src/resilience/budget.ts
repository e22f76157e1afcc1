// One bucket per process and service that pays for retries and hedges. Successes fill it, so under total failure the
// load added soon falls to a trickle: a bucket filled by calls or by time alone keeps a dead service dead.
// Pure: time is handed in. Source: Brooker's adaptive bucket; gRFC A6 throttling fails earlier (below half full).
import type { BudgetPolicy } from '../model/destination.ts';

export class Budget {
  #policy: BudgetPolicy;
  #tokens: number;
  #filledAtMs: number;
  #denied = 0;

  constructor(policy: BudgetPolicy, nowMs: number) {
    this.#policy = policy;
    this.#tokens = policy.tokensMax;
    this.#filledAtMs = nowMs;
  }

  /** Withdrawals refused so far. */
  get denied(): number {
    return this.#denied;
  }

  balance(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens;
  }

  /** A call succeeded. Takes no time: what trickles in is added when somebody looks, and the order of the two does not matter. */
  success(): void {
    const { tokensMax, tokensPerSuccess } = this.#policy;
    if (this.#tokens < tokensMax) this.#tokens = Math.min(tokensMax, this.#tokens + tokensPerSuccess);
  }

  /** Takes one token, if there is a whole one. */
  tryWithdraw(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) {
      this.#denied++;
      return false;
    }
    this.#tokens -= 1;
    return true;
  }

  /** A new policy: the balance stays, within the new capacity. */
  update(policy: BudgetPolicy, nowMs: number): void {
    this.#fill(nowMs);
    this.#policy = policy;
    this.#tokens = Math.min(this.#tokens, policy.tokensMax);
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs <= 0) return;
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#policy.tokensMax, this.#tokens + (elapsedMs / 1_000) * this.#policy.tokensPerSecond);
  }
}
