// A limit that is found by trying: one more while all is well, a tenth less when it is not. Knows bounds and the factor,
// not what "well" means. Pure. Source: TCP congestion avoidance; Netflix concurrency-limits AIMDLimit.

export interface AimdBounds {
  readonly limitMin: number;
  readonly limitMax: number;
  readonly decrease: number;
}

export class Aimd {
  #bounds: AimdBounds;
  #value: number;

  constructor(initial: number, bounds: AimdBounds) {
    this.#bounds = bounds;
    this.#value = within(bounds, initial);
  }

  /** A whole number. */
  get limit(): number {
    return Math.floor(this.#value);
  }

  get isLeast(): boolean {
    return this.#value <= this.#bounds.limitMin;
  }

  grow(): void {
    this.#value = within(this.#bounds, this.#value + 1);
  }

  /** `times`: how many windows of overload are answered at once. */
  shrink(times = 1): void {
    this.#value = within(this.#bounds, this.#value * this.#bounds.decrease ** times);
  }

  /** A reload: what was found stays, within the new bounds. */
  update(bounds: AimdBounds): void {
    this.#bounds = bounds;
    this.#value = within(bounds, this.#value);
  }
}

function within({ limitMin, limitMax }: AimdBounds, value: number): number {
  return Math.max(1, limitMin, Math.min(limitMax, value));
}
