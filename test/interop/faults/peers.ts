// Endpoints that are ill while they are told to be, and well otherwise: what stands at the far end of a row of the fault matrix.
// Each counts the requests that it got while it was ill, because that is how many attempts a fault may cost.
import { createServer as createHttp, type ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { grpcMessage, type H2Peer, type OnStream, rawH2 } from './raw-h2-server.ts';
import { closedPort, OK, rawServer } from './raw-server.ts';
import { type TcpFault, tcpProxy } from './tcp-proxy.ts';

export type Protocol = 'http1' | 'http2' | 'grpc';

export interface IllPeer {
  readonly address: string;
  /** Requests, or connections where none can come through, since it was ill last. */
  readonly hits: () => number;
  fall(): void;
  heal(): void | Promise<void>;
  close(): void;
}

interface Health {
  isIll: boolean;
  hits: number;
}

function illness(state: Health): Pick<IllPeer, 'hits' | 'fall' | 'heal'> {
  return {
    hits: () => state.hits,
    fall() {
      state.isIll = true;
      state.hits = 0;
    },
    heal() {
      state.isIll = false;
    },
  };
}

const address = (port: number): string => `127.0.0.1:${port}`;

/** HTTP/1.1 byte by byte. */
export async function illHttp1(act: (socket: Socket, head: string, nth: number) => void): Promise<IllPeer> {
  const state = { isIll: false, hits: 0 };
  const server = await rawServer((socket, _nth, head) => {
    if (state.isIll) act(socket, head, ++state.hits);
    else socket.write(OK);
  });
  return { address: address(server.port), ...illness(state), close: server.close };
}

/** HTTP/2 frame by frame. */
export async function illHttp2(act: OnStream, onAccept?: (peer: H2Peer) => void, onHeal?: (peer: H2Peer) => void): Promise<IllPeer> {
  const state = { isIll: false, hits: 0 };
  const peers = new Set<H2Peer>();
  const server = await rawH2(
    (peer, stream) => {
      if (state.isIll) return act(peer, stream, ++state.hits);
      peer.head(stream);
      peer.data(stream, 'ok', true);
    },
    {
      onConnection: (peer) => {
        if (!state.isIll) return;
        peers.add(peer);
        onAccept?.(peer);
      },
    },
  );
  return {
    address: address(server.port),
    ...illness(state),
    heal() {
      state.isIll = false;
      for (const peer of peers) onHeal?.(peer);
      peers.clear();
    },
    close: server.close,
  };
}

/** A whole answer, as Node's own servers write it: of gRPC one message. */
export function answerWell(protocol: Protocol, response: ServerResponse, text: string): void {
  if (protocol !== 'grpc') {
    response.end(text);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/grpc' });
  response.addTrailers({ 'grpc-status': '0' });
  response.end(grpcMessage(text));
}

/** A healthy server of Node that says `ok`, or whatever the path asks for. */
export async function wellServer(protocol: Protocol, answer = 'ok'): Promise<{ readonly port: number; close(): void }> {
  const server = (protocol === 'http1' ? createHttp() : createHttp2()) as unknown as Server;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request: { resume(): void }, response: ServerResponse) => {
    request.resume();
    answerWell(protocol, response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A healthy server behind a proxy that spoils its connections; `answer` is what it says. */
export async function illLine(protocol: Protocol, fault: TcpFault, answer = 'ok'): Promise<IllPeer> {
  const server = await wellServer(protocol, answer);
  const proxy = await tcpProxy(server.port);
  let before = 0;
  return {
    address: proxy.address,
    hits: () => proxy.accepted() - before,
    fall() {
      before = proxy.accepted();
      proxy.fault = fault;
    },
    heal() {
      proxy.fault = { kind: 'none' };
    },
    close() {
      proxy.close();
      server.close();
    },
  };
}

/** Where no other server of the tests takes the port in between; macOS has but one loopback address. */
const APART = process.platform === 'darwin' ? '127.0.0.1' : '127.0.0.2';

/** Nobody listens, until it is healed. */
export async function illPort(protocol: Protocol): Promise<IllPeer> {
  const port = await closedPort();
  const server = await wellServer(protocol);
  let healed: { close(): void } | null = null;
  return {
    address: `${APART}:${port}`,
    hits: () => 0,
    fall() {
      healed?.close();
      healed = null;
    },
    async heal() {
      healed ??= await tcpProxy(server.port, port, APART);
    },
    close() {
      healed?.close();
      server.close();
    },
  };
}
