// Values on one line that need no parser: plain, quoted, or in brackets. What is not plainly of that kind is null, and left
// to the parser. For simple-document.ts, which knows the lines.
import { FORBIDDEN_KEYS } from '../model/schema-check.ts';
import { plainValue } from './interpolate.ts';
import type { Located, LocatedScalar } from './located.ts';

/** Far below the limits of the parser, whose messages say more. */
export const DEPTH_MAX = 50;
const KEY_LENGTH_MAX = 500;

const NEWLINE = 10;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const SINGLE_QUOTE = 39;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const LIST_START = 91;
const BACKSLASH = 92;
const LIST_END = 93;
const MAP_START = 123;
const MAP_END = 125;

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const KEY_START: Uint8Array = charTable(LETTERS);
const KEY_PART: Uint8Array = charTable(`${LETTERS}0123456789_-./`);
/** A plain value may begin with others, too; those are left to the parser. */
const VALUE_START: Uint8Array = charTable(`${LETTERS}0123456789_./-+~$^(\\`);
/** First characters of what may be a number, a truth value or nothing. */
const TYPED_START: Uint8Array = charTable('0123456789.-+~tTfFnN');

type Entries = Map<string, { keyOffset: number; value: Located }>;

/** A class of characters as a table over ASCII. */
function charTable(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

export class SimpleValues {
  /** Behind the value that was read last. */
  end = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value that begins there, with no brackets around it. */
  read(at: number): Located | null {
    return this.#quotedOrFlow(at, 0) ?? this.#plain(at);
  }

  #quotedOrFlow(at: number, depth: number): Located | null {
    switch (this.#text.charCodeAt(at)) {
      case DOUBLE_QUOTE:
        return this.#doubleQuoted(at);
      case SINGLE_QUOTE:
        return this.#singleQuoted(at);
      case LIST_START:
        return depth < DEPTH_MAX ? this.#list(at, depth) : null;
      case MAP_START:
        return depth < DEPTH_MAX ? this.#map(at, depth) : null;
      default:
        return null;
    }
  }

  #plain(at: number): LocatedScalar | null {
    const text = this.#text;
    if (!isPlainStart(text, at)) return null;
    let end = at;
    for (let i = at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === NEWLINE) break;
      if (code === SPACE) continue;
      if (code === HASH && text.charCodeAt(i - 1) === SPACE) break;
      if (code === COLON && isBlank(text, i + 1)) return null;
      end = i + 1;
    }
    this.end = end;
    return typed(at, text.slice(at, end));
  }

  #doubleQuoted(at: number): LocatedScalar | null {
    const text = this.#text;
    let hasEscape = false;
    for (let i = at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === NEWLINE) return null;
      if (code === BACKSLASH) {
        hasEscape = true;
        const next = text.charCodeAt(++i);
        if (next !== BACKSLASH && next !== DOUBLE_QUOTE) return null;
      } else if (code === DOUBLE_QUOTE) {
        this.end = i + 1;
        const raw = text.slice(at + 1, i);
        return scalar(at, hasEscape ? raw.replace(/\\(.)/g, '$1') : raw, false);
      }
    }
    return null;
  }

  #singleQuoted(at: number): LocatedScalar | null {
    const text = this.#text;
    for (let i = at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === NEWLINE) return null;
      if (code !== SINGLE_QUOTE) continue;
      if (text.charCodeAt(i + 1) === SINGLE_QUOTE) i++;
      else {
        this.end = i + 1;
        return scalar(at, text.slice(at + 1, i).replaceAll("''", "'"), false);
      }
    }
    return null;
  }

  #list(offset: number, depth: number): Located | null {
    const text = this.#text;
    const items: Located[] = [];
    let at = afterSpaces(text, offset + 1);
    while (text.charCodeAt(at) !== LIST_END) {
      const item = this.#item(at, depth);
      if (item === null) return null;
      items.push(item);
      at = this.#next(LIST_END);
      if (at < 0) return null;
    }
    this.end = at + 1;
    return { kind: 'list', offset, items };
  }

  #map(offset: number, depth: number): Located | null {
    const text = this.#text;
    const entries: Entries = new Map();
    let at = afterSpaces(text, offset + 1);
    while (text.charCodeAt(at) !== MAP_END) {
      const keyOffset = at;
      const key = plainKey(text, at);
      if (key === null || entries.has(key)) return null;
      const value = this.#item(afterSpaces(text, keyOffset + key.length + 1), depth);
      if (value === null) return null;
      entries.set(key, { keyOffset, value });
      at = this.#next(MAP_END);
      if (at < 0) return null;
    }
    this.end = at + 1;
    return { kind: 'map', offset, entries };
  }

  /** The next item, or the closing bracket; -1 when neither follows. */
  #next(closing: number): number {
    const text = this.#text;
    const at = afterSpaces(text, this.end);
    const code = text.charCodeAt(at);
    if (code === closing) return at;
    if (code !== COMMA) return -1;
    const next = afterSpaces(text, at + 1);
    return text.charCodeAt(next) === closing ? -1 : next;
  }

  /** In brackets, a plain value ends sooner. */
  #item(at: number, depth: number): Located | null {
    const text = this.#text;
    const other = this.#quotedOrFlow(at, depth + 1);
    if (other !== null) return other;
    if (!isPlainStart(text, at)) return null;
    let end = at;
    for (let i = at; ; i++) {
      const code = text.charCodeAt(i);
      if (code === COMMA || code === LIST_END || code === MAP_END) break;
      if (code === SPACE) continue;
      if (code === NEWLINE || code === LIST_START || code === MAP_START || code === HASH || i >= text.length) return null;
      if (code === COLON && (isBlank(text, i + 1) || /[,[\]{}]/.test(text.charAt(i + 1)))) return null;
      end = i + 1;
    }
    this.end = end;
    return typed(at, text.slice(at, end));
  }
}

/** The key that begins there and has its colon; null when there is none, or an unusual one. */
export function plainKey(text: string, at: number): string | null {
  if (!isOneOf(KEY_START, text.charCodeAt(at))) return null;
  let end = at + 1;
  while (isOneOf(KEY_PART, text.charCodeAt(end))) end++;
  if (text.charCodeAt(end) !== COLON || end - at > KEY_LENGTH_MAX || !isBlank(text, end + 1)) return null;
  const key = text.slice(at, end);
  return FORBIDDEN_KEYS.has(key) || /^null$/i.test(key) ? null : key;
}

export function afterSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** A blank, or the end of the line. */
export function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === SPACE || code === NEWLINE || at >= text.length;
}

export function scalar(offset: number, value: LocatedScalar['value'], plain: boolean): LocatedScalar {
  return { kind: 'scalar', offset, value, plain };
}

function isOneOf(table: Uint8Array, code: number): boolean {
  return code < 128 && table[code] === 1;
}

/** A dash begins a value only when something follows it. */
function isPlainStart(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code >= 128) return true;
  if (!isOneOf(VALUE_START, code)) return false;
  return code !== DASH || isOneOf(KEY_PART, text.charCodeAt(at + 1));
}

function typed(offset: number, text: string): LocatedScalar {
  return scalar(offset, isOneOf(TYPED_START, text.charCodeAt(0)) ? plainValue(text) : text, true);
}
