// What HTTPRoute and GRPCRoute say, as it is written. Source: kubernetes-sigs/gateway-api apis/v1, httproute_types.go,
// grpcroute_types.go, shared_types.go.

export interface ParentRefSpec {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface BackendObjectSpec {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}

export interface BackendRefSpec extends BackendObjectSpec {
  readonly weight?: number;
  readonly filters?: readonly FilterSpec[];
}

export interface HeaderSpec {
  readonly name: string;
  readonly value: string;
}

export interface HeaderModifierSpec {
  readonly set?: readonly HeaderSpec[];
  readonly add?: readonly HeaderSpec[];
  readonly remove?: readonly string[];
}

export interface PathModifierSpec {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}

export interface RedirectSpec {
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  readonly path?: PathModifierSpec;
  readonly port?: number;
  readonly statusCode?: number;
}

export interface UrlRewriteSpec {
  readonly hostname?: string;
  readonly path?: PathModifierSpec;
}

export interface MirrorSpec {
  readonly backendRef: BackendObjectSpec;
  readonly percent?: number;
  readonly fraction?: { readonly numerator: number; readonly denominator?: number };
}

export interface CorsSpec {
  readonly allowOrigins?: readonly string[];
  readonly allowCredentials?: boolean;
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAge?: number;
}

export type FilterType =
  | 'RequestHeaderModifier'
  | 'ResponseHeaderModifier'
  | 'RequestMirror'
  | 'RequestRedirect'
  | 'URLRewrite'
  | 'CORS'
  | 'ExternalAuth'
  | 'ExtensionRef';

export interface FilterSpec {
  readonly type: FilterType;
  readonly requestHeaderModifier?: HeaderModifierSpec;
  readonly responseHeaderModifier?: HeaderModifierSpec;
  readonly requestMirror?: MirrorSpec;
  readonly requestRedirect?: RedirectSpec;
  readonly urlRewrite?: UrlRewriteSpec;
  readonly cors?: CorsSpec;
  readonly externalAuth?: unknown;
  readonly extensionRef?: { readonly group: string; readonly kind: string; readonly name: string };
}

/** Of a header or of a query parameter. */
export interface ValueMatchSpec {
  readonly type?: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}

export interface HttpMatchSpec {
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value?: string };
  readonly headers?: readonly ValueMatchSpec[];
  readonly queryParams?: readonly ValueMatchSpec[];
  readonly method?: string;
}

export interface GrpcMatchSpec {
  readonly method?: { readonly type?: 'Exact' | 'RegularExpression'; readonly service?: string; readonly method?: string };
  readonly headers?: readonly ValueMatchSpec[];
}

export interface TimeoutsSpec {
  readonly request?: string;
  readonly backendRequest?: string;
}

export interface RetrySpec {
  readonly codes?: readonly number[];
  readonly attempts?: number;
  readonly backoff?: string;
}

export interface SessionPersistenceSpec {
  readonly type?: 'Cookie' | 'Header';
  readonly sessionName?: string;
  readonly absoluteTimeout?: string;
  readonly idleTimeout?: string;
  readonly cookie?: { readonly name?: string; readonly path?: string; readonly lifetimeType?: 'Permanent' | 'Session' };
  readonly cookieConfig?: { readonly lifetimeType?: 'Permanent' | 'Session' };
  readonly header?: { readonly name: string };
}

/** What rules of both kinds have. */
export interface RuleSpec {
  readonly name?: string;
  readonly filters?: readonly FilterSpec[];
  readonly backendRefs?: readonly BackendRefSpec[];
  readonly timeouts?: TimeoutsSpec;
  readonly retry?: RetrySpec;
  readonly sessionPersistence?: SessionPersistenceSpec;
}

export interface HttpRuleSpec extends RuleSpec {
  readonly matches?: readonly HttpMatchSpec[];
}

export interface GrpcRuleSpec extends RuleSpec {
  readonly matches?: readonly GrpcMatchSpec[];
}

export interface RouteSpec<Rule extends RuleSpec = RuleSpec> {
  readonly parentRefs?: readonly ParentRefSpec[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly useDefaultGateways?: 'All' | 'None';
}

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
export const EXPERIMENTAL_GROUP = 'gateway.networking.x-k8s.io';
