// What people write about one service, in a file or in code: the policies. Nothing is required; what is left out comes
// from `defaults`, then from the defaults beside the types in destination.ts. A policy object is merged key by key.
import type { RetryCondition } from './destination.ts';
import type { HealthCheckInput, LoadBalancerInput, OutlierDetectionInput } from './input-balancing.ts';
import type { BytesInput, DurationInput } from './input-scalar.ts';

export type { HealthCheckInput, LoadBalancerInput, OutlierDetectionInput } from './input-balancing.ts';
export type { DurationInput } from './input-scalar.ts';

export interface BackoffInput {
  /** First step and lower bound. @default 25ms. Source: Envoy `base_interval` */
  readonly base?: DurationInput;
  /** Upper bound. @default 250ms. Source: Envoy `max_interval` */
  readonly max?: DurationInput;
}

/** When and how often a call is repeated. Source: Istio HTTPRetry, Envoy RetryPolicy, gRFC A6. */
export interface RetriesInput {
  /** Repetitions after the first attempt. @default 2 */
  readonly attempts?: number;
  /** Time for one attempt until its response head; 0: none of its own. Ignored when the deadline is nearer. @default 10s */
  readonly perTryTimeout?: DurationInput;
  /** Envoy's tokens, and statuses from 400 to 599 as numbers or text. @default connect-failure, refused-stream, reset-on-reused-connection, per-try-timeout, 408, 429, 502, 503, 504 */
  readonly retryOn?: readonly (Exclude<RetryCondition, number> | number | `${number}`)[];
  /** gRPC statuses that are repeated, by name or number; replaces what follows from `retryOn`. Source: gRFC A6 `retryableStatusCodes`. Absent: UNAVAILABLE where `retryOn` has 503, RESOURCE_EXHAUSTED with a pushback where it has 429 */
  readonly grpcStatuses?: readonly (string | number)[];
  readonly backoff?: BackoffInput;
  /** Longest `Retry-After` that is waited for. @default 5s */
  readonly retryAfterMax?: DurationInput;
  /** Methods that may be repeated although the server may have acted. @default GET, HEAD, OPTIONS, TRACE, PUT, DELETE */
  readonly methods?: readonly string[];
  /** Whether a retry may leave the subset that the route drew. @default true, false for sticky routes */
  readonly acrossSubsets?: boolean;
  /** Bytes of a request body kept for replay, at most 1MiB. @default 64KiB */
  readonly bodyLimit?: BytesInput;
}

/** One bucket for the retries of a service in this process, filled by successes; ours. Source: gRFC A6 throttling. */
export interface InmeshBudgetInput {
  /** Whose rule. @default inmesh */
  readonly mode?: 'inmesh';
  /** Capacity, and the balance at start. @default 20 */
  readonly tokens?: number;
  /** Added by each success. @default 0.2 */
  readonly perSuccess?: number;
  /** Added each second. @default 0.1 */
  readonly perSecond?: number;
}

/** Retries in flight, as a share of the calls in flight. Source: Istio DestinationRule `retryBudget`, Envoy `retry_budget`. */
export interface EnvoyBudgetInput {
  /** Whose rule. */
  readonly mode: 'envoy';
  /** @default 20 */
  readonly percent?: number;
  /** Retries in flight that are always allowed. @default 3 */
  readonly minRetryConcurrency?: number;
  /** Calls of this window count instead of those in flight; 0s: those in flight. @default 0s */
  readonly budgetInterval?: DurationInput;
}

/** Each call pays in, what was paid in expires. Source: Linkerd ServiceProfile `retryBudget`. */
export interface LinkerdBudgetInput {
  /** Whose rule. */
  readonly mode: 'linkerd';
  /** Retries that a call pays for. @default 0.2 */
  readonly retryRatio?: number;
  /** Retries a second that are always allowed. @default 10 */
  readonly minRetriesPerSecond?: number;
  /** How long a payment lasts, 1s to 1m. @default 10s */
  readonly ttl?: DurationInput;
}

/** A share of the calls of an interval, and a rate that is always allowed. Source: Gateway API XBackendTrafficPolicy `retryConstraint`. */
export interface GatewayApiBudgetInput {
  /** Whose rule. */
  readonly mode: 'gateway-api';
  readonly budget?: {
    /** @default 20 */
    readonly percent?: number;
    /** @default 10s */
    readonly interval?: DurationInput;
  };
  readonly minRetryRate?: {
    /** @default 10 */
    readonly count?: number;
    /** @default 1s */
    readonly interval?: DurationInput;
  };
}

/** A failure takes a token, a success gives a part of one; retries only above half. Source: gRFC A6 `retryThrottling`. */
export interface GrpcBudgetInput {
  /** Whose rule. */
  readonly mode: 'grpc';
  /** At most 1000. @default 10 */
  readonly maxTokens?: number;
  /** @default 0.1 */
  readonly tokenRatio?: number;
}

/** What pays for retries and hedges: our rule, or the one of another mesh. */
export type RetryBudgetInput = InmeshBudgetInput | EnvoyBudgetInput | LinkerdBudgetInput | GatewayApiBudgetInput | GrpcBudgetInput;

