// Whether a list of matches takes a call, by the matcher that runs.
import { Call } from '../../src/core/call.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { compileMatches } from '../../src/route/match.ts';
import { loadRegex } from '../../src/route/regex.ts';

const regex = await loadRegex();

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly authority?: string;
  readonly scheme?: string;
  /** Name, value, name, value. */
  readonly headers?: readonly string[];
}

export function takes(matches: readonly RouteMatch[], asked: Asked): boolean {
  const { path = '/', method = 'GET', authority = 'a', scheme = 'http', headers = [] } = asked;
  const call = new Call({ scheme, authority, method, path, headers: [...headers], body: null }, 0);
  return compileMatches(matches, (pattern) => regex.compile(pattern))?.(call) ?? true;
}

/** What is wrong with a pattern; null: nothing. */
export const checkRegex: (pattern: string) => string | null = regex.check;
