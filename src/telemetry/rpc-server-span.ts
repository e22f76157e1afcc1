// The span of a gRPC call from the side of the one who serves it.
// Source: OpenTelemetry semantic conventions, gRPC server spans.
import type { Call, Outcome } from '../core/call.ts';
import { grpcStatusName } from '../core/grpc-status.ts';
import type { Span } from './api.ts';
import { rpcError, rpcMethod, rpcStatus } from './rpc-status.ts';
import * as name from './semconv.ts';
import { serverAddress, type SpanStart } from './span-start.ts';

const KIND_SERVER = 1;
const FAILED = Object.freeze({ code: 2 });

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: the others are the caller's. */
const SERVER_ERRORS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** Names of unknown methods are as long as a caller likes. */
const ORIGINAL_LENGTH_MAX = 128;

/** `methodPath`: '' for a method that the server does not have. */
export function rpcServerStart({ path, scheme, authority }: Call, methodPath: string, clientAddress: string): SpanStart {
  const { address, port } = serverAddress(scheme, authority);
  const method = methodPath === '' ? name.OTHER : rpcMethod(methodPath);
  const attributes = {
    [name.RPC_SYSTEM_NAME]: 'grpc',
    [name.RPC_METHOD]: method,
    ...(methodPath === '' ? { [name.RPC_METHOD_ORIGINAL]: rpcMethod(path).slice(0, ORIGINAL_LENGTH_MAX) } : {}),
    [name.SERVER_ADDRESS]: address,
    [name.SERVER_PORT]: port,
    [name.CLIENT_ADDRESS]: clientAddress,
  };
  return { name: method, options: { kind: KIND_SERVER, attributes } };
}

export function endRpcServerSpan(span: Span, outcome: Outcome): void {
  const code = rpcStatus(outcome);
  span.setAttribute(name.RPC_STATUS_CODE, grpcStatusName(code));
  if (SERVER_ERRORS.has(code)) {
    span.setAttribute(name.ERROR_TYPE, outcome.error === null ? rpcError(code) : outcome.error.code);
    span.setStatus(FAILED);
  }
  span.end();
}
