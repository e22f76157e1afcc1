// A pod of the suite's echo backend: answers with what it saw, fails as often as it is told, notes what it was asked. HTTP/1.1
// and cleartext HTTP/2. Source: echo-basic of kubernetes-sigs/gateway-api-conformance-images.
import { createHash } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { runAt, systemClock } from '../../../src/core/clock.ts';
import { parseDuration } from '../../../src/model/duration.ts';
import { grpcEcho } from './grpc-echo.ts';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

export interface PodIdentity {
  readonly namespace: string;
  /** `backend-hash-hash`. */
  readonly name: string;
}

export interface Pod extends PodIdentity {
  /** From the port of the container to the one on loopback. */
  readonly ports: ReadonlyMap<number, number>;
  /** Path and query of what it answered. */
  readonly seen: readonly string[];
  close(): void;
}

export type PodPort =
  | { readonly port: number; readonly speaks: 'http' | 'h2c' | 'grpc' }
  | { readonly port: number; readonly speaks: 'https' | 'grpcs'; readonly cert: string; readonly key: string };

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => runAt(systemClock, systemClock.now() + ms, resolve));
}

export async function startPod(identity: PodIdentity, ports: readonly PodPort[]): Promise<Pod> {
  const seen: string[] = [];
  const retries = new Retries();
  const onRequest = (request: Request, response: Response): void => {
    answer(request, response, identity, { seen, retries }).catch(() => request.socket.destroy());
  };
  const servers = ports.map((port) => serverOf(port, identity, onRequest, seen));
  const started = await Promise.all(
    servers.map(async (server, i) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return [(ports[i] as PodPort).port, (server.address() as AddressInfo).port] as const;
    }),
  );
  const sockets = new Set<Socket>();
  for (const server of servers) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
  }
  return {
    ...identity,
    ports: new Map(started),
    seen,
    close: () => {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serverOf(
  port: PodPort,
  identity: PodIdentity,
  onRequest: (request: Request, response: Response) => void,
  seen: string[],
): Server | Http2Server {
  switch (port.speaks) {
    case 'http':
      return createHttp(onRequest).on('upgrade', (request, socket) => acceptWebSocket(request, socket as Socket));
    case 'https':
      return createHttps({ cert: port.cert, key: port.key }, onRequest);
    case 'h2c':
      return createHttp2(onRequest);
    default:
      return grpcEcho(identity, seen, port.speaks === 'grpcs' ? { cert: port.cert, key: port.key } : null);
  }
}

interface PodState {
  readonly seen: string[];
  readonly retries: Retries;
}

async function answer(request: Request, response: Response, identity: PodIdentity, { seen, retries }: PodState): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://pod');
  for (const [name, value] of setHeaders(request)) response.setHeader(name, value);
  if (url.pathname.startsWith('/status/')) {
    response.statusCode = Number(url.pathname.slice('/status/'.length));
    response.end();
    return;
  }
  if (url.pathname.startsWith('/retry/') && !(await retries.passes(url.searchParams, request, response))) return;
  await wait(parseDuration(url.searchParams.get('delay') ?? '') ?? 0);
  seen.push(request.url ?? '');
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ ...echoed(request), ...identity, pod: identity.name }));
}

/** `X-Echo-Set-Header: name:value,name:value`. */
function setHeaders({ headers }: Request): Map<string, string> {
  const pairs = String(headers['x-echo-set-header'] ?? '').split(',');
  const out = new Map<string, string>();
  for (const pair of pairs) {
    const colon = pair.indexOf(':');
    if (colon < 0) continue;
    const [name, value] = [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    const before = out.get(name);
    out.set(name, before === undefined ? value : `${before},${value}`);
  }
  return out;
}

/** Names in the spelling of Go. */
function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function echoed(request: Request): Record<string, unknown> {
  const headers: Record<string, string[]> = {};
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.startsWith(':') || name.toLowerCase() === 'host') continue;
    const values = (headers[canonical(name)] ??= []);
    values.push(rawHeaders[i + 1] as string);
  }
  const socket = request.socket as { readonly servername?: unknown };
  const tls = typeof socket.servername === 'string' ? { tls: { version: 'TLS', serverName: socket.servername } } : {};
  return {
    path: request.url,
    host: request.headers[':authority'] ?? request.headers.host,
    method: request.method,
    proto: `HTTP/${request.httpVersion}`,
    headers,
    ...tls,
  };
}

/** Attempts by uuid; one at a time, waiting included, as in the original. */
class Retries {
  readonly #failed: Map<string, number> = new Map();
  #queue: Promise<unknown> = Promise.resolve();

  /** false: the attempt has failed, and was answered. */
  passes(query: URLSearchParams, request: Request, response: Response): Promise<boolean> {
    const turn = this.#queue.then(() => this.#attempt(query, request, response));
    this.#queue = turn;
    return turn;
  }

  async #attempt(query: URLSearchParams, request: Request, response: Response): Promise<boolean> {
    const [uuid, after] = [query.get('uuid'), query.get('succeedAfter')];
    if (uuid === null || after === null) {
      response.statusCode = 400;
      response.end();
      return false;
    }
    const failed = this.#failed.get(uuid) ?? 0;
    if (failed >= Number(after)) return true;
    this.#failed.set(uuid, failed + 1);
    await wait(parseDuration(query.get('delayRetry') ?? '') ?? 0);
    const status = query.get('responseCode');
    if (status === null) (request.socket as Socket).resetAndDestroy();
    else {
      response.statusCode = Number(status);
      response.end();
    }
    return false;
  }
}

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE = 8;

/** Gives each short frame back as it came. */
function acceptWebSocket({ url, headers }: IncomingMessage, socket: Socket): void {
  const key = `${headers['sec-websocket-key'] ?? ''}${MAGIC}`;
  socket.on('error', () => {});
  if (url !== '/ws') {
    socket.destroy();
    return;
  }
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
  socket.on('data', (frame: Buffer) => {
    const [opcode, length] = [(frame[0] as number) & 0x0f, (frame[1] as number) & 0x7f];
    const mask = frame.subarray(2, 6);
    const payload = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] as number)));
    socket.write(Buffer.concat([Buffer.from([0x80 | opcode, length]), payload]));
    if (opcode === CLOSE) socket.end();
  });
}
