// Many rules, one look: each rule stands where something that it wants of a call leads to it, such as a path or a header,
// so that a call meets only the few rules that can match it. Their own tests decide. Must not change which rule is the
// first; a test holds it against asking them all.
import type { Call } from '../core/call.ts';
import type { PathMatch, RouteMatch, StringMatch } from '../model/route.ts';
import { GramTable, gramsOf } from './gram-table.ts';
import { headerValue } from './header-value.ts';
import { literalTexts } from './literal-texts.ts';
import type { CallMatch } from './match.ts';
import { firstMatch, PrefixTree } from './prefix-tree.ts';
import { paramNames, queryParam } from './query-param.ts';

export interface IndexedRule {
  /** At least one, and none that every call fulfills. */
  readonly matches: readonly RouteMatch[];
  readonly test: CallMatch;
}

/** Something that every call has that fulfills the match. */
interface Key {
  readonly of: 'path' | 'lowerPath' | 'pathPart' | 'method' | 'authority' | 'scheme' | 'header' | 'headerPart' | 'param';
  readonly name: string;
  /** Of a path, what it begins with; of a part, characters in it; of the others, the whole; null: whatever. */
  readonly value: string | null;
}

/** Rules by a name and what stands there. */
interface Named {
  readonly name: string;
  readonly whatever: number[];
  readonly values: Map<string, number[]>;
  parts: GramTable | null;
  /** The last search that met it. */
  search: number;
}

export class RouteIndex {
  readonly #tests: readonly CallMatch[];
  /** Of which nothing is known. */
  readonly #always: number[] = [];
  readonly #paths: PrefixTree = new PrefixTree();
  readonly #lowerPaths: PrefixTree = new PrefixTree();
  #hasLowerPaths = false;
  #pathParts: GramTable | null = null;
  readonly #methods: Map<string, number[]> = new Map();
  readonly #authorities: Map<string, number[]> = new Map();
  readonly #schemes: Map<string, number[]> = new Map();
  readonly #headers: Map<string, Named> = new Map();
  readonly #params: Map<string, Named> = new Map();
  #searches = 0;

  constructor(rules: readonly IndexedRule[]) {
    this.#tests = rules.map(({ test }) => test);
    const keys = rules.map(({ matches }) => matches.map(keysOf));
    const uses = new Map<string, number>();
    for (const key of keys.flat(2)) uses.set(idOf(key), (uses.get(idOf(key)) ?? 0) + 1);
    const usesOf = (key: Key): number => uses.get(idOf(key)) as number;
    for (const [rule, alternatives] of keys.entries()) {
      for (const [first, ...others] of alternatives) {
        if (first === undefined) push(this.#always, rule);
        else
          this.#add(
            others.reduce((best, key) => (usesOf(key) < usesOf(best) ? key : best), first),
            rule,
          );
      }
    }
  }

