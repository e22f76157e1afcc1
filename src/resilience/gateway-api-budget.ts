// Gateway API's rule: of all that was sent in the interval, retries included, a share may be retries; and a number of
// retries in a shorter time is always allowed. Source: XBackendTrafficPolicy `retryConstraint`, GEP-3388.
import { RollingWindow } from '../core/window.ts';
import type { GatewayApiBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

export class GatewayApiBudget implements RetryBudget {
  readonly coversUnprocessed = true;
  readonly onFailure = null;
  readonly onRetryEnded = null;
  #policy: GatewayApiBudgetPolicy;
  /** Good: calls. Bad: retries. */
  #interval: RollingWindow;
  /** Bad: retries. */
  #recent: RollingWindow;
  #denied: number;

  constructor(policy: GatewayApiBudgetPolicy, denied = 0) {
    this.#policy = policy;
    this.#interval = new RollingWindow(policy.intervalMs);
    this.#recent = new RollingWindow(policy.rateMinIntervalMs);
    this.#denied = denied;
  }

  get denied(): number {
    return this.#denied;
  }

  balance(nowMs: number): number {
    const interval = this.#interval;
    const recent = this.#recent;
    const { percent, rateMinCount } = this.#policy;
    interval.advance(nowMs);
    recent.advance(nowMs);
    const share = (percent * (interval.good + interval.bad)) / 100;
    return Math.max(0, share - interval.bad, rateMinCount - recent.bad);
  }

  tryWithdraw(nowMs: number): boolean {
    if (this.balance(nowMs) < 1) {
      this.#denied++;
      return false;
    }
    this.#interval.add(false, nowMs);
    this.#recent.add(false, nowMs);
    return true;
  }

  success(): void {}

  readonly onCall = (nowMs: number): void => {
    this.#interval.add(true, nowMs);
  };

  /** Another interval starts a new count. */
  update(policy: RetryBudgetPolicy): boolean {
    if (policy.kind !== 'gateway-api') return false;
    const { intervalMs, rateMinIntervalMs } = this.#policy;
    if (policy.intervalMs !== intervalMs) this.#interval = new RollingWindow(policy.intervalMs);
    if (policy.rateMinIntervalMs !== rateMinIntervalMs) this.#recent = new RollingWindow(policy.rateMinIntervalMs);
    this.#policy = policy;
    return true;
  }
}