/** Refuses calls while a service fails. One rule of three: a ratio over time, a run, or a ratio over a count. */
export interface CircuitBreakerInput {
  /** Share of failures in `window` that opens, above 0, at most 1. Ratio rule. @default 0.7 */
  readonly failureRatio?: number;
  /** Ratio rule. @default 5s */
  readonly window?: DurationInput;
  /** Calls in the window below which the circuit never opens. Ratio rule. @default 10 */
  readonly minCalls?: number;
  /** Opens after this many failures in a row; replaces the ratio rule. */
  readonly consecutive?: number;
  /** Opens on a ratio over the last calls; replaces the ratio rule. */
  readonly count?: {
    /** @default 0.7 */
    readonly failureRatio?: number;
    /** Calls looked at. Required. */
    readonly size: number;
    /** @default 10, or size when that is less */
    readonly minCalls?: number;
  };
  /** First open time; doubles. @default 1s */
  readonly openBase?: DurationInput;
  /** Longest open time. @default 5s */
  readonly openMax?: DurationInput;
  /** Successes in half-open that close the circuit. @default 3 */
  readonly successesToClose?: number;
}

/** Limits of this process alone; 0 means none. Source: Envoy circuit breaker thresholds. */
export interface LimitsInput {
  /** Sockets to the whole service. @default 0 */
  readonly maxConnections?: number;
  /** Calls that may wait for a socket. @default 0 */
  readonly maxPendingRequests?: number;
  /** Calls in flight. @default 1024 */
  readonly maxRequests?: number;
  /** Requests that a socket carries before it is closed. @default 0 */
  readonly maxRequestsPerConnection?: number;
  /** Retries in flight. @default 0 */
  readonly maxRetries?: number;
  /** Attempts in flight to each endpoint, learnt from overload; true: with all defaults. @default false */
  readonly adaptive?: boolean | AdaptiveLimitInput;
}

/** A limit that falls with 429, 503, timeouts and RESOURCE_EXHAUSTED, and rises again. Source: Netflix concurrency-limits AIMD. */
export interface AdaptiveLimitInput {
  /** @default 20 */
  readonly initial?: number;
  /** @default 1 */
  readonly min?: number;
  /** @default 1000 */
  readonly max?: number;
  /** Factor on overload, between 0 and 1. @default 0.9 */
  readonly decrease?: number;
}

/** Refuses a share of the calls here while the service refuses most of them. Source: Google SRE client throttling. */
export interface ThrottleInput {
  /** Calls sent per accepted one, at least 1. @default 2 */
  readonly k?: number;
  /** @default 10s */
  readonly window?: DurationInput;
  /** Calls a second below which nothing is refused. @default 10 */
  readonly minRps?: number;
  /** Most that is refused, above 0, at most 1. @default 0.9 */
  readonly maxReject?: number;
}

/** Token bucket of this process. Source: Envoy local rate limit. */
export interface RateLimitInput {
  /** Calls in each `per`. Required. */
  readonly requests?: number;
  /** At least 50ms. @default 1s */
  readonly per?: DurationInput;
  /** Calls at once after a pause. @default as many as requests */
  readonly burst?: number;
}

/** Source: Istio ClientTLSSettings. */
export interface TlsInput {
  /** @default mutual when `cert` and `key` are given, else simple */
  readonly mode?: 'disable' | 'simple' | 'mutual';
  /** PEM text or path. Mutual only. @default the certificate of `identity` */
  readonly cert?: string;
  /** PEM text or path. Mutual only. @default the key of `identity` */
  readonly key?: string;
  /** PEM text or path of the roots. @default the roots of `identity` for mutual, the web's for simple */
  readonly ca?: string;
  /** Name sent as SNI and verified. @default the host of the call */
  readonly serverName?: string;
  /** Names of which the peer must show one; replaces the host check. In SPIFFE IDs `*` may stand for a whole segment. */
  readonly subjectAltNames?: readonly string[];
  /** Oldest TLS that is spoken. @default 1.3 where both sides have an identity of the mesh, else 1.2 */
  readonly minTls?: '1.2' | '1.3';
}

/** The policies of a service, or of all of them under `defaults`. */
export interface PolicyInput {
  /** HTTP version spoken to the endpoints. @default http1 */
  readonly protocol?: 'http1' | 'http2';
  /** A mode, or the whole. @default disable */
  readonly tls?: 'disable' | 'simple' | 'mutual' | TlsInput;
  /** Total time of a call, retries and body included; 0: none. @default 30s */
  readonly timeout?: DurationInput;
  /** false: no retries. */
  readonly retries?: false | RetriesInput;
  /** false: nothing limits retries but `attempts`. */
  readonly retryBudget?: false | RetryBudgetInput;
  /** false: no circuit breaker. */
  readonly circuitBreaker?: false | CircuitBreakerInput;
  /** false: no ejection. */
  readonly outlierDetection?: false | OutlierDetectionInput;
  /** true: with all defaults, GET / over HTTP. @default false */
  readonly healthCheck?: boolean | HealthCheckInput;
  /** A kind, or the whole. @default peakEwma */
  readonly loadBalancer?: NonNullable<LoadBalancerInput['kind']> | LoadBalancerInput;
  readonly limits?: LimitsInput;
  /** true: with all defaults. @default false */
  readonly throttle?: boolean | ThrottleInput;
  /** Of all calls to the service; a route may have one of its own. @default false */
  readonly rateLimit?: false | RateLimitInput;
}
