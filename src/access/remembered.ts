// What was worked out for a text, kept for the next time. Two generations: when the young one is full, the old one is dropped.
// So a stream of new texts, by accident or on purpose, takes no more memory, and costs no list of what was used last.

/** Longer texts are worked out anew each time, so that nobody fills the memory with them. In UTF-16 units. */
const LENGTH_MAX = 256;

export class Remembered<T> {
  readonly #make: (text: string) => T;
  readonly #max: number;
  #young: Map<string, T> = new Map();
  #old: Map<string, T> = new Map();

  /** `max`: entries of one generation. */
  constructor(make: (text: string) => T, max: number) {
    this.#make = make;
    this.#max = max;
  }

  get(text: string): T {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    if (text.length > LENGTH_MAX) return this.#make(text);
    let value = this.#old.get(text);
    if (value === undefined) value = this.#make(text);
    if (this.#young.size >= this.#max) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
    return value;
  }

  /** Entries at the moment, those that stand twice counted twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
