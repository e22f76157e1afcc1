// An HTTP/2 server of bare frames: says what Node's own server would never say. Source: RFC 9113 §6.
import type { Socket } from 'node:net';
import { type RawServer, rawServer } from './real-wire.ts';

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 };
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;

export const CODE = { none: 0, protocol: 1, internal: 2, refused: 7, cancel: 8, calm: 11 };

/** What a test can say on a connection. */
export interface H2Peer {
  readonly socket: Socket;
  /** Status 200. */
  head(stream: number, isEnd?: boolean): void;
  data(stream: number, text: string, isEnd?: boolean): void;
  reset(stream: number, code: number): void;
  goaway(lastStream: number, code: number): void;
}

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

function peerOf(socket: Socket): H2Peer {
  return {
    socket,
    // 0x88 is the entry `:status 200` of the static table.
    head: (stream, isEnd = false) => socket.write(frame(TYPE.headers, END_HEADERS | (isEnd ? END_STREAM : 0), stream, Buffer.from([0x88]))),
    data: (stream, text, isEnd = false) => socket.write(frame(TYPE.data, isEnd ? END_STREAM : 0, stream, Buffer.from(text))),
    reset: (stream, code) => socket.write(frame(TYPE.reset, 0, stream, uint32(code))),
    goaway: (lastStream, code) => socket.write(frame(TYPE.goaway, 0, 0, uint32(lastStream, code))),
  };
}

/** Calls `onStream` for every request, with its number counted over all connections. */
export async function rawH2(onStream: (peer: H2Peer, stream: number, nth: number) => void): Promise<RawServer & { streams(): number }> {
  let streams = 0;
  const server = await rawServer(
    () => {},
    (socket) => {
      const peer = peerOf(socket);
      let pending = Buffer.alloc(0);
      let isOpen = false;
      socket.write(frame(TYPE.settings, 0, 0));
      socket.on('data', (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        if (!isOpen) {
          if (pending.length < PREFACE_BYTES) return;
          pending = pending.subarray(PREFACE_BYTES);
          isOpen = true;
        }
        while (pending.length >= HEADER_BYTES) {
          const length = pending.readUIntBE(0, 3);
          if (pending.length < HEADER_BYTES + length) return;
          const [type, flags, stream] = [pending[3], pending[4] as number, pending.readUInt32BE(5)];
          const payload = pending.subarray(HEADER_BYTES, HEADER_BYTES + length);
          pending = pending.subarray(HEADER_BYTES + length);
          if (type === TYPE.settings && (flags & ACK) === 0) socket.write(frame(TYPE.settings, ACK, 0));
          else if (type === TYPE.ping && (flags & ACK) === 0) socket.write(frame(TYPE.ping, ACK, 0, payload));
          else if (type === TYPE.headers) onStream(peer, stream, ++streams);
        }
      });
    },
  );
  return { ...server, streams: () => streams };
}
