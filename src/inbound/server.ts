// What people use to take calls in: a server of their own around a handler, a server that they have, or a wrapper for its
// handler alone. Everything is decided by the mesh that is handed in.
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { type Service, wrap } from '../core/service.ts';
import { ExpiredCalls, inboundDeadlineLayer } from './deadline-layer.ts';
import { Door, type DoorHost } from './door.ts';
import { processLoop } from './event-loop.ts';
import type { Listener } from './handler.ts';
import { type ProtectOptions, takeOver } from './protect.ts';
import type { ServerMesh } from './server-host.ts';

/** How often Node looks for requests that take too long, ms; 30 s by itself, which would make every limit half a minute longer. */
const LOOK_MS = 1_000;

/** Nothing but the deadline of the caller. */
function bareHost(clock: Clock): DoorHost {
  const layers = [inboundDeadlineLayer(new ExpiredCalls(), clock)];
  return {
    clock,
    loop: processLoop,
    version: 0,
    guard: null,
    isDraining: false,
    wrap: (leaf: Service) => wrap(leaf, layers),
    onOpened() {},
    onClosed() {},
  };
}

/**
 * A node:http server that takes HTTP/1, HTTP/2 and mTLS on one port, as `inbound` of the configuration says, and before
 * which the inbound stack of the mesh stands. `mesh.close()` drains it.
 */
export function createServer(mesh: ServerMesh, listener: Listener, options: ProtectOptions = {}): Server {
  const { inbound } = mesh;
  if (inbound === undefined) {
    const { handle } = new Door(bareHost(mesh.clock), listener);
    return createHttpServer((request, response) => void handle(request, response));
  }
  const limits = { maxHeaderSize: inbound.limits.headerBytesMax, connectionsCheckingInterval: LOOK_MS };
  return takeOver(inbound, createHttpServer(limits, listener as RequestListener), options);
}

/**
 * The same for a server of node:http that you have, listening or not: its application is not changed, and sees what it saw.
 * Gives the server back. Throws a TypeError for a server of node:https: give the one of node:http to its application.
 */
export function protect(mesh: ServerMesh, server: Server, options: ProtectOptions = {}): Server {
  const { inbound } = mesh;
  if (inbound === undefined) throw new TypeError('protect: this is no mesh of createMesh');
  return takeOver(inbound, server, options);
}

/** Puts the inbound stack before the handler of a server that you have: node:http, node:https, or node:http2 with its compatibility API. */
export function admit(mesh: ServerMesh, listener: Listener): (request: IncomingMessage, response: ServerResponse) => void {
  const { handle } = new Door(mesh.inbound ?? bareHost(mesh.clock), listener);
  return (request, response) => void handle(request, response);
}

/**
 * Gives a handler the deadline of its caller, and nothing else: calls made through any mesh while it runs end no later
 * than its caller waits. An answer that comes late is still sent; nobody reads it.
 */
export function withDeadline(mesh: ServerMesh, listener: Listener): Listener {
  return new Door(bareHost(mesh.clock), listener).handle;
}
