// What a route does with its calls beside sending them on: faults, copies, limits, hedges, what is kept and what stands
// in. Every default filled in; what could never take effect is an issue.
import type { RouteConfig } from './config.ts';
import { GRPC_STATUSES } from './grpc-status.ts';
import type { StringMatchInput } from './input-match.ts';
import type { RouteInput } from './input.ts';
import type {
  CacheInput,
  CoalesceInput,
  FallbackInput,
  FaultInput,
  FixedFallbackInput,
  FunctionFallbackInput,
  IdempotentInput,
  MirrorInput,
} from './input-traffic.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import { resolveAnswerHeaders } from './resolve-headers.ts';
import type { Merged } from './resolve-levels.ts';
import { mergeOptional } from './resolve-levels.ts';
import type { MatchDeps } from './resolve-match.ts';
import { exactlyOne, lowerKeys, resolveStringMatch } from './resolve-match.ts';
import { resolveRateLimit } from './resolve-policy.ts';
import { checkNoBody } from './resolve-rewrite.ts';
import { checkOrder, toBytes, toHeaderNames, toInstantMs, toMs, toPercent, toStatusRanges } from './resolve-scalar.ts';
import type { TargetDeps } from './resolve-target.ts';
import { resolveTarget } from './resolve-target.ts';
import type { RouteTarget } from './route.ts';
import type { CachePolicy, CoalescePolicy, FallbackPolicy, FaultPolicy, HedgePolicy, MirrorPolicy } from './traffic.ts';
import { CACHE_DEFAULTS, COALESCE_DEFAULTS, CRITICALITIES, FAULT_DEFAULTS, HEDGE_DEFAULTS, MIRROR_DEFAULTS } from './traffic.ts';

export interface TrafficDeps extends MatchDeps, TargetDeps {}

type Traffic = Pick<
  RouteConfig,
  'fault' | 'mirrors' | 'rateLimit' | 'idempotent' | 'hedge' | 'cache' | 'coalesce' | 'fallback' | 'criticality'
>;

/** `targets`: of the route. */
export function resolveTraffic(input: RouteInput, path: ConfigPath, targets: readonly RouteTarget[], deps: TrafficDeps): Traffic {
  const { report } = deps;
  const at = (key: keyof RouteInput): ConfigPath => [...path, key];
  const fault = input.fault === undefined ? null : resolveFault(input.fault, at('fault'), deps);
  const rateLimit = resolveRateLimit([{ value: input.rateLimit, path: at('rateLimit') }], report);
  const hedge = typeof input.idempotent === 'object' ? resolveHedge(input.idempotent, at('idempotent'), report) : null;
  const cache = resolveCache(input.cache, at('cache'), report);
  const coalesce = resolveCoalesce(input.coalesce, at('coalesce'));
  const fallback = input.fallback === undefined ? null : resolveFallback(input.fallback, at('fallback'), report);
  return {
    ...(fault === null ? {} : { fault }),
    mirrors: resolveMirrors(input.mirror, at('mirror'), targets, deps),
    ...(rateLimit === null ? {} : { rateLimit }),
    idempotent: input.idempotent === true || hedge !== null,
    ...(hedge === null ? {} : { hedge }),
    ...(cache === null ? {} : { cache }),
    ...(coalesce === null ? {} : { coalesce }),
    ...(fallback === null ? {} : { fallback }),
    ...(input.criticality === undefined ? {} : { criticality: CRITICALITIES.indexOf(input.criticality) }),
  };
}

function resolveFault(input: FaultInput, path: ConfigPath, deps: TrafficDeps): FaultPolicy {
  const { delay, abort } = input;
  const d = FAULT_DEFAULTS;
  if (delay === undefined && abort === undefined) deps.report.error(path, 'fault needs delay, abort, or both');
  return {
    ...(delay === undefined ? {} : { delay: { fixedMs: toMs(delay.fixedDelay, 0), percent: toPercent(delay.percentage) } }),
    ...(abort === undefined ? {} : { abort: resolveAbort(abort, [...path, 'abort'], deps.report) }),
    position: input.position ?? d.position,
    headers: lowerKeys(input.headers, [...path, 'headers'], deps.report, (value: string | StringMatchInput, at) =>
      resolveStringMatch(value, at, deps),
    ),
    by: input.by ?? d.by,
    activeMax: input.maxActive ?? d.activeMax,
    blastPercent: input.blastRadius ?? d.blastPercent,
    untilWallMs: toInstantMs(input.until, d.untilWallMs),
  };
}

function resolveAbort(input: NonNullable<FaultInput['abort']>, path: ConfigPath, report: Report): FaultPolicy['abort'] & {} {
  const percent = toPercent(input.percentage);
  const kind = exactlyOne(input, ['httpStatus', 'grpcStatus'], path, report);
  if (kind !== 'grpcStatus') return { status: input.httpStatus ?? 503, percent };
  const { grpcStatus } = input;
  // Trailers-only: the status of HTTP is 200 whatever gRPC says.
  return { status: 200, grpcStatus: typeof grpcStatus === 'number' ? grpcStatus : GRPC_STATUSES.indexOf(grpcStatus as string), percent };
}

