// The policies of a service, all defaults filled in. Each function takes the levels at which its policy was written,
// farthest first, and checks how the fields hang together.
import { parseBytes } from './bytes.ts';
import type {
  BalancerPolicy,
  BreakerPolicy,
  BudgetPolicy,
  LimitsPolicy,
  OutlierPolicy,
  RetryCondition,
  RetryPolicy,
} from './destination.ts';
import { BALANCER_DEFAULTS, BREAKER_DEFAULTS, BUDGET_DEFAULTS, LIMITS_DEFAULTS, OUTLIER_DEFAULTS, RETRY_DEFAULTS } from './destination.ts';
import { parseDuration } from './duration.ts';
import type {
  BytesInput,
  CircuitBreakerInput,
  DurationInput,
  LimitsInput,
  LoadBalancerInput,
  OutlierDetectionInput,
  RetriesInput,
  RetryBudgetInput,
} from './input-policy.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import type { Level, Merged } from './resolve-levels.ts';
import { mergeLevels } from './resolve-levels.ts';

/** A duration that the schema has accepted, in ms. */
export function toMs(value: DurationInput | undefined, defaultMs: number): number {
  if (value === undefined) return defaultMs;
  return typeof value === 'number' ? value : (parseDuration(value) ?? defaultMs);
}

function toBytes(value: BytesInput | undefined, defaultBytes: number): number {
  if (value === undefined) return defaultBytes;
  return typeof value === 'number' ? value : (parseBytes(value) ?? defaultBytes);
}

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
  };
  return {
    policy,
    perTryLevel: merged.levelOf('perTryTimeout'),
    perTryPath: merged.pathOf('perTryTimeout'),
    acrossLevel: merged.levelOf('acrossSubsets'),
  };
}

/** "503" and 503 are the same; "5xx" is a token. */
function condition(token: NonNullable<RetriesInput['retryOn']>[number]): RetryCondition {
  return typeof token === 'string' && /^[0-9]{3}$/.test(token) ? Number(token) : (token as RetryCondition);
}

export function resolveBudget(levels: readonly Level<RetryBudgetInput>[]): BudgetPolicy {
  const input = mergeLevels(levels)?.value ?? {};
  return {
    tokensMax: input.tokens ?? BUDGET_DEFAULTS.tokensMax,
    tokensPerSuccess: input.perSuccess ?? BUDGET_DEFAULTS.tokensPerSuccess,
    tokensPerSecond: input.perSecond ?? BUDGET_DEFAULTS.tokensPerSecond,
  };
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

const ERROR_NAMES = ['consecutiveErrors', 'consecutive5xxErrors', 'consecutiveGatewayErrors'] as const;

export function resolveOutlier(levels: readonly Level<OutlierDetectionInput | false>[], report: Report): OutlierPolicy | null {
  const merged = mergeLevels(levels.map((level) => oneName(level, report)));
  if (merged === null) return null;
  const input = merged.value;
  const d = OUTLIER_DEFAULTS;
  const baseEjectionMs = toMs(input.baseEjectionTime, d.baseEjectionMs);
  const maxEjectionMs = toMs(input.maxEjectionTime, Math.max(d.maxEjectionMs, baseEjectionMs));
  if (maxEjectionMs < baseEjectionMs) {
    report.error(
      merged.pathOf('maxEjectionTime'),
      'outlierDetection: maxEjectionTime is below baseEjectionTime; raise the one or lower the other',
    );
  }
  return {
    consecutiveErrors: input.consecutiveErrors ?? d.consecutiveErrors,
    windowMs: toMs(input.window, d.windowMs),
    callsMin: input.minCalls ?? d.callsMin,
    margin: input.margin ?? d.margin,
    z: d.z,
    baseEjectionMs,
    maxEjectionMs,
    jitter: input.jitter ?? d.jitter,
    maxEjectionPercent: input.maxEjectionPercent ?? d.maxEjectionPercent,
  };
}

/** Istio's names become ours; two at once contradict each other. */
function oneName(level: Level<OutlierDetectionInput | false>, report: Report): Level<OutlierDetectionInput | false> {
  const { value, path } = level;
  if (value === undefined || value === false) return level;
  const given = ERROR_NAMES.filter((name) => value[name] !== undefined);
  const [first, second] = given;
  if (first === undefined) return level;
  if (second !== undefined) {
    report.error([...path, second], `${second} and ${first} mean the same here; keep one`, { part: 'key' });
  }
  const { consecutiveErrors: _a, consecutive5xxErrors: _b, consecutiveGatewayErrors: _c, ...rest } = value;
  return { value: { ...rest, consecutiveErrors: value[first] as number }, path };
}

export function resolveBalancer(levels: readonly Level<LoadBalancerInput['kind'] | LoadBalancerInput>[]): BalancerPolicy {
  const whole = levels.map(({ value, path }) => ({ value: typeof value === 'string' ? { kind: value } : value, path }));
  const input = mergeLevels<LoadBalancerInput>(whole)?.value ?? {};
  const d = BALANCER_DEFAULTS;
  return {
    kind: input.kind ?? d.kind,
    tauMs: toMs(input.tau, d.tauMs),
    failurePenaltyMs: toMs(input.failurePenalty, d.failurePenaltyMs),
    seedFactor: input.seedFactor ?? d.seedFactor,
    seedMs: toMs(input.seed, d.seedMs),
    fullScanMax: input.fullScanMax ?? d.fullScanMax,
  };
}

export function resolveLimits(levels: readonly Level<LimitsInput>[]): LimitsPolicy {
  return { ...LIMITS_DEFAULTS, ...mergeLevels(levels)?.value };
}
