// A real HTTP/1.1 server on loopback that counts what a connection pool is held to: sockets open at once, requests on each.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface CountingServer {
  readonly address: string;
  readonly requests: () => number;
  readonly openSockets: () => number;
  /** Ever open at once. */
  readonly mostSockets: () => number;
  /** Ever on one socket. */
  readonly mostRequestsPerSocket: () => number;
  /** Requests that wait for `release`. */
  readonly held: () => number;
  /** From now on every request waits. */
  hold(): void;
  /** Answers all that wait, and those to come at once. */
  release(): void;
  close(): Promise<void>;
}

export async function countingServer(name: string): Promise<CountingServer> {
  const sockets = new Map<Socket, number>();
  let requests = 0;
  let mostSockets = 0;
  let mostPerSocket = 0;
  let isHolding = false;
  const waiting: ServerResponse[] = [];
  const answer = (response: ServerResponse): void => {
    response.setHeader('x-answered-by', name);
    response.end('ok');
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests++;
    const count = (sockets.get(request.socket) ?? 0) + 1;
    sockets.set(request.socket, count);
    mostPerSocket = Math.max(mostPerSocket, count);
    if (isHolding) waiting.push(response);
    else answer(response);
  });
  server.on('connection', (socket) => {
    sockets.set(socket, 0);
    mostSockets = Math.max(mostSockets, sockets.size);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    openSockets: () => sockets.size,
    mostSockets: () => mostSockets,
    mostRequestsPerSocket: () => mostPerSocket,
    held: () => waiting.length,
    hold(): void {
      isHolding = true;
    },
    release(): void {
      isHolding = false;
      for (const response of waiting.splice(0)) answer(response);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
