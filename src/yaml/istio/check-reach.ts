// Rules and matches that no call can reach, because one before takes them all. Warnings, as Istio's analyzer gives them.
// Source: istio/istio pkg/config/validation, analyzeUnreachableHTTPRules.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { HttpMatchSpec, HttpRouteSpec, StringMatches, StringMatchSpec } from './virtual-service-spec.ts';

const UNREACHABLE = { code: 'IST0130' };
const INEFFECTIVE = { code: 'IST0131' };

export function checkReach(routes: readonly HttpRouteSpec[], report: Report): void {
  const seen = new Map<string, number>();
  let open: number | null = null;
  for (const [i, { match: matches = [] }] of routes.entries()) {
    const path: ConfigPath = ['spec', 'http', i];
    if (open !== null) {
      const why = `the one at ${report.place(['spec', 'http', open])} has no match and takes every call`;
      report.warn(path, `this rule is never reached: ${why}; move it up or remove it`, UNREACHABLE);
      if (matches.length > 0) continue;
    }
    if (matches.length === 0) {
      open ??= i;
      continue;
    }
    let repeated = 0;
    for (const [j, match] of matches.entries()) {
      // The name says nothing about calls.
      const { name: _, ...asked } = match;
      const key = canonical(asked);
      const before = seen.get(key);
      if (before === undefined) seen.set(key, i);
      else {
        repeated++;
        const place = report.place(['spec', 'http', before]);
        report.warn([...path, 'match', j], `this match stands in the rule at ${place} already, so it takes nothing`, INEFFECTIVE);
      }
    }
    if (repeated === matches.length) report.warn(path, 'this rule is never reached: rules before it have all its matches', UNREACHABLE);
  }
  checkPrefixes(routes, report);
}

interface Prefix {
  readonly prefix: string;
  readonly match: HttpMatchSpec;
  readonly path: ConfigPath;
}

/** A prefix is covered by a shorter one before it. */
function checkPrefixes(routes: readonly HttpRouteSpec[], report: Report): void {
  const prefixes: Prefix[] = routes.flatMap(({ match: matches = [] }, i) =>
    matches.flatMap((match, j) => {
      const prefix = match.uri?.prefix ?? '';
      return prefix === '' ? [] : [{ prefix, match, path: ['spec', 'http', i, 'match', j] }];
    }),
  );
  for (const [i, later] of prefixes.entries()) {
    const before = prefixes.slice(0, i).find((earlier) => covers(earlier, later));
    if (before === undefined) continue;
    const message = `this match takes nothing: prefix ${JSON.stringify(before.prefix)} at ${report.place(before.path)} stands before it and covers it`;
    report.warn(later.path, message, INEFFECTIVE);
  }
}

/** Istio's rule, to the letter: what is compared beside the prefix are texts such as `exact:GET`. */
function covers(a: Prefix, b: Prefix): boolean {
  if (a.prefix === b.prefix || !b.prefix.startsWith(a.prefix) || (a.match.port ?? 0) !== (b.match.port ?? 0)) return false;
  const fits = (x: string, y: string): boolean => x === y || x.startsWith(y);
  if (!fits(textOf(a.match.method, 'exact:GET'), textOf(b.match.method, 'exact:GET'))) return false;
  if (!fits(textOf(a.match.authority), textOf(b.match.authority))) return false;
  return (['headers', 'queryParams', 'withoutHeaders'] as const).every((key) => namesFit(a.match[key], b.match[key], fits));
}

function namesFit(a: StringMatches = {}, b: StringMatches = {}, fits: (x: string, y: string) => boolean): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && fits(textOf(a[name]), textOf(b[name])));
}

function textOf(match: StringMatchSpec | undefined, otherwise = ''): string {
  if ((match?.exact ?? '') !== '') return `exact:${match?.exact}`;
  return (match?.prefix ?? '') === '' ? otherwise : `prefix:${match?.prefix}`;
}

/** The same text for the same match, however its keys are ordered. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
    .join()}}`;
}
