// Faults of a rule, as Istio's own validator sees them. Source: istio/istio pkg/config/validation,
// validateHTTPFaultInjection.
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import type { ConfigPath } from '../../model/issue.ts';
import { nearest } from '../../model/nearest.ts';
import type { Report } from '../../model/report.ts';
import { checkDuration } from './check-duration.ts';
import type { FaultSpec } from './virtual-service-spec.ts';

export function checkFault(fault: FaultSpec | undefined, path: ConfigPath, report: Report): void {
  if (fault === undefined) return;
  const { delay, abort } = fault;
  if (delay === undefined && abort === undefined) report.error(path, 'fault needs delay or abort');
  if (delay !== undefined) checkDelay(delay, [...path, 'delay'], report);
  if (abort !== undefined) checkAbort(abort, [...path, 'abort'], report);
}

function checkDelay(delay: NonNullable<FaultSpec['delay']>, path: ConfigPath, report: Report): void {
  checkShare(delay.percentage, [...path, 'percentage', 'value'], report);
  checkDuration(delay.fixedDelay, [...path, 'fixedDelay'], report);
  if (delay.exponentialDelay !== undefined) {
    report.error([...path, 'exponentialDelay'], 'exponentialDelay is not implemented by Istio; write fixedDelay', { part: 'key' });
  } else if (delay.fixedDelay === undefined) report.warn(path, 'this delay has no fixedDelay, so it does nothing');
  else if (delay.percentage === undefined && delay.percent === undefined) {
    report.warn(path, 'this delay has no percentage, and that means 0: it hits no call');
  }
}

/** The names of the table are those that Istio knows. */
const NAMES: readonly string[] = GRPC_STATUSES.slice(1);

function checkAbort(abort: NonNullable<FaultSpec['abort']>, path: ConfigPath, report: Report): void {
  const { httpStatus, grpcStatus, http2Error, percentage } = abort;
  checkShare(percentage, [...path, 'percentage', 'value'], report);
  const kinds = (['httpStatus', 'grpcStatus', 'http2Error'] as const).filter((key) => abort[key] !== undefined);
  if (kinds.length > 1)
    report.error([...path, kinds[1] as string], `abort has both ${kinds[0]} and ${kinds[1]}; keep one`, { part: 'key' });
  if (http2Error !== undefined) report.error([...path, 'http2Error'], 'http2Error is not implemented by Istio', { part: 'key' });
  if (httpStatus !== undefined && (httpStatus < 200 || httpStatus > 599)) {
    report.error([...path, 'httpStatus'], `httpStatus is 200 to 599, not ${report.show([...path, 'httpStatus'], httpStatus)}`);
  }
  if (grpcStatus !== undefined && !NAMES.includes(grpcStatus)) {
    const at = [...path, 'grpcStatus'];
    const detail = { suggestion: nearest(grpcStatus, NAMES), allowed: NAMES };
    report.error(at, `${report.show(at, grpcStatus)} is no gRPC status that can be injected`, detail);
  }
  if (kinds.length === 0) report.warn(path, 'this abort has neither httpStatus nor grpcStatus, so it does nothing');
  else if (percentage === undefined) report.warn(path, 'this abort has no percentage, and that means 0: it hits no call');
}

/** Envoy counts in parts of a million. */
function checkShare(percentage: { readonly value?: number } | undefined, path: ConfigPath, report: Report): void {
  const value = percentage?.value ?? 0;
  if (value > 0 && value < 0.0001) report.error(path, `a percentage above 0 is at least 0.0001, not ${report.show(path, value)}`);
}
