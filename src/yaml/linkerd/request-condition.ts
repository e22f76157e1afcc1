// The condition of a ServiceProfile's route as matches of ours: any of several, each of which asks for all it names.
// Negations are moved down to the single comparisons. Source: linkerd2-proxy service-profiles/src/http.rs, src/proto.rs.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import type { RequestMatchSpec } from './profile-spec.ts';

interface Comparison {
  readonly on: 'method' | 'path';
  /** Method in upper case, or pattern of the whole path. */
  readonly value: string;
  readonly isNegated: boolean;
}

/** Any of these, each of which is all of those. */
type Alternatives = readonly (readonly Comparison[])[];

/** Beyond, a condition is nobody's handwriting, and would cost every call. */
const ALTERNATIVES_MAX = 64;

/** Empty: it holds for no call. */
export function matchesOf(condition: RequestMatchSpec): readonly RouteMatch[] | { readonly fault: string } {
  const alternatives = alternativesOf(condition, false);
  if (alternatives === null) return { fault: `it comes to more than ${ALTERNATIVES_MAX} alternatives; split the route` };
  const matches: RouteMatch[] = [];
  for (const comparisons of alternatives) {
    const match = matchOf(comparisons);
    if (match === 'paths') return { fault: 'it asks for two things of the path at once; say them in one pathRegex' };
    if (match !== 'never') matches.push(match);
  }
  return matches;
}

/** null: too many. */
function alternativesOf({ all, any: some, not, method = '', pathRegex = '' }: RequestMatchSpec, isNegated: boolean): Alternatives | null {
  const parts: (Alternatives | null)[] = [];
  if (all !== undefined)
    parts.push(
      joined(
        all.map((one) => alternativesOf(one, isNegated)),
        isNegated,
      ),
    );
  if (some !== undefined)
    parts.push(
      joined(
        some.map((one) => alternativesOf(one, isNegated)),
        !isNegated,
      ),
    );
  if (not !== undefined) parts.push(alternativesOf(not, !isNegated));
  if (method !== '') parts.push([[{ on: 'method', value: method.toUpperCase(), isNegated }]]);
  if (pathRegex !== '') parts.push([[{ on: 'path', value: wholePath(pathRegex), isNegated }]]);
  return joined(parts, isNegated);
}

/** `or`: any of the parts; else all of them. */
function joined(parts: readonly (Alternatives | null)[], or: boolean): Alternatives | null {
  let result: Alternatives = or ? [] : [[]];
  for (const part of parts) {
    if (part === null) return null;
    result = or ? [...result, ...part] : result.flatMap((left) => part.map((right) => [...left, ...right]));
    if (result.length > ALTERNATIVES_MAX) return null;
  }
  return result;
}

function matchOf(comparisons: readonly Comparison[]): RouteMatch | 'never' | 'paths' {
  const method = methodOf(comparisons.filter(({ on }) => on === 'method'));
  const path = pathOf(comparisons.filter(({ on }) => on === 'path'));
  if (method === 'never' || path === 'never') return 'never';
  if (path === 'paths') return path;
  return { ...(method === null ? {} : { method }), ...(path === null ? {} : { path }), headers: {}, queryParams: {} };
}

function methodOf(comparisons: readonly Comparison[]): StringMatch | null | 'never' {
  const { wanted, unwanted } = sides(comparisons);
  const [first, second] = wanted;
  if (second !== undefined || (first !== undefined && unwanted.includes(first))) return 'never';
  if (first !== undefined) return { kind: 'exact', value: first, invert: false };
  const [only, more] = unwanted;
  if (only === undefined) return null;
  if (more === undefined) return { kind: 'exact', value: only, invert: true };
  return { kind: 'regex', value: unwanted.map((method) => method.replace(/[.*+?^$|]/g, '\\$&')).join('|'), invert: true };
}

function pathOf(comparisons: readonly Comparison[]): PathMatch | null | 'never' | 'paths' {
  const { wanted, unwanted } = sides(comparisons);
  const [first, second] = wanted;
  if (first !== undefined && unwanted.includes(first)) return 'never';
  if (second !== undefined || (first !== undefined && unwanted.length > 0)) return 'paths';
  if (first !== undefined) return { kind: 'regex', value: first, invert: false };
  if (unwanted.length === 0) return null;
  const value = unwanted.length === 1 ? (unwanted[0] as string) : unwanted.map((pattern) => `(?:${pattern})`).join('|');
  return { kind: 'regex', value, invert: true };
}

function sides(comparisons: readonly Comparison[]): { readonly wanted: readonly string[]; readonly unwanted: readonly string[] } {
  const values = (isNegated: boolean): string[] => [
    ...new Set(comparisons.filter((one) => one.isNegated === isNegated).map(({ value }) => value)),
  ];
  return { wanted: values(false), unwanted: values(true) };
}

/**
 * Linkerd puts ^ before and $ behind a pattern that has none, and then looks for it anywhere: in `/a|/b` each anchor holds
 * for one branch only, and `\$` at the end counts as an anchor, though it is none. Ours compare the whole path.
 */
export function wholePath(pathRegex: string): string {
  const pattern = pathRegex.trim();
  const isOpen = /(?<!\\)(?:\\\\)*\\\$$/.test(pattern);
  if (!isOpen && !hasOuterBranch(pattern)) return pattern.replace(/^\^/, '').replace(/\$$/, '');
  const anchored = `${pattern.startsWith('^') ? '' : '^'}${pattern}${pattern.endsWith('$') ? '' : '$'}`;
  return `(?s:.*)(?:${anchored})(?s:.*)`;
}

/** Whether there is a `|` outside of all groups and classes. */
function hasOuterBranch(pattern: string): boolean {
  let depth = 0;
  let isClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    if (char === '\\') i++;
    else if (isClass) isClass = char !== ']';
    else if (char === '[') {
      isClass = true;
      // A bracket that comes first in a class is one of its characters.
      if (pattern[i + 1] === '^') i++;
      if (pattern[i + 1] === ']') i++;
    } else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}
