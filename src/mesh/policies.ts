// The words of the client wrapper: each says what is wanted of one service, the stack says in which order it happens.
// They are the fields of the concise form, nothing more, so a client can move into mesh.yaml word by word.
import type { RouteInput, ServiceInput } from '../model/input.ts';
import type {
  CircuitBreakerInput,
  DurationInput,
  HealthCheckInput,
  LimitsInput,
  LoadBalancerInput,
  OutlierDetectionInput,
  RateLimitInput,
  RetriesInput,
  RetryBudgetInput,
  ThrottleInput,
  TlsInput,
} from '../model/input-policy.ts';
import type { CacheInput, CoalesceInput, FallbackInput, FaultInput, IdempotentInput } from '../model/input-traffic.ts';
import type { Criticality } from '../model/traffic.ts';

/** A part of a service's config, made by one of the functions below. */
export interface Policy {
  readonly name: string;
  readonly service: Partial<ServiceInput>;
  /** Fields of every route that the client makes. @default none */
  readonly route?: Partial<RouteInput>;
}

/** A word about the routes says nothing about the service. */
const NOTHING: Partial<ServiceInput> = Object.freeze({});

/** Total time of a call, retries and body included. ms or Go duration. @default 30s */
export function timeout(total: DurationInput): Policy {
  return { name: 'timeout', service: { timeout: total } };
}

/** Repetitions of failed attempts; `false` for none. @default 2, see docs/retries.md */
export function retry(options: RetriesInput | false = {}): Policy {
  return { name: 'retry', service: { retries: options } };
}

/** What pays for the retries. @default 20 tokens, 0.2 per success, 0.1 per second */
export function retryBudget(options: RetryBudgetInput): Policy {
  return { name: 'retryBudget', service: { retryBudget: options } };
}

/** Refuses calls for a short time when most of them fail; `false` for none. @default ratio 0.7 over 5 s */
export function circuitBreaker(options: CircuitBreakerInput | false = {}): Policy {
  return { name: 'circuitBreaker', service: { circuitBreaker: options } };
}

/** Leaves sick endpoints out; `false` for none. @default 5 errors in a row, or significantly worse than its peers */
export function outlierDetection(options: OutlierDetectionInput | false = {}): Policy {
  return { name: 'outlierDetection', service: { outlierDetection: options } };
}

/** To whom a call goes. @default peakEwma */
export function loadBalancer(options: NonNullable<LoadBalancerInput['kind']> | LoadBalancerInput): Policy {
  return { name: 'loadBalancer', service: { loadBalancer: options } };
}

/** Envoy's thresholds, for this process. @default 1024 calls in flight */
export function limits(options: LimitsInput): Policy {
  return { name: 'limits', service: { limits: options } };
}

/** Weights of the subsets, i.e. of the keys of `endpoints`. */
export function canary(weights: Readonly<Record<string, number>>): Policy {
  return { name: 'canary', service: { routes: [{ name: 'canary', to: weights }] } };
}

/** Both sides show a certificate. PEM text or paths. */
export function mtls(options: Omit<TlsInput, 'mode'> & { readonly cert: string; readonly key: string; readonly ca: string }): Policy {
  return { name: 'mtls', service: { tls: { ...options, mode: 'mutual' } } };
}

/** Envoy's token bucket, for this process: what goes beyond is refused. */
export function rateLimit(options: RateLimitInput): Policy {
  return { name: 'rateLimit', service: { rateLimit: options } };
}

/** Refuses a share of the calls here while the service refuses most of them. @default off; k 2 over 10 s */
export function throttle(options: ThrottleInput = {}): Policy {
  return { name: 'throttle', service: { throttle: options } };
}

/** Asks endpoints that no call tells about whether they live. @default off; GET / every 10 s */
export function healthCheck(options: HealthCheckInput = {}): Policy {
  return { name: 'healthCheck', service: { healthCheck: options } };
}

/** The calls may be repeated whatever their method; with `extraLoad` late ones are sent twice. @default off */
export function idempotent(options: true | IdempotentInput = true): Policy {
  return { name: 'idempotent', service: NOTHING, route: { idempotent: options } };
}

/** The same value of this header or cookie always draws the same subset of `canary`. @default off */
export function sticky(key: NonNullable<RouteInput['sticky']>): Policy {
  return { name: 'sticky', service: NOTHING, route: { sticky: key } };
}

/** Answers to GET kept in memory, by the rules of HTTP. Needs the package http-cache-semantics. @default off */
export function cache(options: CacheInput = {}): Policy {
  return { name: 'cache', service: NOTHING, route: { cache: options } };
}

/** Identical GETs in flight become one. @default off */
export function coalesce(options: CoalesceInput = {}): Policy {
  return { name: 'coalesce', service: NOTHING, route: { coalesce: options } };
}

/** What answers when the call failed for good: a fixed answer, or a function. @default off */
export function fallback(options: FallbackInput): Policy {
  return { name: 'fallback', service: NOTHING, route: { fallback: options } };
}

/** A copy of each call to a subset; nobody waits for it. @default off */
export function mirror(to: NonNullable<RouteInput['mirror']>): Policy {
  return { name: 'mirror', service: NOTHING, route: { mirror: to } };
}

/** Delays and aborts put in on purpose. @default off */
export function fault(options: FaultInput): Policy {
  return { name: 'fault', service: NOTHING, route: { fault: options } };
}

/** How much the calls matter that do not say: the lowest is dropped first. @default critical */
export function criticality(level: Criticality): Policy {
  return { name: 'criticality', service: NOTHING, route: { criticality: level } };
}
