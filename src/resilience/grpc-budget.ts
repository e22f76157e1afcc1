// gRPC's rule: a failure takes a token, a success gives a part of one, and retries go on only while more than half is
// left. A retry itself costs nothing. Source: gRFC A6, retry throttling.
import type { GrpcBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

export class GrpcBudget implements RetryBudget {
  readonly coversUnprocessed = false;
  readonly onCall = null;
  readonly onRetryEnded = null;
  #policy: GrpcBudgetPolicy;
  #tokens: number;
  #denied: number;

  constructor(policy: GrpcBudgetPolicy, denied = 0) {
    this.#policy = policy;
    this.#tokens = policy.tokensMax;
    this.#denied = denied;
  }

  get denied(): number {
    return this.#denied;
  }

  /** Tokens above the half that stays; retries are made while there are any. */
  balance(): number {
    return Math.max(0, this.#tokens - this.#policy.tokensMax / 2);
  }

  tryWithdraw(): boolean {
    if (this.balance() > 0) return true;
    this.#denied++;
    return false;
  }

  success(): void {
    const { tokensMax, tokenRatio } = this.#policy;
    this.#tokens = Math.min(tokensMax, this.#tokens + tokenRatio);
  }

  readonly onFailure = (): void => {
    this.#tokens = Math.max(0, this.#tokens - 1);
  };

  /** The share that is left stays, so that what was above half is above half. */
  update(policy: RetryBudgetPolicy): boolean {
    if (policy.kind !== 'grpc') return false;
    this.#tokens *= policy.tokensMax / this.#policy.tokensMax;
    this.#policy = policy;
    return true;
  }
}
