// What this process accepts as a server. Pure data; inbound/ and inmesh/server obey it.
import type { ExtensionProvider } from './extension-provider.ts';
import type { SecurityPolicy } from './security.ts';
import type { ServerLimits } from './server-limits.ts';

/** How much a server takes on at once; what is beyond is answered 503 with Retry-After before any work. Source: resilience notes §1.10 and §1.12. */
export interface AdmissionPolicy {
  /** The limit never falls below. @default 4 */
  readonly limitMin: number;
  /** @default 1000 */
  readonly limitMax: number;
  /** The limit at start. @default 100 */
  readonly limitInitial: number;
  /** Factor when overloaded, once per window. @default 0.9 */
  readonly decrease: number;
  /** Event-loop delay, 99th percentile over a window, above which the limit falls, ms. 0 switches the detector off. @default 50 */
  readonly eventLoopDelayMs: number;
  /** The limit falls while latency exceeds this many times its baseline. 0 switches the detector off. @default 4.5 */
  readonly latencyFactor: number;
  /** Share of the limit up to which sheddable calls and retries are admitted. @default 0.8 */
  readonly sheddableShare: number;
  /** What Retry-After says, ms. @default 1000 */
  readonly retryAfterMs: number;
}

export const ADMISSION_DEFAULTS: AdmissionPolicy = Object.freeze({
  limitMin: 4,
  limitMax: 1_000,
  limitInitial: 100,
  decrease: 0.9,
  eventLoopDelayMs: 50,
  latencyFactor: 4.5,
  sheddableShare: 0.8,
  retryAfterMs: 1_000,
});

export interface InboundConfig {
  /** Which connections are accepted. Source: Istio PeerAuthentication. @default permissive with an identity, disable without */
  readonly mtls: 'strict' | 'permissive' | 'disable';
  /** null: everything is taken. @default on, with all defaults */
  readonly admission: AdmissionPolicy | null;
  /** Fixed limits beside those that are learnt. Absent, or where a field is absent: SERVER_LIMITS_DEFAULTS. Source: Istio Sidecar `inboundConnectionPool`. */
  readonly limits?: Partial<ServerLimits>;
  /** Oldest TLS that is spoken. 1.2 for callers that come through an Envoy which is set so. @default 1.3 */
  readonly minTls?: '1.2' | '1.3';
  /** Callers whose identity headers are kept: SPIFFE IDs (exact), addresses and ranges. @default nobody */
  readonly trustedProxies?: readonly string[];
  /** Whether the handler gets `x-forwarded-client-cert`, made from the certificate of the connection. Source: Envoy SANITIZE_SET. @default false */
  readonly forwardClientCert?: boolean;
  /** Whom it lets in, by the documents of other meshes; those about other workloads are among them. Absent: nobody has said anything. */
  readonly policies?: readonly SecurityPolicy[];
  /** External authorizers, by the names that policies with the action CUSTOM give them. Absent: none. */
  readonly extensionProviders?: readonly ExtensionProvider[];
}
