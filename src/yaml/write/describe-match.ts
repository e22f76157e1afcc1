// Which calls a rule is for, in the words of the concise form.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import { described, type Described } from './described.ts';
import { defined, type Plain, type PlainMap } from './plain.ts';

export function describeMatch(match: RouteMatch): Described {
  const { headers, withoutHeaders = {}, queryParams, method, scheme, authority } = match;
  const conditions: Record<string, Plain> = describeStrings(headers);
  const foreign: Record<string, Plain> = {};
  for (const [name, value] of Object.entries(withoutHeaders)) {
    // One name, one condition.
    if (conditions[name] === undefined && !looksAtAbsent(value)) conditions[name] = describeString(value);
    else foreign[`withoutHeaders.${name}`] = describeString(value);
  }
  return described(
    {
      path: match.path === undefined ? undefined : describePath(match.path),
      method: method === undefined ? undefined : describeString(method),
      headers: Object.keys(conditions).length === 0 ? undefined : conditions,
      queryParams: Object.keys(queryParams).length === 0 ? undefined : describeStrings(queryParams),
      scheme: scheme === undefined ? undefined : describeString(scheme),
      authority: authority === undefined ? undefined : describeString(authority),
      port: match.port,
    },
    foreign,
  );
}

export function describeStrings(values: Readonly<Record<string, StringMatch>>): Record<string, Plain> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, describeString(value)]));
}

export function describeString(match: StringMatch): Plain {
  if (match.kind === 'exact' && !match.invert) return match.value;
  const not = match.invert || undefined;
  return match.kind === 'present' ? defined({ present: true, not }) : defined({ [match.kind]: match.value, not });
}

function describePath({ kind, value, invert, ignoreCase }: PathMatch): string | PlainMap {
  if (kind === 'exact' && !invert && ignoreCase !== true) return value;
  return defined({ [kind]: value, ignoreCase, not: invert || undefined });
}

/** Whether it matters that a missing value counts as an empty one: only where an empty one would pass. */
export function looksAtAbsent(match: StringMatch): boolean {
  if (match.absentIsEmpty !== true || match.kind === 'present') return false;
  return match.kind === 'regex' ? acceptsNothing(match.value) : match.value === '';
}

/** Whether a pattern takes the empty text; yes when that cannot be told. */
function acceptsNothing(pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test('');
  } catch {
    return true;
  }
}
