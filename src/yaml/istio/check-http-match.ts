// One match of a rule, as Istio's own validator sees it. Source: istio/istio pkg/config/validation,
// validateHTTPRouteMatchRequest.
import type { ConfigPath } from '../../model/issue.ts';
import { checkRegexText, type RegexCheck } from './check-regex.ts';
import { checkGateways } from './check-gateways.ts';
import { isLabel, labelFault } from './host-name.ts';
import type { HttpMatchSpec, StringMatches, StringMatchSpec } from './virtual-service-spec.ts';

const HEADER_NAME = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;
const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path', ':status']);
const CLAIM = /^@request\.auth\.claims(?:\..+|\[.+\])$/i;
/** Said by fields of their own. Source: HTTPMatchRequest `headers`. */
const IGNORED: ReadonlySet<string> = new Set(['uri', 'scheme', 'method', 'authority']);

export function checkHttpMatch(match: HttpMatchSpec, path: ConfigPath, check: RegexCheck): void {
  const { report } = check;
  checkHeaderMatches(match.headers, [...path, 'headers'], check);
  checkHeaderMatches(match.withoutHeaders, [...path, 'withoutHeaders'], check);
  // A uri alone may begin with nothing.
  checkStringMatch(match.uri, [...path, 'uri'], check, true);
  for (const key of ['scheme', 'method', 'authority'] as const) checkStringMatch(match[key], [...path, key], check);
  for (const [name, value] of Object.entries(match.queryParams ?? {})) checkStringMatch(value, [...path, 'queryParams', name], check);
  const { port = 0, sourceLabels, gateways = [], sourceNamespace = '' } = match;
  if (port > 65_535) report.error([...path, 'port'], `port is 1 to 65535, not ${report.show([...path, 'port'], port)}`);
  const fault = sourceLabels === undefined ? null : labelFault(sourceLabels);
  if (fault !== null) report.error([...path, 'sourceLabels'], fault);
  checkGateways(gateways, [...path, 'gateways'], report);
  if (sourceNamespace !== '' && !isLabel(sourceNamespace)) {
    const at = [...path, 'sourceNamespace'];
    report.error(at, `${report.show(at, sourceNamespace)} is no namespace`);
  }
}

/** A name that stands for a claim of a token. Source: istio/istio pkg/jwt, ToRoutingClaim. */
export function isClaim(name: string): boolean {
  return CLAIM.test(name);
}

/** Whether a header name of a match is passed over. */
export function isPassedOver(name: string): boolean {
  return IGNORED.has(name) || isClaim(name);
}

function checkHeaderMatches(headers: StringMatches = {}, path: ConfigPath, check: RegexCheck): void {
  const { report } = check;
  for (const [name, value] of Object.entries(headers)) {
    const at = [...path, name];
    if (!PSEUDO.has(name) && !HEADER_NAME.test(name) && !isClaim(name)) {
      report.error(at, `${report.show([], name)} is no header name`, { part: 'key' });
    } else if (IGNORED.has(name)) {
      report.warn(at, `the header name ${name} is passed over: the field ${name} beside headers is meant for it`, { part: 'key' });
    } else if (name !== name.toLowerCase() && !isClaim(name)) {
      report.warn(at, `header names of a match are written in lower case: ${name.toLowerCase()}`, { part: 'key' });
    }
    checkStringMatch(value, at, check);
  }
}

const KINDS = ['exact', 'prefix', 'regex'] as const;

function checkStringMatch(match: StringMatchSpec | undefined, path: ConfigPath, check: RegexCheck, mayBeginWithNothing = false): void {
  if (match === undefined) return;
  const { report } = check;
  const [first, second] = KINDS.filter((kind) => match[kind] !== undefined);
  if (second !== undefined) report.error([...path, second], `this match has both ${first} and ${second}; keep one`, { part: 'key' });
  if (match.prefix === '' && !mayBeginWithNothing) {
    report.error([...path, 'prefix'], 'a prefix cannot be empty; {} asks only that the value is there');
  }
  // A star alone is no pattern, it asks only that the value is there.
  if (match.regex !== undefined && match.regex !== '*') checkRegexText(match.regex, [...path, 'regex'], check);
}
