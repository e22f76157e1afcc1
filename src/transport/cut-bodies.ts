// Bodies that were cut and look whole. HTTP/2: Node ends a stream that the peer reset with CANCEL or NO_ERROR as if its body were
// complete, and undici believes it; but the end of a whole body comes before its stream is closed, that of a cut one after. HTTP/1.1:
// a reset that arrives together with the last bytes is told as the end of the connection (libuv, on Node 22); but a connection
// that was ended still has a peer, one that was reset has none.
import { channel } from 'node:diagnostics_channel';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Who is told of a stream: what `socketError` holds while undici reports an end of a body is why that end is none. */
interface CutStreamHost {
  socketError: Error | null;
}

/** Who is told that a socket failed, in the turn in which undici is. */
export interface SocketHost extends CutStreamHost {
  onSocketError(error: Error): void;
}

const HOST = Symbol('inmesh.host');
const IS_WHOLE = Symbol('inmesh.isWhole');

type Watched = ClientHttp2Stream & { [HOST]?: CutStreamHost; [IS_WHOLE]?: boolean };

const CODE_NAMES: Readonly<Record<number, string>> = { 0: 'NO_ERROR', 8: 'CANCEL' };

function cutError({ rstCode }: ClientHttp2Stream): Error {
  const name = CODE_NAMES[rstCode ?? 0] ?? `code ${rstCode}`;
  return Object.assign(new Error(`the stream was closed in the body (${name})`), { code: 'INMESH_STREAM_CUT', http2ErrorCode: rstCode });
}

/** In the place of the stream's own method: whoever ends the body calls it with null. */
function push(this: Watched, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk === null && !this.closed) this[IS_WHOLE] = true;
  return Duplex.prototype.push.call(this, chunk, encoding);
}

/** Stands before the listener of undici, which tells the attempt in this very turn. */
function onEnd(this: Watched): void {
  const host = this[HOST] as CutStreamHost;
  if (this[IS_WHOLE] === true) {
    host.socketError = null;
    return;
  }
  host.socketError = cutError(this);
  queueMicrotask(() => {
    host.socketError = null;
  });
}

function onCreated(message: unknown): void {
  const { stream } = message as { stream: Watched };
  const session = stream.session as (ClientHttp2Session & { socket: { [HOST]?: CutStreamHost } }) | undefined;
  // Streams of other clients in this process come here, too.
  if (session === undefined || session.destroyed) return;
  const host = session.socket[HOST];
  if (host === undefined) return;
  stream[HOST] = host;
  stream.push = push;
  stream.on('end', onEnd);
}

let isWatching = false;

/** From now on the streams of the session that is made of this socket are watched. */
function watchStreams(): void {
  if (isWatching) return;
  isWatching = true;
  channel('http2.client.stream.created').subscribe(onCreated);
}

type WatchedSocket = Socket & { [HOST]?: SocketHost };

function onSocketError(this: WatchedSocket, error: Error): void {
  this[HOST]?.onSocketError(error);
}

/** A reset that is told as an end. */
function onSocketEnd(this: WatchedSocket): void {
  if (!this.destroyed && this.remoteAddress === undefined) {
    this[HOST]?.onSocketError(Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' }));
  }
}

/** Stands before the listeners of undici. The listeners are those of all sockets: there may be thousands. */
export function watchSocket(socket: Socket, host: SocketHost, isH2: boolean): void {
  (socket as WatchedSocket)[HOST] = host;
  socket.on('error', onSocketError);
  socket.on('end', onSocketEnd);
  if (isH2) watchStreams();
}
