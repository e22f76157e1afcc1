// Retries, timeouts and failure accrual as the annotations of a Service or a route say them. A wrong annotation makes Linkerd
// forget its whole group; here it is an error.
// Source: linkerd2 policy-controller/k8s/index/src/outbound; linkerd2-proxy http/retry, http/stream-timeouts.
import { LINKERD_OUTLIER_DEFAULTS, type LinkerdOutlierPolicy } from '../../model/balancing.ts';
import type { RetryPolicy } from '../../model/destination.ts';
import type { StatusRange } from '../../model/status-range.ts';
import type { Resource } from '../resource.ts';
import { AnnotationReader, pathOf } from './annotation-reader.ts';
import { parseCount, parseGrpcStatuses, parseShare, parseSpan, parseStatuses, parseSwitch } from './annotation-words.ts';
import { NO_RETRIES, PEAK_EWMA } from './linkerd-defaults.ts';

const RETRY = 'retry.linkerd.io';
const TIMEOUT = 'timeout.linkerd.io';
const ACCRUAL = 'balancer.linkerd.io/failure-accrual';
const CONSECUTIVE = `${ACCRUAL}-consecutive`;
const SUCCESS_RATE = 'balancer.alpha.linkerd.io/failure-accrual-success-rate';
const HONOR_RETRY_AFTER = 'balancer.alpha.linkerd.io/failure-accrual-honor-retry-after';
const BIASER = 'balancer.alpha.linkerd.io';

const LIMIT_MAX = 65_535;
const JITTER_MAX = 100;
const FAILURES_MAX = 4_294_967_295;
const MIN_REQUESTS_MAX = 1_000_000;
const WINDOW_MS_MIN = 10;

/** Calls with gRPC conditions are those of a GRPCRoute; all others go by HTTP's. */
export type CallKind = 'http' | 'grpc';

/** null: no annotation says anything about retries of that kind, so those of the Service hold, or none. */
export function readRetries(resource: Resource, kind: CallKind, lenient: boolean): RetryPolicy | null {
  const reader = new AnnotationReader(resource, lenient);
  // 0 is as if it were not there.
  const limit = reader.take(`${RETRY}/limit`, (text) => parseCount(text, LIMIT_MAX)) || undefined;
  const timeoutMs = reader.take(`${RETRY}/timeout`, parseSpan) || undefined;
  const ranges = kind === 'http' ? reader.take(`${RETRY}/http`, parseStatuses) : undefined;
  const grpcStatuses = kind === 'grpc' ? reader.take(`${RETRY}/grpc`, parseGrpcStatuses) : undefined;
  if (reader.hasFault || (limit ?? timeoutMs ?? ranges ?? grpcStatuses) === undefined) return null;
  return {
    ...NO_RETRIES,
    attempts: limit ?? 1,
    perTryTimeoutMs: timeoutMs ?? 0,
    // Connection failures are not among them: Linkerd makes connections before it hands out calls.
    retryOn: ['refused-stream', 'per-try-timeout', ...statusesIn(ranges ?? [])],
    ...(grpcStatuses === undefined ? {} : { grpcStatuses }),
    semantics: { kind: 'linkerd', pause: 'added', lastAttemptWithoutTimeout: true, grpcTrailers: true },
  };
}

export function statusesIn(ranges: readonly StatusRange[]): number[] {
  const statuses = new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)));
  return [...statuses].sort((a, b) => a - b);
}

export interface Timeouts {
  /** Of the whole call, ms; undefined: none is written. */
  readonly requestMs?: number;
  /** From the end of the request to the end of the answer, ms. */
  readonly responseMs?: number;
}

export function readTimeouts(resource: Resource, lenient: boolean): Timeouts | null {
  const reader = new AnnotationReader(resource, lenient);
  const requestMs = reader.take(`${TIMEOUT}/request`, parseSpan);
  const responseMs = reader.take(`${TIMEOUT}/response`, parseSpan);
  const idleMs = reader.take(`${TIMEOUT}/idle`, parseSpan);
  if (reader.hasFault || (requestMs ?? responseMs ?? idleMs) === undefined) return null;
  if (idleMs !== undefined) reader.warn(`${TIMEOUT}/idle`, 'inmesh does not end calls that are idle, so this time is not kept', 'INM0011');
  return { ...(requestMs === undefined ? {} : { requestMs }), ...(responseMs === undefined ? {} : { responseMs }) };
}

/** As one time for the whole call: without retries, the answer's is nearly that. */
export function totalMs(timeouts: Timeouts, resource: Resource, hasRetries: boolean): number {
  const { requestMs = 0, responseMs = 0 } = timeouts;
  if (responseMs === 0) return requestMs;
  const { report } = resource;
  const path = pathOf(`${TIMEOUT}/response`);
  if (hasRetries) {
    report.warn(path, 'beside retries the time of a single answer is not kept; use timeout.linkerd.io/request', { code: 'INM0011' });
    return requestMs;
  }
  report.warn(path, 'it is kept as the time of the whole call, that of sending the request included', { code: 'INM0017' });
  return requestMs === 0 ? responseMs : Math.min(requestMs, responseMs);
}

