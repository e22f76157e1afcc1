// From one rule of ours to the rules of a VirtualService that do what it does: mostly one, more where Istio cannot tell
// the calls of a rule apart.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import type { RouteMatch, RouteTarget } from '../../model/route.ts';
import type { FaultPolicy, MirrorPolicy } from '../../model/traffic.ts';
import type { LossScope } from '../losses.ts';
import { describeMatch } from '../write/describe-match.ts';
import { isAnswering, targetName } from '../write/describe-route.ts';
import { type RuleVariant, ruleVariants } from '../write/rule-variants.ts';
import { wholeWeights } from '../write/whole-weights.ts';
import type { DestinationSpec, FaultSpec, HttpMatchSpec, HttpRouteSpec, MirrorSpec, RouteDestinationSpec } from './virtual-service-spec.ts';
import { isWhole, writeDuration } from './write-duration.ts';
import { writeHeaders } from './write-headers.ts';
import { writeMatch } from './write-match.ts';
import { writeRetries } from './write-retries.ts';
import { splitRedirect, writeRedirect, writeRewrite } from './write-rewrite.ts';

export interface HttpRouteDeps {
  readonly service: ServiceConfig;
  readonly report: LossScope;
  /** About rules that one rule has become. */
  readonly reportVariant: (name: string, why: string) => void;
  /** The document, for the report. */
  readonly to: string;
  readonly destinationOf: (target: RouteTarget) => DestinationSpec;
  /** Whether timeout and retries of the service are anybody's wish. */
  readonly inherits: boolean;
  /** Only calls to this port are meant. */
  readonly port: number | undefined;
  /** Names that rules have already. */
  readonly names: Set<string>;
}

export function writeHttpRoutes(whole: RouteConfig, deps: HttpRouteDeps): HttpRouteSpec[] {
  const route = withSafeFault(whole, deps.report);
  const redirects = route.redirect === undefined ? null : splitRedirect(route.redirect, route.matches);
  const routes = (redirects ?? [{ suffix: '', matches: route.matches, redirect: route.redirect }]).map(({ suffix, matches, redirect }) => ({
    suffix,
    route: { ...route, matches, ...(redirect === undefined ? {} : { redirect }) },
  }));
  const written = routes.flatMap(({ suffix, route: one }) =>
    ruleVariants(one, deps.service, { areRetriesSaid: deps.inherits || one.retries !== undefined, isListed: true }).flatMap(
      (variant) => writeVariant(one, { ...variant, suffix: `${suffix}${variant.suffix}` }, deps) ?? [],
    ),
  );
  for (const { name = '' } of written) {
    if (name !== route.name)
      deps.reportVariant(name, `a part of the rule: Istio has one set of retries, one fault and one path for all calls of a rule`);
  }
  if (written.length > 1) deps.report.approximated('name', route.name, deps.to, 'and the names of its parts');
  if (redirects !== null && redirects.length > 1) {
    deps.report.approximated(
      ['match', 'redirect'],
      matchText(route),
      `${deps.to}: match`,
      'a rule for the prefix, and one for what is below it',
    );
  }
  return written;
}

function matchText({ matches }: RouteConfig): string {
  return matches.length === 0 ? 'every call' : `${matches.length} match${matches.length === 1 ? '' : 'es'}`;
}

/** null: nothing can be said that would not mean other calls. */
function writeVariant(route: RouteConfig, variant: RuleVariant, deps: HttpRouteDeps): HttpRouteSpec | null {
  const match = writeMatches(variant.matches, deps);
  if (match === null) return null;
  const action = isAnswering(route) ? writeAnswer(route, deps) : writeSending(route, variant, deps);
  if (action === null) return null;
  return { name: freeName(`${route.name}${variant.suffix}`, deps.names), ...(match.length === 0 ? {} : { match }), ...action };
}

function freeName(wanted: string, names: Set<string>): string {
  let name = wanted;
  for (let i = 2; names.has(name); i++) name = `${wanted}-${i}`;
  names.add(name);
  return name;
}

