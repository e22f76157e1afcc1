// The server that both fetches talk to. What it does is in the path; everything that takes time is released by the test.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

export const TEXT = 'grüße, 世界 — what was packed. '.repeat(40);

const CODED: Readonly<Record<string, [string, Buffer]>> = {
  gzip: ['gzip', gzipSync(TEXT)],
  'x-gzip': ['X-GZIP', gzipSync(TEXT)],
  deflate: ['deflate', deflateSync(TEXT)],
  'raw-deflate': ['deflate', deflateRawSync(TEXT)],
  br: ['br', brotliCompressSync(TEXT)],
  twice: ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
  unknown: ['rot13', Buffer.from(TEXT)],
  'half-known': ['rot13, gzip', gzipSync(TEXT)],
  empty: ['gzip', Buffer.alloc(0)],
  broken: ['gzip', Buffer.from('this is not gzip at all')],
  short: ['gzip', gzipSync(TEXT).subarray(0, 60)],
  six: ['gzip, gzip, gzip, gzip, gzip, gzip', gzipSync(TEXT)],
};

export interface FetchPeer {
  readonly url: string;
  readonly address: string;
  /** Sockets opened so far. */
  readonly connections: () => number;
  readonly open: () => number;
  /** Resolves when a call for the path has arrived, as many as told. */
  arrived(path: string, count?: number): Promise<void>;
  /** Resolves when the call for the path was given up by its client. */
  gone(path: string): Promise<void>;
  /** Sends the next part of what `/parts/...` sends. */
  release(path: string, part: string | null): void;
  close(): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

const HANDLERS: Readonly<Record<string, Handler>> = {
  echo(request, response) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') }));
    });
  },
  status(_request, response, url) {
    const status = Number(url.searchParams.get('s'));
    response.writeHead(status, url.searchParams.get('text') ?? undefined, { 'x-status': String(status) });
    response.end(status === 204 || status === 304 || status === 205 ? undefined : 'body');
  },
  headers(_request, response) {
    response.setHeader('X-Mixed', ['one', 'two']);
    response.setHeader('set-cookie', ['a=1; Path=/', 'b=2']);
    response.setHeader('content-type', 'Text/Plain; Charset=utf-8');
    response.setHeader('x-latin', 'grüß');
    response.end('ok');
  },
  redirect(request, response, url) {
    const location = url.searchParams.get('to');
    request.resume();
    response.writeHead(Number(url.searchParams.get('s') ?? 302), location === null ? {} : { location });
    response.end('moved');
  },
  loop(_request, response, url) {
    const left = Number(url.searchParams.get('n'));
    if (left === 0) response.end('arrived');
    else response.writeHead(302, { location: `/loop?n=${left - 1}` }).end();
  },
  bytes(_request, response, url) {
    const body = Buffer.alloc(Number(url.searchParams.get('n')), 'abcdefghij');
    if (url.searchParams.has('chunked')) response.write(body);
    response.end(url.searchParams.has('chunked') ? undefined : body);
  },
  coded(_request, response, url) {
    const [coding, body] = CODED[url.searchParams.get('c') ?? ''] ?? ['', Buffer.alloc(0)];
    response.writeHead(200, { 'content-encoding': coding, 'content-type': 'text/plain' }).end(body);
  },
  bom: (_request, response) => response.end(Buffer.from([0xef, 0xbb, 0xbf, 0x61])),
  invalid: (_request, response) => response.end(Buffer.from([0x61, 0xff, 0xf0, 0x9f, 0x98, 0x62, 0xe2, 0x82])),
  form(_request, response) {
    response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' }).end('a=1&b=two%20words');
  },
  multipart(_request, response) {
    const part =
      '--xyz\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nof a file\r\n--xyz--\r\n';
    response.writeHead(200, { 'content-type': 'multipart/form-data; boundary=xyz' }).end(part);
  },
  cut(_request, response) {
    response.writeHead(200, { 'content-length': '100' });
    response.write('only this', () => response.destroy());
  },
  parts: (_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders(),
  hang: () => {},
};

export async function fetchPeer(): Promise<FetchPeer> {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  const gone = new Set<string>();
  const responses = new Map<string, ServerResponse>();
  const waiting: (() => void)[] = [];
  let connections = 0;
  const wake = (): void => {
    for (const look of waiting.splice(0)) look();
  };
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://peer');
    const name = url.pathname.split('/')[1] ?? '';
    counts.set(url.pathname, (counts.get(url.pathname) ?? 0) + 1);
    responses.set(url.pathname, response);
    response.on('close', () => {
      if (!response.writableFinished) gone.add(url.pathname);
      wake();
    });
    (HANDLERS[name] ?? (HANDLERS.echo as Handler))(request, response, url);
    wake();
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      wake();
    });
  });
  const when = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (condition()) resolve();
        else waiting.push(look);
      };
      look();
    });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    address: `127.0.0.1:${port}`,
    connections: () => connections,
    open: () => sockets.size,
    arrived: (path, count = 1) => when(() => (counts.get(path) ?? 0) >= count),
    gone: (path) => when(() => gone.has(path)),
    release(path, part) {
      const response = responses.get(path);
      if (part === null) response?.end();
      else response?.write(part);
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
