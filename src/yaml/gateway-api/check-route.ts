// How the fields of an HTTPRoute or a GRPCRoute hang together, rule by rule. The form has been checked.
// Source: validation rules (CEL) of kubernetes-sigs/gateway-api apis/v1/httproute_types.go, grpcroute_types.go.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { CheckContext } from '../dialect.ts';
import { checkMetadata } from '../k8s/check-names.ts';
import type { Resource } from '../resource.ts';
import { checkBackendObject, checkParentRefs } from './check-backend-refs.ts';
import { checkFilters } from './check-filters.ts';
import { checkGrpcMatch, checkHttpMatch } from './check-matches.ts';
import { checkSession } from './check-session.ts';
import { checkCount, checkSpan, checkWildcardHostname } from './check-text.ts';
import type { GrpcRuleSpec, HttpRuleSpec, RouteSpec, RuleSpec } from './route-spec.ts';

const HOSTNAMES_MAX = 16;
const RULES_MAX = 16;
const MATCHES_MAX = 64;
const MATCHES_TOTAL_MAX = 128;
const BACKENDS_MAX = 16;

export function checkHttpRoute(resource: Resource, context: CheckContext): void {
  const { rules = [] } = resource.spec as RouteSpec<HttpRuleSpec>;
  checkRoute(resource);
  for (const [i, rule] of rules.entries()) {
    const path: ConfigPath = ['spec', 'rules', i];
    const { matches = [] } = rule;
    for (const [j, match] of matches.entries()) checkHttpMatch(match, [...path, 'matches', j], resource.report, context);
    const only = matches.length === 1 ? matches[0]?.path : undefined;
    checkRule(rule, path, resource.report, only !== undefined && (only.type ?? 'PathPrefix') === 'PathPrefix');
  }
}

export function checkGrpcRoute(resource: Resource, context: CheckContext): void {
  const { rules = [] } = resource.spec as RouteSpec<GrpcRuleSpec>;
  checkRoute(resource);
  for (const [i, rule] of rules.entries()) {
    const path: ConfigPath = ['spec', 'rules', i];
    for (const [j, match] of (rule.matches ?? []).entries()) checkGrpcMatch(match, [...path, 'matches', j], resource.report, context);
    checkRule(rule, path, resource.report, false);
  }
}

function checkRoute(resource: Resource): void {
  const { spec, report } = resource;
  checkMetadata(resource);
  const { parentRefs, hostnames = [], rules = [] } = spec as RouteSpec<HttpRuleSpec>;
  checkParentRefs(parentRefs, report);
  checkCount(hostnames, HOSTNAMES_MAX, ['spec', 'hostnames'], report);
  for (const [i, name] of hostnames.entries()) checkWildcardHostname(name, ['spec', 'hostnames', i], report);
  checkCount(rules, RULES_MAX, ['spec', 'rules'], report);
  const total = rules.reduce((sum, { matches = [] }) => sum + matches.length, 0);
  if (total > MATCHES_TOTAL_MAX) {
    report.error(['spec', 'rules'], `${total} matches in all rules together, the Gateway API takes at most ${MATCHES_TOTAL_MAX}`);
  }
  const names = new Map<string, ConfigPath>();
  for (const [i, { name, matches }] of rules.entries()) {
    const at: ConfigPath = ['spec', 'rules', i, 'name'];
    checkCount(matches, MATCHES_MAX, ['spec', 'rules', i, 'matches'], report);
    const before = name === undefined ? undefined : names.get(name);
    if (before !== undefined) report.error(at, `a rule named ${report.show(at, name)} stands at ${report.place(before)} already`);
    else if (name !== undefined) names.set(name, at);
  }
}

function checkRule(rule: RuleSpec, path: ConfigPath, report: Report, hasOnePrefix: boolean): void {
  const { filters = [], backendRefs = [], timeouts = {}, retry, sessionPersistence } = rule;
  checkFilters(filters, { path: [...path, 'filters'], report, hasOnePrefix });
  checkCount(backendRefs, BACKENDS_MAX, [...path, 'backendRefs'], report);
  for (const [i, ref] of backendRefs.entries()) {
    const at = [...path, 'backendRefs', i];
    checkBackendObject(ref, at, report);
    checkFilters(ref.filters, { path: [...at, 'filters'], report, hasOnePrefix });
  }
  const redirect = filters.findIndex(({ requestRedirect }) => requestRedirect !== undefined);
  if (redirect >= 0 && backendRefs.length > 0) {
    report.error(
      [...path, 'filters', redirect],
      'a rule with RequestRedirect sends nothing to a backend: take backendRefs away, or the filter',
    );
  }
  const total = checkSpan(timeouts.request, [...path, 'timeouts', 'request'], report);
  const single = checkSpan(timeouts.backendRequest, [...path, 'timeouts', 'backendRequest'], report);
  if (total !== null && single !== null && total > 0 && single > total) {
    report.error([...path, 'timeouts', 'backendRequest'], `backendRequest is longer than request (${timeouts.request}), which contains it`);
  }
  checkSpan(retry?.backoff, [...path, 'retry', 'backoff'], report);
  if (sessionPersistence !== undefined) checkSession(sessionPersistence, [...path, 'sessionPersistence'], report);
}
