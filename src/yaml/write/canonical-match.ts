// Which calls a rule is for, as a set: lists of conditions of which one list must hold as a whole. Two rules that are
// written otherwise and provably mean the same calls have the same set. Says nothing where that takes more than a look.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import { looksAtAbsent } from './describe-match.ts';

/** What is compared, how, and with what. */
export interface Condition {
  /** `path`, `method`, `header x-user`. */
  readonly of: string;
  readonly kind: 'exact' | 'prefix' | 'pathPrefix' | 'regex' | 'present' | 'port';
  readonly value: string;
  readonly not: boolean;
}

export type Conditions = readonly Condition[];

/** An empty list of lists: no call; a list that is empty: every call. */
export type MatchSet = readonly Conditions[];

/** Beyond this a list of words in a pattern stays a pattern. */
const EXPANDED_MAX = 64;

export function canonicalMatches(matches: readonly RouteMatch[]): MatchSet {
  if (matches.length === 0) return [[]];
  const lists = matches.flatMap(expand).filter((list) => !list.some(isImpossible) && !contradicts(list, list));
  return withoutCovered(lists);
}

export function matchSetKey(set: MatchSet): string {
  return set.map(listKey).sort().join(' | ');
}

export function isEverything(set: MatchSet): boolean {
  return set.some((list) => list.length === 0);
}

export function unionOf(a: MatchSet, b: MatchSet): MatchSet {
  return withoutCovered([...a, ...b]);
}

/** What is left of the one when the others have been asked before. */
export function withoutTaken(set: MatchSet, earlier: MatchSet): MatchSet {
  return set.filter((list) => !earlier.some((conditions) => conditions.every((condition) => isImplied(condition, list))));
}

/** Whether calls of which all of the list holds cannot but fulfil the condition. */
function isImplied(condition: Condition, list: Conditions): boolean {
  const key = listKey([condition]);
  return list.some((one) => listKey([one]) === key || (one.of === condition.of && !one.not && !condition.not && covers(condition, one)));
}

/** What both mean. */
export function sharedBy(a: MatchSet, b: MatchSet): MatchSet {
  return a.flatMap((one) => b.filter((other) => !contradicts(one, other)).map((other) => sorted([...one, ...other])));
}

/** Whether one call could be meant by both; yes when that cannot be told. */
export function mayOverlap(a: MatchSet, b: MatchSet): boolean {
  return a.some((one) => b.some((other) => !contradicts(one, other)));
}

function listKey(list: Conditions): string {
  return list.map(({ of, kind, value, not }) => `${not ? 'not ' : ''}${of} ${kind} ${JSON.stringify(value)}`).join(' & ');
}

/** A list asks more than another that it holds. */
function withoutCovered(lists: readonly Conditions[]): MatchSet {
  const unique = [...new Map(lists.map((list) => [listKey(list), list])).values()];
  const keys = unique.map((list) => new Set(list.map((one) => listKey([one]))));
  return unique.filter((_, i) => !keys.some((other, j) => j !== i && [...other].every((key) => (keys[i] as Set<string>).has(key))));
}

/** One match as lists: several where a pattern is a list of words, or a prefix goes by segments. */
function expand(match: RouteMatch): Conditions[] {
  const parts: Conditions[][] = [];
  if (match.path !== undefined) parts.push(pathConditions(match.path));
  for (const key of ['method', 'scheme', 'authority'] as const) {
    const value = match[key];
    if (value !== undefined) parts.push(stringConditions(key, value, true));
  }
  for (const [name, value] of [...Object.entries(match.headers), ...Object.entries(match.withoutHeaders ?? {})]) {
    parts.push(stringConditions(`header ${name}`, value, false));
  }
  for (const [name, value] of Object.entries(match.queryParams)) parts.push(stringConditions(`query ${name}`, value, false));
  if (match.port !== undefined) parts.push([[{ of: 'port', kind: 'port', value: String(match.port), not: false }]]);
  let lists: Conditions[] = [[]];
  for (const part of parts) lists = lists.flatMap((list) => part.map((more) => [...list, ...more]));
  return lists.map(sorted);
}

