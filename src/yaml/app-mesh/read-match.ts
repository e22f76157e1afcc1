// What a route of App Mesh asks of a call. Envoy compares: prefixes are texts, patterns are of the whole value, and a header
// that is missing is nothing to a comparison, inverted or not. Source: Envoy HeaderMatcher; App Mesh API Reference.
import type { RouteMatch, StringMatch } from '../../model/route.ts';
import type { GrpcMatchSpec, HeaderSpec, HttpMatchSpec, ValueMatchSpec } from './app-mesh-spec.ts';
import { rangePattern } from './integer-range.ts';

export function readHttpMatch({ headers = [], method, prefix, path, scheme, queryParameters = [], port }: HttpMatchSpec): RouteMatch {
  const exact = (value: string): StringMatch => ({ kind: 'exact', value, invert: false });
  const query = queryParameters.map(({ name, match }) => [name, match?.exact === undefined ? PRESENT : exact(match.exact)] as const);
  return {
    ...(method === undefined ? {} : { method: exact(method) }),
    ...(scheme === undefined ? {} : { scheme: exact(scheme) }),
    ...pathOf(prefix, path),
    ...(port === undefined ? {} : { port }),
    ...headersOf(headers),
    queryParams: Object.fromEntries(query),
  };
}

function pathOf(prefix: string | undefined, path: HttpMatchSpec['path']): Pick<RouteMatch, 'path'> {
  if (path?.exact !== undefined) return { path: { kind: 'exact', value: path.exact, invert: false } };
  if (path?.regex !== undefined) return { path: { kind: 'regex', value: path.regex, invert: false } };
  return prefix === undefined || prefix === '/' ? {} : { path: { kind: 'prefix', value: prefix, invert: false } };
}

const PRESENT: StringMatch = { kind: 'present', invert: false };

/** Only calls of gRPC are meant. */
export function readGrpcMatch({ serviceName, methodName, metadata = [], port }: GrpcMatchSpec): RouteMatch {
  const service = serviceName === undefined ? '' : `/${serviceName}/`;
  const { headers, ...more } = headersOf(metadata);
  return {
    ...(service === ''
      ? {}
      : { path: { kind: methodName === undefined ? 'prefix' : 'exact', value: `${service}${methodName ?? ''}`, invert: false } }),
    ...(port === undefined ? {} : { port }),
    ...more,
    headers: { 'content-type': { kind: 'prefix', value: 'application/grpc', invert: false }, ...headers },
    queryParams: {},
  };
}

type Headers = Pick<RouteMatch, 'headers' | 'withoutHeaders'>;

function headersOf(specs: readonly HeaderSpec[]): Headers {
  const headers: Record<string, StringMatch> = {};
  const more: Record<string, StringMatch> = {};
  for (const { name, match, invert = false } of specs) {
    const key = name.toLowerCase();
    const wanted = comparison(match, invert);
    // A name that stands twice: both must hold.
    if (headers[key] === undefined) headers[key] = wanted;
    else more[key] = wanted;
    if (invert && wanted.kind !== 'present') more[key] = PRESENT;
  }
  return { headers, ...(Object.keys(more).length === 0 ? {} : { withoutHeaders: more }) };
}

function comparison(match: ValueMatchSpec | undefined, invert: boolean): StringMatch {
  const { exact, prefix, suffix, regex, range } = match ?? {};
  if (exact !== undefined) return { kind: 'exact', value: exact, invert };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix, invert };
  const pattern = suffix === undefined ? (range === undefined ? regex : rangePattern(range.start, range.end)) : `(?s:.*)${escaped(suffix)}`;
  if (pattern === undefined) return { kind: 'present', invert };
  // No number is in an empty range.
  return pattern === null ? { ...PRESENT, invert: !invert } : { kind: 'regex', value: pattern, invert };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** How exact a path is, for the order of routes of equal priority: exact ones, then longer prefixes, then patterns. */
export function rankOf({ path }: RouteMatch): readonly [kind: number, length: number] {
  const kind = path === undefined ? 1 : path.kind === 'exact' ? 2 : path.kind === 'prefix' ? 1 : 0;
  return [kind, path === undefined ? 0 : path.value.length];
}
