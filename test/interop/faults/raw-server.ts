// A TCP server that a test speaks through byte by byte: it counts sockets and request heads, and answers nothing by itself. HTTP/1.1
// faults are written on it directly; the HTTP/2 one beside it stands on it. Knows nothing of the library.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface RawServer {
  readonly port: number;
  readonly sockets: Set<Socket>;
  /** Sockets accepted so far. */
  readonly accepted: () => number;
  /** Requests whose head has come, over all sockets. */
  readonly requests: () => number;
  close(): void;
}

type OnRequest = (socket: Socket, nth: number, head: string) => void;

/** Counts request heads by their empty line; `nth` is counted on each socket. */
export async function rawServer(onRequest: OnRequest, onConnection: (socket: Socket) => void = () => {}, port = 0): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  let requests = 0;
  const server: Server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    let nth = 0;
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.includes('\r\n\r\n')) return;
      requests++;
      onRequest(socket, ++nth, chunk.toString('latin1'));
    });
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    accepted: () => accepted,
    requests: () => requests,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = await rawServer(() => {});
  server.close();
  return server.port;
}
