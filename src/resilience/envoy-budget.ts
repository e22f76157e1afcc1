// Envoy's rule: retries in flight, those that still wait for their turn included, at most a share of the attempts in
// flight, with a floor. With an interval, the attempts that began in it count instead of those in flight.
// Source: Envoy resource_manager_impl.h (RetryBudgetImpl), Istio DestinationRule `retryBudget`.
import { RollingWindow } from '../core/window.ts';
import type { EnvoyBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';
import type { InFlight, RetryBudget } from './retry-budget.ts';

export class EnvoyBudget implements RetryBudget {
  readonly coversUnprocessed = true;
  readonly onFailure = null;
  #policy: EnvoyBudgetPolicy;
  readonly #inFlight: InFlight;
  /** null: those in flight count. */
  #begun: RollingWindow | null;
  #retries = 0;
  #denied: number;

  constructor(policy: EnvoyBudgetPolicy, inFlight: InFlight, denied = 0) {
    this.#policy = policy;
    this.#inFlight = inFlight;
    this.#begun = windowOf(policy);
    this.#denied = denied;
  }

  get denied(): number {
    return this.#denied;
  }

  get onCall(): ((nowMs: number) => void) | null {
    return this.#begun === null ? null : this.#count;
  }

  balance(nowMs: number): number {
    return Math.max(0, this.#allowed(nowMs) - this.#retries);
  }

  tryWithdraw(nowMs: number): boolean {
    if (this.#retries >= this.#allowed(nowMs)) {
      this.#denied++;
      return false;
    }
    this.#retries++;
    this.#begun?.add(false, nowMs);
    return true;
  }

  success(): void {}

  readonly onRetryEnded = (): void => {
    this.#retries--;
  };

  update(policy: RetryBudgetPolicy): boolean {
    if (policy.kind !== 'envoy') return false;
    if (policy.intervalMs !== this.#policy.intervalMs) this.#begun = windowOf(policy);
    this.#policy = policy;
    return true;
  }

  readonly #count = (nowMs: number): void => {
    this.#begun?.add(true, nowMs);
  };

  /** Whole retries, as Envoy has it: a share of 4.9 allows four. */
  #allowed(nowMs: number): number {
    const { percent, concurrencyMin } = this.#policy;
    const begun = this.#begun;
    begun?.advance(nowMs);
    const attempts = begun === null ? this.#inFlight.requests : begun.good + begun.bad;
    return Math.max(Math.floor((percent * attempts) / 100), concurrencyMin);
  }
}

function windowOf({ intervalMs }: EnvoyBudgetPolicy): RollingWindow | null {
  return intervalMs > 0 ? new RollingWindow(intervalMs) : null;
}
