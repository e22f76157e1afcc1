// What pays for retries and hedges: our own bucket, or the rules of another mesh, to the letter. Pure data.
import type { BudgetPolicy } from './destination.ts';

/** Retries in flight at most percent of the calls in flight, with a floor. Source: Envoy `retry_budget`, Istio DestinationRule `retryBudget`. */
export interface EnvoyBudgetPolicy {
  readonly kind: 'envoy';
  /** @default 20 */
  readonly percent: number;
  /** @default 3 */
  readonly concurrencyMin: number;
  /** Calls of this window count instead of those in flight, ms; 0: those in flight. @default 0 */
  readonly intervalMs: number;
}

/** Each call pays in `ratio`, what was paid in expires. Source: Linkerd ServiceProfile `retryBudget`, Finagle RetryBudget. */
export interface LinkerdBudgetPolicy {
  readonly kind: 'linkerd';
  /** @default 0.2 */
  readonly ratio: number;
  /** @default 10 */
  readonly retriesPerSecondMin: number;
  /** @default 10000 */
  readonly ttlMs: number;
}

/** Percent of the calls of the interval, with a rate that is always free. Source: Gateway API XBackendTrafficPolicy `retryConstraint`. */
export interface GatewayApiBudgetPolicy {
  readonly kind: 'gateway-api';
  /** @default 20 */
  readonly percent: number;
  /** @default 10000 */
  readonly intervalMs: number;
  /** @default 10 */
  readonly rateMinCount: number;
  /** @default 1000 */
  readonly rateMinIntervalMs: number;
}

/** A failure takes one, a success gives `tokenRatio`; retries only above half. Source: gRFC A6 retryThrottling. */
export interface GrpcBudgetPolicy {
  readonly kind: 'grpc';
  /** At most 1000. @default 10 */
  readonly tokensMax: number;
  /** @default 0.1 */
  readonly tokenRatio: number;
}

/** Nothing limits retries but `attempts`. What Istio and Linkerd's annotations do. */
export interface NoBudgetPolicy {
  readonly kind: 'none';
}

export type RetryBudgetPolicy =
  | BudgetPolicy
  | EnvoyBudgetPolicy
  | LinkerdBudgetPolicy
  | GatewayApiBudgetPolicy
  | GrpcBudgetPolicy
  | NoBudgetPolicy;

export const ENVOY_BUDGET_DEFAULTS: EnvoyBudgetPolicy = Object.freeze({ kind: 'envoy', percent: 20, concurrencyMin: 3, intervalMs: 0 });

export const LINKERD_BUDGET_DEFAULTS: LinkerdBudgetPolicy = Object.freeze({
  kind: 'linkerd',
  ratio: 0.2,
  retriesPerSecondMin: 10,
  ttlMs: 10_000,
});

export const GATEWAY_API_BUDGET_DEFAULTS: GatewayApiBudgetPolicy = Object.freeze({
  kind: 'gateway-api',
  percent: 20,
  intervalMs: 10_000,
  rateMinCount: 10,
  rateMinIntervalMs: 1_000,
});

export const GRPC_BUDGET_DEFAULTS: GrpcBudgetPolicy = Object.freeze({ kind: 'grpc', tokensMax: 10, tokenRatio: 0.1 });
