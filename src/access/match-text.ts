// Which calls a match takes, in one line for a person.
import type { PathMatch, RouteMatch, StringMatch } from '../model/route.ts';

export function matchText({ method, path, headers, withoutHeaders = {}, queryParams, authority, scheme, port }: RouteMatch): string {
  const parts = [
    ...(method === undefined ? [] : [stringText('method', method)]),
    ...(path === undefined ? [] : [stringText('path', path)]),
    ...(authority === undefined ? [] : [stringText('host', authority)]),
    ...(scheme === undefined ? [] : [stringText('scheme', scheme)]),
    ...(port === undefined ? [] : [`port ${port}`]),
    ...[...Object.entries(headers), ...Object.entries(withoutHeaders)].map(([name, match]) => stringText(`header ${name}`, match)),
    ...Object.entries(queryParams).map(([name, match]) => stringText(`query ${name}`, match)),
  ];
  return parts.length === 0 ? 'every call' : parts.join(' and ');
}

const WORDS: Readonly<Record<PathMatch['kind'], readonly [is: string, isNot: string]>> = Object.freeze({
  exact: ['is', 'is not'],
  prefix: ['begins with', 'does not begin with'],
  pathPrefix: ['is under', 'is not under'],
  regex: ['matches', 'does not match'],
});

function stringText(what: string, match: StringMatch | PathMatch): string {
  if (match.kind === 'present') return match.invert ? `no ${what}` : `${what} is there`;
  const [is, isNot] = WORDS[match.kind];
  return `${what} ${match.invert ? isNot : is} ${match.value}`;
}
