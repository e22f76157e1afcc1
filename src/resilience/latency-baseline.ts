// How long a call takes when nothing waits: the least of the medians of ten seconds, over ten minutes. Overload must not
// teach it, or the limit that follows it drifts up with the queue, which is the fault of gradient limiters.
// Pure: time is handed in. Source: resilience notes §1.10.
import { LatencyHistogram } from './latency-histogram.ts';

const SLOT_MS = 10_000;
const SLOTS = 60;
/** Fewer calls say too little for a value that may hold for ten minutes. */
const CALLS_MIN = 20;

export class LatencyBaseline {
  readonly #slots: Float64Array = new Float64Array(SLOTS).fill(Number.POSITIVE_INFINITY);
  readonly #current: LatencyHistogram = new LatencyHistogram();
  #slot = 0;
  #slotEndsMs: number;
  #ms = 0;
  #isOverloaded = false;

  constructor(nowMs: number) {
    this.#slotEndsMs = nowMs + SLOT_MS;
  }

  /** 0 while nothing is known. */
  get ms(): number {
    return this.#ms;
  }

  record(ms: number, nowMs: number): void {
    if (nowMs >= this.#slotEndsMs) this.#close(nowMs);
    this.#current.record(ms);
    // A first idea, long before the first ten seconds are over.
    if (this.#ms === 0 && this.#current.count >= CALLS_MIN) this.#ms = this.#current.quantile(0.5);
  }

  /** What comes in these ten seconds is measured under overload: it may lower the baseline, not raise it. */
  overloaded(): void {
    this.#isOverloaded = true;
  }

  /** The work itself takes longer now: what was before says nothing any more. */
  relearn(ms: number): void {
    this.#slots.fill(Number.POSITIVE_INFINITY);
    this.#current.reset();
    this.#isOverloaded = false;
    this.#ms = ms;
  }

  #close(nowMs: number): void {
    const median = this.#current.count < CALLS_MIN ? Number.POSITIVE_INFINITY : this.#current.quantile(0.5);
    const isUseless = this.#isOverloaded && median > this.#ms;
    this.#slots[this.#slot] = isUseless ? Number.POSITIVE_INFINITY : median;
    this.#slot = (this.#slot + 1) % SLOTS;
    this.#current.reset();
    this.#isOverloaded = false;
    this.#slotEndsMs = nowMs + SLOT_MS;
    const least = this.#slots.reduce((a, b) => (a < b ? a : b));
    if (least !== Number.POSITIVE_INFINITY) this.#ms = least;
  }
}
