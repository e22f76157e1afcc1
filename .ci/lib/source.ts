// What the house tests ask of a source file: whom it imports, which functions it holds and how long they are, what it
// exports. Reads tokens; knows nothing of files or rules.
import { closing, type Token } from './lexer.ts';

export interface Import {
  readonly specifier: string;
  /** `type`: gone after compilation. `lazy`: loaded when called (`import()`, or a type written as `import()`). `value`: loaded with the file. */
  readonly kind: 'value' | 'type' | 'lazy';
  readonly line: number;
}

export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly isAsync: boolean;
  /** Tokens of the body, braces included. */
  readonly body: readonly Token[];
}

/** Stands for a module whose name is computed: nobody can check where it leads. */
export const COMPUTED = '(computed)';

const is = (token: Token | undefined, text: string): boolean => token !== undefined && token.kind !== 'string' && token.text === text;
const isLiteral = (token: Token | undefined): boolean => token?.kind === 'string' || token?.kind === 'template';

/** Static, type-only, dynamic and re-exporting imports. `tokens` without comments. */
export function importsOf(tokens: readonly Token[]): Import[] {
  const found: Import[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.kind !== 'name' || is(tokens[i - 1], '.') || is(tokens[i - 1], '?.')) {
      if (token.text === 'getBuiltinModule' || (token.text === 'resolve' && isMetaResolve(tokens, i))) pushCall(found, tokens, i);
      continue;
    }
    if (token.text === 'import' && is(tokens[i + 1], '(')) pushCall(found, tokens, i);
    else if (token.text === 'require' && is(tokens[i + 1], '(')) pushCall(found, tokens, i);
    else if (token.text === 'require' && is(tokens[i + 1], '.') && is(tokens[i + 2], 'resolve')) pushCall(found, tokens, i + 2);
    else if (token.text === 'import' && !is(tokens[i + 1], '.')) pushStatic(found, tokens, i);
    else if (token.text === 'export') pushReExport(found, tokens, i);
  }
  return found;
}

function isMetaResolve(tokens: readonly Token[], at: number): boolean {
  return is(tokens[at - 2], 'meta') && is(tokens[at - 4], 'import') && is(tokens[at + 1], '(');
}

function pushCall(found: Import[], tokens: readonly Token[], at: number): void {
  const argument = tokens[at + 2];
  const isPlain = isLiteral(argument) && (is(tokens[at + 3], ')') || is(tokens[at + 3], ','));
  found.push({ specifier: isPlain ? (argument as Token).text : COMPUTED, kind: 'lazy', line: (tokens[at] as Token).line });
}

function pushStatic(found: Import[], tokens: readonly Token[], at: number): void {
  const { line } = tokens[at] as Token;
  const next = tokens[at + 1];
  if (next?.kind === 'string') {
    found.push({ specifier: next.text, kind: 'value', line });
    return;
  }
  const isType = is(next, 'type') && !is(tokens[at + 2], 'from') && !is(tokens[at + 2], ',');
  const from = fromAfter(tokens, at + 1);
  if (from !== undefined) found.push({ specifier: from.text, kind: isType ? 'type' : 'value', line });
}

function pushReExport(found: Import[], tokens: readonly Token[], at: number): void {
  const isType = is(tokens[at + 1], 'type') && (is(tokens[at + 2], '{') || is(tokens[at + 2], '*'));
  const start = isType ? at + 2 : at + 1;
  if (!is(tokens[start], '{') && !is(tokens[start], '*')) return;
  const after = is(tokens[start], '{') ? closing(tokens, start) + 1 : start + 1;
  const named = is(tokens[after], 'as') ? after + 2 : after;
  const module = tokens[named + 1];
  if (is(tokens[named], 'from') && module?.kind === 'string')
    found.push({ specifier: module.text, kind: isType ? 'type' : 'value', line: (tokens[at] as Token).line });
}

/** The string after the `from` of an import that begins before `at`. */
function fromAfter(tokens: readonly Token[], at: number): Token | undefined {
  for (let i = at; i < tokens.length && !is(tokens[i], ';'); i++) {
    if (is(tokens[i], 'from') && tokens[i + 1]?.kind === 'string') return tokens[i + 1];
  }
  return undefined;
}

/** Words before a bracket that make it no parameter list. */
const CONTROL: ReadonlySet<string> = new Set(['if', 'for', 'while', 'switch', 'with', 'await']);
/** A type goes on after these. */
const TYPE_GOES_ON: ReadonlySet<string> = new Set(
  ': | & < ( , [ => = ? is keyof readonly typeof infer extends unique asserts new abstract'.split(' '),
);

/** Functions, methods, accessors and arrows with a body in braces. Arrows with an expression are counted with what holds them. */
export function functionsOf(tokens: readonly Token[]): FunctionSpan[] {
  const found: FunctionSpan[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const open = is(tokens[i], ')') ? bodyAfter(tokens, i) : is(tokens[i], '=>') && is(tokens[i + 1], '{') ? i + 1 : -1;
    if (open === -1) continue;
    const head = headOf(tokens, i);
    if (head === null) continue;
    const close = closing(tokens, open);
    found.push({ ...head, lines: (tokens[close] as Token).line - head.line + 1, body: tokens.slice(open, close + 1) });
  }
  return found;
}

