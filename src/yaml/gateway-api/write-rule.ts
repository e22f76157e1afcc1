// From one rule of ours to rules of an HTTPRoute: mostly one, more where retries look at the method, or where every match
// has a prefix of its own to replace.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { RetryPolicy } from '../../model/destination.ts';
import type { RouteMatch, RouteTarget } from '../../model/route.ts';
import { describeMatch } from '../write/describe-match.ts';
import { targetName } from '../write/describe-route.ts';
import { type RuleVariant, ruleVariants } from '../write/rule-variants.ts';
import { resourceName } from '../write/service-place.ts';
import { wholeWeights } from '../write/whole-weights.ts';
import { formatGatewayDuration } from './gateway-duration.ts';
import type { BackendRefSpec, RetrySpec, RuleSpec, SessionPersistenceSpec } from './route-spec.ts';
import { type FilterDeps, headerFilters, mirrorFilters, redirectFilters, rewriteFilters } from './write-filters.ts';
import { METHODS, type SaidMatch, writeMatch } from './write-match.ts';
import { RETRY_RULE_KEYS } from '../write/policy-losses.ts';

/** Retries and times of a rule, in the words of the dialect. */
export interface RuleTimes {
  readonly spec: Pick<RuleSpec, 'timeouts' | 'retry'>;
  /** Of the document; rules with other annotations stand in other documents. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleDeps extends FilterDeps {
  readonly service: ServiceConfig;
  readonly inherits: boolean;
  /** Whom it is for: not every mesh obeys all of it. */
  readonly mesh: string;
  /** Filters and fields that the mesh does not have. */
  readonly refuses: ReadonlySet<'URLRewrite' | 'RequestMirror' | 'sessionPersistence'>;
  readonly writeTimes: (
    route: RouteConfig,
    retries: RetryPolicy | null | undefined,
    timeoutMs: number | undefined,
    deps: RuleDeps,
  ) => RuleTimes;
  readonly reportVariant: (name: string, why: string) => void;
}

