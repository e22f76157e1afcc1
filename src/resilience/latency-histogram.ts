// How many took how long: counts in buckets that grow by 9 %, from a 64th of a millisecond to twelve hours. One number
// is written per duration, nothing is kept of the durations themselves.

const PER_OCTAVE = 8;
const OCTAVE_MIN = -6;
const BUCKETS = 32 * PER_OCTAVE;

export class LatencyHistogram {
  readonly #buckets: Uint32Array = new Uint32Array(BUCKETS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const bucket = Math.floor((Math.log2(ms) - OCTAVE_MIN) * PER_OCTAVE);
    // 0 and less give -Infinity or NaN, which are below the first bucket.
    const index = bucket > 0 ? (bucket < BUCKETS ? bucket : BUCKETS - 1) : 0;
    this.#buckets[index] = (this.#buckets[index] as number) + 1;
    this.#count++;
  }

  /** Middle of the bucket that holds the quantile (0 to 1), ms; 0 when nothing was recorded. */
  quantile(share: number): number {
    if (this.#count === 0) return 0;
    let left = Math.ceil(this.#count * share);
    let index = 0;
    for (; index < BUCKETS - 1; index++) {
      left -= this.#buckets[index] as number;
      if (left <= 0) break;
    }
    return 2 ** ((index + 0.5) / PER_OCTAVE + OCTAVE_MIN);
  }

  reset(): void {
    if (this.#count === 0) return;
    this.#buckets.fill(0);
    this.#count = 0;
  }
}
