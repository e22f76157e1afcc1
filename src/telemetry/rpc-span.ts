// Spans of gRPC calls. The other way round than with HTTP: the CLIENT span is that of the whole call, its attempts are INTERNAL
// children. Source: OpenTelemetry semantic conventions, gRPC; gRFC A72 for the attempts.
import type { Call, Outcome } from '../core/call.ts';
import { grpcStatusName } from '../core/grpc-status.ts';
import type { Span, SpanOptions } from './api.ts';
import { rpcError, rpcMethod, rpcStatus } from './rpc-status.ts';
import * as name from './semconv.ts';
import { KIND_CLIENT, KIND_INTERNAL, serverAddress, type SpanStart } from './span-start.ts';

const ENTRIES_MAX = 256;
const ATTEMPT_OPTIONS: SpanOptions = Object.freeze({ kind: KIND_INTERNAL });

/** Name and first attributes of a call, remembered by method and host. */
export function rpcStarts(service: string): (call: Call) => SpanStart {
  const known: Map<string, SpanStart> = new Map();
  return ({ path, authority, scheme }) => {
    const key = `${authority} ${path}`;
    let start = known.get(key);
    if (start === undefined) {
      const { address, port } = serverAddress(scheme, authority);
      const method = rpcMethod(path);
      const attributes = {
        [name.RPC_SYSTEM_NAME]: 'grpc',
        [name.RPC_METHOD]: method,
        [name.SERVER_ADDRESS]: address,
        ...(authority.includes(':') ? { [name.SERVER_PORT]: port } : {}),
        [name.SERVICE_PEER_NAME]: service,
      };
      start = { name: method, options: Object.freeze({ kind: KIND_CLIENT, attributes: Object.freeze(attributes) }) };
      if (known.size >= ENTRIES_MAX) known.clear();
      known.set(key, start);
    }
    return start;
  };
}

/** Of one attempt. */
export function rpcAttemptStart({ path }: Call): SpanStart {
  return { name: `Attempt.${rpcMethod(path)}`, options: ATTEMPT_OPTIONS };
}

export function setRpcAttempt(span: Span, { attempt }: Call, isTransparent: boolean): void {
  span.setAttribute(name.RPC_PREVIOUS_ATTEMPTS, Math.max(0, attempt - 1));
  span.setAttribute(name.RPC_TRANSPARENT_RETRY, isTransparent);
}

const CANCELLED = 1;
const FAILED = 2;

/** Every status but OK is an error of a client, with one exception of ours: who cancels has not failed. */
export function setRpcStatus(span: Span, outcome: Outcome): void {
  const code = rpcStatus(outcome);
  span.setAttribute(name.RPC_STATUS_CODE, grpcStatusName(code));
  if (code === 0) return;
  const { error } = outcome;
  span.setAttribute(name.ERROR_TYPE, error === null ? rpcError(code) : error.code);
  if (code !== CANCELLED || error?.code !== 'canceled') span.setStatus({ code: FAILED });
}
