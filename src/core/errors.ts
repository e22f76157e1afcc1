// One error, one table of codes. The table is the union type, the docs page (docs/errors.md) and the answer a sidecar
// would give; a test holds them equal.

import type { ConfigIssue } from '../model/issue.ts';

/** refused: we said no, nobody saw the call. failed: it left, no usable answer. ended: by time or by the caller. config: at load. */
export type ErrorFamily = 'refused' | 'failed' | 'ended' | 'config';

/** How far the request got. `none`: the far side cannot have acted. */
export type Sent = 'none' | 'head' | 'body';

export interface ErrorCodeEntry {
  readonly family: ErrorFamily;
  readonly meaning: string;
  readonly remedy: string;
  /** What a sidecar answers in this place, and Envoy's response flag. */
  readonly status: number;
  readonly flag: string;
  readonly body: string;
}

export type MeshErrorCode =
  | 'unknown_host'
  | 'no_endpoint'
  | 'circuit_open'
  | 'overloaded'
  | 'rate_limited'
  | 'throttled'
  | 'closed'
  | 'connect_failed'
  | 'not_processed'
  | 'connection_lost'
  | 'peer_untrusted'
  | 'certificate_refused'
  | 'identity_missing'
  | 'protocol_error'
  | 'call_failed'
  | 'attempt_timeout'
  | 'deadline_exceeded'
  | 'canceled'
  | 'config_invalid';

export const ERROR_CODES: Readonly<Record<MeshErrorCode, ErrorCodeEntry>> = Object.freeze({
  unknown_host: {
    family: 'refused',
    meaning: 'No service of the mesh names this host, and unknownHosts is refuse.',
    remedy: 'Add the host to a service, or set unknownHosts: pass.',
    status: 502,
    flag: 'NR',
    body: '',
  },
  no_endpoint: {
    family: 'refused',
    meaning: 'The destination has no endpoint: none is known, or none carries the labels of the subset.',
    remedy: 'Check the endpoints, the DNS name or the subset labels of the service.',
    status: 503,
    flag: 'UH',
    body: 'no healthy upstream',
  },
  circuit_open: {
    family: 'refused',
    meaning: 'Too many recent calls to the service failed, so calls are refused for a short time.',
    remedy: 'Look at the service; tune circuitBreaker; retry after the open time.',
    status: 503,
    flag: 'UO',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: overflow',
  },
  overloaded: {
    family: 'refused',
    meaning: 'A limit of the service (requests, pending, retries) is reached in this process.',
    remedy: 'Raise the limit named in the message, or send less.',
    status: 503,
    flag: 'UO',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: overflow',
  },
  rate_limited: {
    family: 'refused',
    meaning: 'The rate limit of the route or service, for this process, has no token left.',
    remedy: 'Send less, wait as long as retryAfterMs says, or raise rateLimit.',
    status: 429,
    flag: 'RL',
    body: 'local_rate_limited',
  },
  throttled: {
    family: 'refused',
    meaning: 'The service refuses most calls for overload, so a share of them is refused here already.',
    remedy: 'Send less; mark what matters less as sheddable; look at the load of the service.',
    status: 503,
    flag: 'UO',
    body: 'denied by admission control',
  },
  closed: {
    family: 'refused',
    meaning: 'The mesh was closed.',
    remedy: 'Do not call after mesh.close().',
    status: 503,
    flag: 'UH',
    body: 'no healthy upstream',
  },
  connect_failed: {
    family: 'failed',
    meaning: 'No connection to the endpoint could be made. The request was not sent.',
    remedy: 'Check address, port and network of the endpoint; the cause names the system error.',
    status: 503,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
  },
  not_processed: {
    family: 'failed',
    meaning: 'The endpoint provably did not process the request (REFUSED_STREAM, or GOAWAY below the stream).',
    remedy: 'Retried on another endpoint for every method; seen here only when no attempt was left.',
    status: 503,
    flag: 'UR',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: remote reset',
  },
  connection_lost: {
    family: 'failed',
    meaning: 'The connection broke before the answer was complete. The endpoint may have acted.',
    remedy: 'Retried for idempotent calls; send an Idempotency-Key header to allow it for others.',
    status: 503,
    flag: 'UC',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
  },
  peer_untrusted: {
    family: 'failed',
    meaning: 'The TLS peer did not prove the identity that was expected.',
    remedy: 'Check ca, serverName and subjectAltNames of the service, and the certificate of the endpoint.',
    status: 503,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
  },
  certificate_refused: {
    family: 'failed',
    meaning: 'The endpoint did not accept the certificate of this process, and closed the connection. The request was not sent.',
    remedy: 'Check that the endpoint trusts the CA of this process, that its certificate is in time, and that it may call.',
    status: 503,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
  },
  identity_missing: {
    family: 'refused',
    meaning: 'This process has no certificate that is in time, so mutual TLS cannot be spoken. No connection was tried.',
    remedy: 'See the identityFailed events: the message names the source and why it gives no certificate.',
    status: 503,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
  },
  protocol_error: {
    family: 'failed',
    meaning: 'The endpoint sent something that is not valid HTTP, or the request could not be written.',
    remedy: 'Check that the port speaks the protocol of the service (http1, http2, TLS or plain).',
    status: 502,
    flag: 'UPE',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: protocol error',
  },
  call_failed: {
    family: 'failed',
    meaning: 'The function given to mesh.call threw; its error is the cause.',
    remedy: 'See the cause.',
    status: 503,
    flag: 'UR',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: remote reset',
  },
  attempt_timeout: {
    family: 'ended',
    meaning: 'One attempt gave no response head within perTryTimeout.',
    remedy: 'Retried for idempotent calls; raise retries.perTryTimeout if the endpoint is slow by nature.',
    status: 504,
    flag: 'UT',
    body: 'upstream request timeout',
  },
  deadline_exceeded: {
    family: 'ended',
    meaning: 'The time of the whole call ran out, retries and body included.',
    remedy: 'Raise timeout, or make the callee faster. An inherited deadline counts too.',
    status: 504,
    flag: 'UT',
    body: 'upstream request timeout',
  },
  canceled: {
    family: 'ended',
    meaning: 'The caller aborted.',
    remedy: 'Nothing to do: counts for nobody.',
    status: 499,
    flag: 'DC',
    body: '',
  },
  config_invalid: {
    family: 'config',
    meaning: 'The configuration was not accepted; the last good one stays in force.',
    remedy: 'The issues name file, line, column and the nearest valid key.',
    status: 500,
    flag: '-',
    body: '',
  },
});

