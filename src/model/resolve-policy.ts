// The policies of a service, all defaults filled in. Each function takes the levels at which its policy was written,
// farthest first, and checks how the fields hang together.
import type { AdaptiveLimitPolicy, BreakerPolicy, LimitsPolicy, RetryCondition, RetryPolicy, ThrottlePolicy } from './destination.ts';
import { ADAPTIVE_LIMIT_DEFAULTS, BREAKER_DEFAULTS, LIMITS_DEFAULTS, RETRY_DEFAULTS, THROTTLE_DEFAULTS } from './destination.ts';
import { GRPC_STATUSES } from './grpc-status.ts';
import type { AdaptiveLimitInput, CircuitBreakerInput, LimitsInput, RateLimitInput, RetriesInput, ThrottleInput } from './input-policy.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import type { Level, Merged } from './resolve-levels.ts';
import { levelsOf, mergeLevels, mergeOptional, nearestLevel } from './resolve-levels.ts';
import { resolveRange, toBytes, toMs } from './resolve-scalar.ts';
import type { RateLimitPolicy } from './traffic.ts';

export interface ResolvedRetries {
  readonly policy: RetryPolicy;
  /** Level at which perTryTimeout was written, -1 when nowhere, and where. */
  readonly perTryLevel: number;
  readonly perTryPath: ConfigPath;
  /** Level at which acrossSubsets was written, -1 when nowhere. */
  readonly acrossLevel: number;
}

export function resolveRetries(levels: readonly Level<RetriesInput | false>[], report: Report): ResolvedRetries {
  const merged = mergeLevels(levels);
  const d = RETRY_DEFAULTS;
  if (merged === null) return { policy: { ...d, attempts: 0 }, perTryLevel: -1, perTryPath: [], acrossLevel: -1 };
  const input = merged.value;
  const backoff = { baseMs: toMs(input.backoff?.base, d.backoff.baseMs), maxMs: toMs(input.backoff?.max, d.backoff.maxMs) };
  if (backoff.maxMs < backoff.baseMs) {
    report.error(merged.pathOf('backoff'), 'backoff: max is below base; raise max or lower base');
  }
  const policy: RetryPolicy = {
    attempts: input.attempts ?? d.attempts,
    perTryTimeoutMs: toMs(input.perTryTimeout, d.perTryTimeoutMs),
    retryOn: input.retryOn === undefined ? d.retryOn : [...new Set(input.retryOn.map(condition))],
    backoff,
    retryAfterMaxMs: toMs(input.retryAfterMax, d.retryAfterMaxMs),
    methods: input.methods ?? d.methods,
    acrossSubsets: input.acrossSubsets ?? d.acrossSubsets,
    bodyBytesMax: toBytes(input.bodyLimit, d.bodyBytesMax),
    ...(input.grpcStatuses === undefined ? {} : { grpcStatuses: input.grpcStatuses.map(grpcStatusNumber) }),
  };
  return {
    policy,
    perTryLevel: merged.levelOf('perTryTimeout'),
    perTryPath: merged.pathOf('perTryTimeout'),
    acrossLevel: merged.levelOf('acrossSubsets'),
  };
}

/** "503" and 503 are the same; "5xx" is a token. */
function grpcStatusNumber(status: string | number): number {
  return typeof status === 'number' ? status : GRPC_STATUSES.indexOf(status);
}

function condition(token: NonNullable<RetriesInput['retryOn']>[number]): RetryCondition {
  return typeof token === 'string' && /^[0-9]{3}$/.test(token) ? Number(token) : (token as RetryCondition);
}

type BreakerKind = BreakerPolicy['kind'];

const RULE_KEYS: Readonly<Record<BreakerKind, readonly (keyof CircuitBreakerInput)[]>> = {
  ratio: ['failureRatio', 'window', 'minCalls'],
  consecutive: ['consecutive'],
  count: ['count'],
};

export function resolveBreaker(levels: readonly Level<CircuitBreakerInput | false>[], report: Report): BreakerPolicy | null {
  let kind: BreakerKind = 'ratio';
  const kinds = levels.map(({ value, path }) => {
    const own = value === undefined || value === false ? undefined : ruleOf(value, path, report);
    kind = own ?? kind;
    return own;
  });
  // A level that names another rule than the nearest one has nothing to say about that rule.
  const merged = mergeLevels(levels.map((level, i) => (kinds[i] === undefined || kinds[i] === kind ? level : withoutRules(level))));
  if (merged === null) return null;
  const open = {
    openBaseMs: toMs(merged.value.openBase, BREAKER_DEFAULTS.openBaseMs),
    openMaxMs: toMs(merged.value.openMax, Math.max(BREAKER_DEFAULTS.openMaxMs, toMs(merged.value.openBase, 0))),
    successesToClose: merged.value.successesToClose ?? BREAKER_DEFAULTS.successesToClose,
  };
  if (open.openMaxMs < open.openBaseMs) {
    report.error(merged.pathOf('openMax'), 'circuitBreaker: openMax is below openBase; raise openMax or lower openBase');
  }
  return breaker(kind, merged, open, report);
}

