// The whole of what is wanted: every default filled in, every duration in ms. The loader makes it, compile reads it,
// nobody changes it. Pure data.
import type { EnvoyOutlierPolicy, HealthCheckPolicy, LinkerdOutlierPolicy } from './balancing.ts';
import type {
  BalancerPolicy,
  BreakerPolicy,
  ConnectionPolicy,
  EndpointSourceConfig,
  LimitsPolicy,
  OutlierPolicy,
  RetryPolicy,
  ThrottlePolicy,
  TlsPolicy,
} from './destination.ts';
import type { InboundConfig } from './inbound.ts';
import type { RetryBudgetPolicy } from './retry-budget.ts';
import type { Dialect, HeaderOperations, RouteMatch, RouteTarget, SourcePosition, StickyPolicy } from './route.ts';
import type { TelemetryConfig } from './telemetry.ts';
import type {
  CachePolicy,
  CoalescePolicy,
  DirectResponsePolicy,
  FallbackPolicy,
  FaultPolicy,
  HedgePolicy,
  MirrorPolicy,
  RateLimitPolicy,
  RedirectPolicy,
  RewritePolicy,
} from './traffic.ts';

/** One ordered rule. `timeoutMs`, `retries` absent: those of the service. */
export interface RouteConfig {
  readonly name: string;
  readonly dialect: Dialect;
  /** OR of matches; empty matches every call. */
  readonly matches: readonly RouteMatch[];
  readonly targets: readonly RouteTarget[];
  readonly timeoutMs?: number;
  readonly retries?: RetryPolicy;
  /** Time of one attempt until its response head, ms, in place of that of the retries; 0: none. Source: Gateway API `timeouts.backendRequest` without `retry`. @default that of the retries */
  readonly perTryTimeoutMs?: number;
  readonly sticky?: StickyPolicy;
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
  readonly fault?: FaultPolicy;
  /** Empty: none. */
  readonly mirrors: readonly MirrorPolicy[];
  readonly rewrite?: RewritePolicy;
  /** With one of these two the targets are idle: no endpoint is asked. */
  readonly redirect?: RedirectPolicy;
  readonly directResponse?: DirectResponsePolicy;
  readonly rateLimit?: RateLimitPolicy;
  /** Calls of this route may be repeated whatever their method. @default false */
  readonly idempotent: boolean;
  readonly hedge?: HedgePolicy;
  readonly cache?: CachePolicy;
  readonly coalesce?: CoalescePolicy;
  readonly fallback?: FallbackPolicy;
  /** Index into CRITICALITIES, for calls that do not say. */
  readonly criticality?: number;
  readonly source?: SourcePosition;
  /** Where single fields were written, by their names here; for rules that come from resources of other meshes. */
  readonly sources?: Readonly<Record<string, SourcePosition>>;
}

export interface ServiceConfig {
  readonly name: string;
  /** Host names that mean this service, in lower case, the name itself included; any port. */
  readonly hosts: readonly string[];
  readonly endpoints: EndpointSourceConfig;
  /** HTTP version spoken to the endpoints. @default http1 */
  readonly protocol: 'http1' | 'http2';
  readonly tls: TlsPolicy;
  /** Total time of a call, retries and body included, ms; 0: none. @default 30000 */
  readonly timeoutMs: number;
  readonly retries: RetryPolicy;
  readonly retryBudget: RetryBudgetPolicy;
  /** null: no circuit breaker. */
  readonly circuitBreaker: BreakerPolicy | null;
  /** null: no ejection. */
  readonly outlierDetection: OutlierPolicy | EnvoyOutlierPolicy | LinkerdOutlierPolicy | null;
  /** null: nobody asks. @default null */
  readonly healthCheck: HealthCheckPolicy | null;
  readonly loadBalancer: BalancerPolicy;
  readonly limits: LimitsPolicy;
  /** Absent: all left to the transport. */
  readonly connections?: ConnectionPolicy;
  /** null: none. @default null */
  readonly throttle: ThrottlePolicy | null;
  /** Of all calls to the service; a route may have one of its own. */
  readonly rateLimit?: RateLimitPolicy;
  /** Subset name → labels that an endpoint must carry. */
  readonly subsets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Ordered; the loader appends a rule that matches everything. */
  readonly routes: readonly RouteConfig[];
  readonly source?: SourcePosition;
  /** Where single fields were written, by their names here; for what comes from resources of other meshes. */
  readonly sources?: Readonly<Record<string, SourcePosition>>;
}

/** Who this process is. */
export interface SelfConfig {
  readonly service: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
}

/** Certificate files or PEM text of this process. */
export interface IdentityConfig {
  /** PEM text or paths; watched. Absent: `directory` or `spiffe` say where they are. */
  readonly cert?: string;
  readonly key?: string;
  /** Roots of our own trust domain. Absent: `bundleMap` or `bundles` have them. */
  readonly ca?: string;
  /** Folder that cert-manager, its CSI driver, Istio's agent or spiffe-helper fills. */
  readonly directory?: string;
  /** Address of a SPIFFE agent: `unix:///path` or `tcp://IP:port`. */
  readonly spiffe?: string;
  /** The program hands it in: `createMesh({ identity })`. */
  readonly external?: true;
  /** Which of several identities of the agent. Absent: the first. */
  readonly hint?: string;
  /** Roots of other trust domains, PEM text or paths. */
  readonly bundles?: Readonly<Record<string, string>>;
  /** File with roots by trust domain, JSON. Source: gRFC A87 `spiffe_trust_bundle_map_file`. */
  readonly bundleMap?: string;
  /** Lists of revoked certificates, PEM text or path. */
  readonly crl?: string;
  /** Trust domain of the roots, where the certificate has no SPIFFE ID. */
  readonly trustDomain?: string;
  /** Other names of our own trust domain. Source: Istio `meshConfig.trustDomainAliases`. */
  readonly trustDomainAliases?: readonly string[];
}

export interface MeshConfig {
  readonly self: SelfConfig;
  readonly identity: IdentityConfig | null;
  /** What becomes of a call to a host that no service names. @default pass */
  readonly unknownHosts: 'pass' | 'refuse';
  /** Hosts that pass although no service names them, whatever `unknownHosts` says: `host`, `host:port`, `*.suffix`, `*.suffix:port`. Absent: none. Source: Istio ServiceEntry, resolution NONE. */
  readonly passHosts?: readonly string[];
  /** Whether a refusal rejects, or is the answer that a sidecar would give. @default throw */
  readonly failures: 'throw' | 'respond';
  readonly services: Readonly<Record<string, ServiceConfig>>;
  /** What a name without an entry gets in `mesh.call`: all defaults, no endpoints. Its own name is ''. */
  readonly unnamed: ServiceConfig;
  /** What this process accepts. Read and kept here, enforced by inmesh/server. */
  readonly inbound: InboundConfig;
  /** What is recorded of calls; absent: what OpenTelemetry's own settings say. */
  readonly telemetry?: TelemetryConfig;
  /** Whether gRPC calls are counted under gRPC's own names (gRFC A66, A96), too. @default false */
  readonly grpcMetrics?: boolean;
}

/** Total time of a call when neither the service nor the route says otherwise, ms. */
export const TIMEOUT_MS_DEFAULT = 30_000;

export const SELF_DEFAULTS: SelfConfig = Object.freeze({
  service: '',
  namespace: 'default',
  serviceAccount: 'default',
  labels: Object.freeze({}),
  locality: '',
});
