// What the filters of a rule, or of one backend, do to a call. Filters have been checked. Their effects have fixed places in
// our pipeline: headers, rewrite, copies, split; a filter that cannot be obeyed answers the call itself, never less.
import type { ConfigPath } from '../../model/issue.ts';
import type { HeaderOperations } from '../../model/route.ts';
import type { PathRewrite, RedirectPolicy, RewritePolicy } from '../../model/traffic.ts';
import type { Resource } from '../resource.ts';
import type {
  CorsSpec,
  FilterSpec,
  HeaderModifierSpec,
  HeaderSpec,
  MirrorSpec,
  PathModifierSpec,
  RedirectSpec,
  UrlRewriteSpec,
} from './route-spec.ts';

export interface MirrorFilter {
  readonly spec: MirrorSpec;
  readonly path: ConfigPath;
  /** Index of the backend whose filter it is. */
  readonly of?: number;
}

export interface FilterEffects {
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
  readonly rewrite?: RewritePolicy;
  readonly redirect?: RedirectPolicy;
  readonly cors?: CorsSpec;
  readonly mirrors: readonly MirrorFilter[];
  /** Why the call is answered with an error: a filter that nobody here knows must not be skipped. */
  readonly fault?: string;
  /** Where each effect stands. */
  readonly places: Readonly<Record<string, ConfigPath>>;
}

/** `prefix` is the one that the rule matches, for ReplacePrefixMatch. */
export function readFilters(filters: readonly FilterSpec[] = [], path: ConfigPath, prefix: string, { report }: Resource): FilterEffects {
  const mirrors: MirrorFilter[] = [];
  const places: Record<string, ConfigPath> = {};
  let effects: Omit<FilterEffects, 'mirrors' | 'places'> = {};
  for (const [i, filter] of filters.entries()) {
    const at = [...path, i];
    const put = <Key extends keyof typeof effects>(key: Key, value: (typeof effects)[Key]): void => {
      effects = { ...effects, [key]: value };
      places[key] = at;
    };
    const { requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite, cors } = filter;
    if (requestHeaderModifier !== undefined) put('requestHeaders', headersOf(requestHeaderModifier));
    if (responseHeaderModifier !== undefined) put('responseHeaders', headersOf(responseHeaderModifier));
    if (requestMirror !== undefined) mirrors.push({ spec: requestMirror, path: [...at, 'requestMirror'] });
    if (requestRedirect !== undefined) put('redirect', redirectOf(requestRedirect, prefix));
    if (urlRewrite !== undefined) put('rewrite', rewriteOf(urlRewrite, prefix));
    if (cors !== undefined) put('cors', cors);
    const fault = faultOf(filter);
    if (fault === null) continue;
    report.warn(at, `${fault}; no call may pass without it, so its calls are answered with an error`);
    put('fault', fault);
  }
  return { ...effects, mirrors, places };
}

function faultOf({ type, extensionRef }: FilterSpec): string | null {
  if (type === 'ExternalAuth') return 'nobody here asks an external authorizer';
  if (extensionRef === undefined) return null;
  return `the filter ${extensionRef.kind} ${extensionRef.name} of ${extensionRef.group === '' ? 'Kubernetes' : extensionRef.group} is not known here`;
}

function headersOf({ set = [], add = [], remove = [] }: HeaderModifierSpec): HeaderOperations {
  const values = (headers: readonly HeaderSpec[]): Record<string, string> =>
    Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]));
  return { set: values(set), add: values(add), remove: remove.map((name) => name.toLowerCase()) };
}

/** The port: that of the filter, else the well-known one of its scheme, else the one that was called. */
function redirectOf({ scheme, hostname, path, port, statusCode = 302 }: RedirectSpec, prefix: string): RedirectPolicy {
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { host: hostname }),
    ...(path === undefined ? {} : { path: pathRewrite(path, prefix) }),
    port: port ?? (scheme === undefined ? 'keep' : 'scheme'),
    status: statusCode,
  };
}

function rewriteOf({ hostname, path }: UrlRewriteSpec, prefix: string): RewritePolicy {
  return {
    ...(path === undefined ? {} : { path: pathRewrite(path, prefix) }),
    ...(hostname === undefined ? {} : { authority: hostname }),
  };
}

function pathRewrite({ type, replaceFullPath = '', replacePrefixMatch = '' }: PathModifierSpec, prefix: string): PathRewrite {
  if (type === 'ReplaceFullPath') return { kind: 'full', value: replaceFullPath };
  return { kind: 'prefix', prefix, value: replacePrefixMatch, by: 'segment' };
}
