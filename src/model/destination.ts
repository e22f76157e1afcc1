// What is wanted of one service: how to reach it, how long to wait, when to try again, when to stop asking.
// Pure data. Every duration is in milliseconds, every ratio between 0 and 1. Defaults stand beside the types and are
// the source of the tables in docs/defaults.md.
import type { HashPolicy, LocalityPolicy, SlowStartPolicy } from './balancing.ts';

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

/**
 * Retries as Envoy decides on them. Calls of any method are repeated, and nothing is repeated beside `attempts`. The pause
 * before retry n is uniform in [0, min(maxMs, (2ⁿ - 1) · baseMs)); Retry-After is not looked at. An answer with
 * `x-envoy-overloaded`, one with `x-envoy-ratelimited`, and what was refused here (overflow, no endpoint) are never repeated.
 * `reset` holds for connect failures too; a per-try timeout is repeated only by `reset`, `gateway-error` or `5xx`.
 * Source: Envoy retry_state_impl.cc, Istio retry.go.
 */
export interface EnvoyRetrySemantics {
  readonly kind: 'envoy';
  /** Whether attempts avoid endpoints that were tried, five draws long. Off with consistent hashing. Source: `previous_hosts`, Istio `retryIgnorePreviousHosts`. */
  readonly avoidTried: boolean;
  /** Whether attempts leave the priority that was tried, every second time. Source: `previous_priorities`, Istio `retryRemoteLocalities`. */
  readonly leavePriority: boolean;
  /** Whether an answer with `x-envoy-ratelimited` is repeated all the same. Source: token `envoy-ratelimited`. */
  readonly rateLimited: boolean;
}

/**
 * Retries as Linkerd decides on them. Calls of any method are repeated, nothing is repeated beside `attempts`, and Retry-After
 * is not looked at. The numbers of `retryOn` are statuses from 100 on. A body that is longer than `bodyBytesMax`, or not yet
 * read to its end when the answer comes, is not sent again. Source: linkerd2-proxy http/retry, exp-backoff, outbound/src/http.
 */
export interface LinkerdRetrySemantics {
  readonly kind: 'linkerd';
  /** `added`: before retry n comes base = min(maxMs, baseMs · 2ⁿ⁻¹), and up to as much again, at most maxMs together. `none`: no pause. */
  readonly pause: 'added' | 'none';
  /** Whether the attempt that no other can follow has no `perTryTimeoutMs`. */
  readonly lastAttemptWithoutTimeout: boolean;
  /** Whether `grpcStatuses` count in trailers, too, when these come right behind the first piece of the body. */
  readonly grpcTrailers: boolean;
}

/**
 * Retries as the Gateway API asks for them: calls of any method are repeated, pauses are `backoff.baseMs` at least, nothing is
 * repeated beside `attempts`, and Retry-After is not looked at. Source: GEP-1731.
 */
export interface GatewayApiRetrySemantics {
  readonly kind: 'gateway-api';
}

/** How another mesh decides on retries. With each of them a call whose time is over ends with that, whatever was answered before. */
export type RetrySemantics = EnvoyRetrySemantics | LinkerdRetrySemantics | GatewayApiRetrySemantics;

