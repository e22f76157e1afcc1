// Rolling counts of good and bad, shared by breaker and outlier. Time is handed in; stale slots are cleared on the way,
// however long the pause was (cockatiel's window forgets to, and opens a circuit on hour-old failures).

const SLOTS = 10;

export class RollingWindow {
  readonly #slotMs: number;
  // Plain arrays: there is a window for each endpoint, and a typed one weighs three times as much.
  readonly #good: number[] = new Array<number>(SLOTS).fill(0);
  /** Made with the first bad one: most endpoints never have any. */
  #bad: number[] | null = null;
  #slot = 0;
  #goodTotal = 0;
  #badTotal = 0;

  constructor(windowMs: number) {
    this.#slotMs = windowMs / SLOTS;
  }

  add(isGood: boolean, nowMs: number): void {
    this.advance(nowMs);
    const index = this.#slot % SLOTS;
    if (isGood) {
      this.#good[index] = (this.#good[index] as number) + 1;
      this.#goodTotal++;
    } else {
      this.#bad ??= new Array<number>(SLOTS).fill(0);
      this.#bad[index] = (this.#bad[index] as number) + 1;
      this.#badTotal++;
    }
  }

  /** Drops what has left the window. Call before reading. */
  advance(nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    if (slot <= this.#slot) return;
    if (slot - this.#slot >= SLOTS) {
      this.reset();
    } else {
      for (let s = this.#slot + 1; s <= slot; s++) this.#clear(s % SLOTS);
    }
    this.#slot = slot;
  }

  reset(): void {
    this.#good.fill(0);
    this.#bad?.fill(0);
    this.#goodTotal = 0;
    this.#badTotal = 0;
  }

  get good(): number {
    return this.#goodTotal;
  }

  get bad(): number {
    return this.#badTotal;
  }

  #clear(index: number): void {
    this.#goodTotal -= this.#good[index] as number;
    this.#good[index] = 0;
    if (this.#bad === null) return;
    this.#badTotal -= this.#bad[index] as number;
    this.#bad[index] = 0;
  }
}
