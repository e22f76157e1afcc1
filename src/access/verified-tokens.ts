// Tokens that one rule has found good, so that the next call with the same token is not paid with a signature. Kept by their hash: the
// memory of a process holds no token of anybody. Good only with the very keys that verified it, no longer than it says itself, and not
// when the wall clock was set back. Only what was verified gets in, so a stream of bad tokens leaves nothing behind.
import { createHash } from 'node:crypto';

/** Of one generation; there are two. */
const TOKENS_MAX = 1_024;

interface Verified<T> {
  readonly value: T;
  /** What it was verified with. */
  readonly keys: unknown;
  /** Unix time, ms. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export class VerifiedTokens<T> {
  readonly #max: number;
  #young: Map<string, Verified<T>> = new Map();
  #old: Map<string, Verified<T>> = new Map();

  /** `max`: entries of one generation. */
  constructor(max: number = TOKENS_MAX) {
    this.#max = max;
  }

  /** undefined: it has to be verified. */
  get(hash: string, keys: unknown, wallMs: number): T | undefined {
    let found = this.#young.get(hash);
    if (found === undefined) {
      found = this.#old.get(hash);
      if (found === undefined) return undefined;
      this.#keep(hash, found);
    }
    return found.keys === keys && wallMs >= found.fromMs && wallMs < found.untilMs ? found.value : undefined;
  }

  /** `untilMs`: what the token itself says. */
  add(hash: string, value: T, keys: unknown, wallMs: number, untilMs: number): void {
    if (untilMs > wallMs) this.#keep(hash, { value, keys, fromMs: wallMs, untilMs });
  }

  /** Entries at the moment, those that stand twice counted twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #keep(hash: string, verified: Verified<T>): void {
    if (this.#young.size >= this.#max && !this.#young.has(hash)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(hash, verified);
  }
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
