// What people write, in a file or in code: the concise form. Field names are Istio's or Gateway API's wherever the
// meaning is the same. `resolveConfig` turns it into a MeshConfig; schema.ts checks the very same form.
import type { GrpcServiceConfigInput } from './input-grpc.ts';
import type { AccessAskInput, AccessRuleInput, ExtensionProviderInput } from './input-access.ts';
import type { MatchInput } from './input-match.ts';
import type { PolicyInput, RateLimitInput, RetriesInput } from './input-policy.ts';
import type { DurationInput } from './input-scalar.ts';
import type {
  CacheInput,
  CoalesceInput,
  DirectResponseInput,
  FallbackInput,
  FaultInput,
  IdempotentInput,
  MirrorInput,
  RedirectInput,
  RewriteInput,
} from './input-traffic.ts';
import type { Criticality } from './traffic.ts';

/** Order: remove, set, add. Source: Istio Headers.HeaderOperations. */
export interface HeaderOperationsInput {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface RouteInput {
  /** Shown in telemetry and errors. @default route-1, route-2, … by place */
  readonly name?: string;
  /** One match, or a list of which one must hold. @default every call */
  readonly match?: MatchInput | readonly MatchInput[];
  /** A subset, a service, `service/subset`, or weights by such names. @default the whole service */
  readonly to?: string | Readonly<Record<string, number>>;
  /** Total time of a call; 0: none. @default that of the service */
  readonly timeout?: DurationInput;
  /** Merged over those of the service; false: no retries. */
  readonly retries?: false | RetriesInput;
  /** The same value of this header or cookie always draws the same target, while weights stand. */
  readonly sticky?: { readonly header?: string; readonly cookie?: string };
  readonly headers?: { readonly request?: HeaderOperationsInput; readonly response?: HeaderOperationsInput };
  readonly rewrite?: RewriteInput;
  readonly redirect?: RedirectInput;
  readonly directResponse?: DirectResponseInput;
  readonly fault?: FaultInput;
  /** A subset, a service, `service/subset`, the whole, or several of these. */
  readonly mirror?: string | MirrorInput | readonly (string | MirrorInput)[];
  /** A bucket of this route, beside that of the service. */
  readonly rateLimit?: RateLimitInput;
  /** Calls of this route may be repeated whatever their method; with `extraLoad` late ones are sent twice. @default false */
  readonly idempotent?: boolean | IdempotentInput;
  /** true: with all defaults. @default false */
  readonly cache?: boolean | CacheInput;
  /** true: with all defaults. @default false */
  readonly coalesce?: boolean | CoalesceInput;
  readonly fallback?: FallbackInput;
  /** How much a call matters that does not say: the lowest is dropped first. @default critical */
  readonly criticality?: Criticality;
}

export interface EndpointInput {
  /** `host:port`, `[ipv6]:port`. */
  readonly address: string;
  /** What subsets choose by. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** `region/zone/subzone`, from the left. @default empty */
  readonly locality?: string;
  /** Relative share, above 0. @default 1 */
  readonly weight?: number;
  /** Lower ones are used first; the rest when those are not well. 0 to 127. Source: Envoy LocalityLbEndpoints. @default 0 */
  readonly priority?: number;
}

export interface DnsInput {
  readonly host: string;
  /** Required unless `record` is SRV, whose answers name the port. */
  readonly port?: number;
  /** @default any: A and AAAA, and SRV where there is one */
  readonly record?: 'A' | 'AAAA' | 'SRV' | 'any';
}

/** One service. Exactly one of `endpoints`, `endpointsFile` and `dns` says who answers for it. */
export interface ServiceInput extends PolicyInput {
  /** More host names that mean this service, without port. Its own name always does. */
  readonly hosts?: readonly string[];
  /** Fixed addresses; a plain string is `host:port`. Empty for a service that only `mesh.call` uses. */
  readonly endpoints?: readonly (string | EndpointInput)[];
  /** Path of a YAML or JSON file with a list of the same form, watched. Relative to the file it stands in. */
  readonly endpointsFile?: string;
  /** `host:port`, or the whole. Resolved again by its TTL. */
  readonly dns?: string | DnsInput;
  /** Subset name → labels that an endpoint must carry. */
  readonly subsets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** In order; the first that matches wins. What none matches goes to the whole service. */
  readonly routes?: readonly RouteInput[];
  /** Instead of `routes`: a gRPC service config, or the path of a JSON or YAML file that holds one, watched. Source: gRFC A6. */
  readonly grpcServiceConfig?: string | GrpcServiceConfigInput;
}

/** Who this process is. */
export interface SelfInput {
  readonly service?: string;
  /** @default default */
  readonly namespace?: string;
  /** @default default */
  readonly serviceAccount?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** `region/zone/subzone`. */
  readonly locality?: string;
}

/** Certificate of this process: files, PEM text, a folder, or a SPIFFE agent. Paths are relative to the file they stand in. Rotated while it runs. */
export interface IdentityInput {
  /** Chain, leaf first: PEM text or path. */
  readonly cert?: string;
  readonly key?: string;
  /** Roots of our own trust domain: PEM text or path. @default none, when `bundleMap` or `bundles` has them */
  readonly ca?: string;
  /** Instead of the three: a folder that cert-manager, its CSI driver, Istio's agent or spiffe-helper fills. */
  readonly directory?: string;
  /** Instead of the three: a SPIFFE agent, `unix:///path/to/agent.sock` or `tcp://IP:port`. */
  readonly spiffe?: string;
  /** Instead of the three: the program hands it in, `createMesh({ identity })`. */
  readonly external?: true;
  /** Which of several identities of the agent. @default the first */
  readonly hint?: string;
  /** Roots of other trust domains by name: PEM text or paths. */
  readonly bundles?: Readonly<Record<string, string>>;
  /** SPIFFE bundle map, a JSON file. Source: gRFC A87. */
  readonly bundleMap?: string;
  /** Lists of revoked certificates: PEM text or path. */
  readonly crl?: string;
  /** Trust domain of the roots, where the certificate has no SPIFFE ID. */
  readonly trustDomain?: string;
  /** Other names of our own trust domain. Source: Istio `trustDomainAliases`. */
  readonly trustDomainAliases?: readonly string[];
}

/** How much a server of this process takes on at once; what is beyond is answered 503 with Retry-After before any work. Source: Netflix concurrency-limits AIMD. */
export interface AdmissionInput {
  /** The limit never falls below. @default 4 */
  readonly minLimit?: number;
  /** @default 1000 */
  readonly maxLimit?: number;
  /** The limit at start. @default 100 */
  readonly initialLimit?: number;
  /** Factor when overloaded, between 0 and 1. @default 0.9 */
  readonly decrease?: number;
  /** Event-loop delay, 99th percentile, above which the limit falls; 0s switches the detector off. @default 50ms */
  readonly eventLoopDelay?: DurationInput;
  /** The limit falls while latency exceeds this many times its baseline; 0 switches the detector off. @default 4.5 */
  readonly latencyFactor?: number;
  /** Share of the limit up to which sheddable calls and retries are admitted, above 0, at most 1. @default 0.8 */
  readonly sheddableShare?: number;
  /** What Retry-After says. @default 1s */
  readonly retryAfter?: DurationInput;
}

/** What a server bears with; 0 means none. Times are durations. */
export interface ServerLimitsInput {
  /** Open sockets of one server. @default 10000 */
  readonly maxConnections?: number;
  /** Open sockets from one address. @default 0 */
  readonly maxConnectionsPerAddress?: number;
  /** Calls being served at once. @default 0 */
  readonly maxRequests?: number;
  /** Until the first bytes of a connection. @default 1s */
  readonly firstByteTimeout?: DurationInput;
  /** For the TLS handshake. @default 10s */
  readonly handshakeTimeout?: DurationInput;
  /** For the head of an HTTP/1 request. @default 10s */
  readonly headersTimeout?: DurationInput;
  /** For a whole HTTP/1 request with its body. @default 5m */
  readonly requestTimeout?: DurationInput;
  /** HTTP/2 connections on which nothing moves. @default 5m */
  readonly idleTimeout?: DurationInput;
  /** All headers of one request, bytes. @default 16384 */
  readonly maxHeaderBytes?: number;
  /** TLS connections end gracefully after this time ± 10 %. @default 10m */
  readonly maxConnectionAge?: DurationInput;
  /** HTTP/2 streams at once on one connection. @default 100 */
  readonly maxStreams?: number;
  /** Streams that a caller may reset at once. @default 100 */
  readonly streamResetBurst?: number;
  /** And per second from then on. @default 10 */
  readonly streamResetRate?: number;
  /** PING and SETTINGS frames at once. @default 100 */
  readonly controlFrameBurst?: number;
  /** And per second from then on. @default 10 */
  readonly controlFrameRate?: number;
}

/** What servers of this process accept. */
export interface InboundInput {
  /** Which connections. Source: Istio PeerAuthentication. @default permissive with an identity, disable without */
  readonly mtls?: 'strict' | 'permissive' | 'disable';
  /** false: everything is taken; true: with all defaults. @default true */
  readonly admission?: boolean | AdmissionInput;
  /** Fixed limits, and how long a caller may take for each step. */
  readonly limits?: ServerLimitsInput;
  /** Oldest TLS that is spoken. @default 1.3 */
  readonly minTls?: '1.2' | '1.3';
  /** Callers whose identity headers are kept: SPIFFE IDs, addresses, ranges. @default nobody */
  readonly trustedProxies?: readonly string[];
  /** Whether the handler gets `x-forwarded-client-cert`, made from the certificate of the connection. @default false */
  readonly forwardClientCert?: boolean;
  /** Who may call; as soon as it is there, nobody else may. An empty list lets nobody in. */
  readonly allow?: readonly AccessRuleInput[];
  /** Who may not call, whatever `allow` says. */
  readonly deny?: readonly AccessRuleInput[];
  /** Calls that an external authorizer decides about first. */
  readonly ask?: readonly AccessAskInput[];
  /** External authorizers, for `ask` and for policies with the action CUSTOM. */
  readonly extensionProviders?: readonly ExtensionProviderInput[];
}

/** What is told of calls. */
export interface TelemetryInput {
  /** Whether gRPC calls are counted under gRPC's own names (`grpc.client.attempt.duration` …) beside those of OpenTelemetry. Source: gRFC A66, A96. @default false */
  readonly grpcMetrics?: boolean;
}

/** The whole configuration. */
export interface MeshInput {
  readonly self?: SelfInput;
  readonly identity?: IdentityInput;
  /** Policies of every service that does not say otherwise. */
  readonly defaults?: PolicyInput;
  /** What becomes of a call to a host that no service names. @default pass */
  readonly unknownHosts?: 'pass' | 'refuse';
  /** Whether a refusal rejects, or is the answer that a sidecar would give. @default throw */
  readonly failures?: 'throw' | 'respond';
  /** By name. The name is a host name of the service. */
  readonly services?: Readonly<Record<string, ServiceInput>>;
  /** What servers of this process accept. */
  readonly inbound?: InboundInput;
  /** What is told of calls. */
  readonly telemetry?: TelemetryInput;
}
