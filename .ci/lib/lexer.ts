// Cuts TypeScript into tokens, so that the house tests and the docs generator can read source without a compiler.
// Knows strings, templates, comments and regular expressions, nothing of grammar. What it cannot read, it refuses.

export type TokenKind = 'name' | 'string' | 'template' | 'number' | 'regex' | 'punct' | 'comment';

export interface Token {
  readonly kind: TokenKind;
  /** As written; for a string the text between the quotes. */
  readonly text: string;
  /** Of the first character, from 1. */
  readonly line: number;
  /** Offsets in the source. */
  readonly start: number;
  readonly end: number;
}

/** After these words a slash begins a regular expression. */
const BEFORE_REGEX: ReadonlySet<string> = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof extends default'.split(' '),
);
const NAME_START = /[\p{ID_Start}$_#]/u;
const NAME = /[#\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /\d[\w.]*(?:(?<=e)[+-]\d+)?/iy;
const SPACE = /\s+/y;
const LONG_PUNCTS = ['...', '=>', '?.', '??', '==', '!=', '<=', '>='] as const;

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  /** Brace depth at which each open template literal goes on. */
  readonly #templates: number[] = [];
  #depth = 0;
  #at = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    if (this.#source.startsWith('#!')) this.#skipTo(this.#endOfLine(0));
    while (this.#at < this.#source.length) this.#step();
    if (this.#templates.length > 0) throw this.#unreadable('a template literal is not closed');
    return this.#tokens;
  }

  #step(): void {
    const source = this.#source;
    const char = source[this.#at] as string;
    const space = matchAt(SPACE, source, this.#at);
    if (space > this.#at) return this.#skipTo(space);
    if (char === '/' && source[this.#at + 1] === '/') return this.#push('comment', this.#endOfLine(this.#at));
    if (char === '/' && source[this.#at + 1] === '*') return this.#blockComment();
    if (char === '"' || char === "'") return this.#string(char);
    if (char === '`') return this.#template(this.#at + 1);
    if (char === '}' && this.#templates.at(-1) === this.#depth) {
      this.#templates.pop();
      return this.#template(this.#at + 1);
    }
    if (char === '/' && this.#regexMayStand()) return this.#regex();
    if (char >= '0' && char <= '9') return this.#push('number', matchAt(NUMBER, source, this.#at));
    if (NAME_START.test(char)) return this.#push('name', matchAt(NAME, source, this.#at));
    if (char === '{') this.#depth++;
    if (char === '}') this.#depth--;
    const long = LONG_PUNCTS.find((punct) => source.startsWith(punct, this.#at));
    this.#push('punct', this.#at + (long ?? char).length);
  }

  #push(kind: TokenKind, end: number, text: string = this.#source.slice(this.#at, end)): void {
    this.#tokens.push({ kind, text, line: this.#line, start: this.#at, end });
    this.#skipTo(end);
  }

  #skipTo(end: number): void {
    for (let i = this.#at; i < end; i++) if (this.#source[i] === '\n') this.#line++;
    this.#at = end;
  }

  #endOfLine(from: number): number {
    const end = this.#source.indexOf('\n', from);
    return end === -1 ? this.#source.length : end;
  }

  #blockComment(): void {
    const end = this.#source.indexOf('*/', this.#at + 2);
    if (end === -1) throw this.#unreadable('a comment is not closed');
    this.#push('comment', end + 2);
  }

  #string(quote: string): void {
    const source = this.#source;
    for (let i = this.#at + 1; i < source.length && source[i] !== '\n'; i++) {
      if (source[i] === '\\') i++;
      else if (source[i] === quote) return this.#push('string', i + 1, source.slice(this.#at + 1, i));
    }
    throw this.#unreadable('a string is not closed');
  }

  /** One chunk of a template literal, up to its end or to the next `${`. */
  #template(from: number): void {
    const source = this.#source;
    for (let i = from; i < source.length; i++) {
      if (source[i] === '\\') i++;
      else if (source[i] === '`') return this.#push('template', i + 1, source.slice(from, i));
      else if (source[i] === '$' && source[i + 1] === '{') {
        this.#templates.push(this.#depth);
        return this.#push('template', i + 2, source.slice(from, i));
      }
    }
    throw this.#unreadable('a template literal is not closed');
  }

  #regexMayStand(): boolean {
    const before = this.#tokens.findLast((token) => token.kind !== 'comment');
    if (before === undefined) return true;
    if (before.kind === 'punct') return before.text !== ')' && before.text !== ']' && before.text !== '}';
    return before.kind === 'name' && BEFORE_REGEX.has(before.text);
  }

  #regex(): void {
    const source = this.#source;
    let inClass = false;
    for (let i = this.#at + 1; i < source.length && source[i] !== '\n'; i++) {
      const char = source[i];
      if (char === '\\') i++;
      else if (char === '[') inClass = true;
      else if (char === ']') inClass = false;
      else if (char === '/' && !inClass) {
        let end = i + 1;
        while (/[a-z]/.test(source[end] ?? '')) end++;
        return this.#push('regex', end);
      }
    }
    throw this.#unreadable('a regular expression is not closed');
  }

  #unreadable(what: string): Error {
    return new Error(`line ${this.#line}: ${what}. The reader in .ci/lib/lexer.ts does not understand this place.`);
  }
}

function matchAt(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : at;
}

/** All tokens, comments included. */
export function tokensOf(source: string): Token[] {
  return new Lexer(source).run();
}

/** Tokens without comments. */
export function codeTokensOf(source: string): Token[] {
  return tokensOf(source).filter((token) => token.kind !== 'comment');
}

/** Index of the bracket that closes the one at `open`. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    // A template chunk that ends in `${` opens what the next chunk closes; both are inside one pair, so they cancel out.
    if (token.kind !== 'punct') continue;
    if ('([{'.includes(token.text)) depth++;
    else if (')]}'.includes(token.text) && --depth === 0) return i;
  }
  throw new Error(`line ${tokens[open]?.line}: the bracket is not closed.`);
}