/** Index of the brace that opens the body after the parameter list closed at `at`, or -1. */
function bodyAfter(tokens: readonly Token[], at: number): number {
  if (is(tokens[at + 1], '{')) return at + 1;
  if (!is(tokens[at + 1], ':')) return -1;
  for (let i = at + 2; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    const before = tokens[i - 1] as Token;
    if (token.kind !== 'punct') continue;
    if (token.text === '{' && !TYPE_GOES_ON.has(before.text)) return i;
    if ('([{'.includes(token.text)) i = closing(tokens, i);
    else if (token.text === '=>' && is(tokens[i + 1], '{')) return -1;
    else if (';)]}='.includes(token.text)) return -1;
    else if (token.text === ',' && !insideAngle(tokens, at + 2, i)) return -1;
    else if (token.text === '?' || token.text === '?.' || token.text === '...') return -1;
  }
  return -1;
}

function insideAngle(tokens: readonly Token[], from: number, at: number): boolean {
  let depth = 0;
  for (let i = from; i < at; i++) {
    if (is(tokens[i], '<')) depth++;
    else if (is(tokens[i], '>')) depth--;
  }
  return depth > 0;
}

/** Name, line and colour of the function whose parameter list or arrow stands at `at`; null for `if (…) {` and its kin. */
function headOf(tokens: readonly Token[], at: number): Pick<FunctionSpan, 'name' | 'line' | 'isAsync'> | null {
  let open = at;
  if (is(tokens[at], '=>')) {
    open = parametersBefore(tokens, at);
    const start = is(tokens[open - 1], '>') ? angleOpen(tokens, open - 1) : open;
    const isAsync = is(tokens[start - 1], 'async');
    return { name: nameBefore(tokens, isAsync ? start - 2 : start - 1), line: (tokens[start] as Token).line, isAsync };
  }
  open = openOf(tokens, at);
  const nameAt = is(tokens[open - 1], '>') ? angleOpen(tokens, open - 1) - 1 : open - 1;
  const name = tokens[nameAt];
  if (name === undefined || (name.kind !== 'name' && name.kind !== 'string' && name.text !== ']' && name.text !== '*')) return null;
  if (CONTROL.has(name.text) || name.text === 'catch') return null;
  let first = nameAt;
  while (
    first > 0 &&
    /^(async|function|\*|get|set|static|override|export|default|private|protected|public)$/.test(tokens[first - 1]?.text ?? '')
  )
    first--;
  const modifiers = tokens.slice(first, nameAt).map((token) => token.text);
  const text = name.text === ']' ? '[computed]' : name.text;
  const isAsync = modifiers.includes('async') || (text === 'function' && is(tokens[nameAt - 1], 'async'));
  return {
    name: text === 'function' ? nameBefore(tokens, isAsync ? nameAt - 2 : nameAt - 1) : text,
    line: (tokens[first] as Token).line,
    isAsync,
  };
}

/** `x =>` or `(…): T =>`: where the parameters begin. */
function parametersBefore(tokens: readonly Token[], arrow: number): number {
  if (is(tokens[arrow - 1], ')')) return openOf(tokens, arrow - 1);
  let i = arrow - 1;
  for (; i > 0; i--) {
    const token = tokens[i] as Token;
    if (is(token, ')') && is(tokens[i + 1], ':')) return openOf(tokens, i);
    if (token.kind === 'punct' && ')]}'.includes(token.text)) i = openOf(tokens, i);
    else if (token.kind === 'punct' && /^[;=({[]$/.test(token.text)) break;
  }
  return arrow - 1;
}

function nameBefore(tokens: readonly Token[], at: number): string {
  const isNamed = is(tokens[at], '=') || is(tokens[at], ':');
  return isNamed && tokens[at - 1]?.kind === 'name' ? (tokens[at - 1] as Token).text : '(anonymous)';
}

function openOf(tokens: readonly Token[], close: number): number {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    const token = tokens[i] as Token;
    if (token.kind !== 'punct') continue;
    if (')]}'.includes(token.text)) depth++;
    else if ('([{'.includes(token.text) && --depth === 0) return i;
  }
  throw new Error(`line ${tokens[close]?.line}: the bracket was never opened.`);
}

function angleOpen(tokens: readonly Token[], close: number): number {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (is(tokens[i], '>')) depth++;
    else if (is(tokens[i], '<') && --depth === 0) return i;
  }
  return close;
}

/** Names that a module exports, in order; `*` for a re-export of everything. */
export function exportsOf(tokens: readonly Token[]): string[] {
  const names: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!is(tokens[i], 'export') || is(tokens[i - 1], '.')) continue;
    let at = i + 1;
    if (is(tokens[at], 'type') && is(tokens[at + 1], '{')) at++;
    if (is(tokens[at], '*')) names.push(is(tokens[at + 1], 'as') ? (tokens[at + 2] as Token).text : '*');
    else if (is(tokens[at], '{')) names.push(...listed(tokens.slice(at + 1, closing(tokens, at))));
    else {
      while (/^(declare|abstract|async|default|function|class|const|let|interface|type|\*)$/.test(tokens[at]?.text ?? '')) {
        if (is(tokens[at], 'default')) names.push('default');
        at++;
      }
      if (names.at(-1) !== 'default' && tokens[at]?.kind === 'name') names.push((tokens[at] as Token).text);
    }
  }
  return names;
}

/** `a, type B, c as d` → a, B, d. */
function listed(tokens: readonly Token[]): string[] {
  const names: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const next = tokens[i + 1];
    if (tokens[i]?.kind === 'name' && (next === undefined || is(next, ','))) names.push((tokens[i] as Token).text);
  }
  return names;
}
