// From what a rule asks of a call to our matches, each with its rank: the higher rank is tried first, across all rules of
// a host. Source: mesh-semantics of the Gateway API, HTTPRouteRule.matches, GRPCRouteRule.matches; a regular expression
// stands behind all prefixes, as in Istio (sortHTTPRoutes).
import type { PathMatch, RouteMatch, StringMatch } from '../../model/route.ts';
import type { GrpcMatchSpec, HttpMatchSpec, ValueMatchSpec } from './route-spec.ts';

export interface RankedMatch {
  readonly match: RouteMatch;
  /** Compared from the left; the greater number wins. */
  readonly rank: readonly number[];
}

const EXACT = 2;
const PREFIX = 1;
const REGEX = 0;

/** No matches, and a match without a path, take every path. */
export function readHttpMatches(matches: readonly HttpMatchSpec[] = []): RankedMatch[] {
  return (matches.length === 0 ? [{}] : matches).map((match) => {
    const { type = 'PathPrefix', value = '/' } = match.path ?? {};
    const { headers, authority } = headersOf(match.headers);
    const queryParams = byName(match.queryParams, (name) => name);
    const path = pathOf(type, value);
    // The slash at the end of a prefix does not count.
    const length = type === 'PathPrefix' && value.length > 1 && value.endsWith('/') ? value.length - 1 : value.length;
    const headerCount = Object.keys(headers).length + (authority === undefined ? 0 : 1);
    return {
      match: {
        ...(path === null ? {} : { path }),
        ...(match.method === undefined ? {} : { method: { kind: 'exact', value: match.method, invert: false } }),
        ...(authority === undefined ? {} : { authority }),
        headers,
        queryParams,
      },
      rank: [
        type === 'Exact' ? EXACT : type === 'PathPrefix' ? PREFIX : REGEX,
        length,
        match.method === undefined ? 0 : 1,
        headerCount,
        Object.keys(queryParams).length,
      ],
    };
  });
}

function pathOf(type: 'Exact' | 'PathPrefix' | 'RegularExpression', value: string): PathMatch | null {
  if (type === 'Exact') return { kind: 'exact', value, invert: false };
  if (type === 'RegularExpression') return { kind: 'regex', value, invert: false };
  return value === '/' ? null : { kind: 'pathPrefix', value, invert: false };
}

/** Longest service, then longest method; one that is spelled out before a regular expression. */
export function readGrpcMatches(matches: readonly GrpcMatchSpec[] = []): RankedMatch[] {
  return (matches.length === 0 ? [{}] : matches).map(({ method: asked = {}, headers: wanted }) => {
    const { type = 'Exact', service = '', method = '' } = asked;
    const isExact = type === 'Exact';
    const { headers, authority } = headersOf(wanted);
    const path = grpcPath(isExact, service, method);
    const length = (part: string): number => (isExact ? part.length : 0);
    const isNamed = (part: string): number => (part === '' ? 0 : 1);
    return {
      match: { ...(path === null ? {} : { path }), ...(authority === undefined ? {} : { authority }), headers, queryParams: {} },
      rank: [
        length(service),
        isNamed(service),
        length(method),
        isNamed(method),
        Object.keys(headers).length + (authority === undefined ? 0 : 1),
      ],
    };
  });
}

/** A call goes to `/service/method`. */
function grpcPath(isExact: boolean, service: string, method: string): PathMatch | null {
  if (service === '' && method === '') return null;
  if (isExact && method === '') return { kind: 'prefix', value: `/${service}/`, invert: false };
  if (isExact && service !== '') return { kind: 'exact', value: `/${service}/${method}`, invert: false };
  if (isExact) return { kind: 'regex', value: `/.+/${method}`, invert: false };
  const part = (pattern: string): string => (pattern === '' ? '[^/]+' : `(?:${pattern})`);
  return { kind: 'regex', value: `/${part(service)}/${part(method)}`, invert: false };
}

interface Headers {
  readonly headers: Readonly<Record<string, StringMatch>>;
  /** What is asked of `Host`, which is no header here. */
  readonly authority?: StringMatch;
}

function headersOf(values: readonly ValueMatchSpec[] = []): Headers {
  const { host, ...headers } = byName(values, (name) => name.toLowerCase());
  return host === undefined ? { headers } : { headers, authority: host };
}

/** Of equal names the first counts. */
function byName(values: readonly ValueMatchSpec[] = [], nameOf: (name: string) => string): Record<string, StringMatch> {
  const matches: Record<string, StringMatch> = Object.create(null) as Record<string, StringMatch>;
  for (const { type, name, value } of values) {
    matches[nameOf(name)] ??= { kind: type === 'RegularExpression' ? 'regex' : 'exact', value, invert: false };
  }
  return { ...matches };
}