function breaker(
  kind: BreakerKind,
  merged: Merged<CircuitBreakerInput>,
  open: { openBaseMs: number; openMaxMs: number; successesToClose: number },
  report: Report,
): BreakerPolicy {
  const input = merged.value;
  const d = BREAKER_DEFAULTS;
  if (kind === 'consecutive') return { kind, failures: input.consecutive as number, ...open };
  if (kind === 'ratio') {
    return {
      kind,
      failureRatio: input.failureRatio ?? d.failureRatio,
      windowMs: toMs(input.window, d.windowMs),
      callsMin: input.minCalls ?? d.callsMin,
      ...open,
    };
  }
  const {
    size,
    failureRatio = d.failureRatio,
    minCalls = Math.min(d.callsMin, size),
  } = input.count as NonNullable<CircuitBreakerInput['count']>;
  if (minCalls > size) {
    report.error(
      [...merged.pathOf('count'), 'minCalls'],
      'circuitBreaker: minCalls is above size, so the circuit would never open; lower minCalls',
    );
  }
  return { kind, failureRatio, size, callsMin: minCalls, ...open };
}

function ruleOf(input: CircuitBreakerInput, path: ConfigPath, report: Report): BreakerKind | undefined {
  const found = (Object.keys(RULE_KEYS) as BreakerKind[]).filter((kind) => RULE_KEYS[kind].some((key) => input[key] !== undefined));
  if (found.length > 1) {
    const key = RULE_KEYS[found[1] as BreakerKind].find((name) => input[name] !== undefined) as string;
    report.error(
      [...path, key],
      'circuitBreaker has more than one rule; keep failureRatio with window and minCalls, or consecutive, or count',
      {
        part: 'key',
      },
    );
  }
  return found[0];
}

function withoutRules(level: Level<CircuitBreakerInput | false>): Level<CircuitBreakerInput | false> {
  const { failureRatio: _a, window: _b, minCalls: _c, consecutive: _d, count: _e, ...value } = level.value as CircuitBreakerInput;
  return { value, path: level.path };
}

export function resolveLimits(levels: readonly Level<LimitsInput>[], report: Report): LimitsPolicy {
  const { adaptive: _, ...own } = mergeLevels(levels)?.value ?? {};
  return { ...LIMITS_DEFAULTS, ...own, adaptive: resolveAdaptive(levelsOf(levels, 'adaptive'), report) };
}

function resolveAdaptive(levels: readonly Level<AdaptiveLimitInput | boolean>[], report: Report): AdaptiveLimitPolicy | null {
  const merged = mergeOptional(levels);
  if (merged === null) return null;
  const d = ADAPTIVE_LIMIT_DEFAULTS;
  const range = resolveRange('adaptive', merged, { min: 'min', initial: 'initial', max: 'max' }, d, report);
  return { ...range, decrease: merged.value.decrease ?? d.decrease };
}

export function resolveThrottle(levels: readonly Level<ThrottleInput | boolean>[]): ThrottlePolicy | null {
  const merged = mergeOptional(levels);
  if (merged === null) return null;
  const input = merged.value;
  const d = THROTTLE_DEFAULTS;
  return {
    k: input.k ?? d.k,
    windowMs: toMs(input.window, d.windowMs),
    rpsMin: input.minRps ?? d.rpsMin,
    rejectMax: input.maxReject ?? d.rejectMax,
  };
}

/** Source: Envoy local rate limit, `fill_interval`. */
const FILL_MS_MIN = 50;
const FILL_MS_DEFAULT = 1_000;

export function resolveRateLimit(levels: readonly Level<RateLimitInput | false>[], report: Report): RateLimitPolicy | null {
  const merged = mergeOptional(levels);
  if (merged === null) return null;
  const { requests, burst = requests ?? 1 } = merged.value;
  const fillMs = toMs(merged.value.per, FILL_MS_DEFAULT);
  if (requests === undefined) {
    report.error((levels[nearestLevel(levels)] as Level<unknown>).path, 'rateLimit needs requests, how many calls in each per; add it');
  } else if (burst < requests) {
    report.error(merged.pathOf('burst'), 'rateLimit: burst is below requests, so that many never pass; raise burst or lower requests');
  }
  if (fillMs < FILL_MS_MIN) {
    report.error(merged.pathOf('per'), 'rateLimit: per must be at least 50ms; write the calls of a longer time, such as per: 1s');
  }
  return { tokensMax: burst, tokensPerFill: requests ?? 1, fillMs };
}
