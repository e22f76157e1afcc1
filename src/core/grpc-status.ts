// gRPC statuses beside HTTP statuses and our own errors. A gRPC answer counts as the HTTP status that Envoy puts in its
// place, so that breaker, outlier detection, budgets and metrics judge both protocols alike. Pure tables.
import { GRPC_STATUSES } from '../model/grpc-status.ts';
import type { MeshErrorCode } from './errors.ts';

/** By gRPC status. Source: Envoy `Grpc::Utility::grpcToHttpStatus`. */
const HTTP_OF_GRPC: readonly number[] = Object.freeze([
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
]);

/** What an answer with this gRPC status counts as; 500 for a number that none has. */
export function httpStatusOfGrpc(code: number): number {
  return HTTP_OF_GRPC[code] ?? 500;
}

/** What a gRPC client makes of an HTTP answer without `grpc-status`. Source: grpc doc/http-grpc-status-mapping.md. */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

/** What a gRPC caller is told for an error of ours. Source: Envoy's local replies to gRPC; gRPC statuscodes.md. */
export const GRPC_OF_ERROR: Readonly<Record<MeshErrorCode, number>> = Object.freeze({
  unknown_host: 14,
  no_endpoint: 14,
  circuit_open: 14,
  overloaded: 14,
  rate_limited: 8,
  throttled: 14,
  closed: 14,
  connect_failed: 14,
  not_processed: 14,
  connection_lost: 14,
  peer_untrusted: 14,
  certificate_refused: 14,
  identity_missing: 14,
  protocol_error: 13,
  call_failed: 2,
  attempt_timeout: 4,
  deadline_exceeded: 4,
  canceled: 1,
  config_invalid: 13,
});

/** `UNAVAILABLE`; the number as text when it has no name. */
export function grpcStatusName(code: number): string {
  return GRPC_STATUSES[code] ?? String(code);
}

/** Of a head, -1 when it has none that is a number. */
export function grpcStatusIn(value: string | string[] | undefined): number {
  return typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : -1;
}
