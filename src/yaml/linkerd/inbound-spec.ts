// What Linkerd's documents about callers say, as it is written. Source: linkerd2 policy-controller/k8s/api/src/policy.
import type { LabelExpression, LinkerdDefault, NetworkRange } from '../../model/security.ts';

export const POLICY_GROUP = 'policy.linkerd.io';

export interface LabelSelectorSpec {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly (Omit<LabelExpression, 'values'> & { readonly values?: readonly string[] })[];
}

export interface ServerSpec {
  readonly podSelector?: LabelSelectorSpec;
  readonly externalWorkloadSelector?: LabelSelectorSpec;
  readonly port: number | string;
  readonly proxyProtocol?: 'unknown' | 'HTTP/1' | 'HTTP/2' | 'gRPC' | 'opaque' | 'TLS';
  readonly accessPolicy?: LinkerdDefault;
}

export interface RefSpec {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface AuthorizationPolicySpec {
  readonly targetRef: RefSpec;
  readonly requiredAuthenticationRefs: readonly RefSpec[];
}

export interface MeshTlsAuthenticationSpec {
  readonly identities?: readonly string[];
  readonly identityRefs?: readonly RefSpec[];
}

/** Holes may be left out. */
export type NetworkSpec = Pick<NetworkRange, 'cidr'> & Partial<NetworkRange>;

export interface NetworkAuthenticationSpec {
  readonly networks: readonly NetworkSpec[];
}

interface RateSpec {
  readonly requestsPerSecond: number;
}

export interface RateLimitSpec {
  readonly targetRef: RefSpec;
  readonly total?: RateSpec;
  readonly identity?: RateSpec;
  readonly overrides?: readonly (RateSpec & { readonly clientRefs: readonly RefSpec[] })[];
}

export interface ServerAuthorizationSpec {
  readonly server: { readonly name?: string; readonly selector?: LabelSelectorSpec };
  readonly client: {
    readonly networks?: readonly NetworkSpec[];
    readonly unauthenticated?: boolean;
    readonly meshTLS?: {
      readonly unauthenticatedTLS?: boolean;
      readonly identities?: readonly string[];
      readonly serviceAccounts?: readonly { readonly name: string; readonly namespace?: string }[];
    };
  };
}

/** Kinds that references name, with their groups. */
export const REF_GROUPS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  Namespace: [''],
  ServiceAccount: [''],
  Server: [POLICY_GROUP],
  MeshTLSAuthentication: [POLICY_GROUP],
  NetworkAuthentication: [POLICY_GROUP],
  HTTPRoute: [POLICY_GROUP, 'gateway.networking.k8s.io'],
  GRPCRoute: ['gateway.networking.k8s.io'],
});

/** The kind in its usual letters when it is known with that group; null otherwise. */
export function kindOf({ group = '', kind }: RefSpec): string | null {
  const plain = group.toLowerCase() === 'core' ? '' : group.toLowerCase();
  const found = Object.keys(REF_GROUPS).find((one) => one.toLowerCase() === kind.toLowerCase());
  return found !== undefined && REF_GROUPS[found]?.includes(plain) === true ? found : null;
}

export const DEFAULT_POLICIES: readonly LinkerdDefault[] = Object.freeze([
  'all-authenticated',
  'all-unauthenticated',
  'cluster-authenticated',
  'cluster-unauthenticated',
  'deny',
  'audit',
]);
