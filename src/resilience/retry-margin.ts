// Whether retries could keep an outage of a service alive after its cause has gone: load × attempts per call under total
// failure. Above 1 they can. Looked at when metrics are collected and when retries are made, at most once a second; no call
// pays for it. Pure: time, counts and policies are handed in.
import type { Emit } from '../core/events.ts';

export interface RetryMarginDeps {
  readonly service: string;
  /** Calls begun since the process started, without retries. */
  readonly calls: () => number;
  /** Load of the service, 0 to 1; null when nobody reports it. */
  readonly utilization: () => number | null;
  /** Attempts per call under total failure, at this many calls a second. */
  readonly amplification: (callsPerSecond: number) => number;
  readonly emit: Emit;
}

const LOOK_MS = 1_000;
const HIGH = 0.8;
/** Once told, not again before it was below this. */
const LOW = 0.7;
const HIGH_MS = 5_000;

export class RetryMargin {
  readonly #deps: RetryMarginDeps;
  #product: number | null = null;
  #lookedAtMs: number = Number.NEGATIVE_INFINITY;
  #calls = 0;
  /** Since when it is high without a break; NaN when it is not. */
  #highSinceMs: number = Number.NaN;
  #isTold = false;

  constructor(deps: RetryMarginDeps) {
    this.#deps = deps;
  }

  /** Load × amplification as of the last look; null while no endpoint reports its load, or nothing is called. */
  product(nowMs: number): number | null {
    if (nowMs - this.#lookedAtMs >= LOOK_MS) this.#look(nowMs);
    return this.#product;
  }

  #look(nowMs: number): void {
    const { calls, utilization, amplification } = this.#deps;
    const begun = calls();
    const callsPerSecond = ((begun - this.#calls) * 1_000) / (nowMs - this.#lookedAtMs);
    this.#calls = begun;
    this.#lookedAtMs = nowMs;
    const load = utilization();
    // The first look has nothing to compare with: over all time before it the rate is 0.
    if (load === null || !(callsPerSecond > 0)) {
      this.#product = null;
      this.#highSinceMs = Number.NaN;
      return;
    }
    const attempts = amplification(callsPerSecond);
    this.#product = load * attempts;
    this.#judge(this.#product, load, attempts, nowMs);
  }

  #judge(product: number, load: number, attempts: number, nowMs: number): void {
    if (product < LOW) this.#isTold = false;
    if (product <= HIGH) {
      this.#highSinceMs = Number.NaN;
      return;
    }
    if (Number.isNaN(this.#highSinceMs)) this.#highSinceMs = nowMs;
    if (this.#isTold || nowMs - this.#highSinceMs < HIGH_MS) return;
    this.#isTold = true;
    const { service, emit } = this.#deps;
    emit({ type: 'retryMarginLow', service, product, utilization: load, amplification: attempts });
  }
}
