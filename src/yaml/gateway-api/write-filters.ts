// What a rule changes in a call, as filters. A prefix can be replaced only where the one match of the rule names it.
import type { HeaderOperations, RouteTarget } from '../../model/route.ts';
import type { PathRewrite, RedirectPolicy, RewritePolicy } from '../../model/rewrite.ts';
import type { MirrorPolicy } from '../../model/traffic.ts';
import type { LossScope } from '../losses.ts';
import { targetName } from '../write/describe-route.ts';
import type { Backend } from '../write/service-backends.ts';
import type { FilterSpec, HeaderModifierSpec, MirrorSpec, PathModifierSpec } from './route-spec.ts';

export interface FilterDeps {
  readonly report: LossScope;
  /** The document, for the report. */
  readonly to: string;
  readonly backendOf: (target: RouteTarget) => Backend;
  /** Of the document that refers to it. */
  readonly namespace: string;
}

const OPERATIONS_MAX = 16;
const VALUE_LENGTH_MAX = 4_096;

/** null: nothing is changed. */
export function writeHeaders(operations: HeaderOperations | undefined, key: string, { report, to }: FilterDeps): HeaderModifierSpec | null {
  if (operations === undefined) return null;
  const { set, add, remove, append = [], formatted } = operations;
  if (formatted === true) {
    report.lost(key, Object.keys(set), 'the Gateway API puts nothing of the call into a value');
    return null;
  }
  // Removed, then set, comes to the same as set.
  const removing = remove.filter((name) => !Object.hasOwn(set, name));
  const both = Object.keys(add).filter((name) => Object.hasOwn(set, name) || removing.includes(name));
  const values = { ...set };
  for (const name of both) values[name] = Object.hasOwn(set, name) ? `${set[name]},${add[name]}` : `${add[name]}`;
  if (append.length > 0)
    report.lost(
      `${key}.append`,
      append.map(([name]) => name),
      'the Gateway API adds a header once',
    );
  if (both.length > 0) report.approximated(key, both, to, 'one action for a name: what is added to what is set is one value');
  else report.kept(key, [...Object.keys(set), ...Object.keys(add), ...remove], to);
  const adding = sayable(
    Object.entries(add).filter(([name]) => !both.includes(name)),
    key,
    report,
  );
  const setting = sayable(Object.entries(values), key, report);
  const left = removing.filter((name) => !both.includes(name));
  const list = (entries: readonly HeaderValue[]): { name: string; value: string }[] =>
    entries.slice(0, OPERATIONS_MAX).map(([name, value]) => ({ name, value }));
  if (Math.max(setting.length, adding.length, left.length) > OPERATIONS_MAX) {
    report.lost(key, setting.length, `a filter changes at most ${OPERATIONS_MAX} headers of a kind`);
  }
  const said = {
    ...(setting.length === 0 ? {} : { set: list(setting) }),
    ...(adding.length === 0 ? {} : { add: list(adding) }),
    ...(left.length === 0 ? {} : { remove: left.slice(0, OPERATIONS_MAX) }),
  };
  return Object.keys(said).length === 0 ? null : said;
}

type HeaderValue = readonly [name: string, value: string];

function sayable(values: readonly HeaderValue[], key: string, report: LossScope): HeaderValue[] {
  const isSayable = ([, value]: HeaderValue): boolean => value !== '' && value.length <= VALUE_LENGTH_MAX;
  const names = values.filter((one) => !isSayable(one)).map(([name]) => name);
  if (names.length > 0) report.lost(key, names, `a value has 1 to ${VALUE_LENGTH_MAX} characters there; these are left out`);
  return values.filter(isSayable);
}

export function headerFilters(
  { requestHeaders, responseHeaders }: { readonly requestHeaders?: HeaderOperations; readonly responseHeaders?: HeaderOperations },
  key: string,
  deps: FilterDeps,
): FilterSpec[] {
  const request = writeHeaders(requestHeaders, `${key}.request`, deps);
  const response = writeHeaders(responseHeaders, `${key}.response`, deps);
  return [
    ...(request === null ? [] : [{ type: 'RequestHeaderModifier' as const, requestHeaderModifier: request }]),
    ...(response === null ? [] : [{ type: 'ResponseHeaderModifier' as const, responseHeaderModifier: response }]),
  ];
}

