// Who is asked whether a call may come in: the external authorizers that policies with the action CUSTOM name. Pure data.

export interface ExtensionProvider {
  /** What policies call it. */
  readonly name: string;
  readonly kind: 'http' | 'grpc';
  readonly host: string;
  readonly port: number;
  /** For its answer, ms. @default 200 */
  readonly timeoutMs: number;
  /** Whether calls are let in while it cannot be asked. @default false */
  readonly failOpen: boolean;
  /** What callers get while it cannot be asked. @default 403 */
  readonly statusOnError: number;
  /** `http` only: stands before the path of the call. @default empty */
  readonly pathPrefix: string;
  /** `http` only: headers of the call that it sees besides authorization; `x-*`, `*-id`. `grpc` sees all. */
  readonly includeHeaders: readonly string[];
  /** `http` only: further headers, such as a secret that the two share. */
  readonly additionalHeaders: Readonly<Record<string, string>>;
  /** `http` only: headers of its answer that the handler gets. */
  readonly headersToUpstreamOnAllow: readonly string[];
  /** `http` only: headers of its answer that the caller gets with the answer of the handler. */
  readonly headersToDownstreamOnAllow: readonly string[];
  /** `http` only: headers of its answer that a denied caller gets. Empty: all. */
  readonly headersToDownstreamOnDeny: readonly string[];
  /** What it sees of the body. @default absent: nothing */
  readonly body?: CheckedBody;
}

/** Source: Istio, includeRequestBodyInCheck. */
export interface CheckedBody {
  /** It sees no more than these bytes. */
  readonly bytesMax: number;
  /** Whether it is asked about longer ones all the same, with their beginning; else they are answered 413. @default false */
  readonly allowsPartial: boolean;
  /** `grpc` only: as bytes, for what is no UTF-8. @default false */
  readonly isBytes: boolean;
}

/** Name, kind, host and port have no default. Source: Istio meshConfig.extensionProviders, but for the timeout, which is 600 s there. */
export const EXTENSION_PROVIDER_DEFAULTS: Omit<ExtensionProvider, 'name' | 'kind' | 'host' | 'port'> = Object.freeze({
  timeoutMs: 200,
  failOpen: false,
  statusOnError: 403,
  pathPrefix: '',
  includeHeaders: Object.freeze([]),
  additionalHeaders: Object.freeze({}),
  headersToUpstreamOnAllow: Object.freeze([]),
  headersToDownstreamOnAllow: Object.freeze([]),
  headersToDownstreamOnDeny: Object.freeze([]),
});
