// Attempts per call when every attempt fails for as long as it may: what a budget allows for good, not in the first
// moments that its reserve pays for. Hedges add nothing: only answers pay for them. Pure arithmetic over policies.
import type { RetryPolicy } from '../model/destination.ts';
import type { EnvoyBudgetPolicy, GatewayApiBudgetPolicy, LinkerdBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';

/** 1 to 1 + `attempts`. `callsPerSecond`: of this process to the service, without retries; above 0. */
export function amplification(retries: RetryPolicy, budget: RetryBudgetPolicy, callsPerSecond: number): number {
  return 1 + Math.min(retries.attempts, retriesPerCall(retries, budget, callsPerSecond));
}

function retriesPerCall({ perTryTimeoutMs }: RetryPolicy, budget: RetryBudgetPolicy, callsPerSecond: number): number {
  switch (budget.kind) {
    case 'successes':
      return budget.tokensPerSecond / callsPerSecond;
    case 'envoy':
      return envoy(budget, perTryTimeoutMs > 0 ? perTryTimeoutMs : Number.POSITIVE_INFINITY, callsPerSecond);
    case 'linkerd':
      return linkerd(budget, callsPerSecond);
    case 'gateway-api':
      return gatewayApi(budget, callsPerSecond);
    case 'grpc':
      // Below half after a handful of failures.
      return 0;
    case 'none':
      return Number.POSITIVE_INFINITY;
  }
}

/** The rule is about retries in flight: what that comes to depends on how long they hang, and they hang as long as they may. */
function envoy({ percent, concurrencyMin, intervalMs }: EnvoyBudgetPolicy, attemptMs: number, callsPerSecond: number): number {
  const inFlightShare = (percent / 100) * (intervalMs > 0 ? intervalMs / attemptMs : 1);
  const floor = (concurrencyMin * 1_000) / attemptMs / callsPerSecond;
  return Math.max(ofAll(inFlightShare), floor);
}

/** Failures pay in nothing, so only the reserve is left. */
function linkerd({ retriesPerSecondMin, ttlMs }: LinkerdBudgetPolicy, callsPerSecond: number): number {
  return (retriesPerSecondMin * Math.trunc(ttlMs / 1_000) * 1_000) / ttlMs / callsPerSecond;
}

function gatewayApi({ percent, rateMinCount, rateMinIntervalMs }: GatewayApiBudgetPolicy, callsPerSecond: number): number {
  return Math.max(ofAll(percent / 100), (rateMinCount * 1_000) / rateMinIntervalMs / callsPerSecond);
}

/** Retries per call when retries are this share of everything sent. */
function ofAll(share: number): number {
  return share < 1 ? share / (1 - share) : Number.POSITIVE_INFINITY;
}
