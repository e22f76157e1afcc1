// What Istio holds for a destination when nobody says anything. Source: Istio, cluster_traffic_policy.go; meshConfig.
import {
  BALANCER_DEFAULTS,
  type BalancerPolicy,
  type ConnectionPolicy,
  LIMITS_DEFAULTS,
  type LimitsPolicy,
} from '../../model/destination.ts';
import type { ServicePolicyFields } from '../draft.ts';

/** Of the whole mesh. */
export const ROOT_NAMESPACE = 'istio-system';

/** Two random endpoints are compared. Envoy's panic threshold means something only when there is outlier detection. */
export const ISTIO_BALANCER: BalancerPolicy = Object.freeze({
  ...BALANCER_DEFAULTS,
  kind: 'leastRequest',
  choices: 2,
  fullScanMax: 0,
  locality: null,
  panicPercent: 50,
});

/** Nothing is limited. */
export const ISTIO_LIMITS: LimitsPolicy = Object.freeze({ ...LIMITS_DEFAULTS, maxRequests: 0 });

export const ISTIO_CONNECTIONS: ConnectionPolicy = Object.freeze({ connectTimeoutMs: 10_000, idleTimeoutMs: 3_600_000 });

/** For the destination of a rule: nothing but its own count limits its retries. */
export const IMPLIED_ROUTE_POLICY: Partial<ServicePolicyFields> = Object.freeze({ retryBudget: Object.freeze({ kind: 'none' }) });

/** For a host of a ServiceEntry or DestinationRule, block by block. */
export const IMPLIED_POLICY: Partial<ServicePolicyFields> = Object.freeze({
  ...IMPLIED_ROUTE_POLICY,
  loadBalancer: ISTIO_BALANCER,
  limits: ISTIO_LIMITS,
  connections: ISTIO_CONNECTIONS,
  outlierDetection: null,
  circuitBreaker: null,
});
