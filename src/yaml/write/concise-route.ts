// One rule as people would write it: what the service says anyway is left out, and what the concise form has no word for
// is reported.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import { RETRY_DEFAULTS, type RetryPolicy } from '../../model/destination.ts';
import { DURATION_MS_MAX } from '../../model/duration.ts';
import type { RouteTarget } from '../../model/route.ts';
import { CRITICALITIES, CRITICALITY_DEFAULT } from '../../model/traffic.ts';
import { routeRetries } from '../../model/route-retries.ts';
import type { LossScope } from '../losses.ts';
import type { ConciseNames } from './concise-names.ts';
import { describeRetries, describeTimeout } from './describe-policy.ts';
import { describeRoute, isAnswering, targetName } from './describe-route.ts';
import { NEVER, timeText } from './described.ts';
import { minimalPolicy } from './minimal.ts';
import { isPlainMap, type Plain, type PlainMap } from './plain.ts';
import { canonicalRewrite } from './segment-rewrite.ts';

export interface ConciseDeps {
  readonly names: ConciseNames;
  readonly report: LossScope;
  /** A target that nobody is known to answer for, as one that somebody will answer for; null: nobody is meant. */
  readonly revived: (target: RouteTarget) => RouteTarget | null;
}

/** A year: the concise form bounds every call. */
export const LONGEST = '8760h';

/** What no call has. */
export const NO_CALL: PlainMap = { method: { exact: 'GET' }, headers: { 'x-never': { regex: 'a^' } } };

/** Without its name. */
export function conciseRoute(route: RouteConfig, service: ServiceConfig, deps: ConciseDeps): PlainMap {
  const { report } = deps;
  const targets = route.targets.map((target) => (target.fails === undefined ? target : (deps.revived(target) ?? target)));
  const alive = targets.filter(({ fails }) => fails === undefined);
  const isDead = !isAnswering(route) && alive.length === 0;
  const { input, foreign } = describeRoute({ ...route, targets }, service);
  const matches = matchOf(route, input.match ?? prefixMatch(route), foreign);
  reportForeign(foreign, report);
  if (isDead) {
    const status = targets[0]?.fails?.status ?? 503;
    const keys = ['to', 'directResponse', 'timeout', 'retries', 'idempotent', 'cache', 'coalesce', 'criticality'];
    report.approximated(keys, status, 'directResponse', `nobody answers for it: ${targets[0]?.fails?.reason ?? ''}`);
    return { ...matches, directResponse: { status } };
  }
  if (isAnswering(route)) return { ...matches, ...answering(route, input, report) };
  if (alive.length < targets.length)
    report.lost('to', Object.keys(input.to ?? {}), 'a share that is answered with an error; it goes to the others');
  return { ...matches, to: toOf(alive, service, deps), ...timesOf(route, service, report), ...restOf(route, input, deps, service) };
}

/** A rule for every call that replaces a prefix says which. */
function prefixMatch({ matches, rewrite, redirect }: RouteConfig): Plain | undefined {
  const path = rewrite?.path ?? redirect?.path;
  if (matches.length > 0 || path?.kind !== 'prefix' || path.prefix !== '/') return undefined;
  return [{ path: { [path.by === 'text' ? 'prefix' : 'pathPrefix']: '/' } }];
}

/** A match of which a part cannot be said would mean other calls. */
function matchOf(route: RouteConfig, match: Plain | undefined, foreign: PlainMap): PlainMap {
  if (!Array.isArray(match)) return {};
  const said = match.filter((_: Plain, i: number) => !Object.keys(foreign).some((path) => path.startsWith(`match[${i}].`)));
  const [only] = said;
  // A rule without any match would take every call; this one is asked for what no call has.
  if (said.length === 0 && route.matches.length > 0) return { match: NO_CALL };
  return { match: said.length === 1 && only !== undefined ? only : said };
}

function reportForeign(foreign: PlainMap, report: LossScope): void {
  for (const [path, value] of Object.entries(foreign)) {
    if (path.startsWith('match['))
      report.lost(['match', path], value, 'one header has one condition in the concise form; the match is left out');
    else if (path.startsWith('retries.')) continue;
    else if (path.endsWith('.fails')) continue;
    else report.lost(path, value, 'the concise form has no word for it');
  }
}

function toOf(targets: readonly RouteTarget[], { name }: ServiceConfig, { names, report }: ConciseDeps): Plain {
  const shares: Record<string, number> = {};
  for (const target of targets) {
    const own = names.target(target, name);
    shares[own] = (shares[own] ?? 0) + target.weight;
  }
  const text = Object.fromEntries(targets.map((target) => [targetName(target), target.weight]));
  const isRenamed = targets.some(
    (target) =>
      targetName(target) !== (target.subset === undefined ? names.of(target.service) : `${names.of(target.service)}/${target.subset}`),
  );
  if (isRenamed) report.approximated('to', text, 'to', 'names that the concise form takes');
  else report.kept('to', text, 'to');
  const [only, second] = Object.keys(shares);
  return second === undefined && only !== undefined ? only : shares;
}

function timesOf(route: RouteConfig, service: ServiceConfig, report: LossScope): PlainMap {
  const timeoutMs = route.timeoutMs ?? service.timeoutMs;
  const timeout = timeoutText(timeoutMs);
  const policy = routeRetries(route, service);
  const own = describeRetries(policy, timeoutMs);
  const retries = conciseRetries(own.input.retries ?? false, perTryText(policy, timeout), report, Object.keys(own.foreign));
  const whole = describeRetries(service.retries, service.timeoutMs).input.retries ?? false;
  const base = conciseRetries(whole, perTryText(service.retries, timeoutText(service.timeoutMs)), null, []);
  const said = minimalPolicy('retries', retries, base);
  return {
    ...(timeoutMs === service.timeoutMs ? {} : { timeout }),
    ...(said === undefined || (route.retries ?? route.perTryTimeoutMs) === undefined ? {} : { retries: said }),
  };
}

