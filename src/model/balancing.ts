// To whom, beyond the plain choice: hash keys, localities and priorities, slow start, health checks, and the ejection
// rules of other meshes. Pure data. Percent is 0 to 100, times are ms.

/** One part of the key; the first that the call has decides, as Envoy's terminal hash policies. Source: Istio ConsistentHashLB. */
export type HashKey =
  | { readonly header: string }
  | {
      readonly cookie: string;
      readonly path: string;
      /** Lifetime of a cookie made for a call without one, ms; 0: for the session; null: none is made. */
      readonly ttlMs: number | null;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly query: string }
  /** Address of the caller whose call is being served, else of this process. */
  | { readonly source: true };

/** For `ringHash` and `maglev`. A call without a key goes anywhere. Source: Envoy RingHashLbConfig, MaglevLbConfig. */
export interface HashPolicy {
  readonly keys: readonly HashKey[];
  /** Least entries of the ring. @default 1024 */
  readonly ringSizeMin: number;
  /** Most entries of the ring. @default 8388608 */
  readonly ringSizeMax: number;
  /** Prime, below 5000011. @default 65537 */
  readonly maglevTableSize: number;
  /** Whether a retry may go to the endpoint that failed, since the key leads there. Source: Istio, which leaves out its previous-hosts predicate. @default false */
  readonly retriesStay?: true;
}

export const HASH_DEFAULTS: Omit<HashPolicy, 'keys'> = Object.freeze({
  ringSizeMin: 1_024,
  ringSizeMax: 8_388_608,
  maglevTableSize: 65_537,
});

/** A new endpoint is given weight · max(minPercent, (age / window)^(1 / aggression)). roundRobin and leastRequest; peakEwma has its seed. Source: Envoy SlowStartConfig. */
export interface SlowStartPolicy {
  readonly windowMs: number;
  /** @default 10 */
  readonly minPercent: number;
  /** @default 1 */
  readonly aggression: number;
}

/**
 * Near endpoints first. Source: Istio LocalityLoadBalancerSetting, Envoy priorities; the rules for probation, empty pools and retries are ours.
 * `zone`: those of the own zone take all calls while their health × overprovisioning reaches 100 %, the rest spills to all others.
 * `priority`: Envoy's: sub-zone, zone, region, the rest; or `failoverPriority`, `failover`, `distribute`.
 */
export interface LocalityPolicy {
  /** @default zone, when `self.locality` is known; priority for Istio's resources */
  readonly mode: 'zone' | 'priority';
  /** @default 1.4 */
  readonly overprovisioning: number;
  /** The own zone's reported load above which calls spill, 0 to 1. `zone` only. @default 0.8 */
  readonly loadMax: number;
  /** Whether a retry goes to another zone when there is one. @default true */
  readonly retriesLeave: boolean;
  /** From a locality (`region/zone/subzone`, `*` for the rest) to shares in percent that sum to 100. The first that fits. */
  readonly distribute: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  /** From a region to the region that comes next. */
  readonly failover: readonly { readonly from: string; readonly to: string }[];
  /** Label keys, or `key=value`: the priority of an endpoint is the number of these that it misses from the first mismatch on. */
  readonly failoverPriority: readonly string[];
}

export const LOCALITY_DEFAULTS: LocalityPolicy = Object.freeze({
  mode: 'zone',
  overprovisioning: 1.4,
  loadMax: 0.8,
  retriesLeave: true,
  distribute: Object.freeze([]),
  failover: Object.freeze([]),
  failoverPriority: Object.freeze([]),
});

/** Asks endpoints whether they live, when no call tells it: idle ones and ejected ones. Source: Envoy HealthCheck, Kuma MeshHealthCheck. */
export interface HealthCheckPolicy {
  readonly kind: 'http' | 'tcp' | 'grpc';
  /** http only. @default / */
  readonly path: string;
  /** http only. @default 200 to 299 */
  readonly statuses: readonly (readonly [from: number, to: number])[];
  /** grpc only: name asked of grpc.health.v1; empty: the server as a whole. @default empty */
  readonly service: string;
  /** 0: that of the endpoint. @default 0 */
  readonly port: number;
  /** Each pause is drawn from interval · (1 ± 0.5). @default 10000 */
  readonly intervalMs: number;
  /** @default 1000 */
  readonly timeoutMs: number;
  /** Failures in a row that take an endpoint out. @default 2 */
  readonly unhealthyThreshold: number;
  /** Successes in a row that bring it back. @default 2 */
  readonly healthyThreshold: number;
  /** Whether endpoints that have traffic are asked too. @default false */
  readonly always: boolean;
}

