// What the semantics of a policy come to: ours, Envoy's or Linkerd's, as one set of answers. Made once for a policy, so that
// the retry layer asks and never looks at a dialect.
// Source: Envoy retry_state_impl.cc; linkerd2-proxy http/retry, exp-backoff; our own in docs/retries.md.
import type { ReplyHeaders } from '../core/call.ts';
import { conditionOfError, conditionOfStatus } from '../core/classify.ts';
import type { Random } from '../core/clock.ts';
import type { MeshError } from '../core/errors.ts';
import type { EnvoyRetrySemantics, LinkerdRetrySemantics, RetryCondition, RetryPolicy } from '../model/destination.ts';
import { backoffMs, doubledMs } from './backoff.ts';

export interface RetryRules {
  /** The condition under which the answer is repeated, or null. */
  readonly ofReply: (status: number, headers: ReplyHeaders) => RetryCondition | null;
  readonly ofError: (error: MeshError) => RetryCondition | null;
  /** Before the `retry`-th retry (1, 2, …), ms. */
  readonly pauseMs: (retry: number, random: Random) => number;
  /** Whether what provably never reached the service is repeated beside `attempts`, at once. */
  readonly isTransparent: boolean;
  /** Whether the method does not matter. */
  readonly anyMethod: boolean;
  readonly honorsRetryAfter: boolean;
  /** Whether the attempt that no other can follow has no time of its own. */
  readonly lastWithoutTimeout: boolean;
}

const known: WeakMap<RetryPolicy, RetryRules> = new WeakMap();

export function retryRules(policy: RetryPolicy): RetryRules {
  let rules = known.get(policy);
  if (rules === undefined) {
    const { semantics } = policy;
    rules = semantics === undefined ? own(policy) : semantics.kind === 'envoy' ? envoy(policy, semantics) : linkerd(policy, semantics);
    known.set(policy, rules);
  }
  return rules;
}

function own(policy: RetryPolicy): RetryRules {
  const { retryOn, grpcStatuses, backoff } = policy;
  const ofStatus = (status: number): RetryCondition | null => conditionOfStatus(status, retryOn);
  return {
    ofReply: grpcStatuses === undefined ? ofStatus : (status, headers) => ofStatus(status) ?? grpcCondition(headers, grpcStatuses),
    ofError: (error) => conditionOfError(error, retryOn),
    pauseMs: (retry, random) => backoffMs(backoff, retry, random),
    isTransparent: true,
    anyMethod: false,
    honorsRetryAfter: true,
    lastWithoutTimeout: false,
  };
}

function envoy({ retryOn, grpcStatuses = [], backoff }: RetryPolicy, { rateLimited }: EnvoyRetrySemantics): RetryRules {
  return {
    ofReply: (status, headers) => {
      if (headers['x-envoy-overloaded'] !== undefined) return null;
      if (headers['x-envoy-ratelimited'] !== undefined) return rateLimited ? 429 : null;
      return conditionOfStatus(status, retryOn) ?? grpcCondition(headers, grpcStatuses);
    },
    ofError: (error) => envoyErrorCondition(error, retryOn),
    // 2ⁿ - 1, so that the first pause is at most the base.
    pauseMs: (retry, random) => random() * Math.min(backoff.maxMs, doubledMs(backoff.baseMs, retry) - backoff.baseMs),
    isTransparent: false,
    anyMethod: true,
    honorsRetryAfter: false,
    lastWithoutTimeout: false,
  };
}

/** Envoy knows connect failure, refused stream, reset and its own per-try timeout, which is a reset to all tokens that name one. */
function envoyErrorCondition(error: MeshError, on: readonly RetryCondition[]): RetryCondition | null {
  const reset = on.find((token) => token === 'reset' || token === 'gateway-error' || token === '5xx') ?? null;
  switch (error.code) {
    case 'connect_failed':
      return on.includes('connect-failure') ? 'connect-failure' : reset;
    case 'attempt_timeout':
      return reset;
    default:
      return conditionOfError(error, on);
  }
}

function linkerd({ retryOn, grpcStatuses = [], backoff }: RetryPolicy, semantics: LinkerdRetrySemantics): RetryRules {
  return {
    ofReply: (status, headers) =>
      retryOn.includes(status) ? status : (conditionOfStatus(status, retryOn) ?? grpcCondition(headers, grpcStatuses)),
    ofError: (error) => conditionOfError(error, retryOn),
    pauseMs:
      semantics.pause === 'none'
        ? () => 0
        : (retry, random) => {
            const baseMs = Math.min(backoff.maxMs, doubledMs(backoff.baseMs, retry - 1));
            return Math.min(backoff.maxMs, baseMs + random() * baseMs);
          },
    isTransparent: false,
    anyMethod: true,
    honorsRetryAfter: false,
    lastWithoutTimeout: semantics.lastAttemptWithoutTimeout,
  };
}

/** Trailers-only: the status of the call stands in the head of the answer. */
function grpcCondition(headers: ReplyHeaders, statuses: readonly number[]): RetryCondition | null {
  const text = headers['grpc-status'];
  if (typeof text !== 'string' || statuses.length === 0) return null;
  const status = Number(text);
  return statuses.includes(status) ? status : null;
}
