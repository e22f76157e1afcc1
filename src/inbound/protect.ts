// Takes over an http.Server, listening or not, without a change to its application: connections come through an entrance,
// requests through the door. What the application listens for it still gets, after the verdicts.
import { IncomingMessage, type Server, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { Connection } from './connection.ts';
import { Entrance } from './entrance.ts';
import { Door } from './door.ts';
import { callOf } from './inbound-call.ts';
import type { ServerHost } from './server-host.ts';
import { Http2Door } from './http2-door.ts';
import { handOver, UPGRADE_LEAF } from './upgrade.ts';

export interface ProtectOptions {
  /**
   * Whether HTTP/2 is spoken on the port, with and without TLS. Its requests reach the listener with the compatibility API
   * of node:http2. @default true, but false for an Express application, which cannot bear them
   */
  readonly http2?: boolean;
  /**
   * Takes the connections that speak HTTP/2 itself, decrypted and their preface unread: for servers that own their HTTP/2, such
   * as that of grpc-js. `peer` is who calls. Nothing of the request is looked at here. May give back how the
   * connection is ended gracefully, when its time is over.
   */
  readonly onHttp2Connection?: (socket: Socket, peer: PeerIdentity | null) => void | (() => void);
}

const PROTECTED = new WeakSet<Server>();

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Express makes requests its own by their prototype, which takes away what those of node:http2 consist of. */
function isExpress(listener: unknown): boolean {
  const { request } = listener as { readonly request?: unknown };
  return typeof listener === 'function' && typeof request === 'object' && request !== null && request instanceof IncomingMessage;
}

/** Puts the mesh before a server of node:http. Throws a TypeError for a server that ends TLS itself. Doing it twice is doing it once. */
export function takeOver(host: ServerHost, server: Server, options: ProtectOptions = {}): Server {
  if (server instanceof TlsServer)
    throw new TypeError('protect: this server ends TLS itself, so nobody could check who calls; give an http.Server of node:http');
  if (PROTECTED.has(server)) return server;
  PROTECTED.add(server);
  const emit = server.emit.bind(server) as Emit;
  const doors = openDoors(host, server, emit);
  const connectionListeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  let http2: Http2Door | null = null;
  const endings: WeakMap<Socket, () => void> = new WeakMap();
  const taken = {
    take(socket: Socket, { peer }: Connection): void {
      const end = options.onHttp2Connection?.(socket, peer);
      if (end !== undefined) endings.set(socket, end);
    },
    retire: (socket: Socket): void => endings.get(socket)?.(),
  };
  const speaksHttp2 = (): boolean => options.http2 ?? !server.listeners('request').some(isExpress);
  const entrance = new Entrance(host, {
    http1(socket) {
      for (const listener of connectionListeners) listener.call(server, socket);
    },
    http2() {
      if (options.onHttp2Connection !== undefined) return taken;
      if (!speaksHttp2()) return null;
      http2 ??= new Http2Door(host.limits, host.clock, doors.request);
      return http2;
    },
  });
  server.on('connection', entrance.take);
  const obey = (): void => {
    const { limits } = host;
    server.headersTimeout = limits.headersMs;
    server.requestTimeout = limits.requestMs;
    server.maxConnections = limits.maxConnections === 0 ? Number.MAX_SAFE_INTEGER : limits.maxConnections;
    http2?.update(limits);
  };
  const listen = (): void => {
    const address = server.address();
    const fault = host.listenFault(address === null || typeof address === 'string' ? 0 : address.port);
    if (fault !== null) {
      server.close();
      server.emit('error', fault);
      return;
    }
    obey();
    host.onListening({
      obey,
      onClosed: (listener) => void server.once('close', listener),
      stop() {
        server.close();
        entrance.dropWaiting();
        http2?.retireAll();
      },
      closeIdle: () => server.closeIdleConnections(),
      cutOff() {
        server.closeAllConnections();
        http2?.cutOff();
        entrance.cutOff();
      },
    });
  };
  server.on('listening', listen);
  if (server.listening) listen();
  return server;
}

interface Doors {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Whatever begins a call goes through the door first, whoever listens for it, now or later. */
function openDoors(host: ServerHost, server: Server, emit: Emit): Doors {
  const door = new Door(host, (request, response) => void emit(callOf(request)?.event ?? 'request', request, response));
  const upgradeDoor = new Door(host, ignore, UPGRADE_LEAF);
  // Node asks only when somebody listens; else it says "go on" before the verdict.
  server.on('checkContinue', ignore);
  const take: Doors['request'] = (request, response) => void door.handle(request, response);
  const own: Readonly<Record<string, (...args: never[]) => void>> = {
    checkContinue(request: IncomingMessage, response: ServerResponse) {
      // Who listens himself wants to say "go on" himself.
      if (server.listenerCount('checkContinue') > 1) void door.handleAs('checkContinue', request, response);
      else void door.handleExpecting(request, response);
    },
    checkExpectation: (request: IncomingMessage, response: ServerResponse) => void door.handleAs('checkExpectation', request, response),
    upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      handOver(upgradeDoor, request, socket, () => void emit('upgrade', request, socket, head)),
    connect: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      handOver(upgradeDoor, request, socket, () => void emit('connect', request, socket, head)),
  };
  const guarded: Emit = (event, ...args) => {
    if (event === 'request') {
      take(args[0] as IncomingMessage, args[1] as ServerResponse);
      return true;
    }
    const begin = typeof event === 'string' && Object.hasOwn(own, event) ? own[event] : undefined;
    if (begin === undefined) return emit(event, ...args);
    (begin as (...args: unknown[]) => void)(...args);
    return true;
  };
  server.emit = guarded as Server['emit'];
  return { request: take };
}

function ignore(): void {}