function reportPort(port: number, { report, to, service }: HttpRouteDeps): void {
  const why = 'the ports of a host have one list of rules';
  report.approximated('match', port, `${to}: match.port`, why);
  report.approximated('name', service.name, to, why);
}

function writeMatches(matches: readonly RouteMatch[], deps: HttpRouteDeps): HttpMatchSpec[] | null {
  const { report, port, to } = deps;
  const onPort = (match: RouteMatch): RouteMatch => (port === undefined || match.port !== undefined ? match : { ...match, port });
  if (matches.length === 0) {
    if (port === undefined) return [];
    reportPort(port, deps);
    return [{ port }];
  }
  const said: HttpMatchSpec[] = [];
  for (const match of matches) {
    const one = writeMatch(onPort(match));
    if (Array.isArray(one)) said.push(...one);
    else report.lost('match', describeMatch(match).input, `left out: ${one.why}; its calls go on to the next rule`);
  }
  if (said.length === 0) {
    report.lost('', describeMatch(matches[0] as RouteMatch).input, 'the rule is left out, because none of its matches can be said');
    return null;
  }
  const texts = matches.map((match) => describeMatch(match).input);
  if (port === undefined) report.kept('match', texts, `${to}: match`);
  else reportPort(port, deps);
  return said;
}

function writeAnswer(route: RouteConfig, deps: HttpRouteDeps): HttpRouteSpec | null {
  const { redirect, directResponse } = route;
  const { report, to } = deps;
  const headers = writeHeaders(route, 'headers', to, report);
  reportIdle(route, report);
  if (redirect !== undefined) {
    const said = writeRedirect(redirect, route.matches);
    if (said === null) {
      report.lost(
        'redirect',
        redirect.path === undefined ? redirect.status : redirect.path.kind,
        'Istio has no word for this change of the path; the rule is left out, and its calls go on to the next',
      );
      return null;
    }
    if (said.prefixRewrite === undefined) report.kept('redirect', redirect.status, `${to}: redirect`);
    else
      report.approximated(
        'redirect',
        redirect.status,
        `${to}: redirect.prefixRewrite`,
        'only an Istio that knows prefixRewrite replaces the prefix',
      );
    return { redirect: said, ...(headers === undefined ? {} : { headers }) };
  }
  const { status, body, headers: own } = directResponse as NonNullable<typeof directResponse>;
  const set = { ...own, ...headers?.response?.set };
  const isPlain = Object.keys(own).length === 0 && body === '';
  if (isPlain) report.kept('directResponse', status, `${to}: directResponse`);
  else
    report.approximated(
      'directResponse',
      status,
      `${to}: directResponse`,
      'Envoy says content-type: text/plain; headers are set by the rule',
    );
  const response = { ...headers?.response, ...(Object.keys(set).length === 0 ? {} : { set }) };
  return {
    directResponse: { status, ...(body === '' ? {} : { body: { string: body } }) },
    ...(Object.keys(response).length === 0 ? {} : { headers: { response } }),
  };
}

