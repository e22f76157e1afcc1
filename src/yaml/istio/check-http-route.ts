// One rule of a VirtualService, as Istio's own validator sees it. The form has been checked.
// Source: istio/istio pkg/config/validation, validateHTTPRoute and what it calls.
import type { ConfigPath } from '../../model/issue.ts';
import type { CheckRegex } from '../../model/resolve-match.ts';
import type { Report } from '../../model/report.ts';
import { checkCors } from './check-cors.ts';
import { checkDuration } from './check-duration.ts';
import { checkFault } from './check-fault.ts';
import { checkHttpMatch } from './check-http-match.ts';
import { checkRegexText } from './check-regex.ts';
import { checkRetries } from './check-retries.ts';
import { headerTextFault } from './header-text.ts';
import { isLabel, wildcardNameFault } from './host-name.ts';
import type {
  DestinationSpec,
  DirectResponseSpec,
  HeadersSpec,
  HttpMatchSpec,
  HttpRouteSpec,
  RedirectSpec,
  RewriteSpec,
  RouteDestinationSpec,
} from './virtual-service-spec.ts';

export interface RouteCheck {
  readonly report: Report;
  readonly isDelegate: boolean;
  readonly checkRegex: CheckRegex | undefined;
}

export function checkHttpRoute(route: HttpRouteSpec, path: ConfigPath, check: RouteCheck): void {
  const { report } = check;
  checkTogether(route, path, check);
  for (const [i, match] of (route.match ?? []).entries()) checkHttpMatch(match, [...path, 'match', i], check);
  checkHeaders(route.headers, [...path, 'headers'], report);
  checkFault(route.fault, [...path, 'fault'], report);
  if (route.mirrorPercent !== undefined || route.mirror_percent !== undefined) {
    report.warn([...path, 'mirrorPercent'], 'mirrorPercent is old; write mirrorPercentage: { value: … }', { part: 'key' });
  }
  if (route.mirror !== undefined) checkDestination(route.mirror, [...path, 'mirror'], report);
  for (const [i, { destination }] of (route.mirrors ?? []).entries())
    checkDestination(destination, [...path, 'mirrors', i, 'destination'], report);
  checkRedirect(route.redirect, route.match ?? [], [...path, 'redirect'], report);
  checkDirectResponse(route.directResponse, [...path, 'directResponse'], report);
  checkRetries(route.retries, [...path, 'retries'], report);
  checkRewrite(route.rewrite, [...path, 'rewrite'], check);
  checkAuthority(route, [...path, 'headers', 'request'], report);
  checkTargets(route.route ?? [], [...path, 'route'], report);
  checkDuration(route.timeout, [...path, 'timeout'], report);
  checkCors(route.corsPolicy, [...path, 'corsPolicy'], check);
}

/** What excludes each other. */
function checkTogether(route: HttpRouteSpec, path: ConfigPath, { report, isDelegate }: RouteCheck): void {
  const not = (key: keyof HttpRouteSpec, other: string): void => {
    const value = route[key];
    const isThere = Array.isArray(value) ? value.length > 0 : value !== undefined;
    if (isThere) report.error([...path, key], `this rule has both ${key} and ${other}; keep one`, { part: 'key' });
  };
  if (route.delegate !== undefined) {
    if (isDelegate) report.error([...path, 'delegate'], 'a delegate cannot delegate further', { part: 'key' });
    for (const key of ['redirect', 'route'] as const) not(key, 'delegate');
    return;
  }
  const { redirect, directResponse } = route;
  if (redirect !== undefined) for (const key of ['route', 'fault', 'rewrite', 'directResponse'] as const) not(key, 'redirect');
  else if (directResponse !== undefined) for (const key of ['route', 'fault', 'rewrite'] as const) not(key, 'directResponse');
  else if ((route.route ?? []).length === 0) report.error(path, 'this rule needs route, redirect or directResponse');
  if (route.mirror !== undefined) not('mirrors', 'mirror');
}

