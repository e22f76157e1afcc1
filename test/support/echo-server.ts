// A real HTTP server on loopback for tests: answers with what it saw, or as told. Counts sockets and requests.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface EchoServer {
  readonly address: string;
  readonly seen: Seen[];
  /** Sockets accepted so far. */
  readonly sockets: () => number;
  /** What answers from now on. */
  handle: (seen: Seen, response: ServerResponse) => void;
  close(): Promise<void>;
}

const echo = (name: string) => (seen: Seen, response: ServerResponse) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ name, ...seen }));
};

export async function echoServer(name = 'echo', port = 0): Promise<EchoServer> {
  let sockets = 0;
  const seen: Seen[] = [];
  const result: { handle: EchoServer['handle'] } = { handle: echo(name) };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(one);
      result.handle(one, response);
    });
  });
  server.on('connection', () => {
    sockets++;
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return Object.assign(result, {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    sockets: () => sockets,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