/** Source: Envoy RetryPolicy, Istio HTTPRetry, gRFC A6. */
export interface RetryPolicy {
  /** Repetitions after the first attempt; 0 switches retries off. @default 2 */
  readonly attempts: number;
  /** Time for one attempt until its response head, ms; 0: none of its own. Ignored when the deadline is nearer. @default 10000 */
  readonly perTryTimeoutMs: number;
  /** @default connect-failure, refused-stream, reset-on-reused-connection, per-try-timeout, 408, 429, 502, 503, 504 */
  readonly retryOn: readonly RetryCondition[];
  readonly backoff: BackoffPolicy;
  /** Longest `Retry-After` that is waited for, ms; a longer one ends the call with the answer at hand. @default 5000 */
  readonly retryAfterMaxMs: number;
  /** Methods that may be repeated although the server may have acted. Others only when provably unprocessed, or with an `Idempotency-Key` header. `*`: all. */
  readonly methods: readonly string[];
  /** Whether a retry may leave the subset that the route drew, when no untried endpoint is left in it. Off for sticky routes. @default true */
  readonly acrossSubsets: boolean;
  /** Bytes of a request body kept for replay; a longer body is sent once. At most 1 MiB. @default 65536 */
  readonly bodyBytesMax: number;
  /** gRPC statuses, 1 to 16, that are repeated when they come in the head of the answer (trailers-only). Absent: none. Source: Envoy `x-envoy-retry-grpc-on`. */
  readonly grpcStatuses?: readonly number[];
  /** How another mesh decides, where that differs. Absent: as we do. */
  readonly semantics?: RetrySemantics;
}

/** One bucket per process and service, shared by retries and hedges, filled by successes. Source: Brooker's adaptive bucket, gRFC A6 throttling. */
export interface BudgetPolicy {
  readonly kind: 'successes';
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
  readonly kind: 'inmesh';
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
  /** Longest ejection, ms. @default 20000 */
  readonly maxEjectionMs: number;
  /** Added at random to each ejection, as a share of it. @default 0.5 */
  readonly jitter: number;
  /** Most endpoints that may be out at once, in percent; at least one may, the last never. @default 50 */
  readonly maxEjectionPercent: number;
}

export type BalancerKind = 'peakEwma' | 'roundRobin' | 'random' | 'leastRequest' | 'ringHash' | 'maglev';

/** To whom. Source: Finagle and Linkerd peak EWMA; Envoy least request. */
export interface BalancerPolicy {
  /** @default peakEwma */
  readonly kind: BalancerKind;
  /** Time constant of the moving average, ms. peakEwma only. @default 10000 */
  readonly tauMs: number;
  /** Latency that a failure counts as, ms. peakEwma only. @default 1000 */
  readonly failurePenaltyMs: number;
  /** A new endpoint starts at this multiple of the median of its peers; 0: at `seedMs`, as the first one. peakEwma only. @default 3 */
  readonly seedFactor: number;
  /** Latency assumed of the first endpoint, ms. peakEwma only. @default 30 */
  readonly seedMs: number;
  /** Up to this many endpoints all are compared; beyond, two random ones. @default 32 */
  readonly fullScanMax: number;
  /** Endpoints compared. leastRequest only. Source: Envoy `choice_count`. @default 2 */
  readonly choices: number;
  /** ringHash and maglev only; null for the others. */
  readonly hash: HashPolicy | null;
  /** null: none. roundRobin and leastRequest only. @default null */
  readonly slowStart: SlowStartPolicy | null;
  /** null: localities do not matter. @default `zone` when `self.locality` is known, else null */
  readonly locality: LocalityPolicy | null;
  /** Below this share of healthy endpoints all are used, percent; 0: only when none is healthy. null: never those that are out, calls are refused instead. Source: Envoy `healthy_panic_threshold`; null: Istio's 0. @default 0 */
  readonly panicPercent: number | null;
  /** Each process uses only so many endpoints, chosen by rendezvous; 0: all. Source: gRFC A68. @default 0 */
  readonly subsetSize: number;
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
  /** Attempts in flight to each endpoint, learnt from overload. null: no such limit. @default null */
  readonly adaptive: AdaptiveLimitPolicy | null;
}

/** AIMD on overload signals alone (429, 503, timeouts, RESOURCE_EXHAUSTED): latency is left to the balancer. Source: Netflix concurrency-limits AIMD; resilience notes §1.10. */
export interface AdaptiveLimitPolicy {
  /** @default 20 */
  readonly initial: number;
  /** @default 1 */
  readonly min: number;
  /** @default 1000 */
  readonly max: number;
  /** Factor on overload, at most once per round trip. @default 0.9 */
  readonly decrease: number;
}

