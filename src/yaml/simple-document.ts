// Texts that need no parser: mappings and lists in block style with values on one line, as nearly all resources are
// written. Read in one pass, they cost a tenth. Whatever is not plainly of that kind is left to the parser, faults included.
// Must agree with it on every text, offsets included; a test proves it.
import type { Located } from './located.ts';
import { afterSpaces, DEPTH_MAX, isBlank, plainKey, scalar, SimpleValues } from './simple-value.ts';

const DOCUMENTS_MAX = 1_000;

const NEWLINE = 10;
const HASH = 35;
const DASH = 45;
const BAR = 124;

/** At the beginning of a line that is not indented: marks of documents and directives, and all that is left to the parser. */
const LINE_START = /[A-Za-z-]/;

/** Control characters but the line feed, and marks that some take for line breaks or for the order of bytes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to look for.
const UNUSUAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]/;

/** null: the text is not of that kind. */
export function simpleDocuments(text: string): Located[] | null {
  return UNUSUAL.test(text) ? null : new SimpleReader(text).documents();
}

/** Reads lines; at the first that is not simple it gives up, by `null` all the way. */
class SimpleReader {
  readonly #text: string;
  readonly #values: SimpleValues;
  /** Of the first character of the line that says something; the end of the text when there is none. */
  #at = 0;
  /** Column of that character; -1 at the end of a document. */
  #indent = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#values = new SimpleValues(text);
  }

  documents(): Located[] | null {
    const documents: Located[] = [];
    if (!this.#nextLine(-1)) return null;
    for (let count = 0; count < DOCUMENTS_MAX; count++) {
      if (this.#indent >= 0) {
        const root = this.#indent === 0 ? this.#block(0) : null;
        if (root === null || this.#indent >= 0) return null;
        documents.push(root);
      }
      if (this.#at >= this.#text.length) return documents;
      // At a line that begins a document.
      if (!this.#endsLine(this.#at + 3) || !this.#nextLine(this.#lineEnd(this.#at))) return null;
    }
    return null;
  }

  /** From the end of a line, or -1, to the next line that says something. false: it is an unusual one. */
  #nextLine(lineEnd: number): boolean {
    const text = this.#text;
    const { length } = text;
    let end = lineEnd;
    while (end < length) {
      const start = end + 1;
      const at = afterSpaces(text, start);
      const code = text.charCodeAt(at);
      if (at >= length) break;
      if (code === NEWLINE || code === HASH) {
        end = this.#lineEnd(at);
        continue;
      }
      this.#at = at;
      this.#indent = at - start;
      if (at > start) return true;
      if (code === DASH && text.startsWith('---', at)) this.#indent = -1;
      return LINE_START.test(text.charAt(at));
    }
    this.#at = length;
    this.#indent = -1;
    return true;
  }

  #lineEnd(at: number): number {
    const end = this.#text.indexOf('\n', at);
    return end < 0 ? this.#text.length : end;
  }

  /** Whether only blanks, or a comment after a blank, follow up to the end of the line. */
  #endsLine(from: number): boolean {
    const text = this.#text;
    const at = afterSpaces(text, from);
    const code = text.charCodeAt(at);
    return at >= text.length || code === NEWLINE || (code === HASH && at > from);
  }

  #isDash(at: number): boolean {
    return this.#text.charCodeAt(at) === DASH && isBlank(this.#text, at + 1);
  }

  #block(indent: number): Located | null {
    if (this.#depth >= DEPTH_MAX) return null;
    this.#depth++;
    const node = this.#isDash(this.#at) ? this.#list(indent) : this.#map(indent);
    this.#depth--;
    return node;
  }

  /** At its first key. */
  #map(indent: number): Located | null {
    const offset = this.#at;
    const entries: Map<string, { keyOffset: number; value: Located }> = new Map();
    while (this.#indent === indent) {
      const keyOffset = this.#at;
      const key = plainKey(this.#text, keyOffset);
      if (key === null || entries.has(key)) return null;
      const value = this.#value(keyOffset + key.length + 1, indent, true);
      if (value === null || this.#indent > indent) return null;
      entries.set(key, { keyOffset, value });
    }
    return { kind: 'map', offset, entries };
  }

  /** At its first dash. It may stand below a key as far left as the key. */
  #list(indent: number): Located | null {
    const offset = this.#at;
    const items: Located[] = [];
    while (this.#indent === indent && this.#isDash(this.#at)) {
      const item = this.#value(this.#at + 1, indent, false);
      if (item === null || this.#indent > indent) return null;
      items.push(item);
    }
    return { kind: 'list', offset, items };
  }

  /** What stands behind a key or a dash of the column, on its line or below it. */
  #value(from: number, indent: number, isKey: boolean): Located | null {
    const text = this.#text;
    const at = afterSpaces(text, from);
    if (this.#endsLine(from)) {
      if (!this.#nextLine(this.#lineEnd(at))) return null;
      if (this.#indent > indent) return this.#block(this.#indent);
      if (isKey && this.#indent === indent && this.#isDash(this.#at)) return this.#block(indent);
      return scalar(at, null, true);
    }
    if (text.charCodeAt(at) === BAR) return this.#literal(at, indent);
    if (!isKey && this.#isDash(at)) return null;
    if (!isKey && plainKey(text, at) !== null) {
      this.#indent += at - this.#at;
      this.#at = at;
      return this.#block(this.#indent);
    }
    const value = this.#values.read(at);
    const { end } = this.#values;
    return value !== null && this.#endsLine(end) && this.#nextLine(this.#lineEnd(end)) ? value : null;
  }

  /** `|` or `|-`: the lines below, as they are, up to one that stands further left. */
  #literal(offset: number, indent: number): Located | null {
    const text = this.#text;
    const keepsEnd = text.charCodeAt(offset + 1) !== DASH;
    let end = offset + (keepsEnd ? 1 : 2);
    if (text.charCodeAt(end) !== NEWLINE) return null;
    const first = afterSpaces(text, end + 1);
    const column = first - end - 1;
    if (column <= indent || text.charCodeAt(first) === NEWLINE) return null;
    let value = '';
    let blank = '';
    while (end < text.length) {
      const start = end + 1;
      const at = afterSpaces(text, start);
      const isEmpty = at >= text.length || text.charCodeAt(at) === NEWLINE;
      if (isEmpty && at - start > column) return null;
      if (!isEmpty && at - start < column) break;
      end = this.#lineEnd(at);
      if (isEmpty) blank += '\n';
      else {
        value += `${blank}${text.slice(start + column, end)}`;
        blank = '\n';
      }
    }
    if (value === '' || !this.#nextLine(end)) return null;
    return scalar(offset, keepsEnd ? `${value}\n` : value, false);
  }
}
