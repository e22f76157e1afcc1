// What a status of grpc-js means: the word of the server, or a failure on the way, and of which class. grpc-js tells them
// apart by its words only, which are the same from 1.10 to 1.14. Source: the fault matrix in docs/grpc.md; subchannel-call.ts.
import type { MeshError, MeshErrorInit } from '../../core/errors.ts';
import { GRPC_OF_ERROR } from '../../core/grpc-status.ts';
import { type Line, untrustedReason } from './endpoint-line.ts';
import type { StatusObject } from './grpc-js.ts';

/** How far the attempt was when its status came. */
export interface GrpcProgress {
  /** Whether a connection had taken the call. */
  readonly isStarted: boolean;
  readonly isMessageReceived: boolean;
}

const UNAVAILABLE = 14;

const HTTP_STATUS = /^Received HTTP status code (\d{3})/;

/** Of an answer that was HTTP and no gRPC; 0 for any other. */
export function httpStatusIn({ details }: StatusObject): number {
  return Number(HTTP_STATUS.exec(details)?.[1] ?? 0);
}

/** Node 26 tells it of the write, before grpc-js has heard of the reset. */
const REFUSED = /^(Stream refused by server|Write error: .*NGHTTP2_REFUSED_STREAM)$/;
/** A GOAWAY came between the pick and the first byte. */
const UNSENT = /^Failed to start HTTP\/2 stream|^Channel closed before call started/;
/** The connection is gone, or the stream was reset, which a server that is shut down does without a word. */
const LOST =
  /^(Connection dropped|Call cancelled|Bandwidth exhausted or memory limit exceeded|Protocol not secure enough|No status information received|Received RST_STREAM with code \d+.*|Write error: .*|(read|write) E[A-Z]+)$/;

/** null: the server has answered with this status. */
export function failureOf(status: StatusObject, line: Line, progress: GrpcProgress): MeshErrorInit | null {
  const { code, details } = status;
  const cause = status;
  if (!progress.isStarted && code === UNAVAILABLE) {
    const reason = untrustedReason(line, details);
    if (reason !== '') return { code: 'peer_untrusted', message: `the TLS peer is not trusted: ${reason}`, sent: 'none', cause };
    return { code: 'connect_failed', message: `no connection: ${details}`, sent: 'none', retryable: true, cause };
  }
  if (progress.isMessageReceived) {
    if (!REFUSED.test(details) && !LOST.test(details)) return null;
    return { code: 'connection_lost', message: `the answer broke off: ${details}`, sent: 'body', cause };
  }
  if (REFUSED.test(details) || UNSENT.test(details)) {
    return { code: 'not_processed', message: `the endpoint did not take the call: ${details}`, sent: 'none', retryable: true, cause };
  }
  if (!LOST.test(details)) return null;
  return { code: 'connection_lost', message: `the stream broke before the answer: ${details}`, sent: 'head', cause };
}

export function isStatus(value: unknown): value is StatusObject {
  return typeof value === 'object' && value !== null && typeof (value as StatusObject).code === 'number' && 'details' in value;
}

/** That which grpc-js gave, where the failure was seen by it. */
export function grpcStatusOfError({ code, cause }: MeshError): number {
  return isStatus(cause) ? cause.code : GRPC_OF_ERROR[code];
}
