// What undici and Node say when an attempt fails, as a MeshError: which code, how far the request got, and whether a
// reused socket was the likely culprit. Source: the fault matrix (classes N, U, B, C) in docs/reliability notes.
import type { Call } from '../core/call.ts';
import { placeOf } from '../core/refuse.ts';
import { MeshError, type MeshErrorCode, meshError, type Sent } from '../core/errors.ts';

/** Our own word for it, and TLS alerts about certificates: RFC 8446 §6.2. */
const REFUSED = /^INMESH_CERTIFICATE_REFUSED$|_ALERT_(CERTIFICATE_|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

/** How far the attempt was when it failed. */
export interface AttemptProgress {
  /** Whether the request was given to a socket. */
  readonly isStarted: boolean;
  readonly isHeadReceived: boolean;
  /** Whether the socket had carried an earlier request. */
  readonly isReused: boolean;
  /** Whether we showed a certificate: with TLS 1.3 its refusal looks like any other hang-up of a fresh connection. */
  readonly isMutual: boolean;
}

/** OpenSSL and Node codes that mean: the peer is not who it should be. */
const IDENTITY_CODES: ReadonlySet<string> = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'INMESH_PEER_UNTRUSTED',
]);

const PROTOCOL_CODES: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

/** The caller gave us something that cannot be written: nobody else's fault. */
const ARGUMENT_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
]);

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}

const REFUSED_STREAM = 7;

/** The stream was refused, or opened on a connection that was going away: RFC 9113 §8.7. */
function isNotProcessed(error: unknown, code: string): boolean {
  const message = error instanceof Error ? error.message : '';
  const cause = (error as { cause?: unknown } | null)?.cause;
  return (
    (error as { http2ErrorCode?: unknown } | null)?.http2ErrorCode === REFUSED_STREAM ||
    code === 'ERR_HTTP2_GOAWAY_SESSION' ||
    (code === 'UND_ERR_INFO' && message.includes('GOAWAY') && message.endsWith('code 0')) ||
    (cause !== undefined && codeOf(cause) === 'ERR_HTTP2_GOAWAY_SESSION')
  );
}

interface Verdict {
  readonly code: MeshErrorCode;
  readonly sent: Sent;
  readonly what: string;
  readonly retryable: boolean;
}

function judge(error: unknown, progress: AttemptProgress): Verdict {
  const code = codeOf(error);
  if (IDENTITY_CODES.has(code)) return { code: 'peer_untrusted', sent: 'none', what: 'the TLS peer is not trusted', retryable: false };
  if (isCertificateRefused(error)) return { code: 'certificate_refused', sent: 'none', what: 'no connection', retryable: false };
  if (isIdentityMissing(error)) return { code: 'identity_missing', sent: 'none', what: 'no connection was tried', retryable: false };
  if (ARGUMENT_CODES.has(code)) return { code: 'protocol_error', sent: 'none', what: 'the request cannot be sent', retryable: false };
  if (PROTOCOL_CODES.has(code) || (error as Error | null)?.name === 'HTTPParserError') {
    return { code: 'protocol_error', sent: progress.isHeadReceived ? 'body' : 'head', what: 'not valid HTTP', retryable: false };
  }
  if (progress.isHeadReceived) return { code: 'connection_lost', sent: 'body', what: 'the answer broke off', retryable: false };
  if (isNotProcessed(error, code))
    return { code: 'not_processed', sent: 'none', what: 'the endpoint did not take the request', retryable: true };
  if (!progress.isStarted) return { code: 'connect_failed', sent: 'none', what: 'no connection', retryable: true };
  const isRefusal = progress.isMutual && !progress.isReused;
  const what = `the connection broke before the answer${isRefusal ? ' (perhaps the endpoint does not trust our certificate)' : ''}`;
  return { code: 'connection_lost', sent: 'head', what, retryable: progress.isReused };
}

/** `retryable` on connection_lost says: the socket was a reused one, so the server very likely closed it while idle. */
export function attemptError(error: unknown, call: Call, progress: AttemptProgress): MeshError {
  if (error instanceof MeshError) return error;
  const verdict = judge(error, progress);
  return meshError({
    code: verdict.code,
    message: `${verdict.what}: ${messageOf(error)}`,
    sent: verdict.sent,
    retryable: verdict.retryable,
    where: placeOf(call),
    cause: error,
  });
}

/** Whether nothing was tried, for want of a certificate of our own. */
export function isIdentityMissing(error: unknown): boolean {
  return codeOf(error) === 'INMESH_IDENTITY_MISSING';
}

/** Whether the endpoint did not accept our certificate. */
export function isCertificateRefused(error: unknown): boolean {
  return REFUSED.test(codeOf(error));
}

/** Whether the connection was refused because the peer is not who it should be. */
export function isIdentityError(error: unknown): boolean {
  return IDENTITY_CODES.has(codeOf(error));
}
