// In at the door: reads how much time the caller has left, and gives it to the handler and to every call made while it
// runs. Identity, authorization and drain belong here too and are not built yet.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { inboundContext } from '../core/context.ts';
import type { Clock } from '../core/clock.ts';
import { DEADLINE_HEADER } from '../core/headers.ts';

/** Any handler of node:http: Express, Koa's callback, Hono's listener, your own. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** What the server needs of a mesh. */
export interface ServerMesh {
  readonly clock: Clock;
}

/** 9 digits are 11 days: more is no deadline but an attack on arithmetic. */
const REMAINING = /^\d{1,9}$/;

/** The deadline that the caller stated, monotonic ms; Infinity when it stated none, or nothing readable. */
export function deadlineOf(request: IncomingMessage, nowMs: number): number {
  const value = request.headers[DEADLINE_HEADER];
  return typeof value === 'string' && REMAINING.test(value) && value !== '0' ? nowMs + Number(value) : Number.POSITIVE_INFINITY;
}

/**
 * Wraps a handler: calls made through any mesh while it runs end no later than its caller waits. An answer that comes
 * late is still sent; nobody reads it.
 */
export function withDeadline(mesh: ServerMesh, listener: Listener): Listener {
  const { clock } = mesh;
  return (request, response) => inboundContext.run({ deadlineMs: deadlineOf(request, clock.now()) }, listener, request, response);
}

/** A node:http server whose handler runs under its caller's deadline. */
export function createServer(mesh: ServerMesh, listener: Listener): Server {
  const handle = withDeadline(mesh, listener);
  return createHttpServer((request, response) => void handle(request, response));
}
