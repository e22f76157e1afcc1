// Rows of the fault matrix that only frames have: resets, GOAWAY, settings. The gRPC column sees the same frames.
import { type FaultCell, HASTY, type Observed } from './observe.ts';
import { illHttp2 } from './peers.ts';
import { CODE, type H2Peer, type OnStream, SETTING } from './raw-h2-server.ts';
import type { FaultRow } from './row.ts';

type Act = OnStream;

interface Wire {
  /** Said before anything is read. */
  readonly onAccept?: (peer: H2Peer) => void;
  readonly onHeal?: (peer: H2Peer) => void;
}

function h2(act: Act, expected: Observed, rest: Partial<FaultCell> = {}, { onAccept, onHeal }: Wire = {}): FaultRow['cells'] {
  return { http2: { peer: () => illHttp2(act, onAccept, onHeal), expected, ...rest } };
}

const later = (act: () => void, ms = 20): void => void setTimeout(act, ms);

function half(peer: H2Peer, stream: number, headers = {}): void {
  peer.head(stream, headers);
  peer.data(stream, 'half');
}

const streams =
  (most: number) =>
  (peer: H2Peer): void =>
    peer.settings([[SETTING.maxConcurrentStreams, most]]);

const resets =
  (code: number): Act =>
  (peer, stream) =>
    peer.reset(stream, code);

const halfThenResets =
  (code: number): Act =>
  (peer, stream) => {
    half(peer, stream);
    later(() => peer.reset(stream, code));
  };

function answer(peer: H2Peer, stream: number): void {
  peer.head(stream);
  peer.data(stream, 'ok', true);
}

function drip(peer: H2Peer, stream: number): void {
  peer.head(stream);
  const timer = setInterval(() => peer.data(stream, 'x'), 50);
  peer.socket.on('close', () => clearInterval(timer));
}

const HEADERS_FRAME = 1;
const CONTINUATION_FRAME = 9;
const END_HEADERS = 4;

/** More than 64 KiB of fields, in frames of the allowed size. */
export function largeHead(peer: H2Peer, stream: number): void {
  const field = Buffer.concat([Buffer.from([0, 1]), Buffer.from('x'), Buffer.from([126]), Buffer.alloc(126, 0x61)]);
  const piece = Buffer.concat(Array.from({ length: 120 }, () => field));
  peer.frame(HEADERS_FRAME, 0, stream, Buffer.concat([Buffer.from([0x88]), piece]));
  for (let i = 0; i < 4; i++) peer.frame(CONTINUATION_FRAME, i === 3 ? END_HEADERS : 0, stream, piece);
}

/** The sequel of a head that nobody began. */
export function straySequel(peer: H2Peer, stream: number): void {
  peer.frame(CONTINUATION_FRAME, END_HEADERS, stream, Buffer.from([0x88]));
}

