// Linkerd's rule, which was Finagle's: an answer that stands pays in, a retry takes 1 / ratio of that, and both are
// forgotten after the ttl; a reserve allows some retries a second to everybody. Linkerd's proxy takes deposits from what
// it does not want to repeat, Finagle from every request: this is Linkerd's. Amounts are whole, as there.
// Source: linkerd2-proxy outbound/http/retry.rs, tower TpsBudget.
import { RollingWindow } from '../core/window.ts';
import type { LinkerdBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What one answer pays in, and what one retry costs. */
export interface LinkerdAmounts {
  readonly deposit: number;
  readonly withdrawal: number;
}

export function linkerdAmounts(ratio: number): LinkerdAmounts {
  if (ratio === 0) return { deposit: 0, withdrawal: 1 };
  const deposit = ratio <= 1 ? 1 : 1_000;
  // A ratio above 1000 is refused by Linkerd; here it means that retries cost next to nothing.
  return { deposit, withdrawal: Math.max(1, Math.trunc(deposit / ratio)) };
}

export class LinkerdBudget implements RetryBudget {
  readonly coversUnprocessed = true;
  readonly onCall = null;
  readonly onFailure = null;
  readonly onRetryEnded = null;
  #policy: LinkerdBudgetPolicy;
  #amounts: LinkerdAmounts;
  /** Good: deposits. Bad: withdrawals. */
  #ledger: RollingWindow;
  #denied: number;

  constructor(policy: LinkerdBudgetPolicy, denied = 0) {
    this.#policy = policy;
    this.#amounts = linkerdAmounts(policy.ratio);
    this.#ledger = new RollingWindow(policy.ttlMs);
    this.#denied = denied;
  }

  get denied(): number {
    return this.#denied;
  }

  balance(nowMs: number): number {
    return Math.max(0, this.#sum(nowMs) / this.#amounts.withdrawal);
  }

  tryWithdraw(nowMs: number): boolean {
    if (this.#sum(nowMs) < this.#amounts.withdrawal) {
      this.#denied++;
      return false;
    }
    this.#ledger.add(false, nowMs);
    return true;
  }

  success(nowMs: number): void {
    this.#ledger.add(true, nowMs);
  }

  /** Another ttl starts a new ledger. */
  update(policy: RetryBudgetPolicy): boolean {
    if (policy.kind !== 'linkerd') return false;
    if (policy.ttlMs !== this.#policy.ttlMs) this.#ledger = new RollingWindow(policy.ttlMs);
    this.#policy = policy;
    this.#amounts = linkerdAmounts(policy.ratio);
    return true;
  }

  #sum(nowMs: number): number {
    const ledger = this.#ledger;
    const { deposit, withdrawal } = this.#amounts;
    const { retriesPerSecondMin, ttlMs } = this.#policy;
    ledger.advance(nowMs);
    const reserve = retriesPerSecondMin * Math.trunc(ttlMs / 1_000) * withdrawal;
    return reserve + ledger.good * deposit - ledger.bad * withdrawal;
  }
}
