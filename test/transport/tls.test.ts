import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureServer } from 'node:http2';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import type { TlsPolicy } from '../../src/model/destination.ts';
import { authority } from '../identity/certificates.ts';
import { idle, OK, rawServer, type RealWire, realWire, type WireInit } from './real-wire.ts';

const root = authority('root');
const stranger = authority('stranger');
const SPIFFE = 'spiffe://cluster.local/ns/default/sa/reviews';
const good = root.issue({ dns: ['reviews'], uris: [SPIFFE], ips: ['127.0.0.1'] });
const client = root.issue({ uris: ['spiffe://cluster.local/ns/default/sa/productpage'], usage: 'client' });
const DAY_MS = 86_400_000;

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface TlsServer {
  readonly port: number;
  readonly names: string[];
  readonly peers: string[];
  readonly resumed: boolean[];
  connections: number;
}

async function tlsServer(options: TlsOptions, isH2 = false): Promise<TlsServer> {
  const seen: TlsServer & { port: number } = { port: 0, names: [], peers: [], resumed: [], connections: 0 };
  const server = isH2
    ? createSecureServer(options, (_request, response) => void response.end('ok'))
    : createHttpsServer(options, (_request, response) => response.end('ok'));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket: TLSSocket) => {
    seen.connections++;
    seen.names.push(String((socket as unknown as { servername: string | false }).servername));
    seen.peers.push(socket.getPeerCertificate().subjectaltname ?? '');
    seen.resumed.push(socket.isSessionReused());
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  seen.port = (server.address() as AddressInfo).port;
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return seen;
}

function wireTo(port: number, tls: TlsPolicy, init: WireInit = {}): RealWire {
  const wire = realWire(port, { ...init, tls });
  closers.push(() => wire.transport.close());
  return wire;
}

const SIMPLE: TlsPolicy = { mode: 'simple', ca: root.cert };
const MUTUAL: TlsPolicy = { mode: 'mutual', cert: client.cert, key: client.key, ca: root.cert };

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/2', true],
])('TLS over %s', (_, isH2) => {
  const protocol = isH2 ? 'http2' : 'http1';

  it.each<[string, TlsPolicy, TlsOptions, string]>([
    ['simple', SIMPLE, good, '200 ok'],
    ['mutual', MUTUAL, { ...good, requestCert: true, rejectUnauthorized: true, ca: root.cert }, '200 ok'],
    ['subjectAltNames instead of the host', { ...SIMPLE, subjectAltNames: [SPIFFE] }, root.issue({ uris: [SPIFFE] }), '200 ok'],
    ['serverName instead of the host', { ...SIMPLE, serverName: 'reviews.internal' }, root.issue({ dns: ['reviews.internal'] }), '200 ok'],
    ['an unknown root', SIMPLE, stranger.issue({ dns: ['reviews'] }), 'peer_untrusted none'],
    ['the roots of the web', { mode: 'simple' }, good, 'peer_untrusted none'],
    [
      'expired',
      SIMPLE,
      root.issue({ dns: ['reviews'], notAfterMs: Date.now() - DAY_MS, notBeforeMs: Date.now() - 2 * DAY_MS }),
      'peer_untrusted none',
    ],
    [
      'not yet valid',
      SIMPLE,
      root.issue({ dns: ['reviews'], notBeforeMs: Date.now() + DAY_MS, notAfterMs: Date.now() + 2 * DAY_MS }),
      'peer_untrusted none',
    ],
    ['another host', SIMPLE, root.issue({ dns: ['ratings'] }), 'peer_untrusted none'],
    ['another SPIFFE ID', { ...SIMPLE, subjectAltNames: [`${SPIFFE}2`] }, good, 'peer_untrusted none'],
    ['a certificate for clients', SIMPLE, root.issue({ dns: ['reviews'], usage: 'client' }), 'peer_untrusted none'],
    ['TLS 1.1 at most', SIMPLE, { ...good, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }, 'connect_failed none retryable'],
  ])('%s', async (_name, tls, server, outcome) => {
    const { port } = await tlsServer(server, isH2);
    const wire = wireTo(port, tls, { protocol });
    expect([await wire.outcome(), wire.shared.pending]).toEqual([outcome, 0]);
  });

  it('the name is the host of the call, and pinned: other host headers use the same connection', async () => {
    const seen = await tlsServer(root.issue({ dns: ['reviews', 'ratings'] }), isH2);
    const wire = wireTo(seen.port, { ...SIMPLE, serverName: 'reviews' }, { protocol, limits: { maxConnections: 1 } });
    for (const authority of ['reviews', 'ratings', 'reviews:8443', 'ratings']) {
      expect(await wire.outcome({ authority })).toBe('200 ok');
      await idle();
    }
    expect([seen.connections, seen.names]).toEqual([1, ['reviews']]);
  });

  it('each name has connections of its own', async () => {
    const seen = await tlsServer(root.issue({ dns: ['reviews', 'ratings'] }), isH2);
    const wire = wireTo(seen.port, SIMPLE, { protocol, limits: { maxConnections: 1 } });
    for (const authority of ['reviews', 'ratings:443', 'reviews', 'ratings']) {
      expect(await wire.outcome({ authority })).toBe('200 ok');
      await idle();
    }
    expect(seen.names.sort()).toEqual(['ratings', 'reviews']);
  });

  it('an address is verified, but not sent as a name', async () => {
    const seen = await tlsServer(good, isH2);
    const wire = wireTo(seen.port, SIMPLE, { protocol });
    expect(await wire.outcome({ authority: `127.0.0.1:${seen.port}` })).toBe('200 ok');
    expect(await wire.outcome({ authority: '127.0.0.2' })).toBe('peer_untrusted none');
    expect(seen.names[0]).toBe('false');
  });
});