export function timeoutText(timeoutMs: number): string {
  const text = describeTimeout(timeoutMs);
  return text === NEVER ? LONGEST : text;
}

/** A try that is not limited has the time of the whole call. */
export function perTryText({ perTryTimeoutMs }: RetryPolicy, timeout: string): string {
  return perTryTimeoutMs > 0 && perTryTimeoutMs < DURATION_MS_MAX ? timeText(perTryTimeoutMs) : timeout;
}

const STATUS_MIN = 400;

/** What the concise form cannot say becomes what comes to the same, or to the nearest. */
export function conciseRetries(retries: Plain, perTry: string, report: LossScope | null, foreign: readonly string[]): Plain {
  if (!isPlainMap(retries)) return retries;
  const { attempts, retryOn, ...rest } = retries;
  const list = (Array.isArray(retryOn) ? retryOn : []) as readonly (string | number)[];
  const known = list.filter((one) => typeof one !== 'number' || one >= STATUS_MIN);
  if (known.length < list.length) report?.lost('retries.retryOn', list, 'only statuses from 400 on are repeated');
  if (foreign.length > 0) {
    const how = 'decided by our rules: pauses with a lower bound, Retry-After looked at';
    report?.approximated(['retries.semantics', 'retries.retryOn'], foreign, 'retries', how);
  }
  if (attempts === 'any')
    report?.approximated('retries.attempts', 'as many as the budget pays for', 'retries.attempts 100', 'a number is needed');
  return {
    ...rest,
    attempts: attempts === 'any' ? 100 : Math.min(100, Number(attempts)),
    perTryTimeout: perTry,
    retryOn: known.length === 0 ? RETRY_DEFAULTS.retryOn.slice(0, 1) : known,
  };
}

function answering(route: RouteConfig, input: PlainMap, report: LossScope): PlainMap {
  const { redirect } = route;
  if (redirect !== undefined && isPlainMap(input.redirect)) {
    const said = redirectOf(route, input.redirect, report);
    return { ...withHeaders(input), redirect: said, ...withRateLimit(input) };
  }
  report.kept('directResponse', input.directResponse ?? null, 'directResponse');
  return { ...withHeaders(input), directResponse: input.directResponse ?? {}, ...withRateLimit(input) };
}

/** A prefix is replaced where all matches name it. */
function redirectOf(route: RouteConfig, input: PlainMap, report: LossScope): PlainMap {
  const path = route.redirect?.path;
  if (path === undefined || path.kind === 'full') return input;
  const { prefix: _prefix, regex: _regex, ...rest } = input;
  if (path.kind === 'prefix' && namesPrefix(route, path)) return input;
  report.lost('redirect', path.kind, 'the concise form replaces a prefix that the match names; the path stays');
  return rest;
}

function namesPrefix({ matches }: RouteConfig, { prefix, by }: { readonly prefix: string; readonly by: 'text' | 'segment' }): boolean {
  const kind = by === 'text' ? 'prefix' : 'pathPrefix';
  if (matches.length === 0) return prefix === '/';
  return matches.every(({ path }) => path?.kind === kind && !path.invert && path.value === prefix);
}

function withHeaders({ headers }: PlainMap): PlainMap {
  return headers === undefined ? {} : { headers };
}

function withRateLimit({ rateLimit }: PlainMap): PlainMap {
  return rateLimit === undefined || rateLimit === false ? {} : { rateLimit };
}

/** All that is as it was written. */
function restOf(route: RouteConfig, input: PlainMap, { names, report }: ConciseDeps, { name }: ServiceConfig): PlainMap {
  const { sticky, fault, idempotent, cache, coalesce, fallback, criticality } = input;
  const mirrors = route.mirrors.map((mirror, i) => ({
    ...((input.mirror as readonly PlainMap[])[i] as PlainMap),
    to: names.target(mirror.target, name),
    ...(mirror.of === undefined ? {} : { of: names.target(mirror.of, name) }),
  }));
  const rewrite = route.rewrite === undefined ? undefined : rewriteOf(route, input.rewrite as PlainMap);
  if (rewrite !== undefined) report.kept('rewrite', rewrite, 'rewrite');
  const isUsual = criticality === CRITICALITIES[CRITICALITY_DEFAULT];
  return {
    ...(sticky === undefined ? {} : { sticky }),
    ...withHeaders(input),
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(fault === undefined ? {} : { fault }),
    ...(mirrors.length === 0 ? {} : { mirror: mirrors }),
    ...withRateLimit(input),
    ...(idempotent === undefined || idempotent === false ? {} : { idempotent }),
    ...(cache === undefined || cache === false ? {} : { cache: minimalPolicy('cache', cache, false) ?? true }),
    ...(coalesce === undefined || coalesce === false ? {} : { coalesce: minimalPolicy('coalesce', coalesce, false) ?? true }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(criticality === undefined || isUsual ? {} : { criticality }),
  };
}

function rewriteOf(route: RouteConfig, input: PlainMap): PlainMap {
  const path = route.rewrite?.path;
  if (path?.kind !== 'prefix' || namesPrefix(route, path)) return input;
  const { prefix: _prefix, ...rest } = input;
  const said = canonicalRewrite(path);
  return said.kind === 'regex' ? { ...rest, regex: { match: said.pattern, substitution: said.substitution } } : rest;
}
