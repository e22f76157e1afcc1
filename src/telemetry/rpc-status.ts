// What the RPC conventions say of a gRPC call: its method, its status in words. Source: OpenTelemetry semantic conventions,
// RPC and gRPC.
import type { Outcome } from '../core/call.ts';
import { GRPC_OF_ERROR, grpcStatusName, grpcStatusOfHttp } from '../core/grpc-status.ts';

/** `pkg.Service/Method`. */
export function rpcMethod(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}

/** The status that the caller was given. */
export function rpcStatus({ grpcStatus, error, status }: Outcome): number {
  if (grpcStatus !== undefined) return grpcStatus;
  if (error !== null) return GRPC_OF_ERROR[error.code];
  // What a layer answered, in the words of HTTP.
  return status < 400 ? 0 : grpcStatusOfHttp(status);
}

/** Value of `error.type`. */
export function rpcError(code: number): string {
  return grpcStatusName(code);
}
