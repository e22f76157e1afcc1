// What is known and spent of the hedges of one route: the delay, a small bucket that only answers fill, and counts.
// Survives reloads. The bucket holds hedges to twice the wanted rate while the delay still learns, and to none while
// nothing succeeds. Pure; knows nothing of calls.
import type { HedgePolicy } from '../model/traffic.ts';
import { HedgeDelay } from './hedge-delay.ts';

/** Hedges that may follow one another at once; a burst beyond the rate wanted is never larger. */
const TOKENS_MAX = 10;
/** The bucket is filled at this multiple of the rate wanted. */
const HEADROOM = 2;

export class Hedging {
  readonly delay: HedgeDelay;
  sent = 0;
  /** Hedges whose answer was taken. */
  won = 0;
  /** Hedges that were due and not sent. */
  denied = 0;
  #tokens = 0;
  #tokensPerAnswer = 0;

  constructor(policy: HedgePolicy, perTryTimeoutMs: number) {
    this.delay = new HedgeDelay(policy, perTryTimeoutMs);
    this.update(policy, perTryTimeoutMs);
  }

  /** Hedges that could be paid for. */
  get tokens(): number {
    return this.#tokens;
  }

  update(policy: HedgePolicy, perTryTimeoutMs: number): void {
    this.delay.update(policy, perTryTimeoutMs);
    this.#tokensPerAnswer = HEADROOM * policy.extraLoad;
  }

  /** A call that could have been hedged was answered. */
  answered(): void {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + this.#tokensPerAnswer);
  }

  /** Takes one token, if there is a whole one. */
  tryWithdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Gives back what somebody else did not let be spent. */
  refund(): void {
    this.#tokens += 1;
  }
}
