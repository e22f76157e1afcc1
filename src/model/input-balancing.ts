// What people write about who is asked: load balancing, localities, health checks, and who is left out. Part of the
// concise form; the defaults stand beside the types in destination.ts and balancing.ts.
import type { DurationInput, StatusRangeInput } from './input-scalar.ts';

/** Which endpoints are left out, for how long; ours. Source: Istio OutlierDetection, gRFC A50. */
export interface InmeshOutlierInput {
  /** Whose rule. @default inmesh */
  readonly mode?: 'inmesh';
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
  /** Longest ejection. @default 20s */
  readonly maxEjectionTime?: DurationInput;
  /** Most endpoints that may be out at once, percent; the last never is. @default 50 */
  readonly maxEjectionPercent?: number;
  /** Added at random to each ejection, as a share of it, 0 to 1. @default 0.5 */
  readonly jitter?: number;
}

/** Ejects an endpoint whose success rate is far below the mean. Source: Envoy `success_rate_*`, gRFC A50. */
export interface EnvoySuccessRateInput {
  /** Endpoints with enough calls below which nobody is compared. @default 5 */
  readonly minimumHosts?: number;
  /** Calls in the interval from which an endpoint is compared. @default 100 */
  readonly requestVolume?: number;
  /** Standard deviations below the mean, in thousandths: 1900 is 1.9. @default 1900 */
  readonly stdevFactor?: number;
}

/** Ejects an endpoint that fails more than a fixed share of its calls. Source: Envoy `failure_percentage_*`, gRFC A50. */
export interface EnvoyFailurePercentageInput {
  /** Percent of failures from which an endpoint is ejected. @default 85 */
  readonly threshold?: number;
  /** Endpoints with enough calls below which nobody is looked at. @default 5 */
  readonly minimumHosts?: number;
  /** Calls in the interval from which an endpoint is looked at. @default 50 */
  readonly requestVolume?: number;
}

/** The rule of Envoy and Istio, to the letter, with their numbers. Source: Istio OutlierDetection, Envoy outlier_detection.proto. */
export interface EnvoyOutlierInput {
  /** Whose rule. */
  readonly mode: 'envoy';
  /** Run of 5xx that ejects; 0 switches the detector off. @default 5 */
  readonly consecutive5xxErrors?: number;
  /** Run of 502, 503, 504 that ejects; 0 switches the detector off. @default 0 */
  readonly consecutiveGatewayErrors?: number;
  /** Whether failures without an answer have a count of their own. @default false */
  readonly splitExternalLocalOriginErrors?: boolean;
  /** That count. Only with `splitExternalLocalOriginErrors`. @default 5 */
  readonly consecutiveLocalOriginFailures?: number;
  /** Statuses that count as errors instead of 5xx. */
  readonly outlierDetectionHttpErrorCodes?: readonly StatusRangeInput[];
  /** Time between sweeps; an ejection ends at a sweep. @default 10s */
  readonly interval?: DurationInput;
  /** First ejection; grows by itself with each. @default 30s */
  readonly baseEjectionTime?: DurationInput;
  /** Longest ejection. @default 5m */
  readonly maxEjectionTime?: DurationInput;
  /** Added at random to each ejection, at most. @default 0s */
  readonly maxEjectionTimeJitter?: DurationInput;
  /** Most endpoints out at once, percent. With fewer than ten endpoints the default ejects nobody. @default 10 */
  readonly maxEjectionPercent?: number;
  /** Whether one may be ejected whatever the percentage. @default false */
  readonly alwaysEjectOneHost?: boolean;
  /** Whether the one to be ejected must fit into the percentage too (`after`, Envoy), or only those before it (`before`, gRPC). @default after */
  readonly capCheck?: 'after' | 'before';
  /** true: with all defaults. @default false */
  readonly successRate?: boolean | EnvoySuccessRateInput;
  /** true: with all defaults. @default false */
  readonly failurePercentage?: boolean | EnvoyFailurePercentageInput;
}

/** The success rate of Linkerd's `unified` mode; 429 counts as a failure. */
export interface LinkerdUnifiedInput {
  /** Below this an endpoint is left out, 0 to 1. @default 0.8 */
  readonly successRate?: number;
  /** @default 10s */
  readonly window?: DurationInput;
  /** Calls in the window from which the rate counts. @default 5 */
  readonly minCalls?: number;
}

/** Linkerd's failure accrual. Source: annotations balancer.linkerd.io/failure-accrual. */
export interface LinkerdOutlierInput {
  /** Whose rule. */
  readonly mode: 'linkerd';
  /** Failures in a row that leave an endpoint out. @default 7 */
  readonly maxFailures?: number;
  /** First time out; doubles. @default 1s */
  readonly minPenalty?: DurationInput;
  /** Longest time out. @default 1m */
  readonly maxPenalty?: DurationInput;
  /** Added at random to each, as a share of it. @default 0.5 */
  readonly jitter?: number;
  /** Also by success rate; true: with all defaults. @default false */
  readonly unified?: boolean | LinkerdUnifiedInput;
}

/** Which endpoints are left out, for how long: our rule, or the one of another mesh. */
export type OutlierDetectionInput = InmeshOutlierInput | EnvoyOutlierInput | LinkerdOutlierInput;

