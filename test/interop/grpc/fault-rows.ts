// The gRPC rows of the fault matrix: what an ill endpoint does with a stream, and what a call comes to. Data alone.
import { CODE, type H2Headers, type OnStream } from '../faults/raw-h2-server.ts';

/** N: provably not processed, any method may be repeated. U: unknown, only idempotent ones. B: begun, never. A: the server's own word. */
export type GrpcFaultClass = 'N' | 'U' | 'B' | 'A';

export interface GrpcFaultRow {
  readonly fault: string;
  readonly class: GrpcFaultClass;
  readonly act: OnStream;
  /** What ends it, so that time is short. @default nothing has to */
  readonly waits?: 'attempt' | 'call';
  /** `status code-of-the-mesh ×streams`, of a call that must not and of one that may reach the application twice. One endpoint, one retry. */
  readonly once: string;
  readonly twice: string;
}

const HEAD: H2Headers = { 'content-type': 'application/grpc' };
const message = (text: string): Buffer => {
  const frame = Buffer.alloc(5 + text.length);
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5);
  return frame;
};

export const answer: OnStream = (peer, stream) => {
  peer.head(stream, HEAD);
  peer.data(stream, message('ok'));
  peer.trailers(stream, { 'grpc-status': '0' });
};

const begun: OnStream = (peer, stream) => {
  peer.head(stream, HEAD);
  peer.data(stream, message('ok'));
};

const resets =
  (code: number): OnStream =>
  (peer, stream) =>
    peer.reset(stream, code);

/** After the message has been read. */
const resetsLate =
  (code: number): OnStream =>
  (peer, stream, nth) => {
    begun(peer, stream, nth);
    setTimeout(() => peer.reset(stream, code), 20);
  };

const httpStatus =
  (status: number): OnStream =>
  (peer, stream) =>
    peer.head(stream, { ':status': String(status) }, true);

const trailersOnly =
  (status: number, headers: H2Headers = {}): OnStream =>
  (peer, stream) =>
    peer.head(stream, { ...HEAD, 'grpc-status': String(status), ...headers }, true);

const inTrailers =
  (status: number): OnStream =>
  (peer, stream) => {
    peer.head(stream, HEAD);
    peer.trailers(stream, { 'grpc-status': String(status) });
  };

