// gRPC in the fault matrix: what an ill endpoint does with a stream, and what a call comes to. Data alone.
import { CODE, grpcMessage, type H2Headers, type H2Peer, type OnStream, SETTING } from './raw-h2-server.ts';
import type { FaultClass } from './row.ts';
import { largeHead, straySequel } from './rows-http2.ts';

export interface GrpcFault {
  /** That of the row of HTTP with the same fault; or one of its own. */
  readonly id: string;
  readonly fault: string;
  readonly class: FaultClass;
  /** null: nobody listens. */
  readonly act: OnStream | null;
  /** Sent first. @default none */
  readonly settings?: readonly (readonly [id: number, value: number])[];
  /** Said before anything is read. */
  readonly onAccept?: (peer: H2Peer) => void;
  /** What ends it, so that time is short. @default nothing has to */
  readonly waits?: 'attempt' | 'call';
  /** `status code-of-the-mesh ×streams`, of a call that must not and of one that may reach the application twice. One endpoint, one retry. */
  readonly once: string;
  readonly twice: string;
}

const HEAD: H2Headers = { 'content-type': 'application/grpc' };
export const answer: OnStream = (peer, stream) => {
  peer.head(stream, HEAD);
  peer.data(stream, grpcMessage('ok'));
  peer.trailers(stream, { 'grpc-status': '0' });
};

const begun: OnStream = (peer, stream) => {
  peer.head(stream, HEAD);
  peer.data(stream, grpcMessage('ok'));
};

const nothing: OnStream = () => {};

