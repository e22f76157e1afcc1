// One bucket per process and service that pays for retries and hedges. Successes fill it, so under total failure the
// load added soon falls to a trickle: a bucket filled by calls or by time alone keeps a dead service dead.
// Pure: time is handed in. Source: Brooker's adaptive bucket; gRFC A6 throttling fails earlier (below half full).
import type { BudgetPolicy } from '../model/destination.ts';
import type { RetryBudgetPolicy } from '../model/retry-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

export class Budget implements RetryBudget {
  readonly coversUnprocessed = false;
  readonly onCall = null;
  readonly onFailure = null;
  readonly onRetryEnded = null;
  #policy: BudgetPolicy;
  #tokens: number;
  #filledAtMs: number;
  #denied: number;

  constructor(policy: BudgetPolicy, nowMs: number, denied = 0) {
    this.#policy = policy;
    this.#tokens = policy.tokensMax;
    this.#filledAtMs = nowMs;
    this.#denied = denied;
  }

  get denied(): number {
    return this.#denied;
  }

  balance(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens;
  }

  /** Takes no time: what trickles in is added when somebody looks, and the order of the two does not matter. */
  success(): void {
    const { tokensMax, tokensPerSuccess } = this.#policy;
    this.#tokens = Math.min(tokensMax, this.#tokens + tokensPerSuccess);
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

  /** The balance stays, within the new capacity. */
  update(policy: RetryBudgetPolicy, nowMs: number): boolean {
    if (policy.kind !== 'successes') return false;
    this.#fill(nowMs);
    this.#policy = policy;
    this.#tokens = Math.min(this.#tokens, policy.tokensMax);
    return true;
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs <= 0) return;
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#policy.tokensMax, this.#tokens + (elapsedMs / 1_000) * this.#policy.tokensPerSecond);
  }
}
