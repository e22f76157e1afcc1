// Calls and retries in flight to one service in this process, against Envoy's thresholds. There is no queue: a call that
// would wait is refused, so that memory stays bounded when the service hangs. Survives reloads: the policy is handed in.
import type { LimitsPolicy } from '../model/destination.ts';

/** The threshold that refuses a call, by its name in the config; '' refuses nothing. */
export type RefusingLimit = '' | 'maxRequests' | 'maxRetries';

export class Limits {
  #requests = 0;
  #retries = 0;
  #admitted = 0;

  /** Attempts in flight, retries included. */
  get requests(): number {
    return this.#requests;
  }

  /** Retries in flight. */
  get retries(): number {
    return this.#retries;
  }

  /** Attempts admitted so far, without retries. */
  get admitted(): number {
    return this.#admitted;
  }

  /** Admits an attempt, or names the limit that refuses it. Every admission is given back by one `release`. */
  tryAcquire(policy: LimitsPolicy, isRetry: boolean): RefusingLimit {
    if (policy.maxRequests > 0 && this.#requests >= policy.maxRequests) return 'maxRequests';
    if (isRetry) {
      if (!this.mayRetry(policy)) return 'maxRetries';
      this.#retries++;
    } else this.#admitted++;
    this.#requests++;
    return '';
  }

  /** Whether one more retry would be admitted as far as retries go; takes nothing. */
  mayRetry(policy: LimitsPolicy): boolean {
    return policy.maxRetries <= 0 || this.#retries < policy.maxRetries;
  }

  release(isRetry: boolean): void {
    this.#requests--;
    if (isRetry) this.#retries--;
  }
}
