// The far side of the matrix: real servers on the loopback, one healthy twice over, the others ill in one way each.
// Every answer says what the server saw, so that a scenario can compare byte for byte.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, createServer as createH2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { authority } from '../identity/certificates.ts';

export const BIG_BYTES = 3 * 1024 * 1024;
export const BIG: Buffer = Buffer.alloc(BIG_BYTES, 'three megabytes, ');
export const GZIP: Buffer = gzipSync('what was packed');

/** What the server saw of one call. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly bytes: number;
  readonly hash: string;
  readonly attempt: string;
  readonly contentLength: string;
  readonly form: Readonly<Record<string, string>> | null;
}

export interface Peer {
  readonly address: string;
  /** Calls whose head has come. */
  hits: number;
  readonly sockets: Set<Socket>;
}

export interface Peers {
  readonly healthy: Peer;
  readonly spare: Peer;
  /** Reads the body, then says 503. */
  readonly sick: Peer;
  /** Says 503 without reading the body. */
  readonly hasty: Peer;
  /** Takes the call, never answers. */
  readonly mute: Peer;
  /** Nobody listens there. */
  readonly gone: Peer;
  readonly h2c: Peer;
  readonly h2: Peer;
  readonly ca: string;
  close(): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export function hashOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function formOf(type: string, body: Buffer): Promise<Record<string, string> | null> {
  if (!type.startsWith('multipart/form-data')) return null;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const out: Record<string, string> = {};
  for (const [name, value] of form) out[name] = typeof value === 'string' ? value : `${value.name}:${await value.text()}`;
  return out;
}

async function tell(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request);
  const { headers } = request;
  const seen: Seen = {
    method: request.method ?? '',
    url: request.url ?? '',
    host: headers.host ?? (headers[':authority'] as string | undefined) ?? '',
    bytes: body.length,
    hash: hashOf(body),
    attempt: String(headers['x-envoy-attempt-count'] ?? ''),
    contentLength: headers['content-length'] ?? '',
    form: await formOf(headers['content-type'] ?? '', body),
  };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(seen));
}

const PATHS: Readonly<Record<string, Handler>> = {
  '/big': (_request, response) => response.writeHead(200, { 'content-length': String(BIG_BYTES) }).end(BIG),
  '/empty': (_request, response) => response.writeHead(204).end(),
  '/same': (_request, response) => response.writeHead(304, { etag: '"1"' }).end(),
  '/cookies': (_request, response) => response.writeHead(200, { 'set-cookie': ['a=1', 'b=2', 'c=3'] }).end('ok'),
  '/gzip': (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(GZIP),
  '/hang': () => {},
  '/part': (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('the first part');
  },
};

const healthy: Handler = (request, response) => {
  const own = PATHS[request.url ?? ''];
  if (own === undefined) void tell(request, response);
  else own(request, response);
};

function track(server: Server, handler: Handler): Promise<Peer> {
  const peer: Peer & { address: string } = { address: '', hits: 0, sockets: new Set() };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    peer.hits++;
    handler(request, response);
  });
  const follow = (socket: Socket): void => {
    peer.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => peer.sockets.delete(socket));
  };
  server.on('connection', follow);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      peer.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      resolve(peer);
    });
  });
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<Peer> {
  const server = createServer();
  const peer = await track(server, healthy);
  await new Promise((resolve) => server.close(resolve));
  return peer;
}

export async function startPeers(): Promise<Peers> {
  const ca = authority();
  const secure = ca.issue({ dns: ['secure'] });
  const servers: Server[] = [];
  const open = (server: Server, handler: Handler): Promise<Peer> => {
    servers.push(server);
    return track(server, handler);
  };
  const sick: Handler = (request, response) => {
    void read(request).then(
      () => response.writeHead(503).end('no'),
      () => {},
    );
  };
  const peers = {
    healthy: await open(createServer(), healthy),
    spare: await open(createServer(), healthy),
    sick: await open(createServer(), sick),
    hasty: await open(createServer(), (_request, response) => response.writeHead(503).end('no')),
    mute: await open(createServer(), () => {}),
    gone: await closedPort(),
    h2c: await open(createH2Server() as unknown as Server, healthy),
    h2: await open(createSecureServer({ key: secure.key, cert: secure.cert }) as unknown as Server, healthy),
  };
  return {
    ...peers,
    ca: ca.cert,
    close() {
      for (const server of servers) server.close();
      for (const peer of Object.values(peers)) for (const socket of peer.sockets) socket.destroy();
    },
  };
}
