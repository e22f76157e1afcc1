// What people write about the calls of one route beside where they go: faults, copies, rewrites, answers of the mesh,
// limits, hedges, fallbacks. Part of the concise form; the defaults stand beside the types in traffic.ts.
import type { StringMatchInput } from './input-match.ts';
import type { BytesInput, DurationInput, PercentageInput, StatusRangeInput } from './input-scalar.ts';
import type { FallbackAnswer, FallbackReason } from './traffic.ts';

/** Faults put in on purpose: delay, abort, or both, drawn independently, delay first. Source: Istio HTTPFaultInjection, Envoy HTTPFault. */
export interface FaultInput {
  readonly delay?: {
    /** Required. */
    readonly fixedDelay: DurationInput;
    /** Share of the calls, percent, or `{ value }`. Required: Istio takes 0 when it is left out. */
    readonly percentage: PercentageInput;
  };
  /** Exactly one of `httpStatus` and `grpcStatus`. */
  readonly abort?: {
    /** 200 to 599. */
    readonly httpStatus?: number;
    /** Name or number, such as UNAVAILABLE or 14. */
    readonly grpcStatus?: string | number;
    /** Share of the calls, percent, or `{ value }`. Required: Istio takes 0 when it is left out. */
    readonly percentage: PercentageInput;
  };
  /** `call`: before timeout and retries, as Istio. `attempt`: as if the endpoint did it, so that retries and timeouts are tested too. @default attempt */
  readonly position?: 'call' | 'attempt';
  /** Only calls that carry all of these; a text means exact. @default every call */
  readonly headers?: Readonly<Record<string, string | StringMatchInput>>;
  /** `trace`: equal traces meet equal faults; `random`: by chance. @default trace */
  readonly by?: 'trace' | 'random';
  /** Faults under way at once in this process; 0: no cap. Source: Envoy `max_active_faults`. @default 0 */
  readonly maxActive?: number;
  /** Most calls of the last 10 s that may be hit, percent, whatever the percentages say. @default 100 */
  readonly blastRadius?: number;
  /** From when nothing is injected, such as 2026-12-01T00:00:00Z. In code also ms since 1970. @default for ever */
  readonly until?: string | number;
}

/** A copy of the call to somebody else: nobody waits for it, nobody reads its answer. Source: Istio HTTPMirrorPolicy, Gateway API RequestMirror. */
export interface MirrorInput {
  /** A subset, a service, or `service/subset`. */
  readonly to: string;
  /** Only calls that were drawn for this target of the route, named as there. Source: Gateway API, filters of a backendRef. @default every call */
  readonly of?: string;
  /** Share of the calls. @default 100 */
  readonly percent?: number;
  /** Added to the host name of the copy. Source: Envoy. @default -shadow */
  readonly hostSuffix?: string;
  /** Headers that the copy does not carry. @default authorization, cookie, proxy-authorization, x-api-key */
  readonly strip?: readonly string[];
  /** Calls with a longer or unknown body are not copied; at most 1MiB. @default 64KiB */
  readonly bodyLimit?: BytesInput;
}

/** What the endpoint sees instead; the query stays. One of `path`, `prefix` and `regex`, `authority`, or both. Source: Istio HTTPRewrite, Gateway API URLRewrite. */
export interface RewriteInput {
  /** The whole path. */
  readonly path?: string;
  /** Replaces the prefix that the match names. */
  readonly prefix?: string;
  readonly regex?: {
    /** RE2 syntax, anywhere in the path. */
    readonly match: string;
    /** `\1` is the first group. */
    readonly substitution: string;
  };
  /** Host, with port if it has one. */
  readonly authority?: string;
}

/** The answer is a Location, and no endpoint is asked; what is absent stays as it was asked for. Source: Istio HTTPRedirect, Gateway API RequestRedirect. */
export interface RedirectInput {
  /** @default that of the call */
  readonly scheme?: 'http' | 'https';
  /** Without port. @default that of the call */
  readonly host?: string;
  /** A number; `scheme`: the usual one of the scheme; `keep`: that of the call. @default scheme when `scheme` is given, else keep */
  readonly port?: number | 'scheme' | 'keep';
  /** The whole path. */
  readonly path?: string;
  /** Replaces the prefix that the match names. */
  readonly prefix?: string;
  /** @default 302 */
  readonly status?: 301 | 302 | 303 | 307 | 308;
}

/** The mesh answers by itself; no endpoint is asked. Source: Istio HTTPDirectResponse. */
export interface DirectResponseInput {
  /** 200 to 599. */
  readonly status: number;
  /** @default empty */
  readonly body?: string;
  /** @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A second attempt beside the first when it is late. Source: Finagle `idempotent(maxExtraLoad)`, gRFC A6 hedging. */
export interface IdempotentInput {
  /** Share of the calls that may be sent twice, above 0, at most 0.5. The delay follows from it. */
  readonly extraLoad: number;
  /** First guess of the delay. @default 50ms */
  readonly initialDelay?: DurationInput;
  /** Never sooner than this. @default 1ms */
  readonly minDelay?: DurationInput;
}

/** Answers to GET kept in memory, by the rules of RFC 9111 for a private cache. */
export interface CacheInput {
  /** Answers kept. @default 1000 */
  readonly entries?: number;
  /** All bodies together, at most 1024MiB. @default 16MiB */
  readonly size?: BytesInput;
  /** Longer answers are not kept. @default 1MiB */
  readonly bodyLimit?: BytesInput;
  /** Whether a fresh answer is given without asking the service. @default true */
  readonly fresh?: boolean;
  /** How long after its freshness an answer may stand in for a failed one; `stale-if-error` of the answer wins. Source: RFC 5861. @default 10m */
  readonly staleIfError?: DurationInput;
  /** Freshness is shortened at random by up to this share, 0 to 1. @default 0.1 */
  readonly jitter?: number;
}

/** Identical GETs in flight become one. */
export interface CoalesceInput {
  /** Calls that may wait for one; more go on their own. @default 1000 */
  readonly maxWaiters?: number;
  /** Headers that make calls different, beside method, host, path and identity. @default accept, accept-encoding, accept-language, authorization, cookie, range */
  readonly headers?: readonly string[];
  /** Longer answers are not shared, at most 64MiB. @default 1MiB */
  readonly bodyLimit?: BytesInput;
}

/** A fixed answer when the call failed for good: after the retries, with the circuit open, when time is up. At least one of `status`, `headers` and `body`. */
export interface FixedFallbackInput {
  /** 200 to 599. @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default empty */
  readonly body?: string;
  /** Statuses that count as failed, beside errors; 400 to 599. @default 500-599 */
  readonly on?: readonly StatusRangeInput[];
}

/** In code only: a function that answers, or throws, and then the failure stands. */
export interface FunctionFallbackInput {
  readonly respond: (reason: FallbackReason) => FallbackAnswer | Promise<FallbackAnswer>;
  /** Statuses that count as failed, beside errors; 400 to 599. @default 500-599 */
  readonly on?: readonly StatusRangeInput[];
}

/** What answers when nobody else does. */
export type FallbackInput = FixedFallbackInput | FunctionFallbackInput;