/** A cookie that the key is taken from. Source: Istio HTTPCookie. */
export interface HashCookieInput {
  readonly name: string;
  /** Of the cookie that is made. @default / */
  readonly path?: string;
  /** Makes a cookie of this lifetime for a call without one; 0s: for the session. Absent: none is made. */
  readonly ttl?: DurationInput;
  /** Of the cookie that is made, such as SameSite. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Exactly one of the four. Source: Istio ConsistentHashLB. */
export interface HashKeyInput {
  readonly header?: string;
  /** The name, or the whole. */
  readonly cookie?: string | HashCookieInput;
  /** Name of a parameter of the query. */
  readonly query?: string;
  /** Address of the caller whose call is being served, else of this process. */
  readonly source?: true;
}

/** New endpoints take their share little by little. roundRobin and leastRequest only. Source: Istio `warmup`, Envoy SlowStartConfig. */
export interface SlowStartInput {
  /** How long an endpoint is new. Required. */
  readonly window?: DurationInput;
  /** Share at the start, percent. @default 10 */
  readonly minimumPercent?: number;
  /** How the share grows: above 1 fast at first. @default 1 */
  readonly aggression?: number;
}

/** Near endpoints first. Source: Istio LocalityLoadBalancerSetting. */
export interface LocalityInput {
  /** `zone`: the own zone, then all others; `priority`: sub-zone, zone, region, the rest, or as said below. @default zone: priority with distribute, failover or failoverPriority */
  readonly mode?: 'zone' | 'priority';
  /** Localities, `*` for the rest, to shares in percent that sum to 100. Not with `failover` or `failoverPriority`. */
  readonly distribute?: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  /** From a region to the one that comes next. */
  readonly failover?: readonly { readonly from: string; readonly to: string }[];
  /** Labels in order, `key` or `key=value`: who has more of them is nearer. */
  readonly failoverPriority?: readonly string[];
  /** Health times this is what a locality can take; at 1 it takes all calls. @default 1.4 */
  readonly overprovisioning?: number;
  /** Reported load of the own zone above which calls spill, above 0, at most 1. zone only. @default 0.8 */
  readonly maxLoad?: number;
  /** Whether a retry goes to another zone when there is one. @default true */
  readonly retriesLeave?: boolean;
}

/** To whom. Source: Finagle and Linkerd peak EWMA, Envoy least request, ring hash and Maglev. */
export interface LoadBalancerInput {
  /** @default peakEwma */
  readonly kind?: 'peakEwma' | 'roundRobin' | 'random' | 'leastRequest' | 'ringHash' | 'maglev';
  /** Time constant of the moving average. peakEwma only. @default 10s */
  readonly tau?: DurationInput;
  /** Latency that a failure counts as. peakEwma only. @default 1s */
  readonly failurePenalty?: DurationInput;
  /** A new endpoint starts at this multiple of the median of its peers; 0: at `seed`, as the first one. peakEwma only. @default 3 */
  readonly seedFactor?: number;
  /** Latency assumed of the first endpoint. peakEwma only. @default 30ms */
  readonly seed?: DurationInput;
  /** Up to this many endpoints all are compared; beyond, two random ones. @default 32 */
  readonly fullScanMax?: number;
  /** Endpoints compared. leastRequest only. Source: Envoy `choice_count`. @default 2 */
  readonly choices?: number;
  /** What the key is taken from: the first that the call has. ringHash and maglev need it. */
  readonly hash?: HashKeyInput | readonly HashKeyInput[];
  /** Least entries of the ring. ringHash only. @default 1024 */
  readonly minimumRingSize?: number;
  /** Most entries of the ring. ringHash only. @default 8388608 */
  readonly maximumRingSize?: number;
  /** A prime below 5000011. maglev only. @default 65537 */
  readonly tableSize?: number;
  /** @default false */
  readonly slowStart?: false | SlowStartInput;
  /** A mode, or the whole; false: localities do not matter. @default zone when `self.locality` is known, else false */
  readonly locality?: false | 'zone' | 'priority' | LocalityInput;
  /** Below this share of healthy endpoints all are used, percent; 0: only when none is healthy. Source: Envoy `healthy_panic_threshold`. @default 0 */
  readonly panicThreshold?: number;
  /** Each process uses only so many endpoints; 0: all. Source: gRFC A68. @default 0 */
  readonly subsetSize?: number;
}

/** An HTTP probe. */
export interface HttpProbeInput {
  /** @default / */
  readonly path?: string;
  /** Statuses of an endpoint that is well. @default 200-299 */
  readonly statuses?: readonly StatusRangeInput[];
  /** @default that of the endpoint */
  readonly port?: number;
}

/** A TCP probe: whether a connection can be made. */
export interface TcpProbeInput {
  /** @default that of the endpoint */
  readonly port?: number;
}

/** A probe by grpc.health.v1. */
export interface GrpcProbeInput {
  /** Name that is asked for. @default the server as a whole */
  readonly service?: string;
  /** @default that of the endpoint */
  readonly port?: number;
}

/** Asks endpoints whether they live: those without traffic, and those that are out. One probe of three. Source: Envoy HealthCheck, Kuma MeshHealthCheck. */
export interface HealthCheckInput {
  /** The path, or the whole. This is the probe when none is named, with the path /. */
  readonly http?: string | HttpProbeInput;
  readonly tcp?: true | TcpProbeInput;
  /** The name that is asked for, or the whole; true: the server as a whole. */
  readonly grpc?: string | true | GrpcProbeInput;
  /** Time between probes, drawn from half of it to one and a half. @default 10s */
  readonly interval?: DurationInput;
  /** @default 1s */
  readonly timeout?: DurationInput;
  /** Failures in a row that take an endpoint out. @default 2 */
  readonly unhealthyThreshold?: number;
  /** Successes in a row that bring it back. @default 2 */
  readonly healthyThreshold?: number;
  /** Whether endpoints that have traffic are asked too. @default false */
  readonly always?: boolean;
}