export const HTTP2_ROWS: readonly FaultRow[] = [
  {
    id: 'h2-cancel-body',
    fault: 'RST_STREAM(CANCEL) in the body',
    class: 'B',
    promise: 'detected, although Node and undici report it as whole',
    cells: h2(halfThenResets(CODE.cancel), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'h2-no-error-body',
    fault: 'RST_STREAM(NO_ERROR) in the body',
    class: 'B',
    promise: 'detected, although Node and undici report it as whole',
    cells: h2(halfThenResets(CODE.none), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'h2-internal-body',
    fault: 'RST_STREAM(INTERNAL_ERROR) in the body',
    class: 'B',
    promise: 'the error reaches the reader',
    cells: h2(halfThenResets(CODE.internal), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'h2-fin-body',
    fault: 'FIN of the connection in a body without length',
    class: 'B',
    promise: 'the error reaches the reader',
    cells: h2(
      (peer, stream) => {
        half(peer, stream);
        later(() => peer.socket.end());
      },
      {
        get: '200, then connection_lost failed body ×1',
        post: '200, then connection_lost failed body ×1',
        spare: '200, then connection_lost failed body ×1',
      },
    ),
  },
  {
    id: 'h2-short-length',
    fault: 'END_STREAM before content-length is reached',
    class: 'B',
    promise: 'the error reaches the reader',
    cells: h2(
      (peer, stream) => {
        peer.head(stream, { 'content-length': '9' });
        peer.data(stream, 'half', true);
      },
      {
        get: '200, then protocol_error failed body ×1',
        post: '200, then protocol_error failed body ×1',
        spare: '200, then protocol_error failed body ×1',
      },
    ),
  },
  {
    id: 'h2-body-stalls',
    fault: 'the body stalls',
    class: 'B',
    promise: 'the deadline of the call covers the body',
    cells: h2(
      (peer, stream) => half(peer, stream),
      {
        get: '200, then deadline_exceeded ended body ×1',
        post: '200, then deadline_exceeded ended body ×1',
        spare: '200, then deadline_exceeded ended body ×1',
      },
      { service: HASTY },
    ),
  },
  {
    id: 'h2-body-drips',
    fault: 'the body drips for ever',
    class: 'B',
    promise: 'the deadline of the call covers the body',
    cells: h2(
      drip,
      {
        get: '200, then deadline_exceeded ended body ×1',
        post: '200, then deadline_exceeded ended body ×1',
        spare: '200, then deadline_exceeded ended body ×1',
      },
      { service: HASTY },
    ),
  },
  {
    id: 'h2-refused-once',
    fault: 'REFUSED_STREAM once',
    class: 'N',
    promise: 'repeated for every method, by undici; both requests are seen',
    cells: h2((peer, stream, nth) => (nth === 1 ? peer.reset(stream, CODE.refused) : answer(peer, stream)), {
      get: '200 ok ×2',
      post: '200 ok ×2',
      spare: '200 ok ×2',
    }),
  },
  {
    id: 'h2-refused',
    fault: 'REFUSED_STREAM always',
    class: 'N',
    promise: 'repeated for every method, at another endpoint; undici doubles each attempt at the same one',
    cells: h2(resets(CODE.refused), { get: 'not_processed failed none ×10', post: 'not_processed failed none ×10', spare: '200 ok ×2' }),
  },
  {
    id: 'h2-calm',
    fault: 'ENHANCE_YOUR_CALM',
    class: 'U',
    promise: 'told, not repeated by default; counts against the endpoint',
    cells: h2(resets(CODE.calm), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'h2-cancel-head',
    fault: 'RST_STREAM(CANCEL) before the head',
    class: 'U',
    promise: 'told, not repeated by default',
    cells: h2(resets(CODE.cancel), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'h2-goaway-zero',
    fault: 'GOAWAY that covers no stream, then FIN, once',
    class: 'N',
    promise: 'repeated for every method on another connection',
    cells: h2(
      (peer, stream, nth) => {
        if (nth > 1) return answer(peer, stream);
        peer.goaway(0, CODE.none);
        peer.socket.end();
      },
      { get: '200 ok ×2', post: '200 ok ×2', spare: '200 ok ×2' },
    ),
  },
  {
    id: 'h2-goaway-accepted',
    fault: 'GOAWAY that covers the stream, then FIN',
    class: 'U',
    promise: 'told; the endpoint may have acted',
    cells: h2(
      (peer, stream) => {
        peer.goaway(stream, CODE.none);
        peer.socket.end();
      },
      { get: 'connection_lost failed head ×1', post: 'connection_lost failed head ×1', spare: 'connection_lost failed head ×1' },
    ),
  },
  {
    id: 'h2-goaway-graceful',
    fault: 'GOAWAY that covers the stream, then the answer',
    class: '–',
    promise: 'the answer stands, the next call has a new connection',
    cells: h2(
      (peer, stream) => {
        peer.goaway(stream, CODE.none);
        answer(peer, stream);
      },
      { get: '200 ok ×1', post: '200 ok ×1', spare: '200 ok ×1' },
    ),
  },
  {
    id: 'h2-goaway-error',
    fault: 'GOAWAY(PROTOCOL_ERROR)',
    class: 'U',
    promise: 'told; undici repeats once by itself, both requests are seen',
    cells: h2((peer) => peer.goaway(0, CODE.protocol), {
      get: 'connection_lost failed head ×2',
      post: 'connection_lost failed head ×2',
      spare: 'connection_lost failed head ×2',
    }),
  },
  {
    id: 'h2-goaway-first',
    fault: 'GOAWAY before any stream',
    class: 'N',
    promise: 'repeated for every method, at another endpoint',
    cells: h2(
      () => {},
      { get: 'not_processed failed none ×9', post: 'not_processed failed none ×9', spare: '200 ok ×2' },
      {},
      { onAccept: (peer) => peer.goaway(0, CODE.none) },
    ),
  },
  {
    id: 'h2-no-streams',
    fault: 'MAX_CONCURRENT_STREAMS 0',
    class: 'N',
    promise: 'waits no longer than the attempt and the deadline',
    cells: h2(
      () => {},
      { get: 'attempt_timeout ended head ×2|deadline_exceeded ended head ×2', post: 'attempt_timeout ended head ×1', spare: '200 ok ×1' },
      { service: HASTY },
      { onAccept: streams(0), onHeal: streams(100) },
    ),
  },
  {
    id: 'h2-bad-frame',
    fault: 'a frame that is not allowed there',
    class: 'C',
    promise: 'never an answer; not repeated by default',
    cells: h2((peer, stream) => straySequel(peer, stream), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'h2-large-head',
    fault: 'response head over 64 KiB',
    class: 'C',
    promise: 'never an answer; not repeated by default',
    cells: h2(largeHead, {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'h2-extra-bytes',
    fault: 'DATA after END_STREAM',
    class: '–',
    promise: 'the answer stands, nobody gets the bytes',
    cells: h2(
      (peer, stream) => {
        answer(peer, stream);
        peer.data(stream, 'EXTRA');
      },
      { get: '200 ok ×1', post: '200 ok ×1', spare: '200 ok ×1' },
    ),
  },
  {
    id: 'h2-early-413',
    fault: '413 and RST_STREAM(NO_ERROR) while the request body is being sent',
    class: '–',
    promise: 'the answer is kept',
    cells: h2(
      (peer, stream) => {
        peer.head(stream, { ':status': '413' }, true);
        peer.reset(stream, CODE.none);
      },
      { get: '413 ×1', post: '413 ×1', spare: '413 ×1' },
      { body: () => 'y'.repeat(3_000_000) },
    ),
  },
];