  /** Place of the first rule that matches; -1 when none does. */
  find(call: Call): number {
    const tests = this.#tests;
    const { path } = call;
    let best = firstMatch(this.#always, tests, call, tests.length);
    best = this.#paths.first(path, tests, call, best);
    if (this.#hasLowerPaths) best = this.#lowerPaths.first(path.toLowerCase(), tests, call, best);
    if (this.#pathParts !== null) best = this.#pathParts.first(path, tests, call, best);
    if (this.#methods.size > 0) best = this.#among(this.#methods.get(call.method), call, best);
    if (this.#authorities.size > 0) best = this.#among(this.#authorities.get(call.authority), call, best);
    if (this.#schemes.size > 0) best = this.#among(this.#schemes.get(call.scheme), call, best);
    if (this.#headers.size > 0) best = this.#byHeader(call, best);
    if (this.#params.size > 0 && path.includes('?')) best = this.#byParam(call, best);
    return best === tests.length ? -1 : best;
  }

  #add({ of, name, value }: Key, rule: number): void {
    switch (of) {
      case 'path':
        this.#paths.add(value ?? '', rule);
        break;
      case 'lowerPath':
        this.#hasLowerPaths = true;
        this.#lowerPaths.add(value ?? '', rule);
        break;
      case 'pathPart':
        this.#pathParts ??= new GramTable();
        this.#pathParts.add(value ?? '', rule);
        break;
      case 'method':
        push(listOf(this.#methods, value ?? ''), rule);
        break;
      case 'authority':
        push(listOf(this.#authorities, value ?? ''), rule);
        break;
      case 'scheme':
        push(listOf(this.#schemes, value ?? ''), rule);
        break;
      case 'header':
        push(rulesOf(namedOf(this.#headers, name), value), rule);
        break;
      case 'headerPart': {
        const named = namedOf(this.#headers, name);
        named.parts ??= new GramTable();
        named.parts.add(value ?? '', rule);
        break;
      }
      case 'param':
        push(rulesOf(namedOf(this.#params, name), value), rule);
        break;
    }
  }

  #among(rules: readonly number[] | undefined, call: Call, best: number): number {
    return rules === undefined ? best : firstMatch(rules, this.#tests, call, best);
  }

  #byHeader(call: Call, before: number): number {
    const { headers } = call;
    const tests = this.#tests;
    const search = ++this.#searches;
    let best = before;
    for (let i = 0; i < headers.length; i += 2) {
      const named = this.#headers.get((headers[i] as string).toLowerCase());
      if (named === undefined || named.search === search) continue;
      named.search = search;
      best = firstMatch(named.whatever, tests, call, best);
      if (named.values.size === 0 && named.parts === null) continue;
      const value = headerValue(headers, named.name) as string;
      best = this.#among(named.values.get(value), call, best);
      if (named.parts !== null) best = named.parts.first(value, tests, call, best);
    }
    return best;
  }

  #byParam(call: Call, before: number): number {
    const search = ++this.#searches;
    let best = before;
    for (const name of paramNames(call.path)) {
      const named = this.#params.get(name);
      if (named === undefined || named.search === search) continue;
      named.search = search;
      best = firstMatch(named.whatever, this.#tests, call, best);
      if (named.values.size > 0) best = this.#among(named.values.get(queryParam(call.path, name) as string), call, best);
    }
    return best;
  }
}

/** The most telling ones first. */
function keysOf({ path, headers, withoutHeaders, queryParams, authority, method, scheme }: RouteMatch): Key[] {
  const keys: Key[] = [];
  if (path !== undefined) addPath(keys, path);
  const asked = [...Object.entries(headers), ...Object.entries(withoutHeaders ?? {})];
  // No call has a name in other letters than the index looks for.
  for (const [name, match] of asked) if (name === name.toLowerCase()) addValue(keys, 'header', name, match);
  for (const [name, match] of Object.entries(queryParams)) addValue(keys, 'param', name, match);
  for (const [of, match] of [
    ['authority', authority],
    ['method', method],
    ['scheme', scheme],
  ] as const) {
    if (match?.kind === 'exact') addValue(keys, of, '', match);
  }
  return keys;
}

function addPath(keys: Key[], { kind, value, invert, ignoreCase }: PathMatch): void {
  if (invert) return;
  if (kind === 'regex') {
    const { head, parts } = literalTexts(value);
    if (head !== '') keys.push({ of: 'path', name: '', value: head });
    for (const gram of parts.flatMap(gramsOf)) keys.push({ of: 'pathPart', name: '', value: gram });
    return;
  }
  const head = kind === 'pathPrefix' ? value.replace(/\/$/, '') : value;
  // Every path has the prefix `/`, even `*`.
  if (head === '' || (head === '/' && kind === 'prefix')) return;
  const isLower = ignoreCase === true;
  keys.push({ of: isLower ? 'lowerPath' : 'path', name: '', value: isLower ? head.toLowerCase() : head });
}

/** A missing value, or any other one, fulfills what is turned round. */
function addValue(keys: Key[], of: Key['of'], name: string, match: StringMatch): void {
  if (match.invert || (match.absentIsEmpty === true && match.kind !== 'present')) return;
  if (of === 'header') for (const gram of partsOf(match).flatMap(gramsOf)) keys.push({ of: 'headerPart', name, value: gram });
  keys.push({ of, name, value: match.kind === 'exact' ? match.value : null });
}

/** Texts that the value holds. */
function partsOf(match: StringMatch): readonly string[] {
  if (match.kind === 'regex') return literalTexts(match.value).parts;
  return match.kind === 'prefix' ? [match.value] : [];
}

function idOf({ of, name, value }: Key): string {
  return JSON.stringify([of, name, value]);
}

function listOf(map: Map<string, number[]>, key: string): number[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const list: number[] = [];
  map.set(key, list);
  return list;
}

function namedOf(map: Map<string, Named>, name: string): Named {
  const named: Named = map.get(name) ?? { name, whatever: [], values: new Map(), parts: null, search: 0 };
  map.set(name, named);
  return named;
}

function rulesOf({ whatever, values }: Named, value: string | null): number[] {
  return value === null ? whatever : listOf(values, value);
}

/** Rules come in order, one perhaps several times. */
function push(rules: number[], rule: number): void {
  if (rules.at(-1) !== rule) rules.push(rule);
}
