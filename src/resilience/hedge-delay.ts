// After how long a call is late: follows the quantile of the latency that the wanted share of calls outlives. It learns
// from one fact alone, whether a first attempt outlived the delay: measured latencies would be cut short by the hedging
// itself. It learns from every late call, hedged or not: otherwise an empty budget would drive the delay to the floor.
// Pure, one number. Source: stochastic gradient descent on the quantile loss, in relative steps.
import type { HedgePolicy } from '../model/traffic.ts';

/** Relative step. Larger follows a shift sooner and swings more. */
const ETA = 0.02;
/** An attempt without a limit of its own is not thought to take longer than this. */
const DELAY_MAX_MS = 60_000;

export class HedgeDelay {
  #delayMs: number;
  #minMs = 0;
  #maxMs = 0;
  #up = 1;
  #down = 1;

  constructor(policy: HedgePolicy, perTryTimeoutMs: number) {
    this.#delayMs = policy.delayInitialMs;
    this.update(policy, perTryTimeoutMs);
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  /** What was learnt stays. The delay never exceeds the time that one attempt has: an outage must not drive it away. */
  update(policy: HedgePolicy, perTryTimeoutMs: number): void {
    const quantile = 1 - policy.extraLoad;
    this.#up = 1 + ETA * quantile;
    this.#down = 1 - ETA * policy.extraLoad;
    this.#minMs = policy.delayMinMs;
    this.#maxMs = Math.max(policy.delayMinMs, perTryTimeoutMs > 0 ? perTryTimeoutMs : DELAY_MAX_MS);
    this.#set(this.#delayMs);
  }

  /** The delay passed before the first attempt had an answer. */
  outlived(): void {
    this.#set(this.#delayMs * this.#up);
  }

  /** The first attempt had its answer before the delay had passed. */
  answered(): void {
    this.#set(this.#delayMs * this.#down);
  }

  #set(delayMs: number): void {
    this.#delayMs = Math.min(this.#maxMs, Math.max(this.#minMs, delayMs));
  }
}
