// An HTTP/2 server of bare frames: it says what Node's own server would never say, in any order. RFC 9113 §6; header blocks are
// HPACK literals without a table (RFC 7541 §6.2.2), so that every frame is what is written here. Windows are opened wide and
// acknowledgements sent by themselves. Knows nothing of the library; shared by the fault rows of HTTP/2 and gRPC and by the tests
// of the transport. Use: rawH2((peer, stream, nth) => { peer.head(stream, { 'content-type': 'application/grpc' });
// peer.data(stream, bytes); peer.trailers(stream, { 'grpc-status': '0' }); }), or peer.reset(stream, CODE.refused),
// peer.goaway(0, CODE.none), peer.socket.resetAndDestroy(). `nth` counts request heads over all connections, from 1.
import type { Socket } from 'node:net';
import { type RawServer, rawServer } from './raw-server.ts';

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 };
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
/** `:status 200` of the static table. */
const STATUS_200 = Buffer.from([0x88]);
const LITERAL = 0;
/** An HPACK length with seven bits. */
const LENGTH_MAX = 126;

/** Error codes: RFC 9113 §7. */
export const CODE = { none: 0, protocol: 1, internal: 2, refused: 7, cancel: 8, calm: 11 } as const;
/** Settings: RFC 9113 §6.5.2. */
export const SETTING = { maxConcurrentStreams: 3, initialWindowSize: 4 } as const;

/** A message of gRPC, not compressed. */
export function grpcMessage(text: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

export type H2Headers = Readonly<Record<string, string>>;

/** What a test can say on a connection. */
export interface H2Peer {
  readonly socket: Socket;
  /** Status 200, unless `:status` says otherwise. */
  head(stream: number, headers?: H2Headers, isEnd?: boolean): void;
  data(stream: number, content: string | Uint8Array, isEnd?: boolean): void;
  /** Header fields that end the stream. */
  trailers(stream: number, headers?: H2Headers): void;
  reset(stream: number, code: number): void;
  goaway(lastStream: number, code: number): void;
  settings(values: readonly (readonly [id: number, value: number])[]): void;
  /** Any frame at all. */
  frame(type: number, flags: number, stream: number, payload?: Buffer): void;
}

export interface RawH2Options {
  /** Sent in the first SETTINGS. @default none */
  readonly settings?: readonly (readonly [id: number, value: number])[];
  /** Called when a connection is there, before anything is read from it. */
  readonly onConnection?: (peer: H2Peer) => void;
  /** A piece of a request body. */
  readonly onData?: (peer: H2Peer, stream: number, bytes: Buffer, isEnd: boolean) => void;
}

export type OnStream = (peer: H2Peer, stream: number, nth: number) => void;

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function uint32(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => out.writeUInt32BE(value, 4 * i));
  return out;
}

function word(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > LENGTH_MAX) throw new RangeError('a header of more than 126 bytes needs a longer length than is written here');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function block(headers: H2Headers): Buffer {
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.from([LITERAL]), word(name), word(value)]));
}

function settingsOf(values: RawH2Options['settings'] = []): Buffer {
  const out = Buffer.alloc(6 * values.length);
  values.forEach(([id, value], i) => {
    out.writeUInt16BE(id, 6 * i);
    out.writeUInt32BE(value, 6 * i + 2);
  });
  return out;
}

function peerOf(socket: Socket): H2Peer {
  const send = (bytes: Buffer): void => void socket.write(bytes);
  const end = (isEnd: boolean): number => (isEnd ? END_STREAM : 0);
  return {
    socket,
    head(stream, headers = {}, isEnd = false) {
      const fields = ':status' in headers ? block(headers) : Buffer.concat([STATUS_200, block(headers)]);
      send(frame(TYPE.headers, END_HEADERS | end(isEnd), stream, fields));
    },
    data: (stream, content, isEnd = false) => send(frame(TYPE.data, end(isEnd), stream, Buffer.from(content as Uint8Array))),
    trailers: (stream, headers = { 'x-end': '1' }) => send(frame(TYPE.headers, END_HEADERS | END_STREAM, stream, block(headers))),
    reset: (stream, code) => send(frame(TYPE.reset, 0, stream, uint32(code))),
    goaway: (lastStream, code) => send(frame(TYPE.goaway, 0, 0, uint32(lastStream, code))),
    settings: (values) => send(frame(TYPE.settings, 0, 0, settingsOf(values))),
    frame: (...parts) => send(frame(...parts)),
  };
}

/** Ready frames of `socket`, each with its payload, as they come. */
function readFrames(socket: Socket, onFrame: (type: number, flags: number, stream: number, payload: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  let isOpen = false;
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    if (!isOpen) {
      if (pending.length < PREFACE_BYTES) return;
      pending = pending.subarray(PREFACE_BYTES);
      isOpen = true;
    }
    while (pending.length >= HEADER_BYTES) {
      const length = pending.readUIntBE(0, 3);
      if (pending.length < HEADER_BYTES + length) return;
      const [type = 0, flags = 0] = [pending[3], pending[4]];
      const stream = pending.readUInt32BE(5);
      const payload = pending.subarray(HEADER_BYTES, HEADER_BYTES + length);
      pending = pending.subarray(HEADER_BYTES + length);
      onFrame(type, flags, stream, payload);
    }
  });
}

export async function rawH2(onStream: OnStream, options: RawH2Options = {}): Promise<RawServer & { streams(): number }> {
  let streams = 0;
  const onConnection = (socket: Socket): void => {
    const peer = peerOf(socket);
    peer.settings(options.settings ?? []);
    peer.frame(TYPE.windowUpdate, 0, 0, uint32(0x3fff_ffff));
    options.onConnection?.(peer);
    readFrames(socket, (type, flags, stream, payload) => {
      if (type === TYPE.settings && (flags & ACK) === 0) peer.frame(TYPE.settings, ACK, 0);
      else if (type === TYPE.ping && (flags & ACK) === 0) peer.frame(TYPE.ping, ACK, 0, payload);
      else if (type === TYPE.data) {
        if (payload.length > 0) peer.frame(TYPE.windowUpdate, 0, stream, uint32(payload.length));
        options.onData?.(peer, stream, Buffer.from(payload), (flags & END_STREAM) !== 0);
      } else if (type === TYPE.headers) onStream(peer, stream, ++streams);
    });
  };
  const server = await rawServer(() => {}, onConnection);
  return { ...server, streams: () => streams };
}
