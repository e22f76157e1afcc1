// How many calls a server takes at once, and whose are dropped first. The limit falls while the event loop is late or
// latency is far above its baseline, and grows by one per window when it is used. Survives reloads.
// Pure: time is handed in; used by the inbound stack and by the simulator's servers. Source: resilience notes §1.10, §1.12.
import type { AdmissionPolicy } from '../model/inbound.ts';
import { CRITICALITY_DEFAULT } from '../model/traffic.ts';
import { Aimd } from './aimd.ts';
import { LatencyBaseline } from './latency-baseline.ts';
import { LatencyHistogram } from './latency-histogram.ts';

const WINDOW_MS = 100;
/** A window with too few finished calls is left open, up to here: it then says nothing about latency. */
const WINDOW_MS_MAX = 1_000;
const WINDOW_CALLS_MIN = 10;
/** Which latency of a window is compared with the median of the baseline. A lower one reacts too late: p99 at three times the load 138 ms with the median, 130 with 0.8, 124 with this. */
const QUANTILE = 0.87;
/** A stall is answered like the windows that it lasted, but one alone must not cost more than two fifths of the limit. */
const STALL_WINDOWS_MAX = 5;
/** Windows at the least limit after which a latency that is still too long is believed. */
const LEAST_WINDOWS_MAX = 10;

/** Index of the retries in the table of ceilings, after the four classes. */
const RETRY = 4;

export class AdmissionLimit {
  #policy: AdmissionPolicy;
  readonly #aimd: Aimd;
  readonly #baseline: LatencyBaseline;
  readonly #window: LatencyHistogram = new LatencyHistogram();
  /** Calls in flight at which a class is refused; changes with the limit only. */
  readonly #ceilings: number[] = [0, 0, 0, 0, 0];
  #windowStartMs: number;
  #peak = 0;
  #inFlight = 0;
  #rejected = 0;
  /** The loop was late in this window, which has been answered. */
  #isAnswered = false;
  #leastWindows = 0;

  constructor(policy: AdmissionPolicy, nowMs: number) {
    this.#policy = policy;
    this.#aimd = new Aimd(policy.limitInitial, policy);
    this.#baseline = new LatencyBaseline(nowMs);
    this.#windowStartMs = nowMs;
    this.#setCeilings();
  }

  get limit(): number {
    return this.#aimd.limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls refused so far. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Median latency of an unloaded server, ms; 0 while unknown. */
  get baselineMs(): number {
    return this.#baseline.ms;
  }

  /** In flight ÷ limit, 0 to 1. */
  get utilization(): number {
    return Math.min(1, this.#inFlight / this.#aimd.limit);
  }

  /** Calls that may be in flight when one of this class is admitted, itself included. */
  ceiling(criticality: number, isRetry: boolean): number {
    return this.#ceilings[isRetry ? RETRY : classOf(criticality)] as number;
  }

  /** Takes a place, or says no. `criticality` is an index into CRITICALITIES. Every yes is given back by one `leave`. */
  tryEnter(criticality: number, isRetry: boolean, nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= WINDOW_MS) this.#closeWindow(nowMs);
    if (this.#inFlight >= this.ceiling(criticality, isRetry)) {
      this.#rejected++;
      this.#baseline.overloaded();
      return false;
    }
    if (++this.#inFlight > this.#peak) this.#peak = this.#inFlight;
    return true;
  }

  /** `ok` is false for failures and for callers who went away: their time is a lower bound, worth knowing only when it is too long already. */
  leave(startedMs: number, nowMs: number, ok: boolean): void {
    this.#inFlight--;
    const ms = nowMs - startedMs;
    if (ok) this.#baseline.record(ms, nowMs);
    if (ok || ms > this.#tooLongMs()) this.#window.record(ms);
  }

  /** What the event loop showed since the last look: 99th percentile of its delay, ms. */
  observeLoopDelay(p99Ms: number, nowMs: number): void {
    const { eventLoopDelayMs } = this.#policy;
    if (nowMs - this.#windowStartMs >= WINDOW_MS) this.#closeWindow(nowMs);
    if (eventLoopDelayMs <= 0 || p99Ms <= eventLoopDelayMs || this.#isAnswered) return;
    this.#isAnswered = true;
    this.#shrink(Math.max(1, Math.min(STALL_WINDOWS_MAX, Math.floor(p99Ms / WINDOW_MS))));
  }

  /** A reload: calls in flight, limit and baseline stay. */
  update(policy: AdmissionPolicy): void {
    this.#policy = policy;
    this.#aimd.update(policy);
    this.#setCeilings();
  }

  /**
   * Never less than the delay of the event loop that is tolerated: a service of 1 ms waits longer than 4.5 ms for every
   * collection of garbage.
   */
  #tooLongMs(): number {
    const { latencyFactor, eventLoopDelayMs } = this.#policy;
    if (latencyFactor <= 0 || this.#baseline.ms === 0) return Number.POSITIVE_INFINITY;
    return Math.max(eventLoopDelayMs, this.#baseline.ms * latencyFactor);
  }

  #closeWindow(nowMs: number): void {
    const isTelling = this.#window.count >= WINDOW_CALLS_MIN;
    if (!isTelling && nowMs - this.#windowStartMs < WINDOW_MS_MAX) return;
    // A limit that is not half used neither causes a latency nor needs to grow.
    const isUsed = this.#peak * 2 >= this.#aimd.limit;
    const isTooLong = isTelling && isUsed && this.#window.quantile(QUANTILE) > this.#tooLongMs();
    if (isTooLong) this.#answerLatency();
    else {
      this.#leastWindows = 0;
      if (isUsed && !this.#isAnswered) this.#grow();
    }
    this.#window.reset();
    this.#isAnswered = false;
    this.#peak = this.#inFlight;
    this.#windowStartMs = nowMs;
  }

  #answerLatency(): void {
    // No queue of ours can explain it when only so few are let in: the work itself takes longer than it did.
    if (this.#aimd.isLeast && ++this.#leastWindows >= LEAST_WINDOWS_MAX) {
      this.#leastWindows = 0;
      this.#baseline.relearn(this.#window.quantile(0.5));
      return;
    }
    if (this.#isAnswered) this.#baseline.overloaded();
    else this.#shrink(1);
  }

  #grow(): void {
    this.#aimd.grow();
    this.#setCeilings();
  }

  #shrink(times: number): void {
    this.#aimd.shrink(times);
    this.#baseline.overloaded();
    this.#setCeilings();
  }

  /** What is more critical is never refused where something less critical is admitted: the table ascends. */
  #setCeilings(): void {
    const { limit } = this.#aimd;
    const { sheddableShare } = this.#policy;
    const sheddable = Math.max(1, Math.floor(limit * sheddableShare));
    const ceilings = this.#ceilings;
    ceilings[0] = sheddable;
    ceilings[1] = Math.max(sheddable, Math.floor((limit * (1 + sheddableShare)) / 2));
    ceilings[2] = limit;
    // A little beyond: what must not be refused finds a place when all others are taken.
    ceilings[3] = Math.max(limit + 1, Math.floor(limit * 1.1));
    ceilings[RETRY] = sheddable;
  }
}

function classOf(criticality: number): number {
  return criticality >= 0 && criticality < RETRY ? criticality : CRITICALITY_DEFAULT;
}