export interface SaidRule {
  readonly name: string;
  readonly route: RouteConfig;
  readonly matches: readonly SaidMatch[];
  readonly spec: Omit<RuleSpec, 'name'>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function writeRules(route: RouteConfig, deps: RuleDeps): SaidRule[] {
  if (isNotFound(route)) {
    deps.report.kept('directResponse', 404, 'no rule: what none matches is answered 404');
    reportIdle(route, deps);
    return [];
  }
  const areRetriesSaid = deps.inherits || route.retries !== undefined;
  const variants = ruleVariants(withoutFault(route, deps), deps.service, { areRetriesSaid, isListed: false, methods: METHODS });
  const rules = variants.flatMap((variant) => byPrefix(route, variant).flatMap((one) => writeVariant(route, one, deps) ?? []));
  if (rules.length > 1) deps.report.approximated(['name', 'match'], route.name, deps.to, 'several rules');
  const isSplit = rules.length > variants.length;
  const names = new Set<string>();
  return rules.map((rule) => {
    let name = rule.name;
    for (let i = 2; names.has(name); i++) name = `${rule.name}-${i}`;
    names.add(name);
    if (name !== route.name || isSplit)
      deps.reportVariant(name, `a part of the rule: one set of retries, and one prefix to replace, for all calls of a rule`);
    return { ...rule, name };
  });
}

/** That is what becomes of calls that no rule takes. */
function isNotFound({ matches, directResponse }: RouteConfig): boolean {
  return (
    matches.length === 0 && directResponse?.status === 404 && directResponse.body === '' && Object.keys(directResponse.headers).length === 0
  );
}

function withoutFault(route: RouteConfig, { report }: RuleDeps): RouteConfig {
  if (route.fault === undefined) return route;
  const { fault, ...rest } = route;
  report.lost(
    'fault',
    [...(fault.delay === undefined ? [] : ['delay']), ...(fault.abort === undefined ? [] : ['abort'])],
    'the Gateway API injects no faults',
  );
  return rest;
}

/** A rule that replaces a prefix has one match. */
function byPrefix(route: RouteConfig, variant: RuleVariant): RuleVariant[] {
  const path = route.rewrite?.path ?? route.redirect?.path;
  if (path?.kind !== 'prefix' || variant.matches.length < 2) return [variant];
  return variant.matches.map((match) => ({ ...variant, matches: [match] }));
}

function writeVariant(route: RouteConfig, variant: RuleVariant, deps: RuleDeps): SaidRule | null {
  const matches = writeMatches(variant.matches, deps);
  if (matches === null) return null;
  const prefix = prefixOf(matches);
  const { directResponse, redirect } = route;
  const name = resourceName(`${route.name}${variant.suffix}`);
  const base = { name, route, matches };
  if (directResponse !== undefined) return { ...base, ...writeAnswer(route, deps) };
  const headers = headerFilters(route, 'headers', deps);
  if (redirect !== undefined) {
    reportIdle(route, deps);
    return { ...base, spec: { filters: [...headers, ...redirectFilters(redirect, prefix, deps)] }, annotations: {} };
  }
  const timeoutMs = route.timeoutMs ?? (deps.inherits ? deps.service.timeoutMs : undefined);
  const times = deps.writeTimes(route, variant.retries, timeoutMs, deps);
  const filters = [...headers, ...writeRewrite(route, prefix, deps), ...writeMirrors(route, deps)];
  const session = writeSession(route, deps);
  reportUnsaid(route, deps);
  return {
    ...base,
    spec: {
      ...(filters.length === 0 ? {} : { filters }),
      backendRefs: writeBackends(route, prefix, deps),
      ...times.spec,
      ...(session === null ? {} : { sessionPersistence: session }),
    },
    annotations: times.annotations,
  };
}

/** null: no match of the rule can be said. */
function writeMatches(matches: readonly RouteMatch[], { report, to, mesh }: RuleDeps): SaidMatch[] | null {
  if (matches.length === 0) return [{ spec: {}, means: { headers: {}, queryParams: {} } }];
  const said: SaidMatch[] = [];
  for (const match of matches) {
    const one = writeMatch(match);
    if (Array.isArray(one)) said.push(...one);
    else report.lost('match', describeMatch(match).input, `left out: ${one.why}; its calls go on to the next rule`);
  }
  const inputs = matches.map((match) => describeMatch(match).input);
  if (said.length === 0) {
    report.lost('', inputs, 'the rule is left out, because none of its matches can be said');
    return null;
  }
  if (matches.some(({ method }) => method?.invert === true)) {
    report.approximated('match', inputs, `${to}: matches`, 'all other methods that the Gateway API knows');
  }
  const isPattern = said.some(({ spec }) => spec.path?.type === 'RegularExpression');
  const isText = matches.some(({ path }) => path?.kind === 'prefix' && path.value !== '/' && path.value !== '');
  if (isText)
    report.approximated('match', inputs, `${to}: matches`, 'a prefix ends where a segment does: /a takes /a and /a/b, and no longer /ab');
  if (isPattern)
    report.approximated(
      'match.path',
      inputs,
      `${to}: matches`,
      `a regular expression, which not every implementation takes; ${mesh} says where it stands among the others`,
    );
  else if (!isText) report.kept('match', inputs, `${to}: matches`);
  return said;
}

function prefixOf(matches: readonly SaidMatch[]): string | null {
  const [only, second] = matches;
  if (only === undefined || second !== undefined) return null;
  const { type = 'PathPrefix', value = '/' } = only.spec.path ?? {};
  return type === 'PathPrefix' ? value : null;
}

/** A rule without backends is answered 500; there is no other answer. */
function writeAnswer(route: RouteConfig, deps: RuleDeps): Pick<SaidRule, 'spec' | 'annotations'> {
  const { status, body, headers } = route.directResponse as NonNullable<RouteConfig['directResponse']>;
  const isPlain = status === 500 && body === '' && Object.keys(headers).length === 0;
  const to = `${deps.to}: a rule without backends`;
  if (isPlain)
    deps.report.approximated(
      ['directResponse', 'to', 'timeout', 'retries', 'idempotent', 'cache', 'coalesce', 'criticality'],
      status,
      to,
      'answered 500, as a backend that is not there',
    );
  else deps.report.lost('', status, 'the Gateway API has no answers of its own but 500, which the rule is given');
  reportIdle(route, deps);
  return { spec: {}, annotations: {} };
}

function writeRewrite({ rewrite }: RouteConfig, prefix: string | null, deps: RuleDeps): ReturnType<typeof rewriteFilters> {
  if (rewrite === undefined) return [];
  if (!deps.refuses.has('URLRewrite')) return rewriteFilters(rewrite, prefix, 'rewrite', deps);
  deps.report.lost('rewrite', 'a new path or host', `${deps.mesh} rewrites no paths and no hosts`);
  return [];
}

/** `of`: the target whose filter it is; absent: a filter of the rule. */
function writeMirrors({ mirrors: all }: RouteConfig, deps: RuleDeps, of?: RouteTarget): ReturnType<typeof mirrorFilters> {
  const mirrors = all.filter((one) =>
    of === undefined ? one.of === undefined : one.of !== undefined && of.fails === undefined && targetName(one.of) === targetName(of),
  );
  if (mirrors.length === 0) return [];
  if (!deps.refuses.has('RequestMirror')) return mirrorFilters(mirrors, deps);
  deps.report.lost(
    'mirror',
    mirrors.map(({ target }) => targetName(target)),
    `${deps.mesh} sends no copies`,
  );
  return [];
}

function writeSession({ sticky, targets }: RouteConfig, { report, to, refuses, mesh }: RuleDeps): SessionPersistenceSpec | null {
  if (sticky === undefined) return null;
  if (refuses.has('sessionPersistence')) {
    report.lost('sticky', { ...sticky }, `${mesh} keeps no sessions`);
    return null;
  }
  const [type, sessionName] = 'cookie' in sticky ? (['Cookie', sticky.cookie] as const) : (['Header', sticky.header] as const);
  report.approximated(
    'sticky',
    { ...sticky },
    `${to}: sessionPersistence`,
    `a session is bound to one endpoint of ${targets.length === 1 ? 'the Service' : 'one Service'}, by a value that the mesh makes`,
  );
  return { type, sessionName };
}

function writeBackends(route: RouteConfig, prefix: string | null, deps: RuleDeps): BackendRefSpec[] {
  const { report, to, backendOf, namespace, refuses } = deps;
  const { targets } = route;
  const { weights, isExact } = wholeWeights(targets.map(({ weight }) => weight));
  const shares = Object.fromEntries(targets.map((target) => [targetName(target), target.weight]));
  const hasSubset = targets.some(({ subset }) => subset !== undefined);
  if (!isExact) report.approximated('to', shares, `${to}: backendRefs`, 'weights are whole numbers');
  else if (hasSubset) report.approximated('to', shares, `${to}: backendRefs`, 'a Service for each subset');
  else report.kept('to', shares, `${to}: backendRefs`);
  return targets.map((target, i) => {
    const key = `to[${targetName(target)}]`;
    const { name, namespace: own, port } = backendOf(target);
    const filters = headerFilters(target, `${key}.headers`, deps);
    if (target.rewrite !== undefined) {
      if (refuses.has('URLRewrite')) report.lost(`${key}.rewrite`, 'a new path or host', `${deps.mesh} rewrites no paths and no hosts`);
      else filters.push(...rewriteFilters(target.rewrite, prefix, `${key}.rewrite`, deps));
    }
    filters.push(...writeMirrors(route, deps, target));
    if (target.redirect !== undefined) filters.push(...redirectFilters(target.redirect, prefix, deps));
    if (target.fails !== undefined)
      report.approximated(
        [`${key}.fails`, 'to'],
        target.fails.status,
        `${to}: backendRefs`,
        `a backend that is not there: ${target.fails.reason}`,
      );
    return {
      name,
      ...(own === namespace ? {} : { namespace: own }),
      port,
      ...(targets.length === 1 ? {} : { weight: weights[i] ?? 0 }),
      ...(filters.length === 0 ? {} : { filters }),
    };
  });
}

function reportUnsaid(route: RouteConfig, deps: RuleDeps): void {
  const { hedge, cache, coalesce, fallback, criticality } = route;
  const { report, mesh } = deps;
  if (hedge !== undefined)
    report.lost('idempotent', hedge.extraLoad, `${mesh} sends no second attempt beside the first; retries are the nearest`);
  else if (route.idempotent) report.approximated('idempotent', true, 'retries', `${mesh} repeats calls of every method anyway`);
  if (cache !== undefined) report.lost('cache', cache.entriesMax, `${mesh} keeps no answers`);
  if (coalesce !== undefined) report.lost('coalesce', true, `${mesh} sends every call on its own`);
  if (fallback !== undefined) report.lost('fallback', 'an answer', `${mesh} passes failures on`);
  if (criticality !== undefined) report.lost('criticality', criticality, `${mesh} drops calls without regard to what they are for`);
  reportIdle(route, deps);
}

function reportIdle({ rateLimit }: RouteConfig, { report, mesh }: RuleDeps): void {
  if (rateLimit !== undefined) report.lost('rateLimit', rateLimit.tokensPerFill, `${mesh} limits no rates of calls that go out`);
}

/** The Gateway API's own words for time and retries. */
export function gatewayTimes(
  route: RouteConfig,
  retries: RetryPolicy | null | undefined,
  timeoutMs: number | undefined,
  deps: RuleDeps,
): RuleTimes {
  const { report, to, mesh } = deps;
  const perTryMs = retries?.perTryTimeoutMs ?? 0;
  const isRepeated = retries !== undefined && retries !== null && retries.attempts > 0;
  const isLimited = isRepeated && perTryMs > 0 && ((timeoutMs ?? 0) === 0 || perTryMs < (timeoutMs ?? 0));
  if (timeoutMs === undefined) report.approximated('timeout', 'nobody wrote one', '', `left to ${mesh}`);
  else if (Number.isInteger(timeoutMs)) report.kept('timeout', `${timeoutMs}ms`, `${to}: timeouts.request`);
  else report.approximated('timeout', `${timeoutMs}ms`, `${to}: timeouts.request`, 'in whole milliseconds');
  const timeouts = {
    ...(timeoutMs === undefined ? {} : { request: formatGatewayDuration(timeoutMs === 0 ? 0 : Math.max(1, timeoutMs)) }),
    ...(isLimited ? { backendRequest: formatGatewayDuration(Math.max(1, perTryMs)) } : singleTimeout(route, retries, timeoutMs, deps)),
  };
  if (retries === undefined) report.approximated('retries', 'nobody wrote any', '', `left to ${mesh}`);
  const retry = retries === undefined ? null : writeRetry(retries, deps);
  const spec = { ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }), ...(retry === null ? {} : { retry }) };
  return { spec, annotations: {} };
}

