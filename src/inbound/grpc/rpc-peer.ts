// What gRPC handlers may ask of the call that they serve: who calls (by TLS alone), when it is over, what it is called.
import type { Metadata } from '@grpc/grpc-js';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import type { InboundRpc } from './inbound-rpc.ts';

/** The object that grpc-js hands to the handler is the one that came in. */
const RPCS: WeakMap<object, InboundRpc> = new WeakMap();

export function rememberRpc(metadata: Metadata, call: InboundRpc): void {
  RPCS.set(metadata, call);
}

/** What a handler of grpc-js gets. */
export interface ServedGrpcCall {
  readonly metadata: object;
}

/**
 * Who calls, as the certificate of the connection proves it; null on a plain connection, and for a call that did not come
 * through `serve`. Never read from metadata.
 */
export function peerOf(call: ServedGrpcCall): PeerIdentity | null {
  return RPCS.get(call.metadata)?.peer ?? null;
}

/**
 * The signal of the call that is being served: aborted when its caller cancels or leaves, and at its deadline; never after
 * the status. Throws a TypeError for a call that did not come through `serve`.
 */
export function signalOf(call: ServedGrpcCall): AbortSignal {
  const rpc = RPCS.get(call.metadata);
  if (rpc === undefined) throw new TypeError('signalOf: this call did not come through serve of inmesh');
  return rpc.signal;
}

/**
 * The `x-request-id` of the call that is being served; '' for a call that did not come through `serve`. It is sent with the
 * answer: always to callers without a certificate, to the others when it was asked for before the head of the answer went out.
 */
export function requestIdOf(call: ServedGrpcCall): string {
  return RPCS.get(call.metadata)?.requestId ?? '';
}