function checkTargets(targets: readonly RouteDestinationSpec[], path: ConfigPath, report: Report): void {
  let sum = 0;
  for (const [i, { destination, headers, weight = 0 }] of targets.entries()) {
    checkDestination(destination, [...path, i, 'destination'], report);
    checkHeaders(headers, [...path, i, 'headers'], report);
    sum += weight;
  }
  if (targets.length > 1 && sum === 0)
    report.error(path, 'the weights sum to 0, so no call could be sent; give at least one a weight above 0');
}

function checkDestination({ host, subset = '', port }: DestinationSpec, path: ConfigPath, report: Report): void {
  const fault = host === '*' ? 'it means nobody' : wildcardNameFault(host);
  if (fault !== null) report.error([...path, 'host'], `${report.show([...path, 'host'], host)} is no host: ${fault}`);
  if (subset !== '' && !isLabel(subset))
    report.error([...path, 'subset'], `${report.show([...path, 'subset'], subset)} is no name of a subset`);
  const number = port?.number ?? 0;
  if (port === undefined || (number >= 1 && number <= 65_535)) return;
  report.error([...path, 'port'], `port.number is 1 to 65535, not ${report.show([...path, 'port', 'number'], port.number)}`);
}

function isAuthority(name: string): boolean {
  return /^(?::authority|host)$/i.test(name);
}

function isInternal(name: string): boolean {
  return name.startsWith(':') || /^host$/i.test(name);
}

function checkHeaders(headers: HeadersSpec | undefined, path: ConfigPath, report: Report): void {
  for (const side of ['request', 'response'] as const) {
    const operations = headers?.[side] ?? {};
    for (const kind of ['set', 'add'] as const) {
      for (const [name, value] of Object.entries(operations[kind] ?? {})) {
        const at = [...path, side, kind, name];
        checkHeaderName(name, side === 'request' && isAuthority(name), at, 'key', report);
        const fault = headerTextFault(value);
        if (fault !== null) report.error(at, `${report.show(at, value)} is no header value: ${fault}`);
      }
    }
    for (const [i, name] of (operations.remove ?? []).entries()) {
      checkHeaderName(name, false, [...path, side, 'remove', i], 'value', report);
    }
  }
}

function checkHeaderName(name: string, isAllowed: boolean, path: ConfigPath, part: 'key' | 'value', report: Report): void {
  if (name === '') report.error(path, 'a header needs a name', { part });
  else if (isInternal(name) && !isAllowed) {
    report.error(path, `${report.show([], name)} cannot be changed here; only request: set and add take host`, { part });
  }
}

/** One host, said once. */
function checkAuthority({ rewrite, headers }: HttpRouteSpec, path: ConfigPath, report: Report): void {
  let isSet = (rewrite?.authority ?? '') !== '';
  for (const kind of ['set', 'add'] as const) {
    for (const name of Object.keys(headers?.request?.[kind] ?? {})) {
      if (!isAuthority(name)) continue;
      if (isSet) report.error([...path, kind, name], 'the host is set more than once; keep one', { part: 'key' });
      isSet = true;
    }
  }
}

