// Whether an attempt that ended badly is repeated, after how long, and if not, why not. One question, one answer, in the
// order of the checks; no promise and no timer. The token of the budget is taken last, so that none is spent on a retry
// that something else forbids.
import type { Call, ReplyHeaders } from '../core/call.ts';
import { isIdempotent, isUnprocessed } from '../core/classify.ts';
import type { Random } from '../core/clock.ts';
import type { MeshError } from '../core/errors.ts';
import { GRPC_PUSHBACK_HEADER } from '../core/headers.ts';
import type { RetryCondition, RetryPolicy } from '../model/destination.ts';
import type { RepetitionGate } from './repetition-switch.ts';
import type { RetryBudget } from './retry-budget.ts';
import { retryRules } from './retry-rules.ts';

/**
 * Why a failure that the policy would repeat is not repeated: no attempt left; the method is not idempotent; the body
 * cannot be sent again; somebody pulled the switch; `maxRetries` is reached, or the service refused the retry; Retry-After
 * asks for too long; the next attempt could not finish in time; the budget does not pay for it.
 */
export type RetryDenial = 'attempts' | 'method' | 'body' | 'paused' | 'limit' | 'retry-after' | 'deadline' | 'budget';

/** What provably never reached the service is repeated this often beside `attempts` and the budget. Source: gRFC A6 transparent retry, bounded. */
export const FREE_RETRIES_MAX = 3;

export interface RetryQuestion {
  /** The logical call. */
  readonly call: Call;
  /** Of the answer; 0 when there is none. */
  readonly status: number;
  /** Of the answer. @default none */
  readonly headers?: ReplyHeaders | undefined;
  readonly error: MeshError | null;
  /** What the service asked us to wait, ms; 0 when it did not. */
  readonly retryAfterMs: number;
  /** Retries made that count against `attempts`. */
  readonly retries: number;
  /** Retries made that do not, because the attempt before was provably unprocessed. */
  readonly freeRetries: number;
  readonly nowMs: number;
}

export interface RetryDecisionDeps {
  readonly random: Random;
  readonly budget: RetryBudget;
  /** The switch that stops repetition. @default never paused */
  readonly gate?: RepetitionGate | undefined;
  /** Whether one more retry may be in flight to the service. @default always */
  readonly mayRetry?: (() => boolean) | undefined;
  /** The least time an attempt is known to take, ms; 0 when unknown. */
  readonly fastestMs: () => number;
}

export type RetryDecision =
  | {
      readonly retry: true;
      readonly delayMs: number;
      /** Does not count against `attempts`. */
      readonly isFree: boolean;
      /** The budget paid, and is told when the retry is over. */
      readonly isPaid: boolean;
      readonly condition: RetryCondition;
    }
  /** `denied` is null when the ending is none that the policy repeats. */
  | { readonly retry: false; readonly denied: RetryDenial | null };

const NO_HEADERS: ReplyHeaders = Object.freeze({});

const NOT_RETRYABLE: RetryDecision = { retry: false, denied: null };

function deny(denied: RetryDenial): RetryDecision {
  return { retry: false, denied };
}

export function decideRetry(question: RetryQuestion, policy: RetryPolicy, deps: RetryDecisionDeps): RetryDecision {
  const { call, error, retries, freeRetries, nowMs } = question;
  const rules = retryRules(policy);
  const condition = error === null ? rules.ofReply(question.status, question.headers ?? NO_HEADERS) : rules.ofError(error);
  if (condition === null || policy.attempts === 0 || call.upgrade !== '') return NOT_RETRYABLE;

  const unprocessed = error !== null && isUnprocessed(error);
  const isFree = rules.isTransparent && unprocessed && freeRetries < FREE_RETRIES_MAX;
  const { budget } = deps;
  // Before all that may forbid the retry: gRPC's rule is about failures, repeated or not.
  if (!isFree) budget.onFailure?.();
  if (!isFree && retries >= policy.attempts) return deny('attempts');
  if (!rules.anyMethod && !unprocessed && !isIdempotent(call, policy)) return deny('method');
  if (call.body !== null && !call.body.replayable) return deny('body');
  if (deps.gate?.isPaused === true) return deny('paused');
  if (deps.mayRetry !== undefined && !deps.mayRetry()) return deny('limit');
  const pushbackMs = rules.honorsRetryAfter ? pushbackOf(question.headers) : null;
  if (pushbackMs !== null && pushbackMs < 0) return deny('limit');
  const hintMs = pushbackMs ?? (rules.honorsRetryAfter ? question.retryAfterMs : 0);
  if (hintMs > policy.retryAfterMaxMs) return deny('retry-after');

  // Nothing reached the service, so the first such repetition has nobody to spare: another endpoint, at once.
  const ownMs = isFree && freeRetries === 0 ? 0 : rules.pauseMs(isFree ? freeRetries : retries + 1, deps.random);
  const delayMs = pushbackMs ?? Math.max(ownMs, hintMs);
  if (!rules.endsByTime && nowMs + delayMs + deps.fastestMs() >= call.deadlineMs) return deny('deadline');
  const isPaid = !isFree || budget.coversUnprocessed;
  if (isPaid && !budget.tryWithdraw(nowMs)) return deny('budget');
  return { retry: true, delayMs, isFree, isPaid, condition };
}

/** The wait that a gRPC server orders in place of our own, ms; negative when it wants no retry, null when it says nothing. Source: gRFC A6. */
function pushbackOf(headers: ReplyHeaders | undefined): number | null {
  const value = headers?.[GRPC_PUSHBACK_HEADER];
  if (value === undefined) return null;
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : -1;
}