const drips: OnStream = (peer, stream) => {
  peer.head(stream, HEAD);
  const timer = setInterval(() => peer.data(stream, Buffer.of(0)), 50);
  peer.socket.on('close', () => clearInterval(timer));
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

export const GRPC_FAULTS: readonly GrpcFault[] = [
  {
    id: 'refused',
    fault: 'nobody listens',
    class: 'N',
    act: null,
    once: 'UNAVAILABLE connect_failed ×0',
    twice: 'UNAVAILABLE connect_failed ×0',
  },
  {
    id: 'h2-no-streams',
    fault: 'MAX_CONCURRENT_STREAMS 0',
    class: 'N',
    waits: 'attempt',
    act: () => {},
    settings: [[SETTING.maxConcurrentStreams, 0]],
    once: 'DEADLINE_EXCEEDED attempt_timeout ×0',
    twice: 'DEADLINE_EXCEEDED attempt_timeout ×0',
  },
  {
    id: 'accept-reset',
    fault: 'RST on accept',
    class: 'N',
    act: nothing,
    onAccept: ({ socket }) => socket.resetAndDestroy(),
    once: 'UNAVAILABLE connect_failed ×0',
    twice: 'UNAVAILABLE connect_failed ×0',
  },
  {
    id: 'accept-end',
    fault: 'FIN on accept',
    class: 'U',
    act: nothing,
    onAccept: ({ socket }) => void socket.end(),
    once: 'UNAVAILABLE connection_lost ×1',
    twice: 'UNAVAILABLE connection_lost ×2',
  },
  {
    id: 'garbage',
    fault: 'garbage instead of an answer',
    class: 'U',
    act: ({ socket }) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'.repeat(4)),
    once: 'INTERNAL connection_lost ×1',
    twice: 'INTERNAL connection_lost ×2',
  },
  {
    id: 'h2-goaway-graceful',
    fault: 'GOAWAY that covers the stream, then the answer',
    class: '–',
    act: (peer, stream, nth) => {
      peer.goaway(stream, CODE.none);
      answer(peer, stream, nth);
    },
    once: 'OK ×1',
    twice: 'OK ×1',
  },
  {
    id: 'h2-goaway-first',
    fault: 'GOAWAY before any stream',
    class: 'N',
    act: nothing,
    onAccept: (peer) => peer.goaway(0, CODE.none),
    once: 'UNAVAILABLE not_processed ×0',
    twice: 'UNAVAILABLE not_processed ×0',
  },
  {
    id: 'h2-bad-frame',
    fault: 'a frame that is not allowed there',
    class: 'U',
    act: straySequel,
    once: 'INTERNAL connection_lost ×1',
    twice: 'INTERNAL connection_lost ×2',
  },
  {
    id: 'h2-large-head',
    fault: 'response head over 64 KiB',
    class: 'U',
    act: largeHead,
    once: 'RESOURCE_EXHAUSTED connection_lost ×1',
    twice: 'RESOURCE_EXHAUSTED connection_lost ×2',
  },
  {
    id: 'h2-body-drips',
    fault: 'a message that drips for ever',
    class: 'B',
    act: drips,
    waits: 'call',
    once: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
    twice: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
  },
  {
    id: 'h2-extra-bytes',
    fault: 'DATA after END_STREAM',
    class: '–',
    act: (peer, stream, nth) => {
      answer(peer, stream, nth);
      peer.data(stream, 'EXTRA');
    },
    once: 'OK ×1',
    twice: 'OK ×1',
  },
  {
    id: 'h2-early-413',
    fault: '413 and RST_STREAM(NO_ERROR) while the request body is being sent',
    class: 'A',
    act: (peer, stream) => {
      peer.head(stream, { ':status': '413' }, true);
      peer.reset(stream, CODE.none);
    },
    once: 'UNKNOWN ×1',
    twice: 'UNKNOWN ×1',
  },
  {
    id: 'h2-refused-once',
    fault: 'REFUSED_STREAM once',
    class: 'N',
    act: (peer, stream, nth) => (nth === 1 ? peer.reset(stream, CODE.refused) : answer(peer, stream, nth)),
    once: 'OK ×2',
    twice: 'OK ×2',
  },
  {
    id: 'h2-refused',
    fault: 'REFUSED_STREAM always',
    class: 'N',
    act: resets(CODE.refused),
    once: 'UNAVAILABLE not_processed ×5',
    twice: 'UNAVAILABLE not_processed ×5',
  },
  {
    id: 'h2-goaway-zero',
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
    id: 'h2-goaway-accepted',
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
    id: 'fin-after-request',
    fault: 'FIN before the head',
    class: 'U',
    act: (peer) => peer.socket.end(),
    once: 'UNAVAILABLE connection_lost ×1',
    twice: 'UNAVAILABLE connection_lost ×2',
  },
  {
    id: 'rst-after-request',
    fault: 'RST of the connection',
    class: 'U',
    act: (peer) => peer.socket.resetAndDestroy(),
    once: 'UNAVAILABLE connection_lost ×1',
    twice: 'UNAVAILABLE connection_lost ×2',
  },
  {
    id: 'h2-goaway-error',
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
    id: 'h2-cancel-head',
    fault: 'RST_STREAM(CANCEL) before the head',
    class: 'U',
    act: resets(CODE.cancel),
    once: 'CANCELLED connection_lost ×1',
    twice: 'CANCELLED connection_lost ×2',
  },
  {
    id: 'grpc-internal-head',
    fault: 'RST_STREAM(INTERNAL_ERROR) before the head',
    class: 'U',
    act: resets(CODE.internal),
    once: 'INTERNAL connection_lost ×1',
    twice: 'INTERNAL connection_lost ×2',
  },
  {
    id: 'h2-calm',
    fault: 'RST_STREAM(ENHANCE_YOUR_CALM)',
    class: 'U',
    act: resets(CODE.calm),
    once: 'RESOURCE_EXHAUSTED connection_lost ×1',
    twice: 'RESOURCE_EXHAUSTED connection_lost ×2',
  },
  {
    id: 'mute',
    fault: 'no answer',
    waits: 'attempt',
    class: 'U',
    act: () => {},
    once: 'DEADLINE_EXCEEDED attempt_timeout ×1',
    twice: 'DEADLINE_EXCEEDED attempt_timeout ×2',
  },
  {
    id: 'grpc-head-only',
    fault: 'a head and nothing more',
    waits: 'call',
    class: 'U',
    act: (peer, stream) => peer.head(stream, HEAD),
    once: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
    twice: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
  },
  {
    id: 'h2-body-stalls',
    fault: 'a message, then silence',
    waits: 'call',
    class: 'B',
    act: begun,
    once: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
    twice: 'DEADLINE_EXCEEDED deadline_exceeded ×1',
  },
  {
    id: 'h2-cancel-body',
    fault: 'a message, then RST_STREAM(CANCEL)',
    class: 'B',
    act: resetsLate(CODE.cancel),
    once: 'CANCELLED ×1',
    twice: 'CANCELLED ×1',
  },
  {
    id: 'h2-no-error-body',
    fault: 'a message, then RST_STREAM(NO_ERROR)',
    class: 'B',
    act: resetsLate(CODE.none),
    once: 'INTERNAL ×1',
    twice: 'INTERNAL ×1',
  },
  {
    id: 'h2-internal-body',
    fault: 'a message, then RST_STREAM(INTERNAL_ERROR)',
    class: 'B',
    act: resetsLate(CODE.internal),
    once: 'INTERNAL ×1',
    twice: 'INTERNAL ×1',
  },
  {
    id: 'h2-fin-body',
    fault: 'a message, then FIN',
    class: 'B',
    act: (peer, stream, nth) => {
      begun(peer, stream, nth);
      setTimeout(() => peer.socket.end(), 20);
    },
    once: 'UNAVAILABLE ×1',
    twice: 'UNAVAILABLE ×1',
  },
  { id: 'grpc-http-401', fault: 'HTTP 401', class: 'A', act: httpStatus(401), once: 'UNAUTHENTICATED ×1', twice: 'UNAUTHENTICATED ×1' },
  { id: 'grpc-http-403', fault: 'HTTP 403', class: 'A', act: httpStatus(403), once: 'PERMISSION_DENIED ×1', twice: 'PERMISSION_DENIED ×1' },
  { id: 'grpc-http-404', fault: 'HTTP 404', class: 'A', act: httpStatus(404), once: 'UNIMPLEMENTED ×1', twice: 'UNIMPLEMENTED ×1' },
  { id: 'grpc-http-429', fault: 'HTTP 429', class: 'A', act: httpStatus(429), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { id: 'grpc-http-502', fault: 'HTTP 502', class: 'A', act: httpStatus(502), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { id: 'grpc-http-503', fault: 'HTTP 503', class: 'A', act: httpStatus(503), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  { id: 'grpc-http-504', fault: 'HTTP 504', class: 'A', act: httpStatus(504), once: 'UNAVAILABLE ×1', twice: 'UNAVAILABLE ×2' },
  {
    id: 'grpc-unavailable',
    fault: 'UNAVAILABLE, trailers only',
    class: 'A',
    act: trailersOnly(14),
    once: 'UNAVAILABLE ×1',
    twice: 'UNAVAILABLE ×2',
  },
  {
    id: 'grpc-unavailable-late',
    fault: 'UNAVAILABLE, behind a head',
    class: 'A',
    act: inTrailers(14),
    once: 'UNAVAILABLE ×1',
    twice: 'UNAVAILABLE ×2',
  },
  {
    id: 'grpc-pushback-never',
    fault: 'UNAVAILABLE, and no retry wanted',
    class: 'A',
    act: trailersOnly(14, { 'grpc-retry-pushback-ms': '-1' }),
    once: 'UNAVAILABLE ×1',
    twice: 'UNAVAILABLE ×1',
  },
  {
    id: 'grpc-exhausted',
    fault: 'RESOURCE_EXHAUSTED without a word on when',
    class: 'A',
    act: trailersOnly(8),
    once: 'RESOURCE_EXHAUSTED ×1',
    twice: 'RESOURCE_EXHAUSTED ×1',
  },
  {
    id: 'grpc-exhausted-pause',
    fault: 'RESOURCE_EXHAUSTED with a pause',
    class: 'A',
    act: trailersOnly(8, { 'grpc-retry-pushback-ms': '5' }),
    once: 'RESOURCE_EXHAUSTED ×1',
    twice: 'RESOURCE_EXHAUSTED ×2',
  },
  { id: 'grpc-internal', fault: 'INTERNAL by the server', class: 'A', act: trailersOnly(13), once: 'INTERNAL ×1', twice: 'INTERNAL ×1' },
  { id: 'grpc-canceled', fault: 'CANCELLED by the server', class: 'A', act: trailersOnly(1), once: 'CANCELLED ×1', twice: 'CANCELLED ×1' },
];
