// YAML text to located pieces; the only user of the `yaml` package, which is loaded when the first text comes. Whatever
// the text is, the answer is documents or issues with positions, soon: size, depth, documents and aliases are bounded
// before anything recursive runs. Knows nothing of what the documents mean.
import type { Alias, CST, Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { ConfigPath } from '../model/issue.ts';
import { FORBIDDEN_KEYS } from '../model/schema-check.ts';
import type { Located } from './located.ts';
import type { SourceText } from './frame.ts';
import { simpleDocuments } from './simple-document.ts';

type Yaml = typeof import('yaml');
type Node = Alias | Scalar | YAMLMap | YAMLSeq;

const TEXT_BYTES_MAX = 1_048_576;
const DEPTH_MAX = 100;
const DOCUMENTS_MAX = 1_000;
/** Pieces that all aliases of a file may stand for together: a laugh is cheap, a billion are not. */
const ALIASED_PIECES_MAX = 20_000;
/** Of one document; the first ones tell the story. */
const SYNTAX_ISSUES_MAX = 10;

export interface SyntaxIssue {
  readonly offset: number;
  readonly message: string;
}

export interface ParsedText {
  /** One for each document that says anything and has no issue. */
  readonly documents: readonly Located[];
  readonly issues: readonly SyntaxIssue[];
}

/** Never throws. JSON is YAML here. */
export type DocumentParser = (source: SourceText) => ParsedText;

/** Loads the package once; from then on parsing needs no promise. */
export async function documentParser(): Promise<DocumentParser> {
  const yaml = await import('yaml');
  return (source) => parse(yaml, source);
}

/** A comment, by the path of the key or entry that it stands above; the empty path is the top of the document. */
export type Comments = readonly (readonly [path: ConfigPath, text: string])[];

/** A value in the place of another, or in a new place; undefined takes the key away. */
export interface DocumentEdit {
  readonly path: ConfigPath;
  readonly value: unknown;
}

export interface DocumentWriter {
  /** Keys in the order of the value; quotes where a reader of YAML 1.1 or 1.2 would take a text for something else. */
  readonly print: (value: unknown, comments?: Comments) => string;
  /** The document of a file that holds the offset, as it stands there, without the line that begins it. */
  readonly cut: (text: string, offset: number) => string;
  /** One document with some places changed: comments, order and the notation of all others stay. */
  readonly edit: (text: string, edits: readonly DocumentEdit[]) => string;
}

/** Loads the package once. */
export async function documentWriter(): Promise<DocumentWriter> {
  const yaml = await import('yaml');
  return {
    print: (value, comments) => print(yaml, value, comments ?? []),
    cut: (text, offset) => cut(yaml, text, offset),
    edit: (text, edits) => edit(yaml, text, edits),
  };
}

/** Lines are never folded: a regular expression stays whole. */
const PRINTING = Object.freeze({ lineWidth: 0, indentSeq: true });

function print(yaml: Yaml, value: unknown, comments: Comments): string {
  const document = new yaml.Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  for (const [path, text] of comments) {
    const comment = text.replace(/^/gm, ' ');
    const last = path.at(-1);
    const holder = document.getIn(path.slice(0, -1), true);
    if (last === undefined) document.commentBefore = comment;
    else if (yaml.isSeq(holder)) (holder.items[last as number] as Node).commentBefore = comment;
    else if (yaml.isMap(holder)) {
      const pair = holder.items.find(({ key }) => yaml.isScalar(key) && key.value === last);
      if (pair !== undefined) (pair.key as Scalar).commentBefore = comment;
    }
  }
  return document.toString(PRINTING);
}

function cut(yaml: Yaml, text: string, offset: number): string {
  const starts: number[] = [];
  for (const token of new yaml.Parser().parse(text)) if (token.type === 'document') starts.push(token.offset);
  const at = Math.max(
    starts.findLastIndex((start) => start <= offset),
    0,
  );
  // What stands before the first document belongs to it.
  const piece = text.slice(at > 0 ? starts[at] : 0, starts[at + 1] ?? text.length);
  // What begins a document may stand after comments, and what ends it after the last line.
  return `${piece
    .replace(/^((?:[^\S\n]*(?:#.*)?\n)*)---[^\S\n]*\n?/, '$1')
    .replace(/\n(?:\.\.\.|---)\s*$/, '\n')
    .trim()}\n`;
}

function edit(yaml: Yaml, text: string, edits: readonly DocumentEdit[]): string {
  let edited = text;
  for (const { path, value } of edits) edited = editOne(yaml, edited, path, value);
  return edited;
}

function editOne(yaml: Yaml, text: string, path: ConfigPath, value: unknown): string {
  const document = yaml.parseDocument(text, { uniqueKeys: false, logLevel: 'silent', version: '1.2', compat: 'yaml-1.1' });
  const spliced = value === undefined ? null : splice(yaml, document, text, path, value);
  if (spliced !== null) return spliced;
  if (value === undefined) document.deleteIn(path);
  else document.setIn(path, document.createNode(value, { aliasDuplicateObjects: false }));
  return document.toString(PRINTING);
}

/** Touches no other character; null where the notation leaves no room for it. */
function splice(yaml: Yaml, document: Document.Parsed, text: string, path: ConfigPath, value: unknown): string | null {
  const print = (one: unknown): string => yaml.stringify(one, { ...PRINTING, compat: 'yaml-1.1' }).trimEnd();
  const node = document.getIn(path, true);
  if (yaml.isScalar(node) && Array.isArray(node.range) && node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED') {
    const printed = print(value);
    if (printed.includes('\n') || typeof value === 'object') return null;
    return text.slice(0, node.range[0]) + printed + text.slice(node.range[1]);
  }
  if (node !== undefined) return null;
  let depth = path.length - 1;
  while (depth > 0 && !document.hasIn(path.slice(0, depth))) depth--;
  const holder = document.getIn(path.slice(0, depth), true);
  if (!yaml.isMap(holder) || holder.flow === true) return null;
  const [first, last] = [
    holder.items[0] as Pair<Node, Node | null> | undefined,
    holder.items.at(-1) as Pair<Node, Node | null> | undefined,
  ];
  const end = last?.value?.range?.[1] ?? last?.key.range?.[1];
  const start = first?.key.range?.[0];
  if (start === undefined || end === undefined) return null;
  const indent = ' '.repeat(start - text.lastIndexOf('\n', start - 1) - 1);
  const nested = path.slice(depth).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const lines = print(nested).replace(/^(?=.)/gm, indent);
  // A comment behind the last value stays there.
  const lineEnd = text.indexOf('\n', text[end - 1] === '\n' ? end - 1 : end);
  const at = lineEnd < 0 ? text.length : lineEnd;
  return `${text.slice(0, at).trimEnd()}\n${lines}${lineEnd < 0 ? '\n' : text.slice(at)}`;
}

function parse(yaml: Yaml, { text }: SourceText): ParsedText {
  if (text.length > TEXT_BYTES_MAX || Buffer.byteLength(text) > TEXT_BYTES_MAX) {
    return failed(0, 'the file is longer than 1 MiB; split it, or keep long endpoint lists in endpointsFile');
  }
  const simple = simpleDocuments(text);
  if (simple !== null) return { documents: simple, issues: [] };
  const stackTraceLimit = Error.stackTraceLimit;
  // The parser makes an Error for each fault of the text, of which there may be a million.
  Error.stackTraceLimit = 0;
  try {
    return compose(yaml, text);
  } catch (error) {
    if (error instanceof Fault) return failed(error.offset, error.message);
    // A text that the parser itself stumbles over; its own message is all there is to say.
    return failed(0, `the file cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function failed(offset: number, message: string): ParsedText {
  return { documents: [], issues: [{ offset, message }] };
}

function compose(yaml: Yaml, text: string): ParsedText {
  // Its check for duplicate keys compares each key with all others; ours is a Map.
  const composer = new yaml.Composer({ uniqueKeys: false, logLevel: 'silent', version: '1.2' });
  const documents: Located[] = [];
  const issues: SyntaxIssue[] = [];
  const budget = { pieces: 0 };
  for (const document of composer.compose(tokensOf(yaml, text), true, text.length)) {
    const found = faultsOf(document, text);
    if (found.length > 0) issues.push(...found);
    else if (document.contents !== null) {
      const located = new Locator(yaml, budget).document(document);
      if (Array.isArray(located)) issues.push(...located);
      else if (located !== null) documents.push(located);
    }
  }
  return { documents, issues };
}

/** One by one, so that what a document was made of is gone before the next one comes. */
function* tokensOf(yaml: Yaml, text: string): Generator<CST.Token, void> {
  let documents = 0;
  for (const token of parsed(yaml, text)) {
    if (token.type === 'document' && ++documents > DOCUMENTS_MAX) {
      throw new Fault(token.offset, `more than ${DOCUMENTS_MAX} documents in one file`);
    }
    yield token;
  }
}

function* parsed(yaml: Yaml, text: string): Generator<CST.Token, void> {
  const parser = new yaml.Parser();
  for (const lexeme of new yaml.Lexer().lex(text)) {
    yield* parser.next(lexeme);
    // The parser keeps its own stack; what comes after it recurses.
    if (parser.stack.length > DEPTH_MAX + 2) throw new Fault(parser.offset, `more than ${DEPTH_MAX} levels of nesting`);
  }
  yield* parser.end();
}

/** The first of each line: the others follow from it. */
function faultsOf(document: Document.Parsed, text: string): SyntaxIssue[] {
  const issues: SyntaxIssue[] = [];
  let lineEnd = -1;
  for (const {
    pos: [offset],
    message,
  } of [...document.errors, ...document.warnings]) {
    if (offset <= lineEnd) continue;
    const end = text.indexOf('\n', offset);
    lineEnd = end < 0 ? text.length : end;
    const hasVariable = text.slice(text.lastIndexOf('\n', offset - 1) + 1, lineEnd).includes('${');
    issues.push({ offset, message: hasVariable ? `${message}; inside { } and [ ] a \${VARIABLE} must be in quotes` : message });
    if (issues.length === SYNTAX_ISSUES_MAX) break;
  }
  return issues;
}

interface Measured {
  readonly node: Located;
  /** Pieces in it with all aliases spread out. */
  readonly pieces: number;
  readonly depth: number;
}

class Fault extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Turns the nodes of one document into located pieces, in the order of the text, so that an alias finds the anchor before it. */
class Locator {
  readonly #yaml: Yaml;
  readonly #budget: { pieces: number };
  readonly #anchors: Map<string, Measured | null> = new Map();
  readonly #issues: SyntaxIssue[] = [];

  constructor(yaml: Yaml, budget: { pieces: number }) {
    this.#yaml = yaml;
    this.#budget = budget;
  }

  /** null for a document that says nothing. */
  document(document: Document.Parsed): Located | null | SyntaxIssue[] {
    try {
      const { node } = this.#locate(document.contents as Node, 0);
      if (this.#issues.length > 0) return this.#issues;
      return node.kind === 'scalar' && node.value === null ? null : node;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return [...this.#issues, { offset: error.offset, message: error.message }];
    }
  }

  #locate(node: Node, fallback: number): Measured {
    const offset = node.range?.[0] ?? fallback;
    if (this.#yaml.isAlias(node)) return this.#alias(node, offset);
    // null while it is being read: an alias inside would be endless.
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, null);
    const measured = this.#yaml.isMap(node)
      ? this.#map(node, offset)
      : this.#yaml.isSeq(node)
        ? this.#list(node, offset)
        : scalar(node, offset);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, measured);
    return measured;
  }

  #alias(node: Alias, offset: number): Measured {
    const target = this.#anchors.get(node.source);
    if (target === undefined) throw new Fault(offset, `there is no anchor &${node.source} before this alias`);
    if (target === null) throw new Fault(offset, `the alias *${node.source} stands inside what it names`);
    this.#spend(target.pieces, offset);
    return target;
  }

  #spend(pieces: number, offset: number): void {
    this.#budget.pieces += pieces;
    if (this.#budget.pieces > ALIASED_PIECES_MAX) throw new Fault(offset, 'the aliases of this file stand for too much; write it out');
  }

  #list(node: YAMLSeq, offset: number): Measured {
    const items: Located[] = [];
    let pieces = 1;
    let depth = 0;
    for (const item of node.items) {
      const measured = this.#locate(item as Node, offset);
      items.push(measured.node);
      pieces += measured.pieces;
      depth = Math.max(depth, measured.depth);
    }
    return measure({ kind: 'list', offset, items }, pieces, depth);
  }

  #map(node: YAMLMap, offset: number): Measured {
    const entries: Map<string, { keyOffset: number; value: Located }> = new Map();
    const merged: Measured[] = [];
    let pieces = 1;
    let depth = 0;
    for (const pair of node.items as Pair<Node | null, Node | null>[]) {
      const keyOffset = pair.key?.range?.[0] ?? offset;
      const key = this.#key(pair, keyOffset);
      const value = pair.value === null ? scalarOf(null, keyOffset) : this.#locate(pair.value, keyOffset);
      pieces += value.pieces;
      depth = Math.max(depth, value.depth);
      if (key === '<<' && (pair.key as Scalar).type === 'PLAIN') merged.push(value);
      else if (entries.has(key)) this.#twice(key, keyOffset);
      else entries.set(key, { keyOffset, value: value.node });
    }
    for (const value of merged) {
      this.#merge(value.node, entries);
      pieces += value.pieces;
    }
    return measure({ kind: 'map', offset, entries }, pieces, depth);
  }

  #twice(key: string, offset: number): void {
    if (this.#issues.length < SYNTAX_ISSUES_MAX)
      this.#issues.push({ offset, message: `the key ${JSON.stringify(key)} stands twice in this mapping` });
  }

  /** `<<: *anchor` or a list of them: what the mapping has itself wins, then the earlier one. Source: YAML merge key. */
  #merge(value: Located, entries: Map<string, { keyOffset: number; value: Located }>): void {
    for (const part of value.kind === 'list' ? value.items : [value]) {
      if (part.kind !== 'map') throw new Fault(value.offset, '"<<" takes a mapping, or a list of mappings');
      this.#spend(part.entries.size, value.offset);
      for (const [key, entry] of part.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  #key({ key }: Pair<Node | null, Node | null>, offset: number): string {
    if (!this.#yaml.isScalar(key) || key.value === null) throw new Fault(offset, 'a key must be a text; put it in quotes');
    // 1.10 as a key is the text, not the number 1.1.
    const text = key.type === 'PLAIN' ? (key.source ?? String(key.value)) : String(key.value);
    if (FORBIDDEN_KEYS.has(text)) throw new Fault(offset, `${text} is not allowed as a key`);
    return text;
  }
}

function scalar(node: Scalar, offset: number): Measured {
  const { value } = node;
  const plain = node.type === 'PLAIN' && node.tag === undefined;
  const single =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value);
  return { node: { kind: 'scalar', offset, value: single, plain }, pieces: 1, depth: 0 };
}

function scalarOf(value: null, offset: number): Measured {
  return { node: { kind: 'scalar', offset, value, plain: true }, pieces: 1, depth: 0 };
}

/** Aliases can pile up a depth that no line of the text has. */
function measure(node: Located, pieces: number, depth: number): Measured {
  if (depth >= DEPTH_MAX) throw new Fault(node.offset, `more than ${DEPTH_MAX} levels of nesting`);
  return { node, pieces, depth: depth + 1 };
}
