// How the fields of filters hang together: one type, one field; what may stand once; what cannot stand together.
// Source: validation rules of HTTPRouteFilter, HTTPRouteRule, HTTPHeaderFilter, HTTPPathModifier in httproute_types.go.
import type { ConfigPath } from '../../model/issue.ts';
import { RESERVED_HEADERS } from '../../model/resolve-headers.ts';
import type { Report } from '../../model/report.ts';
import { checkBackendObject } from './check-backend-refs.ts';
import { checkCount, checkHostname } from './check-text.ts';
import type { CorsSpec, FilterSpec, FilterType, HeaderModifierSpec, MirrorSpec, PathModifierSpec } from './route-spec.ts';

/** The field of each type. */
export const FILTER_FIELDS: Readonly<Record<FilterType, keyof FilterSpec>> = Object.freeze({
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
  ExtensionRef: 'extensionRef',
});

/** All others may stand once. */
const REPEATABLE: ReadonlySet<FilterType> = new Set(['RequestMirror', 'ExtensionRef', 'ExternalAuth']);
const FILTERS_MAX = 16;

export interface FilterPlace {
  readonly path: ConfigPath;
  readonly report: Report;
  /** Whether the rule has exactly one match, and that one is of a path prefix. */
  readonly hasOnePrefix: boolean;
}

export function checkFilters(filters: readonly FilterSpec[] = [], place: FilterPlace): void {
  const { path, report } = place;
  checkCount(filters, FILTERS_MAX, path, report);
  const seen = new Map<FilterType, number>();
  for (const [i, filter] of filters.entries()) {
    const at = [...path, i];
    const { type } = filter;
    const before = seen.get(type);
    if (before !== undefined && !REPEATABLE.has(type)) {
      report.error(at, `a filter of type ${type} stands at ${report.place([...path, before])} already; keep one`);
    }
    seen.set(type, i);
    if (checkFields(filter, at, report)) checkContent(filter, { ...place, path: [...at, FILTER_FIELDS[type]] });
  }
  const rewrite = seen.get('URLRewrite');
  if (rewrite !== undefined && seen.has('RequestRedirect')) {
    report.error(
      [...path, rewrite],
      'URLRewrite and RequestRedirect cannot stand together: a call that is sent elsewhere is not rewritten',
    );
  }
}

function checkFields(filter: FilterSpec, path: ConfigPath, report: Report): boolean {
  const wanted = FILTER_FIELDS[filter.type];
  for (const [type, field] of Object.entries(FILTER_FIELDS)) {
    if (field === wanted || filter[field] === undefined) continue;
    report.error([...path, field], `${field} belongs to a filter of type ${type}, and this one is of type ${filter.type}`, { part: 'key' });
  }
  if (filter[wanted] !== undefined) return true;
  report.error(path, `a filter of type ${filter.type} needs ${wanted}`);
  return false;
}

function checkContent(filter: FilterSpec, place: FilterPlace): void {
  const { path, report } = place;
  const { requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite, cors } = filter;
  if (requestHeaderModifier !== undefined) checkHeaderModifier(requestHeaderModifier, path, report);
  if (responseHeaderModifier !== undefined) checkHeaderModifier(responseHeaderModifier, path, report);
  if (requestMirror !== undefined) checkMirror(requestMirror, path, report);
  if (cors !== undefined) checkCors(cors, path, report);
  for (const target of [requestRedirect, urlRewrite]) {
    if (target?.hostname !== undefined) checkHostname(target.hostname, [...path, 'hostname'], report);
    if (target?.path !== undefined) checkPathModifier(target.path, { ...place, path: [...path, 'path'] });
  }
}

const HEADERS_MAX = 16;

function checkHeaderModifier({ set = [], add = [], remove = [] }: HeaderModifierSpec, path: ConfigPath, report: Report): void {
  const seen = new Map<string, ConfigPath>();
  const check = (name: string, at: ConfigPath): void => {
    const lower = name.toLowerCase();
    const before = seen.get(lower);
    if (before !== undefined)
      report.error(at, `${report.show(at, name)} has an action at ${report.place(before)} already; a header has one`);
    else seen.set(lower, at);
    if (!RESERVED_HEADERS.has(lower)) return;
    const remedy = lower === 'host' ? '; URLRewrite with hostname changes the host' : '';
    report.error(at, `a filter must not touch ${report.show(at, name)}: the connection sets it${remedy}`);
  };
  for (const [key, headers] of Object.entries({ set, add })) {
    checkCount(headers, HEADERS_MAX, [...path, key], report);
    for (const [i, { name }] of headers.entries()) check(name, [...path, key, i, 'name']);
  }
  checkCount(remove, HEADERS_MAX, [...path, 'remove'], report);
  for (const [i, name] of remove.entries()) check(name, [...path, 'remove', i]);
}

function checkPathModifier(modifier: PathModifierSpec, { path, report, hasOnePrefix }: FilterPlace): void {
  const { type } = modifier;
  const [wanted, other] =
    type === 'ReplaceFullPath'
      ? (['replaceFullPath', 'replacePrefixMatch'] as const)
      : (['replacePrefixMatch', 'replaceFullPath'] as const);
  if (modifier[wanted] === undefined) report.error(path, `a path modifier of type ${type} needs ${wanted}`);
  if (modifier[other] !== undefined) report.error([...path, other], `${other} does not go with type ${type}`, { part: 'key' });
  if (type === 'ReplacePrefixMatch' && !hasOnePrefix) {
    const message =
      'ReplacePrefixMatch replaces the prefix that the rule matches: the rule must have exactly one match, with a path of type PathPrefix';
    report.error([...path, 'type'], message);
  }
}

function checkMirror({ backendRef, percent, fraction }: MirrorSpec, path: ConfigPath, report: Report): void {
  checkBackendObject(backendRef, [...path, 'backendRef'], report);
  if (percent !== undefined && fraction !== undefined) report.error([...path, 'fraction'], 'percent and fraction exclude each other');
  if (fraction !== undefined && fraction.numerator > (fraction.denominator ?? 100)) {
    report.error([...path, 'fraction', 'numerator'], 'the numerator is greater than the denominator');
  }
}

const ORIGIN = /^(?:\*|https?:\/\/(?:(?:\*\.)?(?:[a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(?::[0-9]{1,5})?)$/;
const CORS_MAX = 64;

function checkCors(cors: CorsSpec, path: ConfigPath, report: Report): void {
  for (const [i, origin] of (cors.allowOrigins ?? []).entries()) {
    const at = [...path, 'allowOrigins', i];
    if (!ORIGIN.test(origin))
      report.error(at, `${report.show(at, origin)} is no origin: scheme://host[:port], with a star for the first part, or *`);
  }
  for (const key of ['allowOrigins', 'allowMethods', 'allowHeaders', 'exposeHeaders'] as const) {
    const list = cors[key] ?? [];
    checkCount(list, CORS_MAX, [...path, key], report);
    if (key !== 'exposeHeaders' && list.length > 1 && list.includes('*')) report.error([...path, key], `${key} has * and others; keep one`);
  }
}