function sorted(list: Conditions): Conditions {
  const byKey = new Map(list.map((one) => [listKey([one]), one]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Alternatives, each a list of conditions that must hold. */
function pathConditions({ kind, value, invert: not, ignoreCase }: PathMatch): Conditions[] {
  const of = ignoreCase === true ? 'path in any case' : 'path';
  const text = ignoreCase === true ? value.toLowerCase() : value;
  if (kind === 'regex') return patternConditions(of, value, not, false, (all) => (not ? [[never(of)]] : all));
  if (kind === 'exact') return [[{ of, kind, value: text, not }]];
  const prefix = kind === 'pathPrefix' ? text.replace(/\/$/, '') : text;
  if (prefix === '' || prefix === '/') return not ? [[never(of)]] : [[]];
  if (kind === 'prefix') return [[{ of, kind, value: prefix, not }]];
  return segments(of, prefix, not);
}

/** `/a` by segments is `/a` itself and what begins with `/a/`. */
function segments(of: string, prefix: string, not: boolean): Conditions[] {
  const parts: Condition[] = [
    { of, kind: 'exact', value: prefix, not },
    { of, kind: 'prefix', value: `${prefix}/`, not },
  ];
  return not ? [parts] : parts.map((part) => [part]);
}

/** A path is always there. */
function isImpossible({ of, kind, not }: Condition): boolean {
  return kind === 'present' && not && of.startsWith('path');
}

function never(of: string): Condition {
  return { of, kind: 'present', value: '', not: true };
}

function stringConditions(of: string, match: StringMatch, isAlwaysThere: boolean): Conditions[] {
  const { kind, invert: not } = match;
  const present = (): Conditions[] => (isAlwaysThere && !not ? [[]] : [[{ of, kind: 'present', value: '', not }]]);
  if (kind === 'present') return present();
  // A missing value passes as an empty one: said in the name, since it is another condition.
  const name = not && looksAtAbsent(match) ? `${of} or nothing` : of;
  if (kind !== 'regex') return [[{ of: name, kind, value: match.value, not }]];
  return patternConditions(name, match.value, not, true, (all) => (name === of ? present() : all));
}

const PLAIN = /^(?:[^\\.+*?()|[\]{}^$]|\\[\\.+*?()|[\]{}^$/-])*$/;

function unescaped(pattern: string): string {
  return pattern.replace(/\\(.)/g, '$1');
}

/** `(?:P).*`, as the pattern of the whole path that it is; null when it is none, or P has a choice that reaches its end. */
function anchoredAtStart(pattern: string): string | null {
  const inner = /^\(\?:(.*)\)\.\*$/s.exec(pattern)?.[1];
  if (inner === undefined) return null;
  const segment = /^(.*)\(\?:\/\|\$\)$/.exec(inner)?.[1];
  if (segment !== undefined && PLAIN.test(segment)) return `${segment}(/.*)?`;
  if (PLAIN.test(inner)) return `${inner}.*`;
  const ended = /^(?:\(\?:(.*)\)|(.*))(?<!\\)\$$/s.exec(inner);
  const whole = ended?.[1] ?? ended?.[2];
  return whole === undefined || (ended?.[1] === undefined && whole.includes('|')) || !isBalanced(whole) ? null : whole;
}

/** Whether no bracket of the text closes one before it. */
function isBalanced(pattern: string): boolean {
  let depth = 0;
  for (const bracket of pattern.replace(/\\./g, '').replace(/[^()]/g, '')) {
    depth += bracket === '(' ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** What a simple pattern says in plainer words. `everything`: for a pattern that takes any text. */
function patternConditions(
  of: string,
  pattern: string,
  not: boolean,
  isText: boolean,
  everything: (all: Conditions[]) => Conditions[],
): Conditions[] {
  const open = isText ? null : anchoredAtStart(pattern);
  if (open !== null) return patternConditions(of, open, not, isText, everything);
  const whole: Conditions[] = [[{ of, kind: 'regex', value: pattern, not }]];
  const bare = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  if (bare === '.*') return everything(isText ? whole : [[]]);
  if (PLAIN.test(bare)) return [[{ of, kind: 'exact', value: unescaped(bare), not }]];
  const prefix = /^(.*?)\.\*$/.exec(bare)?.[1];
  if (prefix !== undefined && PLAIN.test(prefix)) return [[{ of, kind: 'prefix', value: unescaped(prefix), not }]];
  const segment = /^(.*?)\((?:\?:)?\/\.\*\)\?$/.exec(bare)?.[1];
  if (segment !== undefined && !isText && PLAIN.test(segment)) return segments(of, unescaped(segment), not);
  const words = (/^\((?:\?:)?([^()]*)\)$/.exec(bare)?.[1] ?? bare).split('|');
  if (words.length > EXPANDED_MAX || !words.every((word) => PLAIN.test(word))) return whole;
  const each = words.map((word): Condition => ({ of, kind: 'exact', value: unescaped(word), not }));
  return not ? [each] : each.map((one) => [one]);
}

/** Whether no call can be meant by both. */
function contradicts(a: Conditions, b: Conditions): boolean {
  return a.some((one) => b.some((other) => one.of === other.of && excludes(one, other)));
}

function excludes(a: Condition, b: Condition): boolean {
  if (a.not && b.not) return false;
  if (a.not || b.not) return a.not ? covers(a, b) : covers(b, a);
  if (a.kind === 'port' || (a.kind === 'exact' && b.kind === 'exact')) return a.value !== b.value;
  if (a.kind === 'exact' && b.kind === 'prefix') return !a.value.startsWith(b.value);
  if (a.kind === 'prefix' && b.kind === 'exact') return !b.value.startsWith(a.value);
  if (a.kind === 'prefix' && b.kind === 'prefix') return !a.value.startsWith(b.value) && !b.value.startsWith(a.value);
  return false;
}

/** Whether all that `other` takes is taken by `one`, leaving aside that either is turned round. */
function covers(one: Condition, other: Condition): boolean {
  if (one.kind === 'present') return true;
  if (one.kind === 'regex') return other.kind === 'regex' && one.value === other.value;
  if (one.kind === 'exact') return other.kind === 'exact' && one.value === other.value;
  return (other.kind === 'exact' || other.kind === 'prefix') && other.value.startsWith(one.value);
}