/** Where it happened; what is not known is absent. */
export interface ErrorPlace {
  readonly service?: string;
  readonly route?: string;
  readonly destination?: string;
  readonly endpoint?: string;
  readonly attempt?: number;
}

export interface MeshErrorInit {
  readonly code: MeshErrorCode;
  readonly message: string;
  readonly sent?: Sent;
  /** Whether another attempt may be made; ours alone, false for what leaves an inbound handler. */
  readonly retryable?: boolean;
  readonly where?: ErrorPlace;
  readonly cause?: unknown;
  /** From Retry-After or the open time of the circuit, ms. */
  readonly retryAfterMs?: number;
}

const BRAND = Symbol.for('inmesh.MeshError');

function describePlace(where: ErrorPlace): string {
  const parts: string[] = [];
  if (where.destination !== undefined) parts.push(`destination ${where.destination}`);
  else if (where.service !== undefined) parts.push(`service ${where.service}`);
  if (where.route !== undefined) parts.push(`route ${where.route}`);
  if (where.endpoint !== undefined) parts.push(`endpoint ${where.endpoint}`);
  if (where.attempt !== undefined && where.attempt > 0) parts.push(`attempt ${where.attempt}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/**
 * What the mesh throws. Message: `[code] what happened (where). What to do.`
 * `instanceof` is structural, so two copies of the package recognise each other's errors.
 */
export class MeshError extends Error {
  readonly code: MeshErrorCode;
  readonly family: ErrorFamily;
  readonly sent: Sent;
  readonly retryable: boolean;
  readonly where: ErrorPlace;
  readonly retryAfterMs: number;
  /** The single faults of `config_invalid`. */
  declare readonly issues?: readonly ConfigIssue[];

  constructor(init: MeshErrorInit) {
    const where = init.where ?? {};
    const entry = ERROR_CODES[init.code];
    super(
      `[${init.code}] ${init.message}${describePlace(where)}. ${entry.remedy}`,
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.name = 'MeshError';
    this.code = init.code;
    this.family = entry.family;
    this.sent = init.sent ?? 'none';
    this.retryable = init.retryable ?? false;
    this.where = where;
    this.retryAfterMs = init.retryAfterMs ?? 0;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
  }
}

Object.defineProperty(MeshError.prototype, BRAND, { value: true });

/** A MeshError without a stack: the stack of a socket callback says nothing, and capturing it costs 5 µs. */
export function meshError(init: MeshErrorInit): MeshError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new MeshError(init);
  } finally {
    Error.stackTraceLimit = limit;
  }
}
