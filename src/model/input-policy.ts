// What people write about one service, in a file or in code: the policies. Nothing is required; what is left out comes
// from `defaults`, then from the defaults beside the types in destination.ts. A policy object is merged key by key.
import type { RetryCondition } from './destination.ts';

/** Go style ("500ms", "1m30s", "1.5s"), at most a year. In code also a number of ms. */
export type DurationInput = string | number;

/** Bytes: a number, or "64KiB", "1MiB". */
export type BytesInput = string | number;

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
  /** Time for one attempt until its response head. Ignored when the deadline is nearer. @default 10s */
  readonly perTryTimeout?: DurationInput;
  /** Envoy's tokens, and statuses from 400 to 599 as numbers or text. @default connect-failure, refused-stream, reset-on-reused-connection, per-try-timeout, 408, 429, 502, 503, 504 */
  readonly retryOn?: readonly (Exclude<RetryCondition, number> | number | `${number}`)[];
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

/** One bucket for the retries of a service in this process. Source: gRFC A6 throttling. */
export interface RetryBudgetInput {
  /** Capacity, and the balance at start. @default 20 */
  readonly tokens?: number;
  /** Added by each success. @default 0.2 */
  readonly perSuccess?: number;
  /** Added each second. @default 0.1 */
  readonly perSecond?: number;
}

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

/** Which endpoints are left out, for how long. Source: Istio OutlierDetection, gRFC A50. */
export interface OutlierDetectionInput {
  /** Run of 502, 503, 504 or local errors that ejects; 0 switches the rule off. @default 5 */
  readonly consecutiveErrors?: number;
  /** Istio's name for `consecutiveErrors`; only one of the three may be given. */
  readonly consecutive5xxErrors?: number;
  /** Istio's name for `consecutiveErrors`; only one of the three may be given. */
  readonly consecutiveGatewayErrors?: number;
  /** Window of the comparison with the peers; 0s switches the rule off. @default 10s */
  readonly window?: DurationInput;
  /** Calls in the window below which an endpoint is not compared. @default 5 */
  readonly minCalls?: number;
  /** How far below its peers an endpoint must be, 0 to 1. @default 0.1 */
  readonly margin?: number;
  /** First ejection; doubles. @default 1s */
  readonly baseEjectionTime?: DurationInput;
  /** Longest ejection. @default 60s */
  readonly maxEjectionTime?: DurationInput;
  /** Most endpoints that may be out at once, percent; the last never is. @default 50 */
  readonly maxEjectionPercent?: number;
  /** Added at random to each ejection, as a share of it, 0 to 1. @default 0.5 */
  readonly jitter?: number;
}

/** To whom. Source: Finagle and Linkerd peak EWMA, Envoy least request. */
export interface LoadBalancerInput {
  /** @default peakEwma */
  readonly kind?: 'peakEwma' | 'roundRobin' | 'random' | 'leastRequest';
  /** Time constant of the moving average. peakEwma only. @default 10s */
  readonly tau?: DurationInput;
  /** Latency that a failure counts as. peakEwma only. @default 1s */
  readonly failurePenalty?: DurationInput;
  /** A new endpoint starts at this multiple of the median of its peers. peakEwma only. @default 3 */
  readonly seedFactor?: number;
  /** Latency assumed of the first endpoint. peakEwma only. @default 30ms */
  readonly seed?: DurationInput;
  /** Up to this many endpoints all are compared; beyond, two random ones. @default 32 */
  readonly fullScanMax?: number;
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
  /** Names of which the peer must show one; replaces the host check. */
  readonly subjectAltNames?: readonly string[];
}

/** The policies of a service, or of all of them under `defaults`. */
export interface PolicyInput {
  /** HTTP version spoken to the endpoints. @default http1 */
  readonly protocol?: 'http1' | 'http2';
  /** A mode, or the whole. @default disable */
  readonly tls?: 'disable' | 'simple' | 'mutual' | TlsInput;
  /** Total time of a call, retries and body included. @default 30s */
  readonly timeout?: DurationInput;
  /** false: no retries. */
  readonly retries?: false | RetriesInput;
  readonly retryBudget?: RetryBudgetInput;
  /** false: no circuit breaker. */
  readonly circuitBreaker?: false | CircuitBreakerInput;
  /** false: no ejection. */
  readonly outlierDetection?: false | OutlierDetectionInput;
  /** A kind, or the whole. @default peakEwma */
  readonly loadBalancer?: 'peakEwma' | 'roundRobin' | 'random' | 'leastRequest' | LoadBalancerInput;
  readonly limits?: LimitsInput;
}
