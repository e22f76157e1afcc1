// Who is left out, as Envoy does it with Istio's settings. Source: Istio, applyOutlierDetection.
import { ENVOY_OUTLIER_DEFAULTS, type EnvoyOutlierPolicy } from '../../model/balancing.ts';
import { msOf } from './check-duration.ts';
import type { OutlierDetectionSpec } from './destination-rule-spec.ts';

export function readOutlier(spec: OutlierDetectionSpec): EnvoyOutlierPolicy {
  const d = ENVOY_OUTLIER_DEFAULTS;
  const { consecutive5xxErrors, consecutiveGatewayErrors = 0, splitExternalLocalOriginErrors: splitLocalOrigin = false } = spec;
  const { interval, baseEjectionTime, outlierDetectionHttpErrorCodes: codes = [] } = spec;
  const baseEjectionMs = msOf(baseEjectionTime) || d.baseEjectionMs;
  return {
    ...d,
    consecutive5xx: consecutive5xxErrors ?? d.consecutive5xx,
    consecutiveGatewayErrors,
    splitLocalOrigin,
    consecutiveLocalOriginErrors: (splitLocalOrigin && spec.consecutiveLocalOriginFailures) || d.consecutiveLocalOriginErrors,
    errorStatuses: codes.length === 0 ? null : codes.map((code) => [code, code] as const),
    intervalMs: msOf(interval) || d.intervalMs,
    baseEjectionMs,
    maxEjectionMs: Math.max(d.maxEjectionMs, baseEjectionMs),
    // 0 cannot be told from what is not written.
    maxEjectionPercent: spec.maxEjectionPercent || d.maxEjectionPercent,
  };
}
