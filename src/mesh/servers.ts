// What inmesh/server gives people. A server brings the side of the mesh that takes calls in, at once and in its own turn: a mesh that
// only calls never loads it. All the rest is in inbound/.
import * as signals from '../inbound/close-on-signals.ts';
import type { Listener } from '../inbound/handler.ts';
import * as fastifyPlugin from '../inbound/mesh-fastify.ts';
import type { ProtectOptions } from '../inbound/protect.ts';
import * as servers from '../inbound/server.ts';
import type { ServerMesh } from '../inbound/server-host.ts';
import { serving } from './serving.ts';

/** Of node:http. */
type Server = ReturnType<typeof servers.createServer>;

/**
 * A node:http server that takes HTTP/1, HTTP/2 and mTLS on one port, as `inbound` of the configuration says, and before
 * which the inbound stack of the mesh stands. `mesh.close()` drains it.
 */
export function createServer(mesh: ServerMesh, listener: Listener, options: ProtectOptions = {}): Server {
  return servers.createServer(serving(mesh), listener, options);
}

/**
 * The same for a server of node:http that you have, listening or not: its application is not changed, and sees what it saw.
 * Gives the server back. Throws a TypeError for a server of node:https: give the one of node:http to its application.
 */
export function protect(mesh: ServerMesh, server: Server, options: ProtectOptions = {}): Server {
  return servers.protect(serving(mesh), server, options);
}

/** Puts the inbound stack before the handler of a server that you have: node:http, node:https, or node:http2 with its compatibility API. */
export function admit(mesh: ServerMesh, listener: Listener): ReturnType<typeof servers.admit> {
  return servers.admit(serving(mesh), listener);
}

/** A Fastify plugin. Throws a TypeError for an instance with `https` or `http2`: the mesh ends TLS and speaks HTTP/2 itself. */
export function meshFastify(
  fastify: fastifyPlugin.FastifyShape,
  options: fastifyPlugin.MeshFastifyOptions,
  done: (error?: Error) => void,
): void {
  serving(options.mesh);
  fastifyPlugin.meshFastify(fastify, options, done);
}

// As on the plugin itself: Fastify reads them from the function that it is given.
Object.defineProperties(meshFastify, Object.getOwnPropertyDescriptors(fastifyPlugin.meshFastify));

/** Closes the mesh, and with it its servers, when the process is told to end. A second signal ends it at once. Gives back how to undo it. */
export function closeOnSignals(mesh: signals.ClosingMesh, options: signals.CloseOnSignalsOptions = {}): () => void {
  return signals.closeOnSignals(serving(mesh), options);
}

/** Whether the servers of this process want to be sent calls: the answer to a readiness probe. False from the first signal on. */
export function isReady(mesh: { readonly inbound: { readonly isReady: boolean } }): boolean {
  return signals.isReady(serving(mesh));
}
