// Retries of a rule. Where the rule says nothing, Istio retries nevertheless. Source: Istio, retry.ConvertPolicy.
import { RETRY_DEFAULTS, type RetryCondition, type RetryPolicy } from '../../model/destination.ts';
import { msOf } from './check-duration.ts';
import { CONDITIONS, GRPC_WORDS, isRetryStatus, RATE_LIMITED } from './retry-tokens.ts';
import type { RetrySpec } from './virtual-service-spec.ts';

/** Envoy's buffer of a connection, as Istio has it: longer bodies are sent once. */
export const BODY_BYTES_MAX = 1_048_576;

const BASE_MS = 25;
const MAX_FACTOR = 10;

/** Retries of a rule that says nothing of them. `isHashed`: the destination is chosen by consistent hashing, so attempts stay with it. */
export function defaultRetries(isHashed: boolean): RetryPolicy {
  return {
    attempts: 2,
    perTryTimeoutMs: 0,
    retryOn: ['connect-failure', 'refused-stream'],
    grpcStatuses: [14, 1],
    backoff: { baseMs: BASE_MS, maxMs: BASE_MS * MAX_FACTOR },
    retryAfterMaxMs: RETRY_DEFAULTS.retryAfterMaxMs,
    methods: ['*'],
    acrossSubsets: false,
    bodyBytesMax: BODY_BYTES_MAX,
    semantics: { kind: 'envoy', avoidTried: !isHashed, leavePriority: false, rateLimited: false },
  };
}

export function readRetries(spec: RetrySpec | undefined, isHashed: boolean): RetryPolicy {
  const base = defaultRetries(isHashed);
  if (spec === undefined) return base;
  const { attempts = 0, retryOn = '', perTryTimeout, backoff, retryIgnorePreviousHosts, retryRemoteLocalities = false } = spec;
  const baseMs = backoff === undefined ? BASE_MS : msOf(backoff);
  const words = retryOn.split(',').map((word) => word.trim());
  return {
    ...base,
    attempts,
    perTryTimeoutMs: msOf(perTryTimeout),
    ...(retryOn === '' ? {} : { retryOn: conditionsOf(words), grpcStatuses: grpcStatusesOf(words) }),
    backoff: { baseMs, maxMs: baseMs * MAX_FACTOR },
    semantics: {
      kind: 'envoy',
      avoidTried: retryIgnorePreviousHosts ?? !isHashed,
      leavePriority: retryRemoteLocalities,
      rateLimited: words.includes(RATE_LIMITED),
    },
  };
}

/** In the order in which they are written. */
function conditionsOf(words: readonly string[]): RetryCondition[] {
  const found = words.flatMap((word) => CONDITIONS.find((condition) => condition === word) ?? (isRetryStatus(word) ? Number(word) : []));
  return [...new Set(found)];
}

function grpcStatusesOf(words: readonly string[]): number[] {
  return words.flatMap((word) => GRPC_WORDS[word] ?? []);
}
