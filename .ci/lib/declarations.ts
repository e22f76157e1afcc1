// Reads exported interfaces and constants with their doc comments, for the generated pages. A small reader of tokens: what
// it needs is a field's name, whether it is optional, its type as written, and what its comment says.
import { closing, type Token, tokensOf } from './lexer.ts';

export interface Doc {
  /** The comment without its tags, on one line. */
  readonly text: string;
  /** What `@default` says, without a closing remark after a colon or semicolon. */
  readonly defaultText: string | null;
  /** That remark. */
  readonly defaultRemark: string | null;
  /** What `Source:` says. */
  readonly source: string | null;
}

export interface FieldDeclaration {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly doc: Doc;
}

export interface InterfaceDeclaration {
  readonly name: string;
  readonly doc: Doc;
  readonly fields: readonly FieldDeclaration[];
}

export interface ConstantDeclaration {
  readonly name: string;
  /** As written, '' when there is none. */
  readonly type: string;
  readonly doc: Doc;
}

export interface AliasDeclaration {
  readonly name: string;
  readonly doc: Doc;
  readonly members: readonly string[];
}

/** Exported interfaces, in order. */
export function interfacesIn(source: string): InterfaceDeclaration[] {
  const tokens = tokensOf(source);
  const found: InterfaceDeclaration[] = [];
  tokens.forEach((token, i) => {
    if (!isWord(token, 'interface') || !isWord(tokens[i - 1], 'export')) return;
    const open = tokens.findIndex((candidate, at) => at > i && candidate.kind === 'punct' && candidate.text === '{');
    const body = tokens.slice(open + 1, closing(tokens, open));
    found.push({ name: (tokens[i + 1] as Token).text, doc: docBefore(tokens, i - 1), fields: fieldsOf(body, source) });
  });
  return found;
}

/** Exported constants, in order. */
export function constantsIn(source: string): ConstantDeclaration[] {
  const tokens = tokensOf(source);
  const found: ConstantDeclaration[] = [];
  tokens.forEach((token, i) => {
    if (!isWord(token, 'const') || !isWord(tokens[i - 1], 'export')) return;
    const name = tokens[i + 1] as Token;
    const hasType = tokens[i + 2]?.text === ':';
    const equals = tokens.findIndex((candidate, at) => at > i && candidate.kind === 'punct' && candidate.text === '=');
    const type = hasType && equals !== -1 ? source.slice((tokens[i + 3] as Token).start, (tokens[equals - 1] as Token).end) : '';
    found.push({ name: name.text, type, doc: docBefore(tokens, i - 1) });
  });
  return found;
}

/** Exported unions of named types: name, comment, members in order. Others are left out. */
export function aliasesIn(source: string): AliasDeclaration[] {
  const tokens = tokensOf(source);
  const found: AliasDeclaration[] = [];
  tokens.forEach((token, i) => {
    if (!isWord(token, 'type') || !isWord(tokens[i - 1], 'export') || tokens[i + 2]?.text !== '=') return;
    const end = tokens.findIndex((candidate, at) => at > i && candidate.kind === 'punct' && candidate.text === ';');
    const parts = tokens.slice(i + 3, end).filter(({ text }) => text !== '|');
    if (parts.length < 2 || !parts.every(({ kind }) => kind === 'name')) return;
    found.push({ name: (tokens[i + 1] as Token).text, doc: docBefore(tokens, i - 1), members: parts.map(({ text }) => text) });
  });
  return found;
}

/** Members of an exported union of string literals. */
export function unionMembers(source: string, name: string): string[] {
  const tokens = tokensOf(source).filter(({ kind }) => kind !== 'comment');
  const at = tokens.findIndex((token, i) => token.text === name && isWord(tokens[i - 1], 'type'));
  if (at === -1) return [];
  const end = tokens.findIndex((token, i) => i > at && token.kind === 'punct' && token.text === ';');
  return tokens
    .slice(at + 2, end)
    .filter(({ kind }) => kind === 'string')
    .map(({ text }) => text);
}

const isWord = (token: Token | undefined, text: string): boolean => token?.kind === 'name' && token.text === text;

function fieldsOf(body: readonly Token[], source: string): FieldDeclaration[] {
  const fields: FieldDeclaration[] = [];
  let start = 0;
  for (let i = 0; i < body.length; i++) {
    const token = body[i] as Token;
    if (token.kind !== 'punct') continue;
    if ('([{'.includes(token.text)) i = closing(body, i);
    else if (token.text === ';') {
      const field = fieldOf(body.slice(start, i), source);
      if (field !== null) fields.push(field);
      start = i + 1;
    }
  }
  return fields;
}

/** null for a method or an index signature. */
function fieldOf(tokens: readonly Token[], source: string): FieldDeclaration | null {
  const first = tokens.findIndex(({ kind }) => kind !== 'comment');
  if (first === -1) return null;
  const at = isWord(tokens[first], 'readonly') ? first + 1 : first;
  const isOptional = tokens[at + 1]?.text === '?';
  const colon = isOptional ? at + 2 : at + 1;
  const [name, typeStart] = [tokens[at], tokens[colon + 1]];
  if (name?.kind !== 'name' || tokens[colon]?.text !== ':' || typeStart === undefined) return null;
  const type = source.slice(typeStart.start, (tokens.at(-1) as Token).end);
  return { name: name.text, type, isOptional, doc: docBefore(tokens, first) };
}

function docBefore(tokens: readonly Token[], at: number): Doc {
  const comment = tokens[at - 1];
  return docOf(comment?.kind === 'comment' && comment.text.startsWith('/**') ? comment.text : '');
}

/** Takes a doc comment apart. */
export function docOf(comment: string): Doc {
  const words = comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^\s*\*\s?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
  const [, beforeDefault = '', atDefault = ''] = /^(.*?)(?:@default (.*))?$/.exec(words) ?? [];
  const source = /Source: (.*)$/.exec(atDefault) ?? /Source: (.*)$/.exec(beforeDefault);
  const clean = (text: string): string => text.replace(/Source: .*$/, '').trim();
  const [, value = '', remark = ''] = /^([^:;]*)(?:[:;] (.*))?$/.exec(clean(atDefault).replace(/\.$/, '')) ?? [];
  return {
    text: clean(beforeDefault),
    defaultText: value.trim() === '' ? null : value.trim(),
    defaultRemark: remark === '' ? null : remark,
    source: source?.[1]?.trim().replace(/\.$/, '') ?? null,
  };
}
