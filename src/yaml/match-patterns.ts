// The patterns that a match has become. What a document says may be a fine pattern while what is made of it is none: it can
// have grown too long.
import type { CheckRegex } from '../model/resolve-match.ts';
import type { RouteMatch } from '../model/route.ts';

/** What is wrong with the first that is wrong; null: nothing. */
export function patternFault(matches: readonly RouteMatch[], checkRegex: CheckRegex | undefined): string | null {
  if (checkRegex === undefined) return null;
  for (const { method, path, authority, scheme, headers, withoutHeaders = {}, queryParams } of matches) {
    const texts = [method, path, authority, scheme, ...[headers, withoutHeaders, queryParams].flatMap((map) => Object.values(map))];
    for (const one of texts) {
      const fault = one?.kind === 'regex' ? checkRegex(one.value) : null;
      if (fault !== null) return fault;
    }
  }
  return null;
}
