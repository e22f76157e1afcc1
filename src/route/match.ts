// Compiles what a rule asks of a call into one function. Everything that config can say is resolved here, so that a call
// pays for comparisons only. Must not know what happens to a call that matches.
import type { Call } from '../core/call.ts';
import type { RouteMatch } from '../model/route.ts';
import { headerValue } from './header-value.ts';
import { compilePath } from './path-match.ts';
import { queryParam } from './query-param.ts';
import type { TextMatch } from './simple-regex.ts';
import { compileString } from './string-match.ts';

/** Whether a call is meant. */
export type CallMatch = (call: Call) => boolean;

/**
 * One of the matches must hold; in it, all that it names. null means that every call is meant: there is no match, or one
 * that asks for nothing. `invert` is true exactly when the comparison without it is false, missing values included.
 */
export function compileMatches(matches: readonly RouteMatch[], regex: (pattern: string) => TextMatch): CallMatch | null {
  if (matches.length === 0) return null;
  const alternatives: CallMatch[] = [];
  for (const match of matches) {
    const conditions = conditionsOf(match, regex);
    if (conditions.length === 0) return null;
    alternatives.push(all(conditions));
  }
  return any(alternatives);
}

/** What HTTP/2 carries beside the headers, and rules of Istio may ask for in their place. */
const PSEUDO_HEADERS: ReadonlyMap<string, (call: Call) => string> = new Map([
  [':method', ({ method }: Call) => method],
  [':scheme', ({ scheme }: Call) => scheme],
  [':authority', ({ authority }: Call) => authority],
  [':path', ({ path }: Call) => path],
]);

/** Cheapest first. */
function conditionsOf(match: RouteMatch, regex: (pattern: string) => TextMatch): CallMatch[] {
  const conditions: CallMatch[] = [];
  if (match.method !== undefined && !(match.method.kind === 'present' && !match.method.invert)) {
    const test = compileString(match.method, regex);
    conditions.push((call) => test(call.method));
  }
  if (match.port !== undefined) conditions.push(onPort(match.port));
  const { scheme, authority } = match;
  if (scheme !== undefined) {
    const test = compileString(scheme, regex);
    conditions.push((call) => test(call.scheme));
  }
  if (authority !== undefined) {
    const test = compileString(authority, regex);
    conditions.push((call) => test(call.authority));
  }
  const path = match.path === undefined ? null : compilePath(match.path, regex);
  if (path !== null) conditions.push((call) => path(call.path));
  for (const [name, value] of [...Object.entries(match.headers), ...Object.entries(match.withoutHeaders ?? {})]) {
    const test = compileString(value, regex);
    const read = PSEUDO_HEADERS.get(name);
    conditions.push(read === undefined ? (call) => test(headerValue(call.headers, name)) : (call) => test(read(call)));
  }
  for (const [name, value] of Object.entries(match.queryParams)) {
    const test = compileString(value, regex);
    conditions.push((call) => test(queryParam(call.path, name)));
  }
  return conditions;
}

/** The port that the caller wrote, or that of the scheme. */
function onPort(port: number): CallMatch {
  const suffix = `:${port}`;
  const scheme = port === 80 ? 'http' : port === 443 ? 'https' : '';
  return ({ authority, scheme: own }) => {
    if (authority.endsWith(suffix)) return true;
    return own === scheme && authority.lastIndexOf(':') <= authority.lastIndexOf(']');
  };
}

function all(conditions: readonly CallMatch[]): CallMatch {
  const [first, second, third] = conditions;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (third === undefined) return (call) => first(call) && second(call);
  return (call) => {
    for (let i = 0; i < conditions.length; i++) if (!(conditions[i] as CallMatch)(call)) return false;
    return true;
  };
}

function any(alternatives: readonly CallMatch[]): CallMatch {
  const [first, second, third] = alternatives;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (third === undefined) return (call) => first(call) || second(call);
  return (call) => {
    for (let i = 0; i < alternatives.length; i++) if ((alternatives[i] as CallMatch)(call)) return true;
    return false;
  };
}
