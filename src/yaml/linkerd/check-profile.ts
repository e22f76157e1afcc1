// How the fields of a ServiceProfile hang together. The form has been checked.
// Source: linkerd2 pkg/profiles, Validate; linkerd2-proxy service-profiles/src/proto.rs, convert_retry_budget.
import { isHostName } from '../../model/address.ts';
import { parseDuration } from '../../model/duration.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { CheckContext } from '../dialect.ts';
import { patternFault } from '../match-patterns.ts';
import { milliValue } from '../quantity.ts';
import type { Resource } from '../resource.ts';
import type { ProfileRouteSpec, RequestMatchSpec, ResponseMatchSpec, RetryBudgetSpec, ServiceProfileSpec } from './profile-spec.ts';
import { matchesOf, wholePath } from './request-condition.ts';
import { isWhole } from './response-classes.ts';

const RATIO_MAX = 1_000;
const TTL_MS_MIN = 1_000;
const TTL_MS_MAX = 60_000;
const STATUS_MIN = 100;

export function checkServiceProfile(resource: Resource, context: CheckContext): void {
  const { report, name } = resource;
  const { routes = [], retryBudget, dstOverrides = [], opaquePorts } = resource.spec as ServiceProfileSpec;
  if (!isHostName(name) || !name.includes('.')) {
    const message = `the name of a ServiceProfile is the full name of a service, such as reviews.default.svc.cluster.local`;
    report.error(['metadata', 'name'], message);
  }
  for (const [i, route] of routes.entries()) checkRoute(route, ['spec', 'routes', i], report, context);
  if (retryBudget !== undefined) checkBudget(retryBudget, report);
  for (const [i, { weight }] of dstOverrides.entries()) {
    const path = ['spec', 'dstOverrides', i, 'weight'];
    const milli = milliValue(weight);
    if (milli === null || milli < 0) report.error(path, `${report.show(path, weight)} is no quantity from 0, such as 500m`);
  }
  if ((opaquePorts?.length ?? 0) > 0) {
    report.warn(['spec', 'opaquePorts'], 'what passes through inmesh is HTTP, on these ports too', { part: 'key', code: 'INM0011' });
  }
}

function checkRoute(route: ProfileRouteSpec, path: ConfigPath, report: Report, { checkRegex }: CheckContext): void {
  const { condition, responseClasses = [], timeout = '' } = route;
  if (timeout !== '' && parseDuration(timeout) === null) {
    const at = [...path, 'timeout'];
    report.error(at, `${report.show(at, timeout)} is no duration such as 300ms`);
  }
  const before = report.issues.length;
  checkRequest(condition, [...path, 'condition'], report, checkRegex);
  if (report.issues.length === before) checkMatches(condition, [...path, 'condition'], report, checkRegex);
  for (const [i, one] of responseClasses.entries()) {
    const at: ConfigPath = [...path, 'responseClasses', i, 'condition'];
    checkResponse(one.condition, at, report);
    if (!isWhole(one.condition)) report.warn(at, 'a status range needs min and max; Linkerd drops the class without a word');
  }
}

function checkMatches(condition: RequestMatchSpec, path: ConfigPath, report: Report, checkRegex: CheckContext['checkRegex']): void {
  const matches = matchesOf(condition);
  const fault = 'fault' in matches ? matches.fault : patternFault(matches, checkRegex);
  if (fault !== null) report.error(path, `this condition cannot be kept: ${fault}`, { code: 'INM0011' });
  else if ('length' in matches && matches.length === 0) report.warn(path, 'this condition holds for no call');
}

function checkRequest(match: RequestMatchSpec, path: ConfigPath, report: Report, checkRegex: CheckContext['checkRegex']): void {
  const { all, any: some, not, method = '', pathRegex = '' } = match;
  const isSaid = all !== undefined || some !== undefined || not !== undefined || method !== '' || pathRegex !== '';
  if (!isSaid) report.error(path, 'a condition needs one of method, pathRegex, all, any and not');
  const fault = pathRegex === '' ? null : (checkRegex?.(pathRegex.trim()) ?? checkRegex?.(wholePath(pathRegex)) ?? null);
  const at = [...path, 'pathRegex'];
  if (fault !== null) report.error(at, `${report.show(at, pathRegex)} is no regular expression: ${fault}`);
  for (const [i, one] of (all ?? []).entries()) checkRequest(one, [...path, 'all', i], report, checkRegex);
  for (const [i, one] of (some ?? []).entries()) checkRequest(one, [...path, 'any', i], report, checkRegex);
  if (not !== undefined) checkRequest(not, [...path, 'not'], report, checkRegex);
}

function checkResponse({ all, any: some, not, status }: ResponseMatchSpec, path: ConfigPath, report: Report): void {
  const isSaid = all !== undefined || some !== undefined || not !== undefined || status !== undefined;
  if (!isSaid) report.error(path, 'a condition needs one of status, all, any and not');
  const { min = 0, max = 0 } = status ?? {};
  for (const [key, value] of Object.entries({ min, max })) {
    const at = [...path, 'status', key];
    if (value !== 0 && value < STATUS_MIN) report.error(at, `${report.show(at, value)} is no status from ${STATUS_MIN} to 599`);
  }
  if (min !== 0 && max !== 0 && max < min) report.error([...path, 'status'], 'min is greater than max');
  for (const [i, one] of (all ?? []).entries()) checkResponse(one, [...path, 'all', i], report);
  for (const [i, one] of (some ?? []).entries()) checkResponse(one, [...path, 'any', i], report);
  if (not !== undefined) checkResponse(not, [...path, 'not'], report);
}

/** Out of these bounds the proxy drops the budget, and with it every retry. */
function checkBudget({ retryRatio, ttl }: RetryBudgetSpec, report: Report): void {
  const path: ConfigPath = ['spec', 'retryBudget'];
  if (retryRatio > RATIO_MAX)
    report.error([...path, 'retryRatio'], `retryRatio is at most ${RATIO_MAX}; beyond, Linkerd makes no retries at all`);
  const ms = parseDuration(ttl);
  if (ms === null) report.error([...path, 'ttl'], `${report.show([...path, 'ttl'], ttl)} is no duration such as 10s`);
  else if (ms < TTL_MS_MIN || ms > TTL_MS_MAX) {
    report.error([...path, 'ttl'], 'ttl is from 1s to 60s; otherwise Linkerd makes no retries at all');
  }
}
