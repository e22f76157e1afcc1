// What people write about who may call this process. Part of the concise form; what it becomes stands in security.ts and
// extension-provider.ts.
import type { DurationInput } from './input-scalar.ts';

/** Calls that a rule is about: all that is named must hold, any value of each list. Values: exact, `abc*`, `*abc`, or `*`. */
export interface AccessRuleInput {
  /** Callers, by their certificate: `account` of the own namespace, `namespace/account`, `namespace/*`, `spiffe://domain/path` (may end in `*`), or `*` for whoever has one. */
  readonly from?: readonly string[];
  /** Addresses and ranges that callers have. */
  readonly addresses?: readonly string[];
  readonly methods?: readonly string[];
  /** Without the query; may have `{*}` for a segment and `{**}` for the rest. */
  readonly paths?: readonly string[];
  /** On every port, unless one is named. */
  readonly hosts?: readonly string[];
  /** Of this process. */
  readonly ports?: readonly number[];
  /** By name; a list means any of the values. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** Rules whose calls an external authorizer decides about first. */
export interface AccessAskInput extends AccessRuleInput {
  /** One of `extensionProviders`. */
  readonly provider: string;
}

/** An external authorizer. Source: Istio meshConfig.extensionProviders, Envoy ext_authz. */
export interface ExtensionProviderInput {
  /** What policies call it. */
  readonly name: string;
  /** What it speaks: HTTP, or gRPC as `envoy.service.auth.v3.Authorization`. @default http */
  readonly kind?: 'http' | 'grpc';
  /** `host:port`. */
  readonly address: string;
  /** For its answer. @default 200ms */
  readonly timeout?: DurationInput;
  /** Whether calls are let in while it cannot be asked. @default false */
  readonly failOpen?: boolean;
  /** What callers get while it cannot be asked. @default 403 */
  readonly statusOnError?: number;
  /** `http`: stands before the path of the call. */
  readonly pathPrefix?: string;
  /** `http`: headers of the call that it sees besides authorization. */
  readonly includeRequestHeadersInCheck?: readonly string[];
  /** `http`: further headers for it. */
  readonly includeAdditionalHeadersInCheck?: Readonly<Record<string, string>>;
  /** `http`: headers of its answer that the handler gets. */
  readonly headersToUpstreamOnAllow?: readonly string[];
  /** `http`: headers of its answer that the caller gets, too. */
  readonly headersToDownstreamOnAllow?: readonly string[];
  /** `http`: headers of its answer that a denied caller gets. @default all */
  readonly headersToDownstreamOnDeny?: readonly string[];
  /** What it sees of the body. @default nothing */
  readonly includeRequestBodyInCheck?: CheckedBodyInput;
}

/** What an external authorizer sees of the body. Source: Istio, includeRequestBodyInCheck. */
export interface CheckedBodyInput {
  /** Bytes. Longer bodies are answered 413. */
  readonly maxRequestBytes: number;
  /** Whether it is asked about longer ones all the same, with their beginning. @default false */
  readonly allowPartialMessage?: boolean;
  /** `grpc`: as `raw_body`, for what is no UTF-8. @default false */
  readonly packAsBytes?: boolean;
}