function checkRedirect(redirect: RedirectSpec | undefined, matches: readonly HttpMatchSpec[], path: ConfigPath, report: Report): void {
  if (redirect === undefined) return;
  const { uri = '', prefixRewrite = '', authority = '', scheme = '', port, derivePort, redirectCode = 0 } = redirect;
  if (uri !== '' && prefixRewrite !== '')
    report.error([...path, 'prefixRewrite'], 'redirect has both uri and prefixRewrite; keep one', { part: 'key' });
  if (port !== undefined && derivePort !== undefined) {
    report.error([...path, 'derivePort'], 'redirect has both port and derivePort; keep one', { part: 'key' });
  }
  if (prefixRewrite !== '' && matches.some((match) => match.uri !== undefined && match.uri.prefix === undefined)) {
    report.error([...path, 'prefixRewrite'], 'prefixRewrite replaces a prefix, so every match of a uri must be by prefix', { part: 'key' });
  }
  if (uri === '' && prefixRewrite === '' && authority === '' && scheme === '' && port === undefined && derivePort === undefined) {
    report.error(path, 'redirect leads to where the call came from; add uri, prefixRewrite, authority, scheme, port or derivePort');
  }
  if (redirectCode !== 0 && ![301, 302, 303, 307, 308].includes(redirectCode)) {
    const at = [...path, 'redirectCode'];
    report.error(at, `redirectCode is one of 301, 302, 303, 307, 308, not ${report.show(at, redirectCode)}`);
  }
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    report.error([...path, 'scheme'], `scheme is http or https, not ${report.show([...path, 'scheme'], scheme)}`);
  }
  if (port !== undefined && port > 65_535)
    report.error([...path, 'port'], `port is 1 to 65535, not ${report.show([...path, 'port'], port)}`);
}

const BODY_BYTES_MAX = 1_048_576;
const BODY_BYTES_MANY = 102_400;

function checkDirectResponse(response: DirectResponseSpec | undefined, path: ConfigPath, report: Report): void {
  if (response === undefined) return;
  const { status, body } = response;
  if (status < 200 || status > 599)
    report.error([...path, 'status'], `status is 200 to 599, not ${report.show([...path, 'status'], status)}`);
  if (body === undefined) return;
  if (body.string !== undefined && body.bytes !== undefined) {
    report.error([...path, 'body', 'bytes'], 'body has both string and bytes; keep one', { part: 'key' });
  }
  if (body.bytes !== undefined && !/^[A-Za-z0-9+/_-]*={0,2}$/.test(body.bytes)) {
    report.error([...path, 'body', 'bytes'], 'bytes is a text in base64');
  }
  const size = body.string?.length ?? Math.floor((body.bytes?.length ?? 0) * 0.75);
  if (size > BODY_BYTES_MAX) report.error([...path, 'body'], 'the body of a direct response has at most 1 MiB');
  else if (size > BODY_BYTES_MANY)
    report.warn([...path, 'body'], 'a direct response of more than 100 KiB is a burden to the control plane');
}

function checkRewrite(rewrite: RewriteSpec | undefined, path: ConfigPath, check: RouteCheck): void {
  if (rewrite === undefined) return;
  const { report } = check;
  const { uri = '', authority = '', uriRegexRewrite } = rewrite;
  if (uri !== '' && uriRegexRewrite !== undefined) {
    report.error([...path, 'uriRegexRewrite'], 'rewrite has both uri and uriRegexRewrite; keep one', { part: 'key' });
  }
  if (uri === '' && authority === '' && uriRegexRewrite === undefined) {
    report.error(path, 'rewrite does not say what to change; add uri, uriRegexRewrite or authority');
  }
  if (uriRegexRewrite === undefined) return;
  const at = [...path, 'uriRegexRewrite'];
  const { match = '', rewrite: substitution = '' } = uriRegexRewrite;
  if (match === '' || substitution === '') report.error(at, 'uriRegexRewrite needs both match and rewrite');
  else {
    checkRegexText(match, [...at, 'match'], check);
    checkSubstitution(match, substitution, [...at, 'rewrite'], report);
  }
}

/** Envoy takes no rewrite that names a group which the pattern does not have. */
function checkSubstitution(pattern: string, substitution: string, path: ConfigPath, report: Report): void {
  const plain = pattern.replace(/\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/gs, '');
  const groups = [...plain.matchAll(/\((?!\?)|\(\?P?</g)].length;
  for (const [escape, next = ''] of substitution.matchAll(/\\(.?)/gs)) {
    if (next === '\\') continue;
    if (!/[0-9]/.test(next)) report.error(path, `a backslash stands before a digit or a backslash, not as ${JSON.stringify(escape)}`);
    else if (Number(next) > groups) report.error(path, `${escape} names a group, but the pattern has ${groups === 0 ? 'none' : groups}`);
  }
}