/** null: endpoints are never shut. */
export function readAccrual(resource: Resource, lenient: boolean): LinkerdOutlierPolicy | null {
  const reader = new AnnotationReader(resource, lenient);
  const { annotations } = resource;
  const mode = annotations[ACCRUAL];
  if (mode === undefined || !['consecutive', 'unified'].includes(mode)) {
    const more = Object.keys(annotations).filter((key) => key.startsWith(`${ACCRUAL}-`) || key.startsWith(SUCCESS_RATE));
    if (mode !== undefined)
      reader.fault(pathOf(ACCRUAL), `${ACCRUAL} is consecutive or unified, not ${resource.report.show(pathOf(ACCRUAL), mode)}`);
    else for (const key of more) reader.warn(key, `it does nothing without ${ACCRUAL}: consecutive`);
    return null;
  }
  const failuresMax = reader.take(`${CONSECUTIVE}-max-failures`, (text) => parseCount(text, FAILURES_MAX));
  const penaltyMinMs = reader.take(`${CONSECUTIVE}-min-penalty`, parseSpan) ?? LINKERD_OUTLIER_DEFAULTS.penaltyMinMs;
  const penaltyMaxMs = reader.take(`${CONSECUTIVE}-max-penalty`, parseSpan) ?? LINKERD_OUTLIER_DEFAULTS.penaltyMaxMs;
  const jitter = reader.take(`${CONSECUTIVE}-jitter-ratio`, (text) => parseShare(text, JITTER_MAX));
  if (penaltyMaxMs === 0) reader.fault(pathOf(`${CONSECUTIVE}-max-penalty`), 'the longest penalty is above 0');
  else if (penaltyMinMs > penaltyMaxMs) reader.fault(pathOf(`${CONSECUTIVE}-min-penalty`), 'the least penalty is longer than the longest');
  const successRate = mode === 'unified' ? readSuccessRate(reader, annotations) : null;
  noteRetryAfter(reader, mode);
  if (mode === 'consecutive') {
    for (const key of Object.keys(annotations)) if (key.startsWith(SUCCESS_RATE)) reader.warn(key, `it does nothing in mode ${mode}`);
  }
  if (reader.hasFault) return null;
  return {
    kind: 'linkerd',
    failuresMax: failuresMax ?? LINKERD_OUTLIER_DEFAULTS.failuresMax,
    penaltyMinMs,
    penaltyMaxMs,
    jitter: jitter ?? LINKERD_OUTLIER_DEFAULTS.jitter,
    successRate,
  };
}

/** null: switched off, by a threshold of 0. */
function readSuccessRate(reader: AnnotationReader, annotations: Resource['annotations']): LinkerdOutlierPolicy['successRate'] {
  const threshold = reader.take(`${SUCCESS_RATE}-threshold`, (text) => parseShare(text, 1)) ?? 0.8;
  const windowMs = reader.take(`${SUCCESS_RATE}-window`, parseSpan) ?? 10_000;
  const callsMin = reader.take(`${SUCCESS_RATE}-min-requests`, (text) => parseCount(text, MIN_REQUESTS_MAX)) ?? 5;
  if (threshold > 0 && windowMs < WINDOW_MS_MIN && annotations[`${SUCCESS_RATE}-window`] !== undefined) {
    reader.fault(pathOf(`${SUCCESS_RATE}-window`), `the window is at least ${WINDOW_MS_MIN}ms`);
  }
  return threshold === 0 ? null : { threshold, windowMs, callsMin };
}

/** Opt-in for Linkerd; in mode unified always on here. */
function noteRetryAfter(reader: AnnotationReader, mode: string): void {
  const honors = reader.take(HONOR_RETRY_AFTER, parseSwitch);
  if (honors === true && mode === 'consecutive') {
    reader.warn(HONOR_RETRY_AFTER, 'Retry-After lengthens a penalty in mode unified alone', 'INM0011');
  } else if (honors === false && mode === 'unified') {
    reader.warn(HONOR_RETRY_AFTER, 'in mode unified Retry-After always lengthens a penalty', 'INM0017');
  }
}

/** How failures weigh on the choice of an endpoint; null: not at all, as Linkerd has it. */
export function readPenalty(resource: Resource, lenient: boolean): typeof PEAK_EWMA | null {
  const reader = new AnnotationReader(resource, lenient);
  const isOn = reader.take(`${BIASER}/penalize-failures`, parseSwitch) ?? false;
  const failurePenaltyMs = reader.take(`${BIASER}/load-biaser-penalty`, parseSpan) ?? 5_000;
  const retryAfter = reader.take(`${BIASER}/load-biaser-max-retry-after`, parseSpan);
  if (reader.hasFault || !isOn) return null;
  if (retryAfter !== undefined) {
    const message = 'a Retry-After counts as a latency of ten penalties at most, whatever this says';
    reader.warn(`${BIASER}/load-biaser-max-retry-after`, message, 'INM0017');
  }
  return { ...PEAK_EWMA, failurePenaltyMs };
}
