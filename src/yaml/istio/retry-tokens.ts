// The words of `retryOn`. Source: Envoy `x-envoy-retry-on`, `x-envoy-retry-grpc-on`; istio/istio supportedRetryOnPolicies.
import type { RetryCondition } from '../../model/destination.ts';

/** Words that mean a condition of ours. */
export const CONDITIONS: readonly RetryCondition[] = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'retriable-4xx',
  'refused-stream',
];

/** gRPC statuses by word. */
export const GRPC_WORDS: Readonly<Record<string, number>> = {
  cancelled: 1,
  'deadline-exceeded': 4,
  internal: 13,
  'resource-exhausted': 8,
  unavailable: 14,
};

export const RATE_LIMITED = 'envoy-ratelimited';

/** Without numbers, without names of headers, without HTTP/3 these three ask for nothing. */
const IDLE: readonly string[] = ['retriable-status-codes', 'retriable-headers', 'http3-post-connect-failure'];

export const RETRY_TOKENS: readonly string[] = [...CONDITIONS.map(String), ...Object.keys(GRPC_WORDS), RATE_LIMITED, ...IDLE];

/** Numbers that Go's net/http has a text for. */
const STATUSES: ReadonlySet<number> = new Set([
  ...range(100, 103),
  ...range(200, 208),
  226,
  ...range(300, 305),
  307,
  308,
  ...range(400, 418),
  ...range(421, 426),
  428,
  429,
  431,
  451,
  ...range(500, 508),
  510,
  511,
]);

export function isRetryStatus(token: string): boolean {
  return /^[+]?[0-9]+$/.test(token) && STATUSES.has(Number(token));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
