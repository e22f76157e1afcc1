// Conditions of routes on a call that comes in. They are compiled by the floor that knows routes, and handed in.
import type { RouteMatch } from '../model/route.ts';
import type { AccessRequest } from './request.ts';

/** What conditions of routes are asked of. */
export interface MatchedCall {
  readonly scheme: string;
  readonly method: string;
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: string[];
}

export type MatchTest = (call: MatchedCall) => boolean;

/** Whether a call meets one of the matches. null: every call does. */
export type RouteMatcher = (matches: readonly RouteMatch[]) => MatchTest | null;

/** The call, as somebody would read it who takes its path for `text`. */
export function asRead({ isTls, method, authority, target, headers }: AccessRequest, text: string): MatchedCall {
  const query = target.indexOf('?');
  return {
    scheme: isTls ? 'https' : 'http',
    method,
    authority,
    path: query < 0 ? text : text + target.slice(query),
    headers: headers as string[],
  };
}
