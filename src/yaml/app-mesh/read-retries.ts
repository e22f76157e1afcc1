// Retries of App Mesh: Envoy's, of any method. Where nothing is written there are two.
// Source: App Mesh API Reference, HttpRetryPolicy, GrpcRetryPolicy; user guide, "Envoy defaults set by App Mesh".
import { RETRY_DEFAULTS, type RetryCondition, type RetryPolicy } from '../../model/destination.ts';
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import { msOf, type RetryPolicySpec } from './app-mesh-spec.ts';

/** What an event stands for. `server-error` and `gateway-error` include resets. */
const EVENTS: Readonly<Record<string, readonly RetryCondition[]>> = Object.freeze({
  'server-error': [500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 'reset'],
  'gateway-error': [502, 503, 504, 'reset'],
  'client-error': [409],
  'stream-error': ['refused-stream'],
  'connection-error': ['connect-failure'],
});

const METHODS: readonly string[] = Object.freeze(['*']);

const ENVOY: Omit<RetryPolicy, 'attempts' | 'retryOn'> = Object.freeze({
  perTryTimeoutMs: 0,
  backoff: Object.freeze({ baseMs: 25, maxMs: 250 }),
  retryAfterMaxMs: RETRY_DEFAULTS.retryAfterMaxMs,
  methods: METHODS,
  acrossSubsets: false,
  bodyBytesMax: 1_048_576,
  semantics: Object.freeze({ kind: 'envoy', avoidTried: true, leavePriority: false, rateLimited: false }),
});

/** Of every route without a policy, and of virtual nodes that are called without a router. */
export const RETRIES_DEFAULT: RetryPolicy = Object.freeze({
  ...ENVOY,
  attempts: 2,
  retryOn: Object.freeze(['connect-failure', 'refused-stream', 503] as const),
  grpcStatuses: Object.freeze([14]),
});

export function readRetries(policy: RetryPolicySpec | undefined): RetryPolicy {
  if (policy === undefined) return RETRIES_DEFAULT;
  const { httpRetryEvents = [], tcpRetryEvents = [], grpcRetryEvents = [], maxRetries, perRetryTimeout } = policy;
  const retryOn = new Set([...tcpRetryEvents, ...httpRetryEvents].flatMap((event) => EVENTS[event] ?? []));
  const grpcStatuses = grpcRetryEvents.map((event) => GRPC_STATUSES.indexOf(event.toUpperCase().replace('-', '_')));
  return {
    ...ENVOY,
    attempts: maxRetries,
    perTryTimeoutMs: msOf(perRetryTimeout),
    retryOn: [...retryOn],
    ...(grpcStatuses.length === 0 ? {} : { grpcStatuses: [...new Set(grpcStatuses)].sort((a, b) => a - b) }),
  };
}
