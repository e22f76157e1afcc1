// CORS as rules of their own, in front of the rule it stands in: a preflight is answered here, other calls of an allowed
// origin get their headers on the way back. For processes that stand between browsers and backends; nobody else sends an
// Origin. Source: HTTPCORSFilter; WHATWG Fetch, CORS protocol.
import type { HeaderOperations, RouteMatch, StringMatch } from '../../model/route.ts';
import type { RouteDraft } from '../draft.ts';
import type { RouteVariant } from './route-order.ts';
import type { CorsSpec } from './route-spec.ts';

/** In seconds. */
const MAX_AGE_DEFAULT = 5;
const NO_CONTENT = 204;
const ANY = '*';

export function corsVariants(cors: CorsSpec, rule: Omit<RouteDraft, 'matches'>): RouteVariant[] {
  const allowed = originMatch(cors.allowOrigins ?? []);
  const shared = sharedHeaders(cors);
  const preflight = (headers: Readonly<Record<string, string>>): Omit<RouteDraft, 'matches'> => ({
    name: `${rule.name}/preflight`,
    dialect: rule.dialect,
    targets: [],
    mirrors: [],
    idempotent: false,
    directResponse: { status: NO_CONTENT, headers: {}, body: '' },
    ...(Object.keys(headers).length === 0 ? {} : { responseHeaders: { set: headers, add: {}, remove: [], formatted: true } }),
    ...(rule.source === undefined ? {} : { source: rule.source }),
  });
  const refused: RouteVariant = { route: preflight({}), narrow: (match) => asPreflight(match, PRESENT) };
  if (allowed === null) return [refused, { route: rule }];
  return [
    { route: preflight({ ...shared, ...preflightHeaders(cors) }), narrow: (match) => asPreflight(match, allowed) },
    refused,
    {
      route: { ...rule, responseHeaders: withHeaders(rule.responseHeaders, shared) },
      narrow: (match) => withHeader(match, 'origin', allowed),
    },
    { route: rule },
  ];
}

const PRESENT: StringMatch = Object.freeze({ kind: 'present', invert: false });

/** null: nobody is allowed. */
function originMatch(origins: readonly string[]): StringMatch | null {
  if (origins.length === 0) return null;
  if (origins.includes(ANY)) return PRESENT;
  const plain = origins.map((origin) => withoutPort(origin.toLowerCase()));
  const [first = ''] = plain;
  if (plain.length === 1 && !first.includes('*')) return { kind: 'exact', value: first, invert: false };
  return { kind: 'regex', value: plain.map(originPattern).join('|'), invert: false };
}

/** A browser leaves the well-known port out. */
function withoutPort(origin: string): string {
  return origin.replace(/^(http:\/\/.*):80$|^(https:\/\/.*):443$/, '$1$2');
}

/** A star stands for any number of labels; alone, for any host. */
function originPattern(origin: string): string {
  return origin.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/:]+');
}

function asPreflight(match: RouteMatch, origin: StringMatch): RouteMatch | null {
  if (match.method !== undefined && !('value' in match.method && match.method.value === 'OPTIONS')) return null;
  const method: StringMatch = { kind: 'exact', value: 'OPTIONS', invert: false };
  return withHeader(withHeader({ ...match, method }, 'origin', origin), 'access-control-request-method', PRESENT);
}

/** Beside what the rule itself asks of the header. */
function withHeader(match: RouteMatch, name: string, value: StringMatch): RouteMatch {
  if (!Object.hasOwn(match.headers, name)) return { ...match, headers: { ...match.headers, [name]: value } };
  return { ...match, withoutHeaders: { ...match.withoutHeaders, [name]: value } };
}

/** In Envoy's notation: `%REQ(x)%` is a header of the call. With credentials a star would mean nothing to a browser. */
function sharedHeaders({ allowOrigins = [], allowCredentials = false, exposeHeaders = [] }: CorsSpec): Record<string, string> {
  const exposed = allowCredentials ? exposeHeaders.filter((name) => name !== ANY) : exposeHeaders;
  return {
    'access-control-allow-origin': allowOrigins.includes(ANY) && !allowCredentials ? ANY : '%REQ(origin)%',
    ...(allowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(exposed.length === 0 ? {} : { 'access-control-expose-headers': exposed.join(', ') }),
  };
}

function preflightHeaders({ allowMethods = [], allowHeaders = [], allowCredentials = false, maxAge }: CorsSpec): Record<string, string> {
  const listed = (list: readonly string[], asked: string): string =>
    list.includes(ANY) ? (allowCredentials ? `%REQ(${asked})%` : ANY) : list.join(', ');
  return {
    ...(allowMethods.length === 0 ? {} : { 'access-control-allow-methods': listed(allowMethods, 'access-control-request-method') }),
    ...(allowHeaders.length === 0 ? {} : { 'access-control-allow-headers': listed(allowHeaders, 'access-control-request-headers') }),
    'access-control-max-age': String(maxAge ?? MAX_AGE_DEFAULT),
  };
}

/** What the rule sets stands as it is: its percent signs are its own. */
function withHeaders(operations: HeaderOperations | undefined, headers: Readonly<Record<string, string>>): HeaderOperations {
  const literal = (values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.replaceAll('%', '%%')]));
  const { set = {}, add = {}, remove = [] } = operations ?? {};
  return { set: { ...literal(set), ...headers }, add: literal(add), remove, formatted: true };
}