/** The time of one attempt that a rule without retries of its own has. */
export function singleTimeout(
  { perTryTimeoutMs = 0 }: RouteConfig,
  retries: RetryPolicy | null | undefined,
  timeoutMs = 0,
  { report, to }: Pick<RuleDeps, 'report' | 'to'>,
): { readonly backendRequest?: string } {
  const isSaid = retries !== undefined && retries !== null && retries.attempts > 0;
  if (isSaid || perTryTimeoutMs === 0 || (timeoutMs > 0 && perTryTimeoutMs >= timeoutMs)) return {};
  const at = `${to}: timeouts.backendRequest`;
  if (Number.isInteger(perTryTimeoutMs)) report.kept('perTryTimeout', `${perTryTimeoutMs}ms`, at);
  else report.approximated('perTryTimeout', `${perTryTimeoutMs}ms`, at, 'in whole milliseconds');
  return { backendRequest: formatGatewayDuration(Math.max(1, perTryTimeoutMs)) };
}

function writeRetry(retries: RetryPolicy | null, { report, to }: RuleDeps): RetrySpec | null {
  if (retries === null || retries.attempts === 0) {
    report.approximated(
      'retries',
      false,
      '',
      'no word stands for no retries; without a word it is left to the implementation, and most repeat nothing',
    );
    return null;
  }
  const { attempts, perTryTimeoutMs, backoff } = retries;
  const codes = statusesOf(retries);
  if (Number.isFinite(attempts)) report.kept('retries.attempts', attempts, `${to}: retry.attempts`);
  else report.approximated('retries.attempts', 'as many as the budget pays for', `${to}: retry.attempts 100`, 'a number is needed');
  if (Number.isInteger(perTryTimeoutMs)) report.kept('retries.perTryTimeout', `${perTryTimeoutMs}ms`, `${to}: timeouts.backendRequest`);
  else report.approximated('retries.perTryTimeout', `${perTryTimeoutMs}ms`, `${to}: timeouts.backendRequest`, 'in whole milliseconds');
  const how =
    'connection failures, resets and timeouts are repeated with the statuses, whatever the method; methods that must not be repeated are a rule of their own';
  report.approximated(RETRY_RULE_KEYS, [...retries.retryOn], `${to}: retry.codes ${codes.join(', ')}`, how);
  return {
    ...(codes.length === 0 ? {} : { codes }),
    attempts: Math.min(attempts, 100),
    backoff: formatGatewayDuration(Math.max(1, backoff.baseMs)),
  };
}

/** Words that stand for statuses, spelled out. */
export function statusesOf({ retryOn }: RetryPolicy): number[] {
  const statuses = retryOn.flatMap((condition): readonly number[] => {
    if (typeof condition === 'number') return [condition];
    if (condition === '5xx') return [500, 501, 502, 503, 504];
    if (condition === 'gateway-error') return [502, 503, 504];
    return condition === 'retriable-4xx' ? [409] : [];
  });
  return [...new Set(statuses)].filter((status) => status >= 400 && status <= 599).sort((a, b) => a - b);
}
