// What is wanted of one service: how to reach it, how long to wait, when to try again, when to stop asking.
// Pure data. Every duration is in milliseconds, every ratio between 0 and 1. Defaults stand beside the types and are
// the source of the tables in docs/defaults.md.

/** When a failed attempt may be repeated. Tokens are Envoy's (`x-envoy-retry-on`); a number is an HTTP status. */
export type RetryCondition =
  | 'connect-failure'
  | 'refused-stream'
  | 'reset'
  | 'reset-before-request'
  | 'reset-on-reused-connection'
  | 'per-try-timeout'
  | 'gateway-error'
  | '5xx'
  | 'retriable-4xx'
  | number;

/** Delay before a retry: full jitter over `[min(baseMs, cap), cap]`, cap = min(maxMs, baseMs · 2ⁿ). Source: resilience notes, Envoy's `retry_back_off`. */
export interface BackoffPolicy {
  /** Lower bound and first step, ms. @default 25 */
  readonly baseMs: number;
  /** Upper bound, ms. @default 250 */
  readonly maxMs: number;
}

/** Source: Envoy RetryPolicy, Istio HTTPRetry, gRFC A6. */
export interface RetryPolicy {
  /** Repetitions after the first attempt; 0 switches retries off. @default 2 */
  readonly attempts: number;
  /** Time for one attempt until its response head, ms. Ignored when the deadline is nearer. @default 10000 */
  readonly perTryTimeoutMs: number;
  /** @default connect-failure, refused-stream, reset-on-reused-connection, per-try-timeout, 408, 429, 502, 503, 504 */
  readonly retryOn: readonly RetryCondition[];
  readonly backoff: BackoffPolicy;
  /** Longest `Retry-After` that is waited for, ms; a longer one ends the call with the answer at hand. @default 5000 */
  readonly retryAfterMaxMs: number;
  /** Methods that may be repeated although the server may have acted. Others only when provably unprocessed, or with an `Idempotency-Key` header. */
  readonly methods: readonly string[];
  /** Whether a retry may leave the subset that the route drew, when no untried endpoint is left in it. Off for sticky routes. @default true */
  readonly acrossSubsets: boolean;
  /** Bytes of a request body kept for replay; a longer body is sent once. At most 1 MiB. @default 65536 */
  readonly bodyBytesMax: number;
}

/** One bucket per process and service, shared by retries and hedges, filled by successes. Source: Brooker's adaptive bucket, gRFC A6 throttling. */
export interface BudgetPolicy {
  /** Capacity, and the balance at start. @default 20 */
  readonly tokensMax: number;
  /** Added by each success. @default 0.2 */
  readonly tokensPerSuccess: number;
  /** Added each second, so that an idle process is not stuck. @default 0.1 */
  readonly tokensPerSecond: number;
}

/** Failure ratio over a rolling window; opens for a jittered, doubling time. Source: Polly's ratio breaker, with short opens. */
export interface RatioBreakerPolicy {
  readonly kind: 'ratio';
  /** Share of failures that opens the circuit. @default 0.7 */
  readonly failureRatio: number;
  /** Window, ms. @default 5000 */
  readonly windowMs: number;
  /** Calls in the window below which the circuit never opens. @default 10 */
  readonly callsMin: number;
  /** First open time, ms; doubles. @default 1000 */
  readonly openBaseMs: number;
  /** Longest open time, ms. @default 5000 */
  readonly openMaxMs: number;
  /** Successes in half-open that close the circuit. @default 3 */
  readonly successesToClose: number;
}

/** Opens after a run of failures (cockatiel's ConsecutiveBreaker). */
export interface ConsecutiveBreakerPolicy {
  readonly kind: 'consecutive';
  readonly failures: number;
  readonly openBaseMs: number;
  readonly openMaxMs: number;
  readonly successesToClose: number;
}

/** Opens on a failure ratio over the last `size` calls (cockatiel's CountBreaker). */
export interface CountBreakerPolicy {
  readonly kind: 'count';
  readonly failureRatio: number;
  readonly size: number;
  readonly callsMin: number;
  readonly openBaseMs: number;
  readonly openMaxMs: number;
  readonly successesToClose: number;
}

export type BreakerPolicy = RatioBreakerPolicy | ConsecutiveBreakerPolicy | CountBreakerPolicy;

/** Who is left out, for how long. Source: Envoy outlier detection, gRFC A50; significance test and single probe are ours. */
export interface OutlierPolicy {
  /** Run of gateway (502, 503, 504) or local (connect, reset, timeout) errors that ejects. 0 switches the rule off. @default 5 */
  readonly consecutiveErrors: number;
  /** Window of the comparison with the peers, ms. 0 switches the rule off. @default 10000 */
  readonly windowMs: number;
  /** Calls of the endpoint in the window below which it is not compared. @default 5 */
  readonly callsMin: number;
  /** An endpoint is worse when the upper bound of its success rate lies this far below the lower bound (z = 1) of its peers', both Wilson. @default 0.1 */
  readonly margin: number;
  /** z of the Wilson bound. @default 2.33 */
  readonly z: number;
  /** First ejection, ms; doubles with each. @default 1000 */
  readonly baseEjectionMs: number;
  /** Longest ejection, ms. @default 60000 */
  readonly maxEjectionMs: number;
  /** Added at random to each ejection, as a share of it. @default 0.5 */
  readonly jitter: number;
  /** Most endpoints that may be out at once, in percent; at least one may, the last never. @default 50 */
  readonly maxEjectionPercent: number;
}