describe('TLS', () => {
  it('https to a service without tls: the roots of the web', async () => {
    const { port } = await tlsServer(good);
    const wire = wireTo(port, { mode: 'disable' });
    expect(await wire.outcome({ scheme: 'https' })).toBe('peer_untrusted none');
    expect(await wireTo(port, { mode: 'disable', ca: root.cert }).outcome({ scheme: 'https' })).toBe('200 ok');
  });

  it('mutual shows its certificate, simple none', async () => {
    const seen = await tlsServer({ ...good, requestCert: true, rejectUnauthorized: false, ca: root.cert });
    await wireTo(seen.port, MUTUAL).outcome();
    await wireTo(seen.port, SIMPLE).outcome();
    expect(seen.peers).toEqual(['URI:spiffe://cluster.local/ns/default/sa/productpage', '']);
  });

  it('TLS to a plain port: no connection', async () => {
    const server = await rawServer(
      () => {},
      (socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    closers.push(server.close);
    expect(await wireTo(server.port, SIMPLE).outcome()).toBe('connect_failed none retryable');
  });

  it('plain to a TLS port: the connection is lost', async () => {
    const { port } = await tlsServer(good);
    expect(await wireTo(port, { mode: 'disable' }).outcome()).toMatch(/^connection_lost head|^protocol_error head|^400/);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('a client that the server rejects, %s: never an answer', async (version) => {
    const options = { ...good, requestCert: true, rejectUnauthorized: true, ca: stranger.cert, minVersion: version, maxVersion: version };
    const { port } = await tlsServer(options);
    const { reply, outcome } = wireTo(port, MUTUAL).send();
    expect(await outcome).toMatch(version === 'TLSv1.2' ? /^connect_failed none/ : /^certificate_refused none$/);
    if (version === 'TLSv1.3') await expect(reply).rejects.toThrow('the endpoint closed the connection when it saw our certificate');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('no session is resumed, so every connection is checked, %s', async (version) => {
    const seen = await tlsServer({ ...good, minVersion: version, maxVersion: version });
    const wire = wireTo(seen.port, SIMPLE, { limits: { maxRequestsPerConnection: 1 } });
    for (let i = 0; i < 4; i++) {
      expect(await wire.outcome()).toBe('200 ok');
      await idle();
    }
    expect(seen.resumed).toEqual([false, false, false, false]);
  });

  it('says what is wrong and where', async () => {
    const { port } = await tlsServer(root.issue({ dns: ['ratings'] }));
    const error = await wireTo(port, { ...SIMPLE, subjectAltNames: [SPIFFE] })
      .send()
      .reply.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MeshError);
    expect((error as MeshError).message).toContain(`the peer shows DNS:ratings, expected ${SPIFFE}`);
    expect((error as MeshError).where.endpoint).toBe(`127.0.0.1:${port}`);
  });

  it('a plain answer still works beside it', async () => {
    const server = await rawServer((socket) => socket.write(OK));
    closers.push(server.close);
    expect(await wireTo(server.port, { mode: 'disable' }).outcome()).toBe('200 ok');
  });
});
