// One call of FetchX509SVID: gRPC over HTTP/2 on a unix socket or a TCP address, as much of it as that call needs. Ends once,
// with the status of gRPC; must not know what the messages mean, nor what comes after the end.
import { connect, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket, isIP, type Socket } from 'node:net';

export interface WorkloadStreamEvents {
  readonly onMessage: (message: Uint8Array) => void;
  /** `status`: of gRPC. */
  readonly onEnd: (status: number, message: string) => void;
}

export const GRPC_STATUS = { ok: 0, unknown: 2, invalidArgument: 3, permissionDenied: 7, unimplemented: 12, unavailable: 14 } as const;

const PATH = '/SpiffeWorkloadAPI/FetchX509SVID';
const FRAME_HEAD_BYTES = 5;
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** One message without fields. */
const EMPTY_REQUEST = Buffer.alloc(FRAME_HEAD_BYTES);

/** How to reach an agent. Throws an Error for what is no address of one. Source: SPIFFE Workload Endpoint §4. */
export function agentAddress(text: string): () => Socket {
  const path = /^unix:(?:\/\/)?(\/[^/?#][^?#]*)$/.exec(text)?.[1];
  if (path !== undefined) return () => connectSocket({ path });
  const [, v6, v4, digits] = /^tcp:\/\/(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = String(v6 ?? v4);
  const port = Number(digits);
  if (isIP(host) !== 0 && port > 0 && port < 65_536) return () => connectSocket({ host, port });
  throw new Error(`${JSON.stringify(text)} is no address of a SPIFFE agent; write unix:///path/to/agent.sock or tcp://IP:port`);
}

/** Begins the call; the function returned ends it without a word. */
export function openWorkloadStream(open: () => Socket, { onMessage, onEnd }: WorkloadStreamEvents): () => void {
  let isOver = false;
  let isAnswered = false;
  let buffered: Buffer = Buffer.alloc(0);
  const session = connect('http://localhost', { createConnection: open });
  // It holds no process: the calls do.
  session.unref();

  function end(status: number, message: string): void {
    if (isOver) return;
    isOver = true;
    session.destroy();
    onEnd(status, message);
  }

  function heed(headers: IncomingHttpHeaders): void {
    const status = headers['grpc-status'];
    if (status !== undefined) end(Number(status), messageOf(headers));
    else if (!isAnswered && Number(headers[':status']) !== 200) end(GRPC_STATUS.unknown, `it answers HTTP ${String(headers[':status'])}`);
    isAnswered = true;
  }

  function heedData(chunk: Buffer): void {
    buffered = Buffer.concat([buffered, chunk]);
    while (!isOver && buffered.length >= FRAME_HEAD_BYTES) {
      const length = buffered.readUInt32BE(1);
      if (buffered[0] !== 0 || length > MESSAGE_BYTES_MAX) {
        end(GRPC_STATUS.unknown, 'it sends a message that is compressed or too large');
        return;
      }
      if (buffered.length < FRAME_HEAD_BYTES + length) return;
      const message = buffered.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length);
      buffered = buffered.subarray(FRAME_HEAD_BYTES + length);
      onMessage(message);
    }
  }

  // Whatever ends the session ends its stream, with the same reason.
  session.on('error', () => {});
  const stream: ClientHttp2Stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    // Without it an agent must refuse: a browser that is lured to it cannot send it.
    'workload.spiffe.io': 'true',
  });
  stream.on('response', heed);
  stream.on('trailers', heed);
  stream.on('data', heedData);
  stream.on('error', (error) => end(GRPC_STATUS.unavailable, error.message));
  stream.on('close', () => end(GRPC_STATUS.unavailable, 'the stream was closed'));
  stream.end(EMPTY_REQUEST);
  return () => {
    isOver = true;
    session.destroy();
  };
}

function messageOf(headers: IncomingHttpHeaders): string {
  const text = String(headers['grpc-message'] ?? '');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
