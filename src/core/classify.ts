// What an ending means: for the breaker and the balancer (success, failure, ignored), and for the retry layer (may it be
// repeated, and on which ground). Pure tables; no state, no time.
import type { RetryCondition, RetryPolicy } from '../model/destination.ts';
import type { Call, Outcome, OutcomeKind, ReplyHeaders } from './call.ts';
import type { MeshError } from './errors.ts';
import { ERROR_HEADER } from './headers.ts';

/** A 5xx is the service's failure; everything else is an answer. */
export function kindOfStatus(status: number): OutcomeKind {
  return status >= 500 ? 'failure' : 'success';
}

/** Whether an answer is the refusal of a server of ours that protects itself. Looks at headers only when the status says so. */
export function isShed(status: number, headers: ReplyHeaders): boolean {
  return status === 503 && headers[ERROR_HEADER] === 'overloaded';
}

/** Whether it is about who is who: never the health of an endpoint. */
export function isAboutIdentity({ code }: MeshError): boolean {
  return code === 'peer_untrusted' || code === 'certificate_refused';
}

/** The caller's abort and our own refusal of the peer count for nobody; a refusal of ours never reached the endpoint. */
export function kindOfError(error: MeshError): OutcomeKind {
  if (error.code === 'canceled' || isAboutIdentity(error) || error.family === 'refused') return 'ignored';
  // A request that could not be written never left: the caller's mistake.
  if (error.code === 'protocol_error' && error.sent === 'none') return 'ignored';
  return 'failure';
}

/** 502, 503, 504 and what went wrong locally: the run that ejects an endpoint. Source: Envoy `consecutive_gateway_failure`, `consecutive_local_origin_failure`. */
export function isGatewayOrLocal(outcome: Outcome): boolean {
  if (outcome.error !== null) return outcome.kind === 'failure';
  return outcome.status === 502 || outcome.status === 503 || outcome.status === 504;
}

/**
 * Whether the far side provably did not act, so that any method may be repeated. An attempt that timed out counts when no
 * socket had taken it: it still waited for a connection, and gives up its place in the queue before a byte is written.
 */
export function isUnprocessed(error: MeshError): boolean {
  if (error.sent !== 'none') return false;
  return error.code === 'connect_failed' || error.code === 'not_processed' || error.code === 'attempt_timeout';
}

/** Whether the caller allows the call to reach the application twice: by method, by Idempotency-Key, or by option. */
export function isIdempotent(call: Call, policy: RetryPolicy): boolean {
  const { methods } = policy;
  return call.idempotent || methods.includes(call.method) || methods.includes('*') || call.header('idempotency-key') !== undefined;
}

const GATEWAY: readonly RetryCondition[] = ['gateway-error', '5xx'];
const LOST: readonly RetryCondition[] = ['reset', 'gateway-error', '5xx'];

/** The condition under which an answer may be repeated, or null. */
export function conditionOfStatus(status: number, on: readonly RetryCondition[]): RetryCondition | null {
  if (status < 400) return null;
  if (on.includes(status)) return status;
  if (status === 409 && on.includes('retriable-4xx')) return 'retriable-4xx';
  if (status >= 500 && on.includes('5xx')) return '5xx';
  if ((status === 502 || status === 503 || status === 504) && on.includes('gateway-error')) return 'gateway-error';
  return null;
}

/** The condition under which a failure without an answer may be repeated, or null. */
export function conditionOfError(error: MeshError, on: readonly RetryCondition[]): RetryCondition | null {
  switch (error.code) {
    case 'connect_failed':
      return firstOf(on, ['connect-failure', ...GATEWAY]);
    case 'not_processed':
      return firstOf(on, ['refused-stream', ...LOST]);
    case 'connection_lost':
      if (error.sent === 'body') return null;
      // Whether undici had written the request is seldom known; on a reused connection Envoy's `reset-before-request`
      // means the same race with a server that closes an idle connection.
      if (error.retryable) return firstOf(on, ['reset-on-reused-connection', 'reset-before-request', ...LOST]);
      return firstOf(on, error.sent === 'none' ? ['reset-before-request', ...LOST] : LOST);
    case 'attempt_timeout':
      return firstOf(on, ['per-try-timeout', ...LOST]);
    case 'call_failed':
      // Only the one who gave us the function knows; `idempotent` is its word.
      return error.retryable ? (firstOf(on, LOST) ?? 'reset') : null;
    default:
      return null;
  }
}

function firstOf(on: readonly RetryCondition[], candidates: readonly RetryCondition[]): RetryCondition | null {
  for (const candidate of candidates) if (on.includes(candidate)) return candidate;
  return null;
}

/** The three forms of a date; Date alone reads much else as one, a lone year for example. Source: RFC 9110 §5.6.7. */
const HTTP_DATE =
  /^[A-Z][a-z]{2,8}(?:, (?:\d\d [A-Z][a-z]{2} \d{4}|\d\d-[A-Z][a-z]{2}-\d\d) \d\d:\d\d:\d\d GMT| [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})$/;

/**
 * `Retry-After` as ms to wait: seconds, or an HTTP date. 0 when absent or unreadable.
 * Source: RFC 9110 §10.2.3.
 */
export function retryAfterMs(value: string | undefined, wallMs: number): number {
  if (value === undefined) return 0;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!HTTP_DATE.test(text)) return 0;
  // The oldest form does not name its zone, and always means this one.
  const date = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(date) ? 0 : Math.max(0, date - wallMs);
}
