// Requests that turn their connection into something else (WebSocket, CONNECT): they pass the same places as all others, and
// only then is the socket handed over. What was sent early is never read as a request.
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Service } from '../core/service.ts';
import type { Door } from './door.ts';
import { HandledReply } from './handler.ts';
import type { InboundCall } from './inbound-call.ts';

const SWITCHED = 101;

/** The leaf: gives the socket away. The call is over then; what is spoken next is not HTTP. */
export const UPGRADE_LEAF: Service = (call) => {
  const inbound = call as InboundCall;
  const { response, host, release } = inbound;
  inbound.resolve = ignore;
  release?.();
  inbound.end({ kind: 'success', status: SWITCHED, error: null, endedAtMs: host.clock.now() });
  response.emit('close');
  return Promise.resolve(new HandledReply(SWITCHED));
};

/** `accept`: gives the socket to whoever listens. */
export function handOver(door: Door, request: IncomingMessage, socket: Duplex, accept: () => void): void {
  const response = new ServerResponse(request);
  response.assignSocket(socket as Socket);
  response.shouldKeepAlive = false;
  response.on('finish', () => void socket.end());
  socket.on('error', ignore);
  door.handleUpgrade(request, response, () => {
    response.detachSocket(socket as Socket);
    accept();
  });
}

function ignore(): void {}
