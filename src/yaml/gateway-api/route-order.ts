// Which match is tried first, across all rules that a host has: a total order that knows nothing of the order of documents.
// Source: Gateway API, HTTPRouteSpec.hostnames and HTTPRouteRule.matches: the more exact host, then the match, then the
// oldest route, then its namespace and name, then the place in the route.
import type { RouteMatch } from '../../model/route.ts';
import type { RouteDraft } from '../draft.ts';
import type { Resource } from '../resource.ts';
import { byAge } from '../world.ts';
import type { RankedMatch } from './read-matches.ts';

/** What is known of a rule before it is known where it leads. */
export interface Rule {
  readonly resource: Resource;
  /** In the route. */
  readonly index: number;
  readonly matches: readonly RankedMatch[];
}

export interface Candidate {
  readonly rule: Rule;
  /** In the rule. */
  readonly index: number;
  /** All of these are tried for it. */
  readonly matches: readonly RouteMatch[];
  readonly rank: readonly number[];
}

/** One for each match of the rule; `also` puts in what the host asks for beside. */
export function candidatesOf(
  rule: Rule,
  hostname: string,
  also: (match: RouteMatch) => readonly RouteMatch[] = (match) => [match],
): Candidate[] {
  const host = hostRank(hostname);
  return rule.matches.map(({ match, rank }, index) => ({ rule, index, matches: also(match), rank: [...host, ...rank] }));
}

/** Characters of a name without a star, then of any name. `*` is any host. */
function hostRank(hostname: string): readonly [exact: number, any: number] {
  const isExact = !hostname.startsWith('*');
  return [isExact ? hostname.length : 0, hostname === '*' ? 0 : hostname.length];
}

export function compareCandidates(a: Candidate, b: Candidate): number {
  for (let i = 0; i < Math.max(a.rank.length, b.rank.length); i++) {
    const difference = (b.rank[i] ?? 0) - (a.rank[i] ?? 0);
    if (difference !== 0) return difference;
  }
  const [first, second] = [a.rule.resource, b.rule.resource];
  if (first !== second) {
    const isSameName = first.createdAtMs === second.createdAtMs && first.namespace === second.namespace && first.name === second.name;
    // A route of each kind may have one name.
    return isSameName && first.kind !== second.kind ? (first.kind < second.kind ? -1 : 1) : byAge(first, second);
  }
  return a.rule.index - b.rule.index || a.index - b.index;
}

/** What becomes of a rule's calls, or of some of them. */
export interface RouteVariant {
  readonly route: Omit<RouteDraft, 'matches'>;
  /** Which of them: null when a match can mean none. @default all */
  readonly narrow?: (match: RouteMatch) => RouteMatch | null;
}

/** The first variant that fits a call has it; the last one takes all that are left. */
export type RouteOf = (rule: Rule) => readonly RouteVariant[];

/** In order; neighbours of one rule are put together. */
export function orderedRoutes(candidates: readonly Candidate[], routeOf: RouteOf): RouteDraft[] {
  const groups: { readonly rule: Rule; readonly matches: RouteMatch[] }[] = [];
  for (const { rule, matches } of [...candidates].sort(compareCandidates)) {
    const last = groups.at(-1);
    if (last?.rule === rule) last.matches.push(...matches);
    else groups.push({ rule, matches: [...matches] });
  }
  return groups.flatMap(({ rule, matches }) => routeOf(rule).flatMap((variant) => variantRoute(variant, matches)));
}

function variantRoute({ route, narrow }: RouteVariant, all: readonly RouteMatch[]): RouteDraft[] {
  const matches = narrow === undefined ? all : all.map(narrow).filter((match) => match !== null);
  if (matches.length === 0) return [];
  return [{ ...route, matches: matches.some(takesAll) ? [] : matches }];
}

function takesAll({ headers, queryParams, ...rest }: RouteMatch): boolean {
  return Object.keys(rest).length === 0 && Object.keys(headers).length === 0 && Object.keys(queryParams).length === 0;
}