export const ADAPTIVE_LIMIT_DEFAULTS: AdaptiveLimitPolicy = Object.freeze({ initial: 20, min: 1, max: 1_000, decrease: 0.9 });

/** Refuses a share of the calls while a service refuses most of them. Source: Google SRE client throttling; resilience notes §1.11. */
export interface ThrottlePolicy {
  /** Calls allowed per accepted one. @default 2 */
  readonly k: number;
  /** @default 10000 */
  readonly windowMs: number;
  /** Calls a second below which nothing is refused. @default 10 */
  readonly rpsMin: number;
  /** Most that is refused, 0 to 1. @default 0.9 */
  readonly rejectMax: number;
}

export const THROTTLE_DEFAULTS: ThrottlePolicy = Object.freeze({ k: 2, windowMs: 10_000, rpsMin: 10, rejectMax: 0.9 });

/** Life of the sockets of a service; what is absent is left to the transport. Source: Istio ConnectionPoolSettings. */
export interface ConnectionPolicy {
  /** Time for a connection to be made, ms. Source: `connectTimeout`, 10 s in Istio. */
  readonly connectTimeoutMs?: number;
  /** A socket without calls is closed after this time, ms; 0: never. Source: `idleTimeout`, 1 h in Envoy. */
  readonly idleTimeoutMs?: number;
  /** A socket is closed after this time, when its calls are done, ms. Source: `maxConnectionDuration`. */
  readonly maxAgeMs?: number;
  /** Probes of idle sockets by the operating system. Source: `tcpKeepalive`. */
  readonly tcpKeepalive?: { readonly probes?: number; readonly timeMs?: number; readonly intervalMs?: number };
  /** HTTP/2 calls at once on one socket. Source: `maxConcurrentStreams`. */
  readonly maxConcurrentStreams?: number;
  /** HTTP/2 pings of sockets. Source: `http2KeepAlive`. */
  readonly http2Ping?: { readonly intervalMs: number; readonly timeoutMs: number };
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
  /** What is verified of the peer, when not chain and name. `chain`: any name will do (Istio ISTIO_MUTUAL, names unknown); `none`: nothing (`insecureSkipVerify`). Absent: both. */
  readonly verify?: 'chain' | 'none';
  /** Whether an absent `ca` means the web's roots for `mutual` too, as for Istio's MUTUAL. Absent: it does not. */
  readonly webRoots?: true;
  /** PEM text or path of a list of revoked certificates. Absent: none. Source: Istio `caCrl`. */
  readonly crl?: string;
  /** Least version spoken. Absent: 1.3 where both sides have an identity of the mesh, else 1.2. Source: Istio `minProtocolVersion`. */
  readonly minTls?: '1.2' | '1.3';
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
  /** Lower ones are used first. Source: Envoy LocalityLbEndpoints `priority`. @default 0 */
  readonly priority?: number;
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

export const BUDGET_DEFAULTS: BudgetPolicy = Object.freeze({
  kind: 'successes',
  tokensMax: 20,
  tokensPerSuccess: 0.2,
  tokensPerSecond: 0.1,
});

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
  kind: 'inmesh',
  consecutiveErrors: 5,
  windowMs: 10_000,
  callsMin: 5,
  margin: 0.1,
  z: 2.33,
  baseEjectionMs: 1_000,
  maxEjectionMs: 20_000,
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
  choices: 2,
  hash: null,
  slowStart: null,
  locality: null,
  panicPercent: 0,
  subsetSize: 0,
});

export const LIMITS_DEFAULTS: LimitsPolicy = Object.freeze({
  maxConnections: 0,
  maxPendingRequests: 0,
  maxRequests: 1_024,
  maxRequestsPerConnection: 0,
  maxRetries: 0,
  adaptive: null,
});
