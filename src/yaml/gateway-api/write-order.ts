// Rules of ours are asked in their order; the Gateway API asks the more specific match first, wherever it stands. Where that
// would be another rule, the earlier one also says what both mean, which is more specific still.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import { canonicalMatches, mayOverlap, withoutTaken } from '../write/canonical-match.ts';
import type { HttpMatchSpec } from './route-spec.ts';
import { type SaidMatch, writeMatch } from './write-match.ts';

export interface OrderedRule {
  readonly matches: readonly SaidMatch[];
  /** Rules behind it that take some of its calls all the same, by their place. */
  readonly losesTo: readonly number[];
}

/** Of one document. */
const MATCHES_MAX = 128;

/** `rules`: each a list of matches; one that takes every call has one match without conditions. */
export function withOrder(rules: readonly (readonly SaidMatch[])[]): OrderedRule[] {
  const ordered: OrderedRule[] = [];
  let count = rules.reduce((sum, matches) => sum + matches.length, 0);
  for (let i = rules.length - 1; i >= 0; i--) {
    const own = [...(rules[i] as readonly SaidMatch[])];
    const losesTo = new Set<number>();
    for (const [offset, later] of ordered.entries()) {
      for (const match of rules[i] as readonly SaidMatch[]) {
        for (const rival of later.matches) {
          if (!goesFirst(rival, match) || isDecided(match, rival, own)) continue;
          const both = count < MATCHES_MAX ? intersection(match.means, rival.means) : null;
          if (both === null || compareRank(rankOf(both.spec), rankOf(rival.spec)) < 0) losesTo.add(i + 1 + offset);
          else {
            own.push(both);
            count++;
          }
        }
      }
    }
    ordered.unshift({ matches: own, losesTo: [...losesTo] });
  }
  return ordered;
}

/** Whether calls of both go to the one that stands first. */
export function areTied(a: SaidMatch, b: SaidMatch): boolean {
  return compareRank(rankOf(a.spec), rankOf(b.spec)) === 0 && mayOverlap(canonicalMatches([a.means]), canonicalMatches([b.means]));
}

/** Whether the rules are asked one after the other, as they stand. */
export function isAskedInOrder(rules: readonly (readonly SaidMatch[])[]): boolean {
  const asked = rules.flatMap((matches, rule) => matches.map(({ spec }) => ({ rule, rank: rankOf(spec) })));
  const sorted = asked.toSorted((a, b) => compareRank(b.rank, a.rank) || a.rule - b.rule);
  return sorted.every(({ rule }, i) => i === 0 || rule >= (sorted[i - 1]?.rule ?? 0));
}

/** Whether calls of both would go to the rival. */
function goesFirst(rival: SaidMatch, match: SaidMatch): boolean {
  if (compareRank(rankOf(rival.spec), rankOf(match.spec)) <= 0) return false;
  return mayOverlap(canonicalMatches([rival.means]), canonicalMatches([match.means]));
}

/** Whether what both mean is said already, and asked before the rival. */
function isDecided(match: SaidMatch, rival: SaidMatch, own: readonly SaidMatch[]): boolean {
  const both = meet(match.means, rival.means);
  if (both === null) return false;
  const set = canonicalMatches([both]);
  return own.some(
    (one) => compareRank(rankOf(one.spec), rankOf(rival.spec)) >= 0 && withoutTaken(set, canonicalMatches([one.means])).length === 0,
  );
}

function intersection(a: RouteMatch, b: RouteMatch): SaidMatch | null {
  const both = meet(a, b);
  const said = both === null ? null : writeMatch(both);
  return said !== null && Array.isArray(said) && said.length === 1 ? (said[0] as SaidMatch) : null;
}

/** What both mean, as one match; null when one match cannot say it. */
function meet(a: RouteMatch, b: RouteMatch): RouteMatch | null {
  const path = meetPaths(a.path, b.path);
  const method = meetStrings(a.method, b.method);
  const headers = meetNamed(a.headers, b.headers);
  const queryParams = meetNamed(a.queryParams, b.queryParams);
  if (path === null || method === null || headers === null || queryParams === null) return null;
  return { headers, queryParams, ...(path === undefined ? {} : { path }), ...(method === undefined ? {} : { method }) };
}

function meetStrings(a: StringMatch | undefined, b: StringMatch | undefined): StringMatch | undefined | null {
  if (a === undefined || b === undefined) return a ?? b;
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  if (a.invert || b.invert) return null;
  if (a.kind === 'present') return b;
  if (b.kind === 'present') return a;
  if (a.kind === 'exact' && b.kind === 'prefix' && a.value.startsWith(b.value)) return a;
  return b.kind === 'exact' && a.kind === 'prefix' && b.value.startsWith(a.value) ? b : null;
}

function meetNamed(a: RouteMatch['headers'], b: RouteMatch['headers']): RouteMatch['headers'] | null {
  const both: Record<string, StringMatch> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const met = meetStrings(both[name], value);
    if (met === null) return null;
    both[name] = met ?? value;
  }
  return both;
}

function meetPaths(a: PathMatch | undefined, b: PathMatch | undefined): PathMatch | undefined | null {
  if (a === undefined || isAny(a)) return b;
  if (b === undefined || isAny(b)) return a;
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  const [inA, inB] = [a, b].map((path) => canonicalMatches([{ path, headers: {}, queryParams: {} }])) as [
    ReturnType<typeof canonicalMatches>,
    ReturnType<typeof canonicalMatches>,
  ];
  if (withoutTaken(inA, inB).length === 0) return a;
  return withoutTaken(inB, inA).length === 0 ? b : null;
}

function isAny({ kind, value, invert }: PathMatch): boolean {
  return !invert && ((kind !== 'exact' && value === '/') || (kind === 'prefix' && value === ''));
}

const KINDS = { Exact: 2, PathPrefix: 1, RegularExpression: 0 } as const;

/** Source: HTTPRouteRule.matches; a pattern stands behind all prefixes, as in Istio. */
function rankOf({ path = {}, method, headers = [], queryParams = [] }: HttpMatchSpec): readonly number[] {
  const { type = 'PathPrefix', value = '/' } = path;
  const length = type === 'PathPrefix' && value.length > 1 && value.endsWith('/') ? value.length - 1 : value.length;
  return [KINDS[type], length, method === undefined ? 0 : 1, headers.length, queryParams.length];
}

/** Above 0: the first is asked first. */
function compareRank(a: readonly number[], b: readonly number[]): number {
  for (const [i, one] of a.entries()) {
    const difference = one - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
