// Rules by three characters in a row that the text they want must hold: all whose characters a text holds are met in one
// walk along it.
import type { Call } from '../core/call.ts';
import type { CallMatch } from './match.ts';
import { firstMatch } from './prefix-tree.ts';

const GRAM_LENGTH = 3;
const FILTER_SIZE = 4_096;

interface Entry {
  readonly rules: number[];
  /** The last walk that met it. */
  walk: number;
}

/** All grams of a text. */
export function gramsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - GRAM_LENGTH + 1) }, (_, i) => text.slice(i, i + GRAM_LENGTH));
}

export class GramTable {
  readonly #entries: Map<number, Entry> = new Map();
  /** Tells most grams that nobody asks for. */
  readonly #filter: Uint8Array = new Uint8Array(FILTER_SIZE);
  #walks = 0;

  /** Rules must come in ascending order. */
  add(gram: string, rule: number): void {
    let code = 0;
    for (let i = 0; i < gram.length; i++) code = withNext(code, gram.charCodeAt(i));
    const entry = this.#entries.get(code) ?? { rules: [], walk: 0 };
    this.#entries.set(code, entry);
    this.#filter[placeOf(code)] = 1;
    if (entry.rules.at(-1) !== rule) entry.rules.push(rule);
  }

  first(text: string, tests: readonly CallMatch[], call: Call, best: number): number {
    const walk = ++this.#walks;
    let found = best;
    let code = 0;
    for (let i = 0; i < text.length; i++) {
      code = withNext(code, text.charCodeAt(i));
      if (this.#filter[placeOf(code)] === 0) continue;
      const entry = this.#entries.get(code);
      // A text that says the same again and again costs no more.
      if (entry === undefined || entry.walk === walk) continue;
      entry.walk = walk;
      found = firstMatch(entry.rules, tests, call, found);
    }
    return found;
  }
}

/** Other characters may have the same number; the tests of the rules tell them apart. */
function withNext(code: number, next: number): number {
  return ((code << 8) | (next & 0xff)) & 0xffffff;
}

function placeOf(code: number): number {
  return (code ^ (code >> 9)) & (FILTER_SIZE - 1);
}
