// The sockets of one endpoint, where all endpoints of a service share a number of them: whoever has calls takes what is
// there, and an idle socket elsewhere makes room. undici's own Pool knows only a number for itself. HTTP/1.1 alone: one
// call on a socket at a time.
import type { Clock } from '../core/clock.ts';
import { Client, type Dispatcher, type Pool } from './undici.ts';

/**
 * How many sockets all pools of a service may have together. Exact while there are no more pools than sockets; a pool beyond
 * that may have one, for whoever it serves can be reached nowhere else. Source: Envoy `max_connections` of a cluster, which
 * allows that one always.
 */
export class SocketLimit {
  readonly #most: number;
  readonly #pools: Set<LimitedPool> = new Set();
  #open = 0;
  /** Calls of all pools that wait for a socket. */
  waiting = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(pool: LimitedPool): void {
    this.#pools.add(pool);
    if (this.#pools.size <= this.#most) return;
    // Those that came while they could not be told from the rest.
    for (const other of this.#pools) if (other.waiting > 0 && other.size === 0) other.serve();
  }

  remove(pool: LimitedPool): void {
    this.#pools.delete(pool);
  }

  /** Whether there is room for one more socket; it is taken then. */
  take(pool: LimitedPool): boolean {
    const isFirstOfMany = pool.size === 0 && this.#pools.size > this.#most;
    if (this.#open >= this.#most && !isFirstOfMany) return false;
    this.#open++;
    return true;
  }

  /** A socket is gone: the next one belongs to whoever waits without any, else to the next who waits. */
  giveBack(): void {
    this.#open--;
    const next = this.starving() ?? [...this.#pools].find(({ waiting }) => waiting > 0);
    if (next === undefined) return;
    // The others come before it next time.
    this.#pools.delete(next);
    this.#pools.add(next);
    next.serve();
  }

  /** Whose calls wait although none of its own sockets will come free. */
  starving(): LimitedPool | undefined {
    if (this.waiting === 0) return undefined;
    for (const pool of this.#pools) if (pool.waiting > 0 && pool.size === 0) return pool;
    return undefined;
  }

  /** An idle socket of another pool is closed, if there is one. */
  makeRoom(wanting: LimitedPool): void {
    for (const pool of this.#pools) if (pool !== wanting && pool.closeIdle()) return;
  }
}

export interface LimitedPoolDeps {
  readonly clock: Clock;
  readonly limit: SocketLimit;
  readonly onConnect: () => void;
  readonly onConnectFailure: (error: Error) => void;
}

interface Waiting {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

/** A client of undici has one socket, and makes a new one when that is gone. */
interface Socket {
  readonly client: Client;
  readonly bornMs: number;
  isBusy: boolean;
}

export class LimitedPool {
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #maxAgeMs: number;
  readonly #deps: LimitedPoolDeps;
  readonly #sockets: Set<Socket> = new Set();
  readonly #idle: Socket[] = [];
  readonly #waiting: Waiting[] = [];
  #isClosing = false;

  constructor(origin: string, { clientTtl, ...options }: Pool.Options, deps: LimitedPoolDeps) {
    this.#origin = origin;
    // Counted here.
    delete options.connections;
    this.#options = options as Client.Options;
    this.#maxAgeMs = clientTtl ?? 0;
    this.#deps = deps;
    deps.limit.add(this);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get size(): number {
    return this.#sockets.size;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#waiting.push({ options, handler });
    this.#deps.limit.waiting++;
    this.serve();
  }

  /** Gives the calls that wait the sockets that can be had. */
  serve(): void {
    while (this.#waiting.length > 0) {
      const socket = this.#usable() ?? this.#made();
      if (socket === undefined) return this.#deps.limit.makeRoom(this);
      this.#run(socket);
    }
  }

  closeIdle(): boolean {
    const socket = this.#idle.shift();
    if (socket !== undefined) this.#drop(socket);
    return socket !== undefined;
  }

  /** What is under way, or waits, is finished. */
  close(): void {
    this.#isClosing = true;
    for (const socket of this.#idle.splice(0)) this.#drop(socket);
    this.#leave();
  }

  /** The one used last: the others may grow old. */
  #usable(): Socket | undefined {
    for (let socket = this.#idle.pop(); socket !== undefined; socket = this.#idle.pop()) {
      if (!this.#isOld(socket)) return socket;
      this.#drop(socket);
    }
    return undefined;
  }

  #isOld({ bornMs }: Socket): boolean {
    return this.#maxAgeMs > 0 && this.#deps.clock.now() - bornMs > this.#maxAgeMs;
  }

  #made(): Socket | undefined {
    const { clock, limit, onConnect, onConnectFailure } = this.#deps;
    if (!limit.take(this)) return undefined;
    const client = new Client(this.#origin, this.#options);
    const socket = { client, bornMs: clock.now(), isBusy: false };
    this.#sockets.add(socket);
    client.on('connect', onConnect);
    client.on('connectionError', (_origin, _targets, error) => onConnectFailure(error));
    client.on('drain', () => {
      if (socket.isBusy) this.#onFree(socket);
    });
    return socket;
  }

  #run(socket: Socket): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#deps.limit.waiting--;
      socket.isBusy = true;
      // A call that was over before it began leaves the socket as it was, and says so in more than one way.
      if (!socket.client.dispatch(next.options, next.handler) && socket.client.stats.size > 0) return;
    }
    this.#rest(socket);
  }

  #onFree(socket: Socket): void {
    const starving = this.#deps.limit.starving();
    // Those that wait would keep an old one for ever; they are served by the one that takes its place.
    if ((starving !== undefined && starving !== this) || this.#isOld(socket)) this.#drop(socket);
    else this.#run(socket);
  }

  #rest(socket: Socket): void {
    socket.isBusy = false;
    if (this.#isClosing || this.#deps.limit.waiting > 0) this.#drop(socket);
    else this.#idle.push(socket);
  }

  #drop(socket: Socket): void {
    const gone = (): void => {
      this.#sockets.delete(socket);
      this.#deps.limit.giveBack();
      this.#leave();
    };
    socket.client.close().then(gone, gone);
  }

  #leave(): void {
    if (this.#isClosing && this.#sockets.size === 0 && this.#waiting.length === 0) this.#deps.limit.remove(this);
  }
}