export type BalancerKind = 'peakEwma' | 'roundRobin' | 'random' | 'leastRequest';

/** To whom. Source: Finagle and Linkerd peak EWMA; Envoy least request. */
export interface BalancerPolicy {
  /** @default peakEwma */
  readonly kind: BalancerKind;
  /** Time constant of the moving average, ms. peakEwma only. @default 10000 */
  readonly tauMs: number;
  /** Latency that a failure counts as, ms. peakEwma only. @default 1000 */
  readonly failurePenaltyMs: number;
  /** A new endpoint starts at this multiple of the median of its peers. peakEwma only. @default 3 */
  readonly seedFactor: number;
  /** Latency assumed of the first endpoint, ms. peakEwma only. @default 30 */
  readonly seedMs: number;
  /** Up to this many endpoints all are compared; beyond, two random ones. @default 32 */
  readonly fullScanMax: number;
}

/** Envoy's circuit breaker thresholds. All hold for this process alone; 0 means no limit. */
export interface LimitsPolicy {
  /** Sockets to the whole service. Source: `max_connections`. @default 0 */
  readonly maxConnections: number;
  /** Calls that may wait for a socket. Source: `max_pending_requests`. @default 0: waiting calls count as in flight only */
  readonly maxPendingRequests: number;
  /** Calls in flight; one more is refused, there is no queue. Source: `max_requests`. @default 1024 */
  readonly maxRequests: number;
  /** Requests that a socket carries before it is closed. Source: `max_requests_per_connection`. @default 0 */
  readonly maxRequestsPerConnection: number;
  /** Retries in flight. Source: `max_retries`. @default 0 */
  readonly maxRetries: number;
}

/** Source: Istio ClientTLSSettings. */
export interface TlsPolicy {
  readonly mode: 'disable' | 'simple' | 'mutual';
  /** PEM text or path of the certificate chain; required for `mutual` unless the mesh has an identity. */
  readonly cert?: string;
  readonly key?: string;
  /** PEM text or path of the roots; absent means the web's roots for `simple`, an error for `mutual`. */
  readonly ca?: string;
  /** Name sent as SNI and verified. @default the host of the call */
  readonly serverName?: string;
  /** Exact subject alternative names, one of which the peer must show (DNS name or URI). When given, replaces the host check. */
  readonly subjectAltNames?: readonly string[];
}

/** One address that answers for a service. */
export interface EndpointConfig {
  /** `host:port`, `[ipv6]:port`. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`, from the left. @default empty */
  readonly locality: string;
  /** Relative share. @default 1 */
  readonly weight: number;
}

/** Where the endpoints come from. */
export type EndpointSourceConfig =
  | { readonly kind: 'static'; readonly endpoints: readonly EndpointConfig[] }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'dns'; readonly host: string; readonly port: number; readonly record: 'A' | 'AAAA' | 'SRV' | 'any' };

export const RETRY_DEFAULTS: RetryPolicy = Object.freeze({
  attempts: 2,
  perTryTimeoutMs: 10_000,
  retryOn: Object.freeze([
    'connect-failure',
    'refused-stream',
    'reset-on-reused-connection',
    'per-try-timeout',
    408,
    429,
    502,
    503,
    504,
  ] as const),
  backoff: Object.freeze({ baseMs: 25, maxMs: 250 }),
  retryAfterMaxMs: 5_000,
  methods: Object.freeze(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']),
  acrossSubsets: true,
  bodyBytesMax: 65_536,
});

export const BUDGET_DEFAULTS: BudgetPolicy = Object.freeze({ tokensMax: 20, tokensPerSuccess: 0.2, tokensPerSecond: 0.1 });

export const BREAKER_DEFAULTS: RatioBreakerPolicy = Object.freeze({
  kind: 'ratio',
  failureRatio: 0.7,
  windowMs: 5_000,
  callsMin: 10,
  openBaseMs: 1_000,
  openMaxMs: 5_000,
  successesToClose: 3,
});

export const OUTLIER_DEFAULTS: OutlierPolicy = Object.freeze({
  consecutiveErrors: 5,
  windowMs: 10_000,
  callsMin: 5,
  margin: 0.1,
  z: 2.33,
  baseEjectionMs: 1_000,
  maxEjectionMs: 60_000,
  jitter: 0.5,
  maxEjectionPercent: 50,
});

export const BALANCER_DEFAULTS: BalancerPolicy = Object.freeze({
  kind: 'peakEwma',
  tauMs: 10_000,
  failurePenaltyMs: 1_000,
  seedFactor: 3,
  seedMs: 30,
  fullScanMax: 32,
});

export const LIMITS_DEFAULTS: LimitsPolicy = Object.freeze({
  maxConnections: 0,
  maxPendingRequests: 0,
  maxRequests: 1_024,
  maxRequestsPerConnection: 0,
  maxRetries: 0,
});
