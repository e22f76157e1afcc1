// Conditions of routes, as policies of Linkerd and SMI name them, put to a call that comes in: by the very matchers of the router.
import { Call } from '../core/call.ts';
import type { RouteMatcher } from '../access/matches.ts';
import { compileMatches } from '../route/match.ts';
import type { RegexCompiler } from '../route/regex.ts';

export function inboundMatcher(compile: RegexCompiler['compile']): RouteMatcher {
  return (matches) => {
    const test = compileMatches(matches, compile);
    return test === null
      ? null
      : ({ scheme, method, authority, path, headers }) =>
          test(new Call({ scheme: scheme as 'http' | 'https', method, authority, path, headers, body: null }, 0));
  };
}
