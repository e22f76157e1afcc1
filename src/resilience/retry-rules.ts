// What the semantics of a policy come to: ours, or those of a mesh, as one set of answers. Made once for a policy, so that
// the retry layer asks and never looks at a dialect.
// Source: Envoy retry_state_impl.cc; linkerd2-proxy http/retry, exp-backoff; our own in docs/retries.md.
import type { ReplyHeaders } from '../core/call.ts';
import { conditionOfError, conditionOfStatus } from '../core/classify.ts';
import type { Random } from '../core/clock.ts';
import type { MeshError } from '../core/errors.ts';
import { grpcStatusIn } from '../core/grpc-status.ts';
import { GRPC_PUSHBACK_HEADER, GRPC_STATUS_HEADER, GRPC_STATUS_TRAILER } from '../core/headers.ts';
import type { EnvoyRetrySemantics, LinkerdRetrySemantics, RetryCondition, RetryPolicy, RetrySemantics } from '../model/destination.ts';
import { backoffMs, doubledMs } from './backoff.ts';

export interface RetryRules {
  /** An answer whose status is below is good, whatever its head says: then the head need not be read, which costs where it is made on demand. */
  readonly goodBelow: number;
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
  /** Whether a pause may outlast the call, and a call whose time is over ends with that and not with the last answer. */
  readonly endsByTime: boolean;
}

const known: WeakMap<RetryPolicy, RetryRules> = new WeakMap();

export function retryRules(policy: RetryPolicy): RetryRules {
  let rules = known.get(policy);
  if (rules === undefined) {
    const { semantics } = policy;
    rules = semantics === undefined ? own(policy) : foreign(policy, semantics);
    known.set(policy, rules);
  }
  return rules;
}

function foreign(policy: RetryPolicy, semantics: RetrySemantics): RetryRules {
  switch (semantics.kind) {
    case 'envoy':
      return envoy(policy, semantics);
    case 'linkerd':
      return linkerd(policy, semantics);
    case 'gateway-api':
      return gatewayApi(policy);
  }
}

function own(policy: RetryPolicy): RetryRules {
  const { retryOn, backoff } = policy;
  return {
    goodBelow: policy.grpcStatuses === undefined ? 400 : 0,
    ofReply: (status, headers) => {
      // A head of status 200 need not be looked at, unless it may say otherwise: that of a gRPC answer is written by our transport.
      if (status < 400 && policy.grpcStatuses === undefined) return null;
      const code = grpcStatusOf(headers, true);
      return code < 0 ? conditionOfStatus(status, retryOn) : ownGrpcCondition(code, headers, policy);
    },
    ofError: (error) => conditionOfError(error, retryOn),
    pauseMs: (retry, random) => backoffMs(backoff, retry, random),
    isTransparent: true,
    anyMethod: false,
    honorsRetryAfter: true,
    lastWithoutTimeout: false,
    endsByTime: false,
  };
}

function envoy({ retryOn, grpcStatuses = [], backoff }: RetryPolicy, { rateLimited }: EnvoyRetrySemantics): RetryRules {
  return {
    goodBelow: 0,
    ofReply: (status, headers) => {
      if (headers['x-envoy-overloaded'] !== undefined) return null;
      if (headers['x-envoy-ratelimited'] !== undefined) return rateLimited ? 429 : null;
      return grpcOrStatus(status, headers, false, retryOn, grpcStatuses);
    },
    ofError: (error) => envoyErrorCondition(error, retryOn),
    // 2ⁿ - 1, so that the first pause is at most the base.
    pauseMs: (retry, random) => random() * Math.min(backoff.maxMs, doubledMs(backoff.baseMs, retry) - backoff.baseMs),
    isTransparent: false,
    anyMethod: true,
    honorsRetryAfter: false,
    lastWithoutTimeout: false,
    endsByTime: true,
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
    goodBelow: 0,
    ofReply: (status, headers) =>
      !isGrpc(headers) && retryOn.includes(status) ? status : grpcOrStatus(status, headers, semantics.grpcTrailers, retryOn, grpcStatuses),
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
    endsByTime: true,
  };
}

/** GEP-1731 has no words for gRPC, and a backoff is the least of all pauses. */
function gatewayApi({ retryOn, backoff }: RetryPolicy): RetryRules {
  return {
    goodBelow: 400,
    ofReply: (status) => conditionOfStatus(status, retryOn),
    ofError: (error) => conditionOfError(error, retryOn),
    pauseMs: (retry, random) => backoffMs(backoff, retry, random),
    isTransparent: false,
    anyMethod: true,
    honorsRetryAfter: false,
    lastWithoutTimeout: false,
    endsByTime: true,
  };
}

/**
 * Statuses that are listed, else UNAVAILABLE as a 503, and RESOURCE_EXHAUSTED as a 429 when the server says how long to wait:
 * without that word it is as likely a message that is too long. Source: gRPC statuscodes.md, gRFC A6.
 */
function ownGrpcCondition(code: number, headers: ReplyHeaders, { retryOn, grpcStatuses }: RetryPolicy): RetryCondition | null {
  if (grpcStatuses !== undefined) return grpcStatuses.includes(code) ? code : null;
  if (code === UNAVAILABLE) return conditionOfStatus(503, retryOn);
  return code === RESOURCE_EXHAUSTED && headers[GRPC_PUSHBACK_HEADER] !== undefined ? conditionOfStatus(429, retryOn) : null;
}

const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

/** The head of a gRPC answer has status 200, whatever the transport makes of it for others to judge. */
function grpcOrStatus(
  status: number,
  headers: ReplyHeaders,
  seesTrailers: boolean,
  retryOn: readonly RetryCondition[],
  grpcStatuses: readonly number[],
): RetryCondition | null {
  if (!isGrpc(headers)) return conditionOfStatus(status, retryOn);
  const code = grpcStatusOf(headers, seesTrailers);
  return grpcStatuses.includes(code) ? code : null;
}

function isGrpc(headers: ReplyHeaders): boolean {
  return headers[GRPC_STATUS_HEADER] !== undefined || headers[GRPC_STATUS_TRAILER] !== undefined;
}

/** -1 when there is none. In the head it means trailers-only. */
function grpcStatusOf(headers: ReplyHeaders, seesTrailers: boolean): number {
  const head = headers[GRPC_STATUS_HEADER];
  return grpcStatusIn(head === undefined && seesTrailers ? headers[GRPC_STATUS_TRAILER] : head);
}
