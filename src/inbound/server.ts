// What people use to take calls in: a server of their own around a handler, or a wrapper for the server they have.
// Everything is decided by the stack that the mesh hands in.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { type Service, wrap } from '../core/service.ts';
import { ExpiredCalls, inboundDeadlineLayer } from './deadline-layer.ts';
import { Door, type DoorHost } from './door.ts';
import { processLoop } from './event-loop.ts';
import type { Listener } from './handler.ts';

/** What a mesh decides about its servers. */
export interface ServerHost extends DoorHost {
  /** A server of ours begins to listen. */
  onListening(server: Server): void;
}

/** What a server needs of a mesh. */
export interface ServerMesh {
  readonly clock: Clock;
  /** The stack before the handlers. @default the deadline of the caller alone */
  readonly inbound?: ServerHost;
}

/** Nothing but the deadline of the caller. */
function bareHost(clock: Clock): DoorHost {
  const layers = [inboundDeadlineLayer(new ExpiredCalls(), clock)];
  return {
    clock,
    loop: processLoop,
    version: 0,
    isDraining: false,
    wrap: (leaf: Service) => wrap(leaf, layers),
    onOpened() {},
    onClosed() {},
  };
}

/**
 * A node:http server before which the inbound stack of the mesh stands: deadline of the caller, admission, cancellation.
 * `mesh.close()` drains it.
 */
export function createServer(mesh: ServerMesh, listener: Listener): Server {
  const { inbound } = mesh;
  const { handle, handleExpecting } = new Door(inbound ?? bareHost(mesh.clock), listener);
  const server = createHttpServer((request, response) => void handle(request, response));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // Whoever listens himself wants to answer himself.
    if (server.listenerCount('checkContinue') > 1) return;
    void handleExpecting(request, response);
  });
  if (inbound !== undefined) server.on('listening', () => inbound.onListening(server));
  return server;
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
