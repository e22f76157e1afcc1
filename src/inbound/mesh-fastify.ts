// The same for Fastify, whose server is its own: `fastify.register(meshFastify, { mesh })`. Knows Fastify by its shape alone.
import type { IncomingMessage, Server } from 'node:http';
import type { ProtectOptions } from './protect.ts';
import { setRouteTemplate } from './route-template.ts';
import { protect } from './server.ts';
import type { ServerMesh } from './server-host.ts';

/** What is used of a Fastify instance. */
export interface FastifyShape {
  readonly server: unknown;
  addHook(name: 'onRequest', hook: (request: FastifyRequestShape, reply: unknown, done: () => void) => void): unknown;
}

export interface FastifyRequestShape {
  readonly raw: unknown;
  readonly routeOptions?: { readonly url?: string | undefined };
}

export interface MeshFastifyOptions extends ProtectOptions {
  readonly mesh: ServerMesh;
}

/** A Fastify plugin. Throws a TypeError for an instance with `https` or `http2`: the mesh ends TLS and speaks HTTP/2 itself. */
export function meshFastify(fastify: FastifyShape, { mesh, ...options }: MeshFastifyOptions, done: (error?: Error) => void): void {
  try {
    protect(mesh, fastify.server as Server, options);
  } catch (error) {
    done(error as Error);
    return;
  }
  fastify.addHook('onRequest', (request, _reply, next) => {
    const url = request.routeOptions?.url;
    if (url !== undefined) setRouteTemplate(request.raw as IncomingMessage, url);
    next();
  });
  done();
}

// For the whole instance, not for the plugin's own corner. Source: fastify-plugin.
Object.defineProperty(meshFastify, Symbol.for('skip-override'), { value: true });
Object.defineProperty(meshFastify, Symbol.for('fastify.display-name'), { value: 'inmesh' });