function resolveMirrors(input: RouteInput['mirror'], path: ConfigPath, targets: readonly RouteTarget[], deps: TrafficDeps): MirrorPolicy[] {
  if (input === undefined) return [];
  if (typeof input === 'string' || 'to' in input) return [resolveMirror(input, path, targets, deps)];
  return input.map((one, i) => resolveMirror(one, [...path, i], targets, deps));
}

function resolveMirror(input: string | MirrorInput, path: ConfigPath, targets: readonly RouteTarget[], deps: TrafficDeps): MirrorPolicy {
  const whole: MirrorInput = typeof input === 'string' ? { to: input } : input;
  const d = MIRROR_DEFAULTS;
  const of = whole.of === undefined ? undefined : resolveTarget(whole.of, [...path, 'of'], 'value', deps);
  const isTarget = ({ service, subset }: RouteTarget): boolean => service === of?.service && subset === of.subset;
  if (of !== undefined && !targets.some(isTarget)) {
    deps.report.error([...path, 'of'], `the route sends no calls to "${whole.of}", so nothing is copied; name one of its targets`);
  }
  return {
    target: { ...resolveTarget(whole.to, typeof input === 'string' ? path : [...path, 'to'], 'value', deps), weight: 1 },
    ...(of === undefined ? {} : { of }),
    percent: whole.percent ?? d.percent,
    hostSuffix: whole.hostSuffix ?? d.hostSuffix,
    stripHeaders: toHeaderNames(whole.strip, d.stripHeaders),
    bodyBytesMax: toBytes(whole.bodyLimit, d.bodyBytesMax),
  };
}

function resolveHedge(input: IdempotentInput, path: ConfigPath, report: Report): HedgePolicy {
  const d = HEDGE_DEFAULTS;
  const delayMinMs = toMs(input.minDelay, Math.min(d.delayMinMs, toMs(input.initialDelay, d.delayInitialMs)));
  const delayInitialMs = toMs(input.initialDelay, Math.max(d.delayInitialMs, delayMinMs));
  const merged = mergeOptional<IdempotentInput>([{ value: input, path }]) as Merged<IdempotentInput>;
  checkOrder('idempotent', merged, ['minDelay', delayMinMs], ['initialDelay', delayInitialMs], report);
  return { extraLoad: input.extraLoad, delayInitialMs, delayMinMs };
}

function resolveCache(value: RouteInput['cache'], path: ConfigPath, report: Report): CachePolicy | null {
  const merged = mergeOptional<CacheInput>([{ value, path }]);
  if (merged === null) return null;
  const input = merged.value;
  const d = CACHE_DEFAULTS;
  const bodyBytesMax = toBytes(input.bodyLimit, Math.min(d.bodyBytesMax, toBytes(input.size, d.bytesMax)));
  const bytesMax = toBytes(input.size, Math.max(d.bytesMax, bodyBytesMax));
  const fresh = input.fresh ?? d.fresh;
  const staleIfErrorMs = toMs(input.staleIfError, d.staleIfErrorMs);
  checkOrder('cache', merged, ['bodyLimit', bodyBytesMax], ['size', bytesMax], report);
  if (!fresh && staleIfErrorMs === 0) {
    report.error(path, 'cache: with fresh: false and staleIfError: 0s nothing kept is ever given; change one, or remove cache');
  }
  return { entriesMax: input.entries ?? d.entriesMax, bytesMax, bodyBytesMax, fresh, staleIfErrorMs, jitter: input.jitter ?? d.jitter };
}

function resolveCoalesce(value: RouteInput['coalesce'], path: ConfigPath): CoalescePolicy | null {
  const merged = mergeOptional<CoalesceInput>([{ value, path }]);
  if (merged === null) return null;
  const input = merged.value;
  const d = COALESCE_DEFAULTS;
  return {
    waitersMax: input.maxWaiters ?? d.waitersMax,
    headers: toHeaderNames(input.headers, d.headers),
    bodyBytesMax: toBytes(input.bodyLimit, d.bodyBytesMax),
  };
}

/** Every server error; what the caller did wrong is an answer. */
const FALLBACK_STATUSES: FallbackPolicy['statuses'] = Object.freeze([Object.freeze([500, 599] as const)]);

function resolveFallback(input: FallbackInput, path: ConfigPath, report: Report): FallbackPolicy {
  const { respond } = input as Partial<FunctionFallbackInput>;
  const { status, headers, body } = input as FixedFallbackInput;
  const statuses = toStatusRanges(input.on, FALLBACK_STATUSES);
  const fixed = (['status', 'headers', 'body'] as const).find((key) => (input as FixedFallbackInput)[key] !== undefined);
  if (respond !== undefined) {
    if (fixed !== undefined) {
      report.error([...path, fixed], `fallback has both respond and ${fixed}; let respond say the ${fixed}, or remove it`, { part: 'key' });
    }
    return { statuses, answer: respond };
  }
  if (fixed === undefined) report.error(path, 'fallback does not say what to answer; add status, headers, or body');
  checkNoBody(status ?? 200, body, [...path, 'body'], report);
  return {
    statuses,
    answer: { status: status ?? 200, headers: resolveAnswerHeaders(headers, [...path, 'headers'], report), body: body ?? '' },
  };
}
