// HTTP/2 behind an entrance: one node:http2 server that never listens, with limits against callers who keep it busy without
// asking for anything. Its requests go where those of HTTP/1 go.
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerOptions } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { ServerLimits } from '../model/server-limits.ts';
import { turnAway } from './answer.ts';

/** Options of node:http2 that its types do not have. */
interface UntypedOptions {
  readonly maxSessionInvalidFrames: number;
  readonly maxSessionRejectedStreams: number;
}

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** Source: nghttp2 closes after 1000 of each by default. */
const INVALID_FRAMES_MAX = 100;
const REJECTED_STREAMS_MAX = 100;
const MAX_SESSION_MEMORY_MB = 10;
/** What each header counts beside its text. Source: RFC 9113 §6.5.2. */
const FIELD_OVERHEAD = 32;
/** Source: RFC 6585 §5. */
const TOO_LARGE = 431;

export class Http2Door {
  readonly #server: Http2Server;
  readonly #clock: Clock;
  readonly #sessions: Set<ServerHttp2Session> = new Set();
  readonly #ofSocket: WeakMap<object, ServerHttp2Session> = new WeakMap();
  #limits: ServerLimits;
  /** The socket that is being handed over: node:http2 shows only a stand-in of it. */
  #current: Socket | null = null;

  constructor(limits: ServerLimits, clock: Clock, onRequest: OnRequest) {
    this.#clock = clock;
    this.#limits = limits;
    const options: ServerOptions & UntypedOptions = {
      settings: { maxConcurrentStreams: limits.maxStreams, maxHeaderListSize: limits.headerBytesMax, enablePush: false },
      maxSessionInvalidFrames: INVALID_FRAMES_MAX,
      maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      streamResetBurst: limits.streamResetBurst,
      streamResetRate: limits.streamResetRate,
    };
    this.#server = createServer(options);
    const take = (request: unknown, response: unknown): void =>
      this.#take(request as IncomingMessage, response as ServerResponse, onRequest);
    this.#server.on('request', take);
    this.#server.on('session', this.#open);
    this.#server.on('sessionError', ignore);
    this.update(limits);
  }

  /** For connections from now on, as far as node:http2 lets it be changed: the idle time and the budget of control frames. */
  update(limits: ServerLimits): void {
    this.#limits = limits;
    this.#server.setTimeout(limits.idleMs);
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** From a socket whose preface is still unread. */
  take(socket: Socket): void {
    this.#current = socket;
    this.#server.emit('connection', socket);
    this.#current = null;
  }

  /** GOAWAY: streams under way finish, no new ones begin. */
  retire(socket: object): void {
    const session = this.#ofSocket.get(socket);
    if (session !== undefined) retireSession(session);
  }

  retireAll(): void {
    for (const session of this.#sessions) retireSession(session);
  }

  cutOff(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Node keeps to the limit only when the caller has confirmed our settings, and a caller may be quicker than that. */
  #take(request: IncomingMessage, response: ServerResponse, onRequest: OnRequest): void {
    let bytes = 0;
    for (const text of request.rawHeaders) bytes += text.length + FIELD_OVERHEAD / 2;
    if (bytes <= this.#limits.headerBytesMax) onRequest(request, response);
    else turnAway(response, TOO_LARGE, 'the headers are too large');
  }

  readonly #open = (session: ServerHttp2Session): void => {
    this.#sessions.add(session);
    if (this.#current !== null) this.#ofSocket.set(this.#current, session);
    session.on('close', () => this.#sessions.delete(session));
    session.on('error', ignore);
    const { controlFrameBurst, controlFrameRate } = this.#limits;
    if (controlFrameBurst === 0) return;
    const budget = new FrameBudget(session, this.#clock, controlFrameBurst, controlFrameRate);
    session.on('ping', budget.spend);
    session.on('remoteSettings', budget.spend);
  };
}

/** GOAWAY. A stream that was on its way meanwhile is refused, which says that nothing was done of it: callers repeat it. */
function retireSession(session: ServerHttp2Session): void {
  if (!session.closed && !session.destroyed) session.close();
}

/** Frames that ask for an answer and carry no call. Source: CVE-2019-9512, CVE-2019-9515. */
class FrameBudget {
  readonly #session: ServerHttp2Session;
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #ratePerMs: number;
  #tokens: number;
  #atMs: number;

  constructor(session: ServerHttp2Session, clock: Clock, burst: number, ratePerSecond: number) {
    this.#session = session;
    this.#clock = clock;
    this.#burst = burst;
    this.#ratePerMs = ratePerSecond / 1_000;
    this.#tokens = burst;
    this.#atMs = clock.now();
  }

  readonly spend = (): void => {
    const nowMs = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#ratePerMs);
    this.#atMs = nowMs;
    if (--this.#tokens < 0) this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
}

function ignore(): void {}