function writeSending(route: RouteConfig, variant: RuleVariant, deps: HttpRouteDeps): HttpRouteSpec {
  const { report, to, service } = deps;
  const wholeMs = route.timeoutMs ?? (deps.inherits ? service.timeoutMs : 0);
  const timeoutMs = timeoutOf(route, wholeMs, variant, deps);
  const headers = writeHeaders(route, 'headers', to, report);
  const fault = route.fault === undefined || !variant.hasFault ? undefined : writeFault(route.fault, to, report);
  if (
    route.fault !== undefined &&
    !variant.hasFault &&
    !variant.suffix.includes('-fault') &&
    Object.keys(route.fault.headers).length === 0
  ) {
    report.lost('fault', 'a fault', 'left out: its headers cannot be told from those of the match');
  }
  if (timeoutMs > 0 && timeoutMs === wholeMs) {
    if (isWhole(timeoutMs)) report.kept('timeout', `${timeoutMs}ms`, `${to}: timeout`);
    else report.approximated('timeout', `${timeoutMs}ms`, `${to}: timeout`, 'in whole milliseconds');
  }
  const wanted = (route.retries ?? service.retries).retryOn;
  if (variant.suffix === '' && (variant.retries?.retryOn.length ?? wanted.length) < wanted.length) {
    report.approximated(
      'retries.retryOn',
      [...wanted],
      `${to}: retries.retryOn`,
      'for methods that must not be repeated only what was certainly not processed',
    );
  }
  if (variant.retries === undefined)
    report.approximated('retries', 'nobody wrote any', '', 'left to Istio: 2, of what was certainly not processed');
  if (!deps.inherits && route.timeoutMs === undefined) report.approximated('timeout', 'nobody wrote one', '', 'left to Istio: none');
  const mirrors = route.mirrors.filter(({ percent }) => percent > 0).map((mirror) => writeMirror(mirror, route.targets, deps));
  if (route.rewrite !== undefined) report.kept('rewrite', 'a new path or host', `${to}: rewrite`);
  reportUnsaid(route, report);
  return {
    route: writeTargets(route, deps),
    ...(route.rewrite === undefined ? {} : { rewrite: writeRewrite(route.rewrite, variant.matches) }),
    ...(timeoutMs > 0 ? { timeout: writeDuration(timeoutMs) } : {}),
    ...(variant.retries === undefined ? {} : { retries: writeRetries(variant.retries, timeoutMs, to, report) }),
    ...(fault === undefined ? {} : { fault }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(headers === undefined ? {} : { headers }),
  };
}

/** A rule without retries has no time for an attempt there: that of the call takes its place, as in Istio's own converter. */
function timeoutOf({ perTryTimeoutMs = 0 }: RouteConfig, timeoutMs: number, { retries }: RuleVariant, deps: HttpRouteDeps): number {
  const { report, to } = deps;
  const isSaid = retries !== undefined && retries !== null && retries.attempts > 0;
  if (isSaid || perTryTimeoutMs === 0 || (timeoutMs > 0 && perTryTimeoutMs >= timeoutMs)) return timeoutMs;
  const how = 'as the timeout of the whole call: Istio limits attempts only where the rule has retries';
  report.approximated(['perTryTimeout', 'timeout', 'retries'], `${perTryTimeoutMs}ms`, `${to}: timeout`, how);
  return perTryTimeoutMs;
}

function writeTargets({ targets }: RouteConfig, deps: HttpRouteDeps): RouteDestinationSpec[] {
  const { report, to, destinationOf } = deps;
  const { weights, isExact } = wholeWeights(targets.map(({ weight }) => weight));
  const names = Object.fromEntries(targets.map((target) => [targetName(target), target.weight]));
  if (isExact) report.kept('to', names, `${to}: route`);
  else report.approximated('to', names, `${to}: route`, 'weights are whole numbers');
  return targets.map((target, i) => {
    const key = `to[${targetName(target)}]`;
    const headers = writeHeaders(target, `${key}.headers`, to, report);
    if (target.rewrite !== undefined) report.lost(`${key}.rewrite`, 'a new path or host', 'a destination of Istio has none of its own');
    if (target.redirect !== undefined) report.lost(`${key}.redirect`, 'a redirect', 'a destination of Istio has none of its own');
    if (target.fails !== undefined)
      report.approximated(
        [`${key}.fails`, 'to'],
        target.fails.status,
        `${to}: route`,
        `a destination that is not there: ${target.fails.reason}`,
      );
    return {
      destination: destinationOf(target),
      ...(targets.length === 1 ? {} : { weight: weights[i] ?? 0 }),
      ...(headers === undefined ? {} : { headers }),
    };
  });
}

function writeMirror(
  { target, of, percent: own, hostSuffix, stripHeaders, bodyBytesMax }: MirrorPolicy,
  targets: RouteConfig['targets'],
  { report, to, destinationOf }: HttpRouteDeps,
): MirrorSpec {
  const name = targetName(target);
  const changes: string[] = [];
  const percent = of === undefined ? own : own * shareOf(of, targets);
  if (of !== undefined) changes.push(`drawn from all calls of the rule, in the share of ${targetName(of)}`);
  if (stripHeaders.length > 0) changes.push(`copies carry all headers, ${stripHeaders.join(', ')} included`);
  if (hostSuffix !== '-shadow') changes.push('the host of the copy ends in -shadow');
  if (bodyBytesMax !== 1_048_576) changes.push('bodies of up to 1 MiB are copied');
  if (changes.length === 0) report.kept('mirror', name, `${to}: mirrors`);
  else report.approximated('mirror', name, `${to}: mirrors`, changes.join('; '));
  return { destination: destinationOf(target), ...(percent === 100 ? {} : { percentage: { value: percent } }) };
}

function shareOf(of: NonNullable<MirrorPolicy['of']>, targets: RouteConfig['targets']): number {
  const sum = (some: RouteConfig['targets']): number => some.reduce((total, { weight }) => total + weight, 0);
  return targets.length === 1
    ? 1
    : sum(targets.filter((target) => target.fails === undefined && targetName(target) === targetName(of))) / sum(targets);
}

/** A fault without the limits that make it safe is left out. */
function withSafeFault(route: RouteConfig, report: LossScope): RouteConfig {
  if (route.fault === undefined) return route;
  const { fault, ...rest } = route;
  const limits = [
    ...(fault.activeMax > 0 ? ['maxActive'] : []),
    ...(fault.blastPercent < 100 ? ['blastRadius'] : []),
    ...(Number.isFinite(fault.untilWallMs) ? ['until'] : []),
  ];
  if (limits.length === 0) return route;
  report.lost('fault', limits, `Istio knows no ${limits.join(', ')}, and a fault without its limits is not safe: it is left out`);
  return rest;
}

function writeFault(fault: FaultPolicy, to: string, report: LossScope): FaultSpec {
  const { delay, abort } = fault;
  if (fault.position === 'attempt') {
    report.approximated(
      'fault.position',
      fault.position,
      `${to}: fault`,
      'Istio injects before retries and timeout: an abort is not repeated, a delay is nobody’s time',
    );
  }
  if (fault.by === 'trace') report.approximated('fault.by', fault.by, `${to}: fault`, 'Istio draws by chance, not by trace');
  if (Object.keys(fault.headers).length > 0)
    report.approximated('fault', Object.keys(fault.headers), `${to}: match`, 'a rule of its own for these calls');
  const code = abort?.grpcStatus;
  report.kept('fault', [...(delay === undefined ? [] : ['delay']), ...(abort === undefined ? [] : ['abort'])], `${to}: fault`);
  return {
    ...(delay === undefined ? {} : { delay: { fixedDelay: writeDuration(delay.fixedMs), percentage: { value: delay.percent } } }),
    ...(abort === undefined
      ? {}
      : {
          abort: {
            ...(code === undefined ? { httpStatus: abort.status } : { grpcStatus: GRPC_STATUSES[code] as string }),
            percentage: { value: abort.percent },
          },
        }),
  };
}

/** What Istio has no word for, of calls that go out. */
function reportUnsaid(route: RouteConfig, report: LossScope): void {
  const { sticky, hedge, cache, coalesce, fallback, criticality } = route;
  if (sticky !== undefined)
    report.lost(
      'sticky',
      { ...sticky },
      'Istio draws for each call; a key can hold an endpoint (consistentHash), or a header can be matched, but no share be held',
    );
  if (hedge !== undefined)
    report.lost('idempotent', hedge.extraLoad, 'Istio sends no second attempt beside the first; retries are the nearest');
  else if (route.idempotent) report.approximated('idempotent', true, 'retries', 'Istio repeats calls of every method anyway');
  if (cache !== undefined) report.lost('cache', cache.entriesMax, 'Istio keeps no answers');
  if (coalesce !== undefined) report.lost('coalesce', true, 'Istio sends every call on its own');
  if (fallback !== undefined) report.lost('fallback', 'an answer', 'Istio passes failures on');
  if (criticality !== undefined) report.lost('criticality', criticality, 'Istio drops calls without regard to what they are for');
  reportIdle(route, report);
}

function reportIdle({ rateLimit }: RouteConfig, report: LossScope): void {
  if (rateLimit === undefined) return;
  report.lost('rateLimit', rateLimit.tokensPerFill, 'Istio limits rates through EnvoyFilter only');
}