export const HEALTH_CHECK_DEFAULTS: HealthCheckPolicy = Object.freeze({
  kind: 'http',
  path: '/',
  statuses: Object.freeze([Object.freeze([200, 299] as const)]),
  service: '',
  port: 0,
  intervalMs: 10_000,
  timeoutMs: 1_000,
  unhealthyThreshold: 2,
  healthyThreshold: 2,
  always: false,
});

/** Envoy's outlier detection, to the letter. 0 or null switches a detector off. Source: outlier_detection.proto, outlier_detection_impl.cc; gRFC A50. */
export interface EnvoyOutlierPolicy {
  readonly kind: 'envoy';
  /** @default 5 */
  readonly consecutive5xx: number;
  /** 502, 503, 504. @default 0 */
  readonly consecutiveGatewayErrors: number;
  /** Only with `splitLocalOrigin`. @default 5 */
  readonly consecutiveLocalOriginErrors: number;
  /** Without: connect failure counts as 503, local timeout as 504, other failures as 500. @default false */
  readonly splitLocalOrigin: boolean;
  /** Statuses that count as errors instead of 5xx. @default null */
  readonly errorStatuses: readonly (readonly [from: number, to: number])[] | null;
  /** Time between sweeps; an ejection ends at a sweep. @default 10000 */
  readonly intervalMs: number;
  /** @default 30000 */
  readonly baseEjectionMs: number;
  /** @default 300000 */
  readonly maxEjectionMs: number;
  /** @default 0 */
  readonly jitterMs: number;
  /** @default 10 */
  readonly maxEjectionPercent: number;
  /** @default false */
  readonly alwaysEjectOne: boolean;
  /** `after`: one more must still fit (Envoy). `before`: what is out already must fit, so one always can be (gRPC). @default after */
  readonly capCheck: 'after' | 'before';
  /** Rate below mean - factor · standard deviation. @default null; Envoy 5 hosts, 100 calls, factor 1.9 */
  readonly successRate: { readonly hostsMin: number; readonly callsMin: number; readonly factor: number } | null;
  /** @default null; Envoy threshold 85, 5 hosts, 50 calls */
  readonly failurePercentage: { readonly threshold: number; readonly hostsMin: number; readonly callsMin: number } | null;
}

export const ENVOY_OUTLIER_DEFAULTS: EnvoyOutlierPolicy = Object.freeze({
  kind: 'envoy',
  consecutive5xx: 5,
  consecutiveGatewayErrors: 0,
  consecutiveLocalOriginErrors: 5,
  splitLocalOrigin: false,
  errorStatuses: null,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  jitterMs: 0,
  maxEjectionPercent: 10,
  alwaysEjectOne: false,
  capCheck: 'after',
  successRate: null,
  failurePercentage: null,
});

/** Linkerd's failure accrual: a run of failures opens, one probe after the penalty decides. Never all the way to panic. Source: balancer.linkerd.io annotations. */
export interface LinkerdOutlierPolicy {
  readonly kind: 'linkerd';
  /** @default 7 */
  readonly failuresMax: number;
  /** @default 1000 */
  readonly penaltyMinMs: number;
  /** @default 60000 */
  readonly penaltyMaxMs: number;
  /** @default 0.5 */
  readonly jitter: number;
  /** `unified` mode: also a success rate below `threshold` over `windowMs`, from `callsMin` calls on; 429 counts. @default null; Linkerd 0.8, 10 s, 5 */
  readonly successRate: { readonly threshold: number; readonly windowMs: number; readonly callsMin: number } | null;
}

export const LINKERD_OUTLIER_DEFAULTS: LinkerdOutlierPolicy = Object.freeze({
  kind: 'linkerd',
  failuresMax: 7,
  penaltyMinMs: 1_000,
  penaltyMaxMs: 60_000,
  jitter: 0.5,
  successRate: null,
});
