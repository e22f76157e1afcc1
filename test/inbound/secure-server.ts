// A server of ours on loopback that speaks TLS, and callers of every kind: HTTP/1 and HTTP/2, plain and mTLS, and raw bytes.
import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { systemClock } from '../../src/core/clock.ts';
import type { Identity } from '../../src/identity/identity-source.ts';
import type { Refusal } from '../../src/inbound/entrance.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import type { ProtectOptions } from '../../src/inbound/protect.ts';
import { createServer } from '../../src/inbound/server.ts';
import { Inbound, type InboundSetup } from '../../src/mesh/inbound.ts';
import type { InboundConfig } from '../../src/model/inbound.ts';
import { authority } from '../identity/certificates.ts';
import { FixedIdentity, identityOf } from '../support/fixed-identity.ts';

export const ROOT = authority();
export const SERVER: Identity = identityOf(ROOT, 'reviews');
export const CALLER: Identity = identityOf(ROOT, 'productpage');

export interface SecureServer {
  readonly port: number;
  readonly inbound: Inbound;
  readonly source: FixedIdentity;
  readonly server: ReturnType<typeof createServer>;
  /** Connections that were not taken. */
  readonly refusals: Refusal[];
  /** The next one. */
  refusal(): Promise<Refusal>;
  close(): Promise<void>;
}

export interface SecureOptions extends ProtectOptions {
  readonly config?: Partial<InboundConfig>;
  readonly setup?: InboundSetup;
  readonly identity?: Identity | null;
  readonly clock?: typeof systemClock;
}

export async function secure(listener: Listener, options: SecureOptions = {}): Promise<SecureServer> {
  const { config, setup, identity = SERVER, clock = systemClock, ...rest } = options;
  const source = new FixedIdentity(identity);
  const refusals: Refusal[] = [];
  const waiting: ((refusal: Refusal) => void)[] = [];
  const onRefused = (refusal: Refusal): void => {
    refusals.push(refusal);
    for (const tell of waiting.splice(0)) tell(refusal);
  };
  const inbound = new Inbound({ mtls: 'permissive', admission: null }, clock);
  inbound.update({ mtls: 'permissive', admission: null, ...config }, { identity: identity === null ? null : source, onRefused, ...setup });
  const server = createServer({ clock, inbound }, listener, rest);
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const refusal = (): Promise<Refusal> => new Promise((resolve) => waiting.push(resolve));
  return { port, inbound, source, server, refusals, refusal, close: () => inbound.close(0) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Wanted {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Buffer | string;
  /** undefined: plain. */
  readonly as?: Identity;
  readonly tls?: ConnectionOptions;
  readonly agent?: HttpAgent;
}

/** What a client of the mesh shows and whom it believes; the name of the server is looked at elsewhere. */
export function clientTls(identity: Identity | undefined, more: ConnectionOptions = {}): ConnectionOptions {
  if (identity === undefined) return more;
  const ca = [...identity.bundles.values()].flat();
  return { cert: identity.chain.join('\n'), key: identity.key, ca, minVersion: 'TLSv1.3', servername: 'localhost', ...more };
}

export function overHttp1({ as, tls, body, ...wanted }: Wanted): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    };
    const options: RequestOptions = { host: '127.0.0.1', agent: false, ...(wanted as RequestOptions) };
    const isPlain = as === undefined && tls === undefined;
    const asked = isPlain ? httpRequest(options, onResponse) : httpsRequest({ ...options, ...clientTls(as, tls) }, onResponse);
    asked.on('error', reject);
    asked.end(body);
  });
}

export function keepAlive(identity?: Identity): HttpAgent {
  return identity === undefined ? new HttpAgent({ keepAlive: true, maxSockets: 1 }) : new HttpsAgent({ keepAlive: true, maxSockets: 1 });
}

/** A connection that speaks HTTP/2 from its first byte, or as TLS agrees. */
export function http2To({ port, as, tls }: Wanted): ClientHttp2Session {
  if (as === undefined) return connectHttp2(`http://127.0.0.1:${port}`);
  return connectHttp2(`https://127.0.0.1:${port}`, { ALPNProtocols: ['h2'], ...clientTls(as, tls) });
}

export async function onSession(
  session: ClientHttp2Session,
  { path = '/', method = 'GET', headers = {}, body }: Partial<Wanted>,
): Promise<Answer> {
  const asked = session.request({ ':path': path, ':method': method, ...headers } as Record<string, string | string[]>);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let head: IncomingHttpHeaders & { ':status'?: number } = {};
  let text = '';
  asked.setEncoding('utf8');
  asked.on('response', (received) => {
    head = received as typeof head;
  });
  asked.on('data', (chunk: string) => {
    text += chunk;
  });
  asked.on('error', reject);
  asked.on('close', () => {
    if (head[':status'] === undefined) reject(new Error('closed without an answer'));
    else resolve({ status: head[':status'], headers: head, text });
  });
  session.once('error', reject);
  asked.end(body);
  return promise.finally(() => session.off('error', reject));
}

export async function overHttp2(wanted: Wanted): Promise<Answer> {
  const session = http2To(wanted);
  try {
    return await onSession(session, wanted);
  } finally {
    session.destroy();
  }
}

export function tcp(port: number): Socket {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

export function tlsSocket(port: number, identity: Identity | undefined, more: ConnectionOptions = {}): ReturnType<typeof connectTls> {
  return connectTls({ port, host: '127.0.0.1', ...clientTls(identity, more) });
}

/** All that comes until the other side ends or breaks the connection. */
export function received(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}