/** `prefix`: the one that all matches of the rule name by segments; null: they do not. */
export function rewriteFilters(
  { path, authority }: RewritePolicy,
  prefix: string | null,
  key: string,
  { report, to }: FilterDeps,
): FilterSpec[] {
  const modifier = path === undefined ? undefined : writePath(path, prefix);
  if (modifier === null)
    report.lost(
      `${key}`,
      path?.kind ?? '',
      'the Gateway API replaces a whole path, or a prefix that the match names by segments; calls go with their own path',
    );
  const hostname = authority === undefined ? undefined : hostnameOf(authority);
  if (hostname === null) report.lost(`${key}.authority`, authority ?? '', 'a hostname has no port there');
  const said = {
    ...(typeof hostname === 'string' ? { hostname } : {}),
    ...(modifier === undefined || modifier === null ? {} : { path: modifier }),
  };
  if (Object.keys(said).length === 0) return [];
  if (isText(path))
    report.approximated(key, Object.keys(said), `${to}: URLRewrite`, 'the prefix is replaced by segments, as it is matched');
  else report.kept(key, Object.keys(said), `${to}: URLRewrite`);
  return [{ type: 'URLRewrite', urlRewrite: said }];
}

/** Source: PreciseHostname: a name, no address and no port. */
function hostnameOf(authority: string): string | null {
  return /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(authority) &&
    !/^[0-9.]+$/.test(authority)
    ? authority
    : null;
}

function writePath(path: PathRewrite, prefix: string | null): PathModifierSpec | null {
  if (path.kind === 'full') return { type: 'ReplaceFullPath', replaceFullPath: path.value };
  if (path.kind === 'regex') return null;
  const replaced = path.by === 'segment' ? { prefix: path.prefix, value: path.value } : asSegments(path.prefix, path.value);
  if (replaced === null || prefix === null || bare(prefix) !== bare(replaced.prefix)) return null;
  return { type: 'ReplacePrefixMatch', replacePrefixMatch: replaced.value };
}

/** As text or by segments is the same where both end with a slash, or neither does. */
function asSegments(prefix: string, value: string): { readonly prefix: string; readonly value: string } | null {
  return value !== '' && prefix.endsWith('/') === value.endsWith('/') ? { prefix, value } : null;
}

function isText(path: PathRewrite | undefined): boolean {
  return path?.kind === 'prefix' && path.by === 'text';
}

function bare(path: string): string {
  return path.replace(/\/$/, '');
}

export function redirectFilters(redirect: RedirectPolicy, prefix: string | null, { report, to }: FilterDeps): FilterSpec[] {
  const { scheme, host, port, path, status } = redirect;
  const modifier = path === undefined ? undefined : writePath(path, prefix);
  if (modifier === null)
    report.lost(
      'redirect',
      path?.kind ?? '',
      'the Gateway API replaces a whole path, or a prefix that the match names by segments; the path stays',
    );
  const hostname = host === undefined ? undefined : hostnameOf(host.toLowerCase());
  if (hostname === null) report.lost('redirect.host', host ?? '', 'a hostname is a name there, not an address');
  // Without a port it is that of the scheme, if there is one, else that of the listener.
  const usual = scheme === undefined ? 'keep' : 'scheme';
  if (typeof port !== 'number' && port !== usual) {
    report.lost(
      'redirect.port',
      port,
      usual === 'keep' ? 'without a scheme the port of the call stays there' : 'with a scheme the port is the usual one of it there',
    );
  }
  if (isText(path))
    report.approximated('redirect', status, `${to}: RequestRedirect`, 'the prefix is replaced by segments, as it is matched');
  else report.kept('redirect', status, `${to}: RequestRedirect`);
  return [
    {
      type: 'RequestRedirect',
      requestRedirect: {
        ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
        ...(typeof hostname === 'string' ? { hostname } : {}),
        ...(modifier === undefined || modifier === null ? {} : { path: modifier }),
        ...(typeof port === 'number' ? { port } : {}),
        statusCode: status,
      },
    },
  ];
}

export function mirrorFilters(mirrors: readonly MirrorPolicy[], deps: FilterDeps): FilterSpec[] {
  return mirrors
    .filter(({ percent }) => percent > 0)
    .map(({ target, percent, hostSuffix, stripHeaders, bodyBytesMax }) => {
      const changes = [
        ...(stripHeaders.length > 0 ? [`copies carry all headers, ${stripHeaders.join(', ')} included`] : []),
        ...(hostSuffix === '' ? [] : ['the host of the copy is that of the call']),
        ...(bodyBytesMax === 65_536 ? [] : ['bodies are copied as far as the implementation does it']),
      ];
      const name = targetName(target);
      if (changes.length === 0) deps.report.kept('mirror', name, `${deps.to}: RequestMirror`);
      else deps.report.approximated('mirror', name, `${deps.to}: RequestMirror`, changes.join('; '));
      const { name: service, namespace, port } = deps.backendOf(target);
      const backendRef = { name: service, ...(namespace === deps.namespace ? {} : { namespace }), port };
      return { type: 'RequestMirror', requestMirror: { backendRef, ...shareOf(percent) } };
    });
}

function shareOf(percent: number): Pick<MirrorSpec, 'percent' | 'fraction'> {
  if (percent === 100) return {};
  if (Number.isInteger(percent)) return { percent };
  return { fraction: { numerator: Math.round(percent * 10_000), denominator: 1_000_000 } };
}
