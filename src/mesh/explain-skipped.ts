// Why a rule did not take a call: for each of its matches the first condition that does not hold, in words.
import type { Call } from '../core/call.ts';
import type { RouteMatch, StringMatch } from '../model/route.ts';
import { headerValue } from '../route/header-value.ts';
import { queryParam } from '../route/query-param.ts';

/** Whether a match takes a call, by the compiler of the running mesh. */
export type Matches = (match: RouteMatch, call: Call) => boolean;

const NOTHING: RouteMatch = Object.freeze({ headers: {}, queryParams: {} });

/** More alternatives than these tell nobody more. */
const SHOWN_MAX = 3;

export function reasonNotTaken(matches: readonly RouteMatch[], call: Call, takes: Matches): string {
  const reasons = matches.slice(0, SHOWN_MAX).map((match) => failing(match, call, takes));
  const more = matches.length > SHOWN_MAX ? [`${matches.length - SHOWN_MAX} more`] : [];
  return [...new Set([...reasons, ...more])].join('; or ');
}

interface Condition {
  readonly only: RouteMatch;
  readonly what: string;
  readonly actual: string | undefined;
  readonly wanted: string;
}

/** In the order in which a call is compared. */
function failing(match: RouteMatch, call: Call, takes: Matches): string {
  for (const { only, what, actual, wanted } of conditionsOf(match, call)) {
    if (!takes({ ...NOTHING, ...only }, call))
      return `${what} is ${actual === undefined ? 'missing' : JSON.stringify(actual)}, wanted ${wanted}`;
  }
  return 'not all of its conditions hold';
}

function* conditionsOf(match: RouteMatch, call: Call): Generator<Condition> {
  const { method, port, scheme, authority, path, headers, withoutHeaders = {}, queryParams } = match;
  if (method !== undefined) yield { only: { ...NOTHING, method }, what: 'the method', actual: call.method, wanted: wantedText(method) };
  if (port !== undefined) yield { only: { ...NOTHING, port }, what: 'the host', actual: call.authority, wanted: `port ${port}` };
  if (scheme !== undefined) yield { only: { ...NOTHING, scheme }, what: 'the scheme', actual: call.scheme, wanted: wantedText(scheme) };
  if (authority !== undefined) {
    yield { only: { ...NOTHING, authority }, what: 'the host', actual: call.authority, wanted: wantedText(authority) };
  }
  if (path !== undefined) {
    const actual = call.path.split('?')[0];
    const wanted = `${path.invert ? 'not ' : ''}${path.kind} ${JSON.stringify(path.value)}`;
    yield { only: { ...NOTHING, path }, what: 'the path', actual, wanted };
  }
  for (const [key, names] of [
    ['headers', headers],
    ['withoutHeaders', withoutHeaders],
  ] as const) {
    for (const [name, value] of Object.entries(names)) {
      const actual = headerValue(call.headers, name);
      yield { only: { ...NOTHING, [key]: { [name]: value } }, what: `header ${name}`, actual, wanted: wantedText(value) };
    }
  }
  for (const [name, value] of Object.entries(queryParams)) {
    const actual = queryParam(call.path, name);
    yield { only: { ...NOTHING, queryParams: { [name]: value } }, what: `query parameter ${name}`, actual, wanted: wantedText(value) };
  }
}

function wantedText(match: StringMatch): string {
  const text = match.kind === 'present' ? 'any value' : `${match.kind} ${JSON.stringify(match.value)}`;
  if (!match.invert) return text;
  return match.kind === 'present' ? 'none' : `not ${text}`;
}
