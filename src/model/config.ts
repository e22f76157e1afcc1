// The whole of what is wanted: every default filled in, every duration in ms. The loader makes it, compile reads it,
// nobody changes it. Pure data.
import type {
  BalancerPolicy,
  BreakerPolicy,
  BudgetPolicy,
  EndpointSourceConfig,
  LimitsPolicy,
  OutlierPolicy,
  RetryPolicy,
  TlsPolicy,
} from './destination.ts';
import type { Dialect, HeaderOperations, RouteMatch, RouteTarget, SourcePosition, StickyPolicy } from './route.ts';

/** One ordered rule. `timeoutMs`, `retries` absent: those of the service. */
export interface RouteConfig {
  readonly name: string;
  readonly dialect: Dialect;
  /** OR of matches; empty matches every call. */
  readonly matches: readonly RouteMatch[];
  readonly targets: readonly RouteTarget[];
  readonly timeoutMs?: number;
  readonly retries?: RetryPolicy;
  readonly sticky?: StickyPolicy;
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
  readonly source?: SourcePosition;
}

export interface ServiceConfig {
  readonly name: string;
  /** Host names that mean this service, in lower case, the name itself included; any port. */
  readonly hosts: readonly string[];
  readonly endpoints: EndpointSourceConfig;
  /** HTTP version spoken to the endpoints. @default http1 */
  readonly protocol: 'http1' | 'http2';
  readonly tls: TlsPolicy;
  /** Total time of a call, retries and body included, ms. @default 30000 */
  readonly timeoutMs: number;
  readonly retries: RetryPolicy;
  readonly retryBudget: BudgetPolicy;
  /** null: no circuit breaker. */
  readonly circuitBreaker: BreakerPolicy | null;
  /** null: no ejection. */
  readonly outlierDetection: OutlierPolicy | null;
  readonly loadBalancer: BalancerPolicy;
  readonly limits: LimitsPolicy;
  /** Subset name → labels that an endpoint must carry. */
  readonly subsets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Ordered; the loader appends a rule that matches everything. */
  readonly routes: readonly RouteConfig[];
  readonly source?: SourcePosition;
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
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface MeshConfig {
  readonly self: SelfConfig;
  readonly identity: IdentityConfig | null;
  /** What becomes of a call to a host that no service names. @default pass */
  readonly unknownHosts: 'pass' | 'refuse';
  /** Whether a refusal rejects, or is the answer that a sidecar would give. @default throw */
  readonly failures: 'throw' | 'respond';
  readonly services: Readonly<Record<string, ServiceConfig>>;
  /** What a name without an entry gets in `mesh.call`: all defaults, no endpoints. Its own name is ''. */
  readonly unnamed: ServiceConfig;
  /** What this process accepts. Read and kept here, enforced by inmesh/server. */
  readonly inbound: { readonly mtls: 'strict' | 'permissive' | 'disable' };
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
