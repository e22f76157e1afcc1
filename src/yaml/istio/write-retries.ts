// Retries of a rule. Istio's conditions are Envoy's words; those that only we have become the nearest of them.
import type { RetryCondition, RetryPolicy } from '../../model/destination.ts';
import type { LossScope } from '../losses.ts';
import { GRPC_WORDS, isRetryStatus, RATE_LIMITED } from './retry-tokens.ts';
import type { RetrySpec } from './virtual-service-spec.ts';
import { isWhole, writeDuration } from './write-duration.ts';

/** What stands for no limit. */
const ATTEMPTS_MAX = 100;
const ENVOY_BASE_MS = 25;
const ENVOY_MAX_FACTOR = 10;
const TRY_TIMEOUT_WORDS: ReadonlySet<string> = new Set(['5xx', 'gateway-error', 'reset']);

/** null: none. `to`: the document, for the report. `timeoutMs`: of the whole call; a try that may be as long needs no word. */
export function writeRetries(retries: RetryPolicy | null, timeoutMs: number, to: string, report: LossScope): RetrySpec {
  if (retries === null || retries.attempts === 0) {
    report.kept('retries', false, `${to}: retries.attempts 0`);
    return { attempts: 0 };
  }
  const { attempts: wanted, perTryTimeoutMs: perTryMs, backoff } = retries;
  const semantics = retries.semantics?.kind === 'envoy' ? retries.semantics : undefined;
  const attempts = Math.min(wanted, ATTEMPTS_MAX);
  const words = wordsOf(retries, to, report);
  const isLimited = perTryMs > 0 && (timeoutMs === 0 || perTryMs < timeoutMs);
  if (attempts === wanted) report.kept('retries.attempts', attempts, `${to}: retries.attempts`);
  else
    report.approximated(
      'retries.attempts',
      'as many as the budget pays for',
      `${to}: retries.attempts ${attempts}`,
      'Istio needs a number',
    );
  if (isLimited && isWhole(perTryMs)) report.kept('retries.perTryTimeout', `${perTryMs}ms`, `${to}: retries.perTryTimeout`);
  else if (isLimited)
    report.approximated('retries.perTryTimeout', `${perTryMs}ms`, `${to}: retries.perTryTimeout`, 'in whole milliseconds');
  if (semantics === undefined) reportOther(retries, to, report);
  const baseMs = Math.max(1, Math.round(backoff.baseMs));
  const isUsual = baseMs === ENVOY_BASE_MS;
  if (backoff.maxMs !== baseMs * ENVOY_MAX_FACTOR || baseMs !== backoff.baseMs) {
    const how = `Envoy waits up to ${ENVOY_MAX_FACTOR} times the base`;
    report.approximated('retries.backoff', `${backoff.baseMs}ms to ${backoff.maxMs}ms`, `${to}: retries.backoff`, how);
  }
  return {
    attempts,
    ...(isLimited ? { perTryTimeout: writeDuration(perTryMs) } : {}),
    retryOn: words.join(','),
    ...(isUsual ? {} : { backoff: writeDuration(baseMs) }),
    ...(semantics?.leavePriority === true ? { retryRemoteLocalities: true } : {}),
    ...(semantics?.avoidTried === false ? { retryIgnorePreviousHosts: false } : {}),
  };
}

/** What Envoy does in its own way, whatever we say. */
function reportOther(retries: RetryPolicy, to: string, report: LossScope): void {
  const keys = [
    'retries.semantics',
    'retries.methods',
    'retries.retryAfterMax',
    'retries.bodyLimit',
    'retries.acrossSubsets',
    'retries.grpcStatuses',
  ];
  const how =
    'decided as Envoy does: every method of the rule, pauses from 0 on, no regard to Retry-After, bodies of up to 1 MiB, endpoints of the subset that was drawn';
  report.approximated(keys, retries.semantics?.kind ?? 'inmesh', to, how);
}

function wordsOf(retries: RetryPolicy, to: string, report: LossScope): string[] {
  const { retryOn, grpcStatuses = [], semantics } = retries;
  const words: string[] = [];
  const changed: string[] = [];
  for (const condition of retryOn) {
    if (condition === 'reset-on-reused-connection') changed.push('reset-on-reused-connection as reset-before-request');
    else if (condition === 'per-try-timeout') changed.push('per-try-timeout as gateway-error, which repeats resets too');
    else if (typeof condition === 'number' && !isRetryStatus(String(condition)))
      changed.push(`${condition} left out, which Istio does not know`);
    words.push(...wordOf(condition));
  }
  const isTryWaitedFor = retryOn.includes('per-try-timeout') && !words.some((word) => TRY_TIMEOUT_WORDS.has(word));
  if (isTryWaitedFor) words.push('gateway-error');
  for (const status of grpcStatuses) {
    const word = Object.keys(GRPC_WORDS).find((one) => GRPC_WORDS[one] === status);
    if (word === undefined) changed.push(`gRPC status ${status} left out`);
    else words.push(word);
  }
  if (semantics?.kind === 'envoy' && semantics.rateLimited) words.push(RATE_LIMITED);
  const list = [...new Set(words)];
  if (changed.length === 0) report.kept('retries.retryOn', [...retryOn], `${to}: retries.retryOn`);
  else report.approximated('retries.retryOn', [...retryOn], `${to}: retries.retryOn ${list.join(',')}`, changed.join('; '));
  return list;
}

function wordOf(condition: RetryCondition): string[] {
  if (condition === 'reset-on-reused-connection') return ['reset-before-request'];
  if (condition === 'per-try-timeout') return [];
  if (typeof condition === 'number') return isRetryStatus(String(condition)) ? [String(condition)] : [];
  return [condition];
}
