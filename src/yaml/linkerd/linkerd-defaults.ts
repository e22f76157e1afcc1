// What Linkerd does where nothing is written, and the pieces that every retry of its own has.
// Source: linkerd2 policy-controller/grpc/src/outbound; linkerd2-proxy linkerd/app/outbound, linkerd/app/src/env.rs.
import { BALANCER_DEFAULTS, type BalancerPolicy, LIMITS_DEFAULTS, RETRY_DEFAULTS, type RetryPolicy } from '../../model/destination.ts';
import type { ServicePolicyFields } from '../draft.ts';

/** Bytes of a body that are kept. */
const BODY_BYTES_MAX = 65_536;

/** Whatever the method. */
const METHODS: readonly string[] = Object.freeze(['*']);

/** Nothing is repeated until somebody asks for it. */
export const NO_RETRIES: RetryPolicy = Object.freeze({
  attempts: 0,
  perTryTimeoutMs: 0,
  retryOn: Object.freeze([]),
  backoff: Object.freeze({ baseMs: 25, maxMs: 250 }),
  retryAfterMaxMs: RETRY_DEFAULTS.retryAfterMaxMs,
  methods: METHODS,
  acrossSubsets: true,
  bodyBytesMax: BODY_BYTES_MAX,
});

/** Two random endpoints, the cheaper one; a failure is as fast as it was. */
export const PEAK_EWMA: BalancerPolicy = Object.freeze({
  ...BALANCER_DEFAULTS,
  kind: 'peakEwma',
  tauMs: 10_000,
  seedMs: 30,
  // Whoever is new has the same time to begin with.
  seedFactor: 0,
  failurePenaltyMs: 0,
  fullScanMax: 2,
});

/** Calls under way at once in one proxy. */
const IN_FLIGHT_MAX = 100_000;

/** Of a service that a document of Linkerd is about, where nobody says otherwise. */
export const IMPLIED: Partial<ServicePolicyFields> = Object.freeze({
  timeoutMs: 0,
  retries: NO_RETRIES,
  retryBudget: Object.freeze({ kind: 'none' as const }),
  circuitBreaker: null,
  outlierDetection: null,
  loadBalancer: PEAK_EWMA,
  limits: Object.freeze({ ...LIMITS_DEFAULTS, maxRequests: IN_FLIGHT_MAX }),
});
