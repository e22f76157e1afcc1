// Matches of a route: exactly one way to compare each thing, names in lower case, patterns checked.
import type { MatchInput, PathMatchInput, StringMatchInput } from './input-match.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import type { Report } from './report.ts';
import type { PathMatch, RouteMatch, StringMatch } from './route.ts';

/** Says why a pattern cannot be used, or null. */
export type CheckRegex = (pattern: string) => string | null;

export interface MatchDeps {
  readonly report: Report;
  readonly checkRegex: CheckRegex | undefined;
}

export function resolveMatch(input: MatchInput, path: ConfigPath, deps: MatchDeps): RouteMatch {
  return {
    ...(input.path === undefined ? {} : { path: pathMatch(input.path, [...path, 'path'], deps) }),
    ...(input.method === undefined ? {} : { method: resolveStringMatch(input.method, [...path, 'method'], deps) }),
    headers: lowerKeys(input.headers, [...path, 'headers'], deps.report, (value, at) => resolveStringMatch(value, at, deps)),
    queryParams: mapValues(input.queryParams, [...path, 'queryParams'], (value, at) => resolveStringMatch(value, at, deps)),
    ...(input.scheme === undefined ? {} : { scheme: resolveStringMatch(input.scheme, [...path, 'scheme'], deps) }),
    ...(input.authority === undefined ? {} : { authority: resolveStringMatch(input.authority, [...path, 'authority'], deps) }),
    ...(input.port === undefined ? {} : { port: input.port }),
  };
}

/** Whether a call cannot fail to match. */
export function matchesEverything(match: RouteMatch): boolean {
  const { path, headers, withoutHeaders, queryParams, ...more } = match;
  if (Object.values(more).some((condition) => condition !== undefined)) return false;
  if ([headers, withoutHeaders, queryParams].some((names) => Object.keys(names ?? {}).length > 0)) return false;
  if (path === undefined) return true;
  return (path.kind === 'prefix' || path.kind === 'pathPrefix') && path.value === '/' && !path.invert;
}

/** The one key that is there; undefined after an issue. */
export function exactlyOne<K extends string>(
  input: Readonly<Partial<Record<K, unknown>>>,
  keys: readonly K[],
  path: ConfigPath,
  report: Report,
): K | undefined {
  const [first, second] = keys.filter((key) => input[key] !== undefined);
  if (first === undefined) report.error(path, `${formatPath(path)} needs one of ${keys.join(', ')}`, { allowed: keys });
  else if (second !== undefined) {
    report.error([...path, second], `${formatPath(path)} has both ${first} and ${second}; keep one`, { part: 'key' });
  }
  return first;
}

export function resolveStringMatch(input: string | StringMatchInput, path: ConfigPath, deps: MatchDeps): StringMatch {
  if (typeof input === 'string') return { kind: 'exact', value: input, invert: false };
  const invert = input.not ?? false;
  const kind = exactlyOne(input, ['exact', 'prefix', 'regex', 'present'], path, deps.report);
  if (kind === undefined || kind === 'present') return { kind: 'present', invert };
  const value = input[kind] as string;
  if (kind === 'regex') checkPattern(value, [...path, kind], deps);
  return { kind, value, invert };
}

function pathMatch(input: string | PathMatchInput, path: ConfigPath, deps: MatchDeps): PathMatch {
  const whole: PathMatchInput = typeof input === 'string' ? { exact: input } : input;
  const kind = exactlyOne(whole, ['exact', 'prefix', 'pathPrefix', 'regex'], path, deps.report) ?? 'exact';
  const value = whole[kind] ?? '/';
  const at = typeof input === 'string' ? path : [...path, kind];
  if (kind === 'regex') checkPattern(value, at, deps);
  else if (!value.startsWith('/')) deps.report.error(at, `a path begins with "/", not ${deps.report.show(at, value)}`);
  else if (/[?#]/.test(value)) {
    deps.report.error(at, `${deps.report.show(at, value)} can never match: a path is compared without its query; use queryParams`);
  }
  const ignoreCase = whole.ignoreCase === true;
  if (ignoreCase && kind !== 'exact' && kind !== 'prefix') {
    const fix = kind === 'regex' ? 'write (?i) at its front' : 'use exact or prefix';
    deps.report.error([...path, 'ignoreCase'], `ignoreCase is for exact and prefix, not for ${kind}; ${fix}`, { part: 'key' });
  }
  return { kind, value, invert: whole.not ?? false, ...(ignoreCase ? { ignoreCase } : {}) };
}

export function checkPattern(pattern: string, path: ConfigPath, { report, checkRegex }: MatchDeps): void {
  const fault = checkRegex?.(pattern) ?? null;
  if (fault === null) return;
  // What the checker says may quote the pattern.
  report.error(path, `${report.show(path, pattern)} is not a regular expression in RE2 syntax${report.isSecret(path) ? '' : `: ${fault}`}`);
}

/** With keys in lower case; two that then fall together are an issue. No prototype: names are the user's. */
export function lowerKeys<I, O>(
  input: Readonly<Record<string, I>> | undefined,
  path: ConfigPath,
  report: Report,
  convert: (value: I, path: ConfigPath) => O,
): Record<string, O> {
  const output: Record<string, O> = Object.create(null) as Record<string, O>;
  for (const [key, value] of Object.entries(input ?? {})) {
    const lower = key.toLowerCase();
    if (Object.hasOwn(output, lower)) {
      report.error([...path, key], `${JSON.stringify(key)} stands twice in ${formatPath(path)}; the case of names does not matter`, {
        part: 'key',
      });
    }
    output[lower] = convert(value, [...path, key]);
  }
  return output;
}

function mapValues<I, O>(
  input: Readonly<Record<string, I>> | undefined,
  path: ConfigPath,
  convert: (value: I, path: ConfigPath) => O,
): Record<string, O> {
  const output: Record<string, O> = Object.create(null) as Record<string, O>;
  for (const [key, value] of Object.entries(input ?? {})) output[key] = convert(value, [...path, key]);
  return output;
}
