// Rows of the fault matrix that only HTTP/1.1 has: what is written into its bytes.
import type { Socket } from 'node:net';
import { type FaultCell, HASTY, type Observed } from './observe.ts';
import { illHttp1 } from './peers.ts';
import type { FaultRow } from './row.ts';

type Act = (socket: Socket, head: string, nth: number) => void;

function h1(act: Act, expected: Observed, rest: Partial<FaultCell> = {}): FaultRow['cells'] {
  return { http1: { peer: () => illHttp1(act), expected, ...rest } };
}

const says =
  (text: string): Act =>
  (socket) =>
    void socket.write(text, 'latin1');
const HEAD = 'HTTP/1.1 200 OK\r\n';
const later = (act: () => void, ms = 20): void => void setTimeout(act, ms);

function drip(socket: Socket): void {
  socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
  const timer = setInterval(() => socket.write('1\r\nx\r\n'), 50);
  socket.on('close', () => clearInterval(timer));
}

export const HTTP1_ROWS: readonly FaultRow[] = [
  {
    id: 'short-length',
    fault: 'body shorter than its content-length, then FIN',
    class: 'B',
    promise: 'the error reaches the reader',
    cells: h1((socket) => void socket.end(`${HEAD}content-length: 9\r\n\r\nhalf`), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'short-chunked',
    fault: 'chunked body without its last chunk, then FIN',
    class: 'B',
    promise: 'the error reaches the reader',
    cells: h1((socket) => void socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'close-delimited-rst',
    fault: 'body that ends with the connection, cut by RST',
    class: 'B',
    promise: 'detected, although undici reports it as whole',
    cells: h1(
      (socket) => {
        socket.write(`${HEAD}connection: close\r\n\r\nhalf`);
        later(() => socket.resetAndDestroy());
      },
      {
        get: '200, then connection_lost failed body ×1',
        post: '200, then connection_lost failed body ×1',
        spare: '200, then connection_lost failed body ×1',
      },
    ),
  },
  {
    id: 'close-delimited-fin',
    fault: 'body that ends with the connection, by FIN',
    class: '–',
    promise: 'that is how such a body ends: it is whole',
    cells: h1((socket) => void socket.end(`${HEAD}connection: close\r\n\r\nok`), {
      get: '200 ok ×1',
      post: '200 ok ×1',
      spare: '200 ok ×1',
    }),
  },
  {
    id: 'body-stalls',
    fault: 'the body stalls',
    class: 'B',
    promise: 'the deadline of the call covers the body',
    cells: h1(
      says(`${HEAD}content-length: 9\r\n\r\nhalf`),
      {
        get: '200, then deadline_exceeded ended body ×1',
        post: '200, then deadline_exceeded ended body ×1',
        spare: '200, then deadline_exceeded ended body ×1',
      },
      { service: HASTY },
    ),
  },
  {
    id: 'body-drips',
    fault: 'the body drips for ever',
    class: 'B',
    promise: 'the deadline of the call covers the body',
    cells: h1(
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
    id: 'bad-status',
    fault: 'invalid status line',
    class: 'C',
    promise: 'protocol_error, not repeated; counts against the endpoint',
    cells: h1(says('HTTP/1.1 twohundred OK\r\n\r\n'), {
      get: 'protocol_error failed head ×1',
      post: 'protocol_error failed head ×1',
      spare: 'protocol_error failed head ×1',
    }),
  },
  {
    id: 'nul',
    fault: 'NUL in a header',
    class: 'C',
    promise: 'as an invalid status line',
    cells: h1(says(`${HEAD}x: a\0b\r\n\r\n`), {
      get: 'protocol_error failed head ×1',
      post: 'protocol_error failed head ×1',
      spare: 'protocol_error failed head ×1',
    }),
  },
  {
    id: 'bare-lf',
    fault: 'bare LF after a header',
    class: 'C',
    promise: 'as an invalid status line',
    cells: h1(says(`${HEAD}x: a\ncontent-length: 2\r\n\r\nok`), {
      get: 'protocol_error failed head ×1',
      post: 'protocol_error failed head ×1',
      spare: 'protocol_error failed head ×1',
    }),
  },
  {
    id: 'bad-chunk',
    fault: 'invalid chunk size',
    class: 'B',
    promise: 'the error reaches the reader',
    cells: h1(says(`${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`), {
      get: '200, then protocol_error failed body ×1',
      post: '200, then protocol_error failed body ×1',
      spare: '200, then protocol_error failed body ×1',
    }),
  },
  {
    id: 'two-lengths',
    fault: 'two content-lengths that differ',
    class: 'C',
    promise: 'protocol_error: no smuggling',
    cells: h1(says(`${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\nok`), {
      get: 'protocol_error failed head ×1',
      post: 'protocol_error failed head ×1',
      spare: 'protocol_error failed head ×1',
    }),
  },
  {
    id: 'length-and-chunks',
    fault: 'content-length and transfer-encoding',
    class: 'C',
    promise: 'protocol_error: no smuggling',
    cells: h1(says(`${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`), {
      get: 'protocol_error failed head ×1',
      post: 'protocol_error failed head ×1',
      spare: 'protocol_error failed head ×1',
    }),
  },
  {
    id: 'large-head',
    fault: 'response head over 16 KiB',
    class: 'C',
    promise: 'protocol_error',
    cells: h1(says(`${HEAD}x: ${'a'.repeat(20_000)}\r\n\r\n`), {
      get: 'protocol_error failed head ×1',
      post: 'protocol_error failed head ×1',
      spare: 'protocol_error failed head ×1',
    }),
  },
  {
    id: 'extra-bytes',
    fault: 'more bytes after the body',
    class: '–',
    promise: 'the answer stands, the connection is dropped, nobody gets the bytes',
    cells: h1(says(`${HEAD}content-length: 2\r\n\r\nokEXTRA`), { get: '200 ok ×1', post: '200 ok ×1', spare: '200 ok ×1' }),
  },
  {
    id: 'early-413',
    fault: '413 and RST while the request body is being sent',
    class: '–',
    promise: 'the answer is kept',
    cells: h1(
      (socket) => {
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
        later(() => socket.resetAndDestroy(), 50);
      },
      { get: '413 ×1', post: '413 ×1', spare: '413 ×1' },
      { body: () => 'y'.repeat(3_000_000) },
    ),
  },
];
