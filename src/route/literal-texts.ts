// The literal texts that every match of a pattern holds, so that a rule with a pattern can be found by them. Says too
// little rather than too much; a test holds it against the engine.

export interface LiteralTexts {
  /** Every match begins with it; '' when nothing is known. */
  readonly head: string;
  /** Every match holds each of them somewhere, the head included. */
  readonly parts: readonly string[];
}

const NOTHING: LiteralTexts = Object.freeze({ head: '', parts: [] });

/** Of a pattern in RE2 syntax that must match a whole text. */
export function literalTexts(pattern: string): LiteralTexts {
  const texts = new Reader(pattern).texts();
  // Half of a surrogate pair is no character to the engine.
  return texts === null || /[\ud800-\udfff]/.test(pattern) ? NOTHING : texts;
}

/** Reads what stands side by side; gives up by `null` at whatever may turn the meaning of the rest. */
class Reader {
  readonly #pattern: string;
  readonly #parts: string[] = [];
  #at = 0;
  #run = '';
  /** null while the first run goes on. */
  #head: string | null = null;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  texts(): LiteralTexts | null {
    const pattern = this.#pattern;
    if (pattern.startsWith('^')) this.#at = 1;
    while (this.#at < pattern.length) if (!this.#step(pattern.charAt(this.#at))) return null;
    this.#endRun();
    return { head: this.#head ?? '', parts: this.#parts };
  }

  /** false: give up. */
  #step(char: string): boolean {
    const pattern = this.#pattern;
    switch (char) {
      case '|':
      case ')':
        return false;
      case '\\': {
        const next = pattern.charAt(this.#at + 1);
        if (/[!-/:-@[-`{-~]/.test(next)) return this.#literal(next, 2);
        this.#at += 2;
        this.#endRun();
        return /[AbBdDsSwWz]/.test(next);
      }
      case '(':
        return this.#group();
      case '[':
        return this.#skipTo(classEnd(pattern, this.#at));
      case '{':
        // Where it counts nothing, it is a character like others.
        this.#at += /^\{\d+(?:,\d*)?\}/.exec(pattern.slice(this.#at))?.[0].length ?? 1;
        this.#endRun();
        return true;
      case '.':
      case '*':
      case '+':
      case '?':
      case '^':
      case '$':
      case ']':
      case '}':
        this.#at++;
        this.#endRun();
        return true;
      default:
        return this.#literal(char, 1);
    }
  }

  #literal(char: string, length: number): boolean {
    this.#at += length;
    const next = this.#pattern.charAt(this.#at);
    if (next !== '' && '*?{'.includes(next)) this.#endRun();
    else this.#run += char;
    return true;
  }

  /** What stands in a group must be there when the group must, and when it is no choice. */
  #group(): boolean {
    const pattern = this.#pattern;
    const end = this.#groupEnd();
    if (end < 0) return false;
    const opening = /^\((?:\?(?::|P?<\w+>))?/.exec(pattern.slice(this.#at, end))?.[0] ?? '(';
    const inner = pattern.slice(this.#at + opening.length, end);
    // Flags hold for what comes after, too.
    if (inner.startsWith('?')) return false;
    const next = pattern.charAt(end + 1);
    this.#endRun();
    if (next === '' || !'*?{'.includes(next)) this.#parts.push(...(new Reader(inner).texts()?.parts ?? []));
    this.#at = end + 1;
    return !/\(\?[^:P<]|\\[^AbBdDsSwWz!-/:-@[-`{-~]/.test(inner);
  }

  /** The bracket that closes the group; -1 when that is hard to say. */
  #groupEnd(): number {
    let depth = 0;
    for (let i = this.#at; i < this.#pattern.length; i++) {
      const char = this.#pattern.charAt(i);
      if (char === '\\') i++;
      else if (char === '[') {
        i = classEnd(this.#pattern, i);
        if (i < 0) return -1;
      } else if (char === '(') depth++;
      else if (char === ')' && --depth === 0) return i;
    }
    return -1;
  }

  #skipTo(end: number): boolean {
    this.#at = end + 1;
    this.#endRun();
    return end >= 0;
  }

  #endRun(): void {
    this.#head ??= this.#run;
    if (this.#run !== '') this.#parts.push(this.#run);
    this.#run = '';
  }
}

/** The bracket that closes a class of characters; -1 when that is hard to say. */
function classEnd(pattern: string, start: number): number {
  // The first character is one of the class, even a bracket.
  const end = pattern.indexOf(']', start + (pattern.charAt(start + 1) === '^' ? 3 : 2));
  return end < 0 || /[[\\]/.test(pattern.slice(start + 1, end)) ? -1 : end;
}
