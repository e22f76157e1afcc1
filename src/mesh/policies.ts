// The words of the client wrapper: each says what is wanted of one service, the stack says in which order it happens.
// They are the fields of the concise form, nothing more, so a client can move into mesh.yaml word by word.
import type { ServiceInput } from '../model/input.ts';
import type {
  CircuitBreakerInput,
  DurationInput,
  LimitsInput,
  LoadBalancerInput,
  OutlierDetectionInput,
  RetriesInput,
  RetryBudgetInput,
  TlsInput,
} from '../model/input-policy.ts';

/** A part of a service's config, made by one of the functions below. */
export interface Policy {
  readonly name: string;
  readonly service: Partial<ServiceInput>;
}

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
