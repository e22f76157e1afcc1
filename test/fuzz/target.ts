// What the fuzzer feeds: a reader of texts from outside, and what must hold for every one of them.

export interface FuzzTarget {
  /** kebab-case; also the name of its corpus. */
  readonly name: string;
  /** What must hold. */
  readonly what: string;
  /** Inputs to begin with. */
  readonly seeds: readonly string[];
  /** Pieces that chance would not come upon. */
  readonly words: readonly string[];
  /** Each character is a byte, 0 to 255. @default text, half surrogate pairs included */
  readonly isBytes?: true;
  /** @default 200 */
  readonly lengthMax?: number;
  /** Loads what is tried; the result takes one input, and throws when something is wrong. */
  readonly start: () => Promise<(input: string) => void>;
}

/** Throws when it does not hold; the text says what was expected of what. */
export function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Parts of an input, between bars; always so many. */
export function partsOf(input: string, count: number): string[] {
  const parts = input.split('|');
  const first = parts.slice(0, count - 1);
  while (first.length < count - 1) first.push('');
  return [...first, parts.slice(count - 1).join('|')];
}
