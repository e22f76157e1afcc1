// HTTPRouteGroup documents to matches: paths are anchored at their start, headers are compared as a whole.
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import type { Resource } from '../resource.ts';
import type { HttpMatchSpec } from './smi-spec.ts';
import { matchesOf } from './versioned-fields.ts';

/** In the order of the document. */
export function readRouteGroup(resource: Resource): ReadonlyMap<string, RouteMatch> {
  return new Map(matchesOf(resource).map((match) => [match.name, matchOf(match)]));
}

export function matchOf({ methods = [], pathRegex = '', headers = {} }: HttpMatchSpec): RouteMatch {
  const method = methodOf(methods);
  const path = pathOf(pathRegex);
  const wanted = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), regex(value)] as const);
  return {
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    headers: Object.fromEntries(wanted),
    queryParams: {},
  };
}

function methodOf(methods: readonly string[]): StringMatch | undefined {
  if (methods.length === 0 || methods.includes('*')) return undefined;
  const [only = ''] = methods;
  if (methods.length === 1) return { kind: 'exact', value: only, invert: false };
  return regex(methods.map((method) => method.replace(/[.*+?^$|]/g, '\\$&')).join('|'));
}

const EVERY_PATH: ReadonlySet<string> = new Set(['', '^', '.*', '^.*', '.*$', '^.*$']);

/** What follows the pattern does not matter. Source: smi-spec, "anchored (^) to the beginning of the URI". */
function pathOf(pattern: string): PathMatch | undefined {
  if (EVERY_PATH.has(pattern)) return undefined;
  return { kind: 'regex', value: anchoredAtStart(pattern), invert: false };
}

/** As a pattern of the whole path. */
export function anchoredAtStart(pattern: string): string {
  return `(?:${pattern}).*`;
}

function regex(value: string): StringMatch {
  return { kind: 'regex', value, invert: false };
}

/** Asks for nothing. */
export function isCatchAll({ method, path, headers }: RouteMatch): boolean {
  return method === undefined && path === undefined && Object.keys(headers).length === 0;
}
