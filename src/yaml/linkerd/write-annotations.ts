// Retries and failure accrual as Linkerd's annotations say them. Times there are whole numbers with one unit.
import type { ServiceConfig } from '../../model/config.ts';
import type { RetryPolicy } from '../../model/destination.ts';
import { LINKERD_OUTLIER_DEFAULTS, type LinkerdOutlierPolicy } from '../../model/balancing.ts';
import type { LossScope } from '../losses.ts';
import { describeOutlier } from '../write/describe-balancing.ts';
import { statusesOf } from '../gateway-api/write-rule.ts';
import { RETRY_RULE_KEYS } from '../write/policy-losses.ts';

export type Annotations = Readonly<Record<string, string>>;

const LIMIT_MAX = 65_535;

export function writeRetryAnnotations(retries: RetryPolicy | null, timeoutMs: number, to: string, report: LossScope): Annotations {
  if (retries === null || retries.attempts === 0) {
    report.approximated('retries', false, '', 'nothing is written: Linkerd repeats only what an annotation asks for');
    return {};
  }
  const { attempts, perTryTimeoutMs: perTryMs, semantics } = retries;
  const isLimited = perTryMs > 0 && (timeoutMs === 0 || perTryMs < timeoutMs);
  const statuses = statusesOf(retries);
  const limit = Math.min(LIMIT_MAX, attempts);
  const at = `${to}: retry.linkerd.io`;
  if (limit === attempts) report.kept('retries.attempts', attempts, `${at}/limit`);
  else report.approximated('retries.attempts', 'as many as the budget pays for', `${at}/limit ${limit}`, 'a number is needed');
  if (isLimited && Number.isInteger(perTryMs)) report.kept('retries.perTryTimeout', `${perTryMs}ms`, `${at}/timeout`);
  else if (isLimited) report.approximated('retries.perTryTimeout', `${perTryMs}ms`, `${at}/timeout`, 'in whole milliseconds');
  const how =
    'statuses, refused streams and late tries are repeated, connection failures are not seen; no budget limits it, bodies of up to 64 KiB, pauses of 25 to 250 ms';
  if (semantics?.kind === 'linkerd') report.kept('retries.retryOn', [...retries.retryOn], at);
  else report.approximated(RETRY_RULE_KEYS, [...retries.retryOn], `${at}/http ${rangesText(statuses)}`, how);
  return {
    ...(statuses.length === 0 ? {} : { 'retry.linkerd.io/http': rangesText(statuses) }),
    'retry.linkerd.io/limit': String(limit),
    ...(isLimited ? { 'retry.linkerd.io/timeout': spanText(perTryMs) } : {}),
  };
}

/** `408,502-504`. */
function rangesText(statuses: readonly number[]): string {
  const ranges: [from: number, to: number][] = [];
  for (const status of statuses) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === status - 1) last[1] = status;
    else ranges.push([status, status]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

/** Source: linkerd2 policy-controller, parse_duration. */
export function spanText(ms: number): string {
  const whole = Math.max(1, Math.round(ms));
  return whole % 1_000 === 0 ? `${whole / 1_000}s` : `${whole}ms`;
}

const ACCRUAL = 'balancer.linkerd.io/failure-accrual';
const SUCCESS_RATE = 'balancer.alpha.linkerd.io/failure-accrual-success-rate';

/** Empty when nobody is left out. */
export function accrualAnnotations({ outlierDetection: policy }: ServiceConfig): Annotations {
  if (policy === null) return {};
  const { failuresMax, penaltyMinMs, penaltyMaxMs, jitter, successRate } = nearestAccrual(policy);
  return {
    [ACCRUAL]: successRate === null ? 'consecutive' : 'unified',
    [`${ACCRUAL}-consecutive-max-failures`]: String(failuresMax),
    [`${ACCRUAL}-consecutive-min-penalty`]: spanText(penaltyMinMs),
    [`${ACCRUAL}-consecutive-max-penalty`]: spanText(penaltyMaxMs),
    [`${ACCRUAL}-consecutive-jitter-ratio`]: decimalText(jitter),
    ...(successRate === null
      ? {}
      : {
          [`${SUCCESS_RATE}-threshold`]: decimalText(successRate.threshold),
          [`${SUCCESS_RATE}-window`]: spanText(Math.max(10, successRate.windowMs)),
          [`${SUCCESS_RATE}-min-requests`]: String(successRate.callsMin),
        }),
  };
}

/** Without an exponent. */
function decimalText(value: number): string {
  return String(Number(value.toFixed(6)));
}

function nearestAccrual(policy: NonNullable<ServiceConfig['outlierDetection']>): LinkerdOutlierPolicy {
  const d = LINKERD_OUTLIER_DEFAULTS;
  if (policy.kind === 'linkerd') return policy;
  const failures = policy.kind === 'inmesh' ? policy.consecutiveErrors : policy.consecutive5xx;
  return {
    ...d,
    failuresMax: failures === 0 ? d.failuresMax : failures,
    penaltyMinMs: policy.baseEjectionMs,
    penaltyMaxMs: Math.max(policy.maxEjectionMs, policy.baseEjectionMs),
    jitter: policy.kind === 'inmesh' ? policy.jitter : 0,
  };
}

export function reportAccrual(service: ServiceConfig, to: string, report: LossScope): void {
  const { outlierDetection: policy } = service;
  const what = describeOutlier(policy).input.outlierDetection ?? false;
  if (policy === null) report.approximated('outlierDetection', false, '', 'not said; Linkerd leaves nobody out by itself');
  else if (policy.kind !== 'linkerd') {
    report.approximated(
      'outlierDetection',
      what,
      `${to}: ${ACCRUAL}`,
      'a run of failures, one probe after the penalty; no comparison with the peers, and no share that must stay',
    );
  } else if (
    [policy.penaltyMinMs, policy.penaltyMaxMs].every(Number.isInteger) &&
    policy.successRate === null &&
    Number(decimalText(policy.jitter)) === policy.jitter
  ) {
    report.kept('outlierDetection', what, `${to}: ${ACCRUAL}`);
  } else report.approximated('outlierDetection', what, `${to}: ${ACCRUAL}`, 'in whole milliseconds and six decimals');
}
