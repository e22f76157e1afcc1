// What a route does with its calls beside sending them on: faults, copies, rewrites, answers of its own, limits, hedges,
// fallbacks. Pure data. Percent is 0 to 100, times are ms; an absent policy adds no layer.
import type { RouteTarget, StringMatch } from './route.ts';

export type { PathRewrite, RedirectPolicy, RewritePolicy } from './rewrite.ts';

/** Faults put in on purpose. Delay and abort are drawn independently, delay first. Source: Istio HTTPFaultInjection, Envoy HTTPFault. */
export interface FaultPolicy {
  readonly delay?: { readonly fixedMs: number; readonly percent: number };
  /** `grpcStatus` 1 to 16 answers trailers-only; then `status` is 200. */
  readonly abort?: { readonly status: number; readonly grpcStatus?: number; readonly percent: number };
  /** `call`: before timeout and retries, as Istio. `attempt`: what the endpoint seems to do, so that retries and timeouts can be tested. @default attempt; call for Istio's resources */
  readonly position: 'call' | 'attempt';
  /** Only calls that carry all of these; keys in lower case. @default every call */
  readonly headers: Readonly<Record<string, StringMatch>>;
  /** What draws: the trace id (equal traces, equal faults; calls without one draw by chance), or chance. @default trace */
  readonly by: 'trace' | 'random';
  /** Faults under way at once in this process; 0: no cap. Source: Envoy `max_active_faults`. @default 0 */
  readonly activeMax: number;
  /** Blast radius: the share of the calls of the last 10 s that may be hit, percent, whatever the percentages above say. @default 100 */
  readonly blastPercent: number;
  /** Wall clock, ms since the epoch, from when nothing is injected; Infinity: for ever. @default Infinity */
  readonly untilWallMs: number;
}

/** A copy of the call to somebody else: nobody waits for it, nobody reads its answer. Source: Istio HTTPMirrorPolicy, Gateway API RequestMirror. */
export interface MirrorPolicy {
  readonly target: RouteTarget;
  /** Only calls that were drawn for this target of the route. Source: Gateway API, filters of a backendRef. @default every call */
  readonly of?: Pick<RouteTarget, 'service' | 'subset'>;
  /** @default 100 */
  readonly percent: number;
  /** Added to the host name of the copy. Source: Envoy. @default -shadow; empty for Gateway API's resources */
  readonly hostSuffix: string;
  /** Headers that the copy does not carry, lower case. @default authorization, cookie, proxy-authorization, x-api-key */
  readonly stripHeaders: readonly string[];
  /** Calls with a longer or unknown body are not copied. @default 65536 */
  readonly bodyBytesMax: number;
}

/** An answer of the mesh itself. Source: Istio HTTPDirectResponse. */
export interface DirectResponsePolicy {
  /** 200 to 599. */
  readonly status: number;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Token bucket of this process; a call without a token is refused with `rate_limited` (429). Source: Envoy local rate limit. */
export interface RateLimitPolicy {
  /** Capacity, and the balance at start. @default `tokensPerFill` */
  readonly tokensMax: number;
  readonly tokensPerFill: number;
  /** At least 50 ms. @default 1000 */
  readonly fillMs: number;
}

/** A second attempt beside the first when it is late, for calls that may be repeated. Source: resilience notes §1.6, gRFC A6. */
export interface HedgePolicy {
  /** Share of calls that may be hedged, 0 to 0.5; the delay follows from it. */
  readonly extraLoad: number;
  /** First guess of the delay, ms. @default 50 */
  readonly delayInitialMs: number;
  /** Never sooner than this, ms. @default 1 */
  readonly delayMinMs: number;
}

export const HEDGE_DEFAULTS: Omit<HedgePolicy, 'extraLoad'> = Object.freeze({ delayInitialMs: 50, delayMinMs: 1 });

/** Why a fallback answered. */
export interface FallbackReason {
  /** Status of the failed answer, 0 when there was none. */
  readonly status: number;
  /** The error of the call, or undefined. */
  readonly error: unknown;
  readonly method: string;
  readonly path: string;
}

/** What stands in for an answer. */
export interface FallbackAnswer {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default empty */
  readonly body?: string;
}

/** Answers when the call failed for good: after the retries, when the circuit is open, when time is up. Off by default. */
export interface FallbackPolicy {
  /** Statuses that count as failed, beside errors. The caller's own abort never does. @default 500 to 599 */
  readonly statuses: readonly (readonly [from: number, to: number])[];
  /** A fixed answer, or a function (in code only) that may throw or reject: then the failure stands. */
  readonly answer: FallbackAnswer | ((reason: FallbackReason) => FallbackAnswer | Promise<FallbackAnswer>);
}

/** Answers to GET kept in memory, by the rules of RFC 9111 for a private cache. Off by default. */
export interface CachePolicy {
  /** @default 1000 */
  readonly entriesMax: number;
  /** All bodies together. @default 16777216 */
  readonly bytesMax: number;
  /** Longer answers are not kept. @default 1048576 */
  readonly bodyBytesMax: number;
  /** Whether a fresh answer is given without asking the service. @default true */
  readonly fresh: boolean;
  /** How long after its freshness an answer may stand in for a failed one, ms; `stale-if-error` of the answer wins. Source: RFC 5861. @default 600000 */
  readonly staleIfErrorMs: number;
  /** Freshness is shortened at random by up to this share, so that entries do not all expire at once. @default 0.1 */
  readonly jitter: number;
}

export const CACHE_DEFAULTS: CachePolicy = Object.freeze({
  entriesMax: 1_000,
  bytesMax: 16_777_216,
  bodyBytesMax: 1_048_576,
  fresh: true,
  staleIfErrorMs: 600_000,
  jitter: 0.1,
});

/** Identical GETs in flight become one. Off by default. */
export interface CoalescePolicy {
  /** Calls that may wait for one; more go on their own. @default 1000 */
  readonly waitersMax: number;
  /** Headers that make calls different, lower case, beside method, host, path and identity. @default accept, accept-encoding, accept-language, authorization, cookie, range */
  readonly headers: readonly string[];
  /** Longer answers are not shared: the waiting calls then go on their own. @default 1048576 */
  readonly bodyBytesMax: number;
}

export const COALESCE_DEFAULTS: CoalescePolicy = Object.freeze({
  waitersMax: 1_000,
  headers: Object.freeze(['accept', 'accept-encoding', 'accept-language', 'authorization', 'cookie', 'range']),
  bodyBytesMax: 1_048_576,
});

/** Who is dropped first when there is too much: the lowest. `critical` when nobody says. Source: Google SRE, "Handling overload". */
export type Criticality = 'sheddable' | 'sheddablePlus' | 'critical' | 'criticalPlus';

/** From the first to be dropped to the last; a call carries the index. */
export const CRITICALITIES: readonly Criticality[] = Object.freeze(['sheddable', 'sheddablePlus', 'critical', 'criticalPlus'] as const);

export const CRITICALITY_DEFAULT = 2;

export const MIRROR_DEFAULTS: Omit<MirrorPolicy, 'target' | 'of'> = Object.freeze({
  percent: 100,
  hostSuffix: '-shadow',
  stripHeaders: Object.freeze(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']),
  bodyBytesMax: 65_536,
});

export const FAULT_DEFAULTS: Omit<FaultPolicy, 'delay' | 'abort' | 'headers'> = Object.freeze({
  position: 'attempt',
  by: 'trace',
  activeMax: 0,
  blastPercent: 100,
  untilWallMs: Number.POSITIVE_INFINITY,
});
