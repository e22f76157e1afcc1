// Whom this process lets in, as the documents of a mesh say it: what enforcement obeys and `explain` shows. Each policy keeps
// its dialect, and is obeyed by the rules of that mesh; what it refers to has been looked up. Pure data.
import type { Dialect, RouteMatch, SourcePosition } from './route.ts';

/** What every policy has. */
export interface PolicyHead {
  readonly dialect: Dialect;
  readonly name: string;
  readonly namespace: string;
  /** ms since the epoch, 0 when unknown. Where only one may hold, the oldest does. */
  readonly createdAtMs: number;
  /** Where its name was written. */
  readonly source: SourcePosition;
}

/** One condition on the labels of a workload. Source: Kubernetes LabelSelectorRequirement. */
export interface LabelExpression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** Empty for the last two. */
  readonly values: readonly string[];
}

/** The workloads that a policy is about: all that is named must hold. */
export interface WorkloadScope {
  /** Empty: every namespace. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly expressions: readonly LabelExpression[];
  /** Of the same namespace; the workload must be of one of them. Absent: it need not. Source: Istio targetRefs. */
  readonly services?: readonly string[];
}

/** Any of `values`, none of `notValues`; an empty list asks for nothing. */
export interface ValueMatch {
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** All that is named must hold. Values: exact, `abc*`, `*abc`, or `*` for whatever is there. Source: Istio Source. */
export interface SourceMatch {
  readonly principals?: ValueMatch;
  /** `issuer/subject`. */
  readonly requestPrincipals?: ValueMatch;
  readonly namespaces?: ValueMatch;
  /** `namespace/name`, exact. */
  readonly serviceAccounts?: ValueMatch;
  readonly trustDomains?: ValueMatch;
  /** Addresses and ranges; of the peer. */
  readonly ipBlocks?: ValueMatch;
  /** Of the first caller, behind the proxies that are trusted. */
  readonly remoteIpBlocks?: ValueMatch;
}

/** All that is named must hold. Values as in SourceMatch; paths may be templates (`{*}`, `{**}`). Source: Istio Operation. */
export interface OperationMatch {
  /** Compared without regard to case. */
  readonly hosts?: ValueMatch;
  readonly ports?: ValueMatch;
  readonly methods?: ValueMatch;
  /** Without the query. */
  readonly paths?: ValueMatch;
}

/** Source: Istio Condition. */
export interface ConditionMatch extends ValueMatch {
  /** Such as `request.headers[x-user]` or `request.auth.claims[groups][team]`. */
  readonly key: string;
}

/** (Any of `from`) and (any of `to`) and (all of `when`); an empty list asks for nothing. */
export interface AuthorizationRule {
  readonly from: readonly SourceMatch[];
  readonly to: readonly OperationMatch[];
  readonly when: readonly ConditionMatch[];
  readonly source: SourcePosition;
}

/** Order: custom, deny, allow; an `allow` that exists shuts out what no `allow` takes. Source: Istio AuthorizationPolicy. */
export interface AuthorizationPolicy extends PolicyHead {
  readonly kind: 'authorization';
  readonly scope: WorkloadScope;
  readonly action: 'allow' | 'deny' | 'audit' | 'custom';
  /** Whom `custom` asks. */
  readonly provider?: string;
  /** Whether it is only recorded what it would have decided. */
  readonly dryRun: boolean;
  /** Empty: it never matches, so an `allow` without rules denies everything. */
  readonly rules: readonly AuthorizationRule[];
}

/** `unset` takes what the wider policy says; nothing said at all is `permissive`. */
export type PeerMode = 'unset' | 'disable' | 'permissive' | 'strict';

/** Which connections are accepted. Source: Istio PeerAuthentication. */
export interface PeerAuthenticationPolicy extends PolicyHead {
  readonly kind: 'peer-authentication';
  readonly scope: WorkloadScope;
  /** The narrowest that fits holds; of several on one level the oldest. `none`: Istio never looks at it. */
  readonly level: 'mesh' | 'namespace' | 'workload' | 'none';
  readonly mode: PeerMode;
  /** By port of the workload; on level `workload` alone. */
  readonly ports: Readonly<Record<number, PeerMode>>;
}

/** Who issues tokens, where they are found, what becomes of them. Source: Istio JWTRule. */
export interface JwtRule {
  /** Empty: tokens of any issuer whose keys fit. */
  readonly issuer: string;
  /** Any of them; empty: any audience. */
  readonly audiences: readonly string[];
  /** The key set as JSON text; absent: it is fetched. */
  readonly jwks?: string;
  /** Where the key set is fetched; absent, without `jwks`: found by OpenID discovery on the issuer. */
  readonly jwksUri?: string;
  /** For one fetch of the key set, ms. @default 5000 */
  readonly fetchTimeoutMs: number;
  /** @default authorization with the prefix "Bearer ", when no place is named */
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  /** @default access_token, when no place is named */
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  /** Whether the handler sees the token. @default false */
  readonly forwardOriginalToken: boolean;
  /** Gets the payload, base64url. */
  readonly outputPayloadToHeader?: string;
  readonly outputClaimToHeaders: readonly { readonly header: string; readonly claim: string }[];
  /** Claims whose text is a list of words. @default permission, scope */
  readonly spaceDelimitedClaims: readonly string[];
  /** Whether a call without a token is refused. @default false */
  readonly required: boolean;
  readonly source: SourcePosition;
}

/** No token: the call goes on without a request identity. A wrong one: 401. Source: Istio RequestAuthentication. */
export interface RequestAuthenticationPolicy extends PolicyHead {
  readonly kind: 'request-authentication';
  readonly scope: WorkloadScope;
  readonly rules: readonly JwtRule[];
}

/** Somebody with a certificate. `identity`: as the certificate says it, `*`, or `*.suffix`. `spiffe`: without `spiffe://`. */
export type ClientIdentity =
  | { readonly kind: 'identity'; readonly value: string }
  | { readonly kind: 'spiffe'; readonly value: string }
  | { readonly kind: 'service-account'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'namespace'; readonly name: string }
  | { readonly kind: 'labels'; readonly scope: WorkloadScope };

/** A range of addresses with holes. */
export interface NetworkRange {
  readonly cidr: string;
  readonly except: readonly string[];
}

/** Who is let in when no policy says so. Source: Linkerd default inbound policy. */
export type LinkerdDefault =
  | 'all-authenticated'
  | 'all-unauthenticated'
  | 'cluster-authenticated'
  | 'cluster-unauthenticated'
  | 'deny'
  | 'audit';

/** Calls of a Server that authorizations can be about. Source: Linkerd, HTTPRoute and GRPCRoute with a Server as parent. */
export interface ServerRoute {
  readonly group: string;
  readonly route: 'HTTPRoute' | 'GRPCRoute';
  readonly name: string;
  /** Lower case, `*.suffix`; empty: every host. */
  readonly hostnames: readonly string[];
  /** Any of them; one that asks for nothing takes every call. */
  readonly matches: readonly RouteMatch[];
}

/** One port of some workloads; policies are about it. Source: Linkerd Server. */
export interface LinkerdServerPolicy extends PolicyHead {
  readonly kind: 'linkerd-server';
  readonly scope: WorkloadScope;
  /** Number, or name in the pod. */
  readonly port: number | string;
  /** @default unknown */
  readonly protocol: 'unknown' | 'HTTP/1' | 'HTTP/2' | 'gRPC' | 'opaque' | 'TLS';
  /** For whom no authorization fits. @default deny */
  readonly access: LinkerdDefault;
  /** Where there are any, a call that fits none of them is answered 404, and probes are no longer let in by themselves. */
  readonly routes: readonly ServerRoute[];
  /** Its own, by which authorizations may choose it. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What an authorization lets clients into. */
export type LinkerdTarget =
  | { readonly kind: 'namespace' }
  | { readonly kind: 'server'; readonly name: string }
  /** Servers of the namespace by their own labels. */
  | { readonly kind: 'servers'; readonly scope: WorkloadScope }
  | { readonly kind: 'route'; readonly group: string; readonly route: 'HTTPRoute' | 'GRPCRoute'; readonly name: string };

/** Lets clients in; several for one target are alternatives. Source: Linkerd AuthorizationPolicy, ServerAuthorization. */
export interface LinkerdAuthorizationPolicy extends PolicyHead {
  readonly kind: 'linkerd-authorization';
  readonly target: LinkerdTarget;
  /** The client's address is in one of them. null: any address. */
  readonly networks: readonly NetworkRange[] | null;
  /** The client shows one of them. null: it need not show any. */
  readonly clients: readonly ClientIdentity[] | null;
  /** Whether the connection is TLS at least. Without `clients`: of whomever. */
  readonly tls: boolean;
  /** Documents that it refers to and that are not there: then it lets nobody in. */
  readonly missing: readonly string[];
}

/** Calls a second of this process, 429 beyond. Source: Linkerd HTTPLocalRateLimitPolicy. */
export interface LinkerdRateLimitPolicy extends PolicyHead {
  readonly kind: 'linkerd-rate-limit';
  readonly server: string;
  /** Of all callers together. Absent: no limit. */
  readonly totalPerSecond?: number;
  /** Of each caller; those without an identity count as one. Absent: no limit. */
  readonly identityPerSecond?: number;
  /** In place of `identityPerSecond`, for these. */
  readonly overrides: readonly { readonly perSecond: number; readonly clients: readonly ClientIdentity[] }[];
}

/** Lets sources into a destination; all that none lets in is denied. Source: SMI TrafficTarget. */
export interface TrafficTargetPolicy extends PolicyHead {
  readonly kind: 'traffic-target';
  /** Whose process it is: any of them. */
  readonly destinations: readonly ClientIdentity[];
  readonly sources: readonly ClientIdentity[];
  /** Any of them. Empty: no HTTP call, unless `anyHttp`. */
  readonly matches: readonly RouteMatch[];
  /** Whether every HTTP call is meant: only ports are named. */
  readonly anyHttp: boolean;
  /** Empty: every port. */
  readonly ports: readonly number[];
}

export type SecurityPolicy =
  | AuthorizationPolicy
  | PeerAuthenticationPolicy
  | RequestAuthenticationPolicy
  | LinkerdServerPolicy
  | LinkerdAuthorizationPolicy
  | LinkerdRateLimitPolicy
  | TrafficTargetPolicy;

/** For one fetch of a key set, ms. Source: Istio, `timeout` of a JWTRule. */
export const JWKS_FETCH_TIMEOUT_MS_DEFAULT = 5_000;

/** Claims that are lists of words, always. Source: Istio, `buildSpaceDelimitedClaims`. */
export const SPACE_DELIMITED_CLAIMS: readonly string[] = Object.freeze(['permission', 'scope']);
