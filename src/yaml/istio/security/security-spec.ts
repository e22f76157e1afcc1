// What the security documents of Istio say, as it is written. Source: istio/api security/v1beta1/*.proto.

export interface SelectorSpec {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

export interface TargetRefSpec {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** How a policy says which workloads it is about. */
export interface ScopeSpec {
  readonly selector?: SelectorSpec;
  readonly targetRef?: TargetRefSpec;
  readonly targetRefs?: readonly TargetRefSpec[];
}

/** Lists by the names that they have in the document, `not…` included. */
export type ListsSpec = Readonly<Record<string, readonly string[] | undefined>>;

export interface ConditionSpec {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

export interface AuthorizationRuleSpec {
  readonly from?: readonly { readonly source?: ListsSpec }[];
  readonly to?: readonly { readonly operation?: ListsSpec }[];
  readonly when?: readonly ConditionSpec[];
}

export interface AuthorizationPolicySpec extends ScopeSpec {
  readonly action?: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  readonly provider?: { readonly name?: string };
  readonly rules?: readonly AuthorizationRuleSpec[];
}

export type ModeSpec = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';

export interface PeerAuthenticationSpec {
  readonly selector?: SelectorSpec;
  readonly mtls?: { readonly mode?: ModeSpec };
  readonly portLevelMtls?: Readonly<Record<string, { readonly mode?: ModeSpec }>>;
}

export interface JwtRuleSpec {
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  readonly jwks?: string;
  readonly jwksUri?: string;
  readonly jwks_uri?: string;
  readonly timeout?: string;
  readonly fromHeaders?: readonly { readonly name: string; readonly prefix?: string }[];
  readonly fromParams?: readonly string[];
  readonly fromCookies?: readonly string[];
  readonly forwardOriginalToken?: boolean;
  readonly outputPayloadToHeader?: string;
  readonly outputClaimToHeaders?: readonly { readonly header: string; readonly claim: string }[];
  readonly spaceDelimitedClaims?: readonly string[];
  readonly presence?: 'OPTIONAL' | 'REQUIRED';
}

export interface RequestAuthenticationSpec extends ScopeSpec {
  readonly jwtRules?: readonly JwtRuleSpec[];
}

/** Lists of a source: name in the document and in the model. */
export const SOURCE_LISTS = [
  'principals',
  'requestPrincipals',
  'namespaces',
  'serviceAccounts',
  'trustDomains',
  'ipBlocks',
  'remoteIpBlocks',
] as const;
export const OPERATION_LISTS = ['hosts', 'ports', 'methods', 'paths'] as const;

/** `principals` → `notPrincipals`. */
export function notName(name: string): string {
  return `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