export const GRPC_ROWS: readonly GrpcFaultRow[] = [
  {
    fault: 'REFUSED_STREAM once',
    class: 'N',
    act: (peer, stream, nth) => (nth === 1 ? peer.reset(stream, CODE.refused) : answer(peer, stream, nth)),
    once: 'OK ×2',
    twice: 'OK ×2',
  },
  {
    fault: 'REFUSED_STREAM always',
    class: 'N',
    act: resets(CODE.refused),
    once: 'UNAVAILABLE not_processed ×5',
    twice: 'UNAVAILABLE not_processed ×5',
  },
  {
    fault: 'GOAWAY before the stream, once',
    class: 'N',
    act: (peer, stream, nth) => {
      if (nth > 1) return answer(peer, stream, nth);
      peer.goaway(0, CODE.none);
      peer.socket.end();
    },
    once: 'OK ×2',
    twice: 'OK ×2',
  },
  {
    fault: 'GOAWAY behind the stream, then FIN',
    class: 'U',
    act: (peer, stream) => {
      peer.goaway(stream, CODE.none);
      peer.socket.end();
    },
    once: 'UNAVAILABLE connection_lost ×1',
    twice: 'UNAVAILABLE connection_lost ×2',
  },
  {
    fault: 'FIN before the head',
    class: 'U',
    act: (peer) => peer.socket.end(),
    once: 'UNAVAILABLE connection_lost ×1',
    twice: 'UNAVAILABLE connection_lost ×2',
  },
  {
    fault: 'RST of the connection',
    class: 'U',
    act: (peer) => peer.socket.resetAndDestroy(),
    once: 'UNAVAILABLE connection_lost ×1',
    twice: 'UNAVAILABLE connection_lost ×2',
  },
  {
    fault: 'GOAWAY(PROTOCOL_ERROR)',
    class: 'U',
    act: (peer, stream) => {
      peer.goaway(stream, CODE.protocol);
      peer.socket.end();
    },
    once: 'INTERNAL connection_lost ×1',
    twice: 'INTERNAL connection_lost ×2',
  },
  {
    fault: 'RST_STREAM(CANCEL) before the head',
    class: 'U',
    act: resets(CODE.cancel),
    once: 'CANCELLED connection_lost ×1',
    twice: 'CANCELLED connection_lost ×2',
  },
  {
    fault: 'RST_STREAM(INTERNAL_ERROR) before the head',
    class: 'U',
    act: resets(CODE.internal),
    once: 'INTERNAL connection_lost ×1',
    twice: 'INTERNAL connection_lost ×2',
  },
  {
    fault: 'RST_STREAM(ENHANCE_YOUR_CALM)',
    class: 'U',
    act: resets(CODE.calm),
    once: 'RESOURCE_EXHAUSTED connection_lost ×1',
    twice: 'RESOURCE_EXHAUSTED connection_lost ×2',
  },
  {
    fault: 'no answer',
    waits: 'attempt',
    class: 'U',
    act: () => {},
    once: 'DEADLINE_EXCEEDED attempt_timeout ×1',
    twice: 'DEADLINE_EXCEEDED attempt_timeout ×2',
  },
  {
    fault: 'a head and nothing more',
    waits: 'call',
    class: 'U',
    act: (peer, stream) => peer.head(stream, HEAD),
    once: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
    twice: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
  },
  {
    fault: 'a message, then silence',
    waits: 'call',
    class: 'B',
    act: begun,
    once: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
    twice: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
  },
  { fault: 'a message, then RST_STREAM(CANCEL)', class: 'B', act: resetsLate(CODE.cancel), once: 'CANCELLED ×1', twice: 'CANCELLED ×1' },
  { fault: 'a message, then RST_STREAM(NO_ERROR)', class: 'B', act: resetsLate(CODE.none), once: 'INTERNAL ×1', twice: 'INTERNAL ×1' },
  {
    fault: 'a message, then RST_STREAM(INTERNAL_ERROR)',
    class: 'B',
    act: resetsLate(CODE.internal),
    once: 'INTERNAL ×1',
    twice: 'INTERNAL ×1',
  },
  {
    fault: 'a message, then FIN',
    class: 'B',
    act: (peer, stream, nth) => {
      begun(peer, stream, nth);
      setTimeout(() => peer.socket.end(), 20);
    },
    once: 'UNAVAILABLE ×1',
    twice: 'UNAVAILABLE ×1',
  },
  { fault: 'HTTP 401', class: 'A', act: httpStatus(401), once: 'UNAUTHENTICATED ×1', twice: 'UNAUTHENTICATED ×1' },
  { fault: 'HTTP 403', class: 'A', act: httpStatus(403), once: 'PERMISSION_DENIED ×1', twice: 'PERMISSION_DENIED ×1' },
  { fault: 'HTTP 404', class: 'A', act: httpStatus(404), once: 'UNIMPLEMENTED ×1', twice: 'UNIMPLEMENTED ×1' },
  { fault: 'HTTP 429', class: 'A', act: httpStatus(429), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { fault: 'HTTP 502', class: 'A', act: httpStatus(502), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { fault: 'HTTP 503', class: 'A', act: httpStatus(503), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { fault: 'HTTP 504', class: 'A', act: httpStatus(504), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { fault: 'UNAVAILABLE, trailers only', class: 'A', act: trailersOnly(14), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { fault: 'UNAVAILABLE, behind a head', class: 'A', act: inTrailers(14), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  {
    fault: 'UNAVAILABLE, and no retry wanted',
    class: 'A',
    act: trailersOnly(14, { 'grpc-retry-pushback-ms': '-1' }),
    once: 'UNAVAILABLE ×1',
    twice: 'UNAVAILABLE ×1',
  },
  {
    fault: 'RESOURCE_EXHAUSTED without a word on when',
    class: 'A',
    act: trailersOnly(8),
    once: 'RESOURCE_EXHAUSTED ×1',
    twice: 'RESOURCE_EXHAUSTED ×1',
  },
  {
    fault: 'RESOURCE_EXHAUSTED with a pause',
    class: 'A',
    act: trailersOnly(8, { 'grpc-retry-pushback-ms': '5' }),
    once: 'RESOURCE_EXHAUSTED ×1',
    twice: 'RESOURCE_EXHAUSTED ×2',
  },
  { fault: 'INTERNAL by the server', class: 'A', act: trailersOnly(13), once: 'INTERNAL ×1', twice: 'INTERNAL ×1' },
  { fault: 'CANCELLED by the server', class: 'A', act: trailersOnly(1), once: 'CANCELLED ×1', twice: 'CANCELLED ×1' },
];
