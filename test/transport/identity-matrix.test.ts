// The TLS failure matrix with identities: every row over real sockets, HTTP/1.1 and HTTP/2; the exact code, and the application
// behind the server saw nothing.
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { MeshError } from '../../src/core/errors.ts';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import { readCertificate } from '../../src/identity/certificate.ts';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import type { ConnectionPolicy, TlsPolicy } from '../../src/model/destination.ts';
import { authority, HOUR_MS, type LeafOptions } from '../identity/certificates.ts';
import { ServiceTransport } from '../../src/transport/pool.ts';
import { LIMITS_DEFAULTS } from '../../src/model/destination.ts';
import { idle, realWire, type RealWire } from './real-wire.ts';

const NOW_MS = Date.now();
const SERVER = 'spiffe://a.test/ns/default/sa/reviews';
const CLIENT = 'spiffe://a.test/ns/default/sa/productpage';
const a = authority('root a');
const b = authority('root b');
const middle = a.below('middle');
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Seen {
  readonly port: number;
  requests: number;
  connections: number;
}

function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
  close(): unknown;
  on(event: 'connection', heed: (socket: Socket) => void): unknown;
}): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

async function tlsServer(options: TlsOptions, isH2: boolean): Promise<Seen> {
  const seen: { port: number; requests: number; connections: number } = { port: 0, requests: 0, connections: 0 };
  const heed = (_request: unknown, response: { end(text: string): void }): void => {
    seen.requests++;
    response.end('ok');
  };
  const server = isH2 ? createSecureServer(options, heed) : createHttpsServer(options, heed);
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => {
    seen.connections++;
    socket.on('error', () => {});
  });
  seen.port = await listening(server as never);
  return seen;
}

function identity(options: LeafOptions = {}, roots: Readonly<Record<string, string>> = { 'a.test': a.cert }): HeldIdentity {
  const held = new HeldIdentity({ clock: systemClock, random: () => 0, jitterMaxMs: 0 });
  const { cert, key } = a.issue({ uris: [CLIENT], ...options });
  held.offer({ chain: cert, key, bundles: new Map(Object.entries(roots).map(([domain, pem]) => [domain, [pem]])) });
  if (held.current === null) throw held.lastError as Error;
  return held;
}

interface Reports {
  readonly untrusted: string[];
  readonly refused: string[];
  failures: number;
}

function wireTo(
  port: number,
  isH2: boolean,
  tls: TlsPolicy,
  source: HeldIdentity,
  connections?: ConnectionPolicy,
): RealWire & { readonly reports: Reports } {
  const protocol = isH2 ? 'http2' : 'http1';
  const shared = new ServiceTransport(
    { service: 'reviews', protocol, tls, limits: LIMITS_DEFAULTS, endpoints: 1, connections },
    { clock: systemClock, identity: source },
  );
  const reports: Reports = { untrusted: [], refused: [], failures: 0 };
  shared.onPeerUntrusted = (_endpoint, message) => reports.untrusted.push(message);
  shared.onCertificateRefused = (_endpoint, message) => reports.refused.push(message);
  shared.onConnectFailure = () => {
    reports.failures++;
  };
  shared.start();
  const wire = realWire(port, { shared, clock: systemClock, protocol, tls });
  closers.push(() => {
    wire.transport.close();
    shared.close();
  });
  return { ...wire, reports };
}

const MUTUAL: TlsPolicy = { mode: 'mutual', subjectAltNames: [SERVER] };
const asks = { requestCert: true, rejectUnauthorized: true, ca: a.cert } as const;

function good(options: LeafOptions = {}): TlsOptions {
  return { ...a.issue({ uris: [SERVER], ...options }), ...asks };
}

/** Passes connections on when it may; until then their bytes wait. */
function heldBack(port: number, may: Promise<void>): Server {
  return createTcpServer((socket) => {
    void may.then(() => {
      const onward = connect(port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
      closers.push(() => onward.destroy());
    });
  });
}

/** A body that can be read once. */
async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/2', true],
])('identities over %s', (_, isH2) => {
  it('two that trust each other', async () => {
    const seen = await tlsServer(good(), isH2);
    const wire = wireTo(seen.port, isH2, MUTUAL, identity());
    expect([await wire.outcome(), seen.requests]).toEqual(['200 ok', 1]);
  });

  it.each<[string, TlsPolicy, () => TlsOptions, string]>([
    ['a root that is not known', MUTUAL, () => ({ ...b.issue({ uris: [SERVER] }), ...asks }), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ['expired', MUTUAL, () => good({ notBeforeMs: NOW_MS - 2 * HOUR_MS, notAfterMs: NOW_MS - HOUR_MS }), 'certificate has expired'],
    ['not valid yet', MUTUAL, () => good({ notBeforeMs: NOW_MS + HOUR_MS }), 'certificate is not yet valid'],
    ['for clients alone', MUTUAL, () => good({ usage: 'client' }), 'unsuitable certificate purpose'],
    ['another SPIFFE ID', MUTUAL, () => good({ uris: [`${SERVER}2`] }), `the peer shows ${SERVER}2, expected ${SERVER}`],
    ['two URIs', MUTUAL, () => good({ uris: [SERVER, SERVER] }), 'more than one URI'],
    ['no SPIFFE ID', MUTUAL, () => good({ uris: [], dns: ['reviews'] }), 'no SPIFFE ID'],
    ['another scheme', MUTUAL, () => good({ uris: ['https://a.test/x'] }), 'which is no SPIFFE ID'],
    ['no path', MUTUAL, () => good({ uris: ['spiffe://a.test'] }), 'it has no path'],
    ['dot segments', MUTUAL, () => good({ uris: ['spiffe://a.test/../x'] }), 'a segment that may not be'],
    ['an upper-case domain', MUTUAL, () => good({ uris: ['spiffe://A.test/x'] }), 'lower-case letters'],
    ['the text of an ID in another name', MUTUAL, () => good({ uris: [], dns: [`x, URI:${SERVER}`] }), 'no SPIFFE ID'],
    ['an authority', MUTUAL, () => good({ isCa: true }), 'that of an authority'],
    [
      'a domain that is not known',
      { mode: 'mutual', verify: 'chain' },
      () => good({ uris: ['spiffe://c.test/x'] }),
      'no roots of that trust domain',
    ],
    ['another host', { mode: 'mutual' }, () => good({ dns: ['ratings'] }), `the peer shows ${SERVER}, expected reviews`],
    ['the host as common name alone', { mode: 'mutual' }, () => good({ commonName: 'reviews' }), 'expected reviews'],
  ])('the server shows %s: peer_untrusted', async (_name, tls, server, reason) => {
    const seen = await tlsServer(server(), isH2);
    const wire = wireTo(seen.port, isH2, tls, identity());
    const { reply } = wire.send();
    const error: unknown = await reply.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(MeshError);
    expect(error).toMatchObject({ code: 'peer_untrusted', sent: 'none', retryable: false });
    expect((error as MeshError).message).toContain(reason);
    expect([seen.requests, wire.reports.untrusted.length, wire.reports.failures]).toEqual([0, 1, 0]);
  });

  it('a CA of one domain does not mint identities of another', async () => {
    const both = { 'a.test': a.cert, 'b.test': b.cert };
    const minted = await tlsServer({ ...b.issue({ uris: [SERVER] }), requestCert: true, rejectUnauthorized: false }, isH2);
    expect(await wireTo(minted.port, isH2, MUTUAL, identity({}, both)).outcome()).toBe('peer_untrusted none');
    const honest = await tlsServer({ ...b.issue({ uris: ['spiffe://b.test/x'] }), requestCert: true, rejectUnauthorized: false }, isH2);
    const expected: TlsPolicy = { mode: 'mutual', subjectAltNames: ['spiffe://b.test/x'] };
    expect(await wireTo(honest.port, isH2, expected, identity({}, both)).outcome()).toBe('200 ok');
    expect([minted.requests, honest.requests]).toEqual([0, 1]);
  });

  it('intermediates that the server sends', async () => {
    const { cert, key } = middle.issue({ uris: [SERVER] });
    const seen = await tlsServer({ cert: cert + middle.cert, key, ...asks }, isH2);
    expect(await wireTo(seen.port, isH2, MUTUAL, identity()).outcome()).toBe('200 ok');
  });

  it('the host, where no identity is named', async () => {
    const seen = await tlsServer(good({ dns: ['reviews'] }), isH2);
    expect(await wireTo(seen.port, isH2, { mode: 'mutual' }, identity()).outcome()).toBe('200 ok');
  });

  it.each<[string, (cert: string) => TlsOptions]>([
    ['does not know our root', () => ({ ...good(), ca: b.cert })],
    [
      'knows that our certificate is revoked',
      (cert) => ({
        ...good(),
        crl: issueCrl({
          issuer: a.issuer,
          revoked: [readCertificate(cert).serial],
          thisUpdateMs: NOW_MS - HOUR_MS,
          nextUpdateMs: NOW_MS + HOUR_MS,
        }),
      }),
    ],
  ])('the server %s: certificate_refused, with its reason', async (_name, server) => {
    const source = identity();
    const seen = await tlsServer(server(source.current?.chain[0] ?? ''), isH2);
    const wire = wireTo(seen.port, isH2, MUTUAL, source);
    for (let i = 0; i < 3; i++) expect(await wire.outcome()).toBe('certificate_refused none');
    expect([seen.requests, wire.reports.refused.length, wire.reports.failures]).toEqual([0, 3, 0]);
  });

  it('the server finds our certificate expired: certificate_refused', async () => {
    const seen = await tlsServer(good(), isH2);
    const expired = a.issue({ uris: [CLIENT], notBeforeMs: NOW_MS - 2 * HOUR_MS, notAfterMs: NOW_MS - HOUR_MS });
    const wire = wireTo(seen.port, isH2, { ...MUTUAL, ...expired, ca: a.cert }, identity());
    expect([await wire.outcome(), seen.requests]).toEqual(['certificate_refused none', 0]);
  });

  it('a server that asks for a certificate, and gets none: never an answer', async () => {
    const seen = await tlsServer(good(), isH2);
    const wire = wireTo(seen.port, isH2, { mode: 'simple', ca: a.cert, subjectAltNames: [SERVER] }, identity());
    expect(await wire.outcome()).toMatch(isH2 ? /^certificate_refused none$/ : /^(certificate_refused none|connection_lost head)/);
    expect(seen.requests).toBe(0);
  });

  it('TLS 1.2 alone: refused by default, spoken when it is asked for', async () => {
    const seen = await tlsServer({ ...good(), maxVersion: 'TLSv1.2' }, isH2);
    expect(await wireTo(seen.port, isH2, MUTUAL, identity()).outcome()).toBe('connect_failed none retryable');
    expect(await wireTo(seen.port, isH2, { ...MUTUAL, minTls: '1.2' }, identity()).outcome()).toBe('200 ok');
    const strict = await tlsServer({ ...good(), ca: b.cert, maxVersion: 'TLSv1.2' }, isH2);
    expect(await wireTo(strict.port, isH2, { ...MUTUAL, minTls: '1.2' }, identity()).outcome()).toMatch(
      /^(connect_failed|certificate_refused) none/,
    );
    expect([seen.requests, strict.requests]).toEqual([1, 0]);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['a plain port', (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['closed when it is made', (socket) => socket.end()],
    ['reset when it is made', (socket) => void socket.resetAndDestroy()],
    ['closed after the first bytes', (socket) => socket.once('data', () => socket.end())],
    ['reset after the first bytes', (socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['garbage after the first bytes', (socket) => socket.once('data', () => socket.end('garbage garbage garbage'))],
  ])('%s: connect_failed, to be tried elsewhere', async (_name, heed) => {
    const port = await listening(createTcpServer(heed) as never);
    const wire = wireTo(port, isH2, MUTUAL, identity());
    expect(await wire.outcome()).toBe('connect_failed none retryable');
    expect(wire.reports).toMatchObject({ untrusted: [], refused: [], failures: 1 });
  });

  it('silence after the first bytes: connect_failed, when the time for a connection is over', async () => {
    const port = await listening(createTcpServer((socket) => socket.resume()) as never);
    const wire = wireTo(port, isH2, MUTUAL, identity(), { connectTimeoutMs: 100 });
    expect(await wire.outcome()).toBe('connect_failed none retryable');
    expect(wire.reports).toMatchObject({ untrusted: [], refused: [], failures: 1 });
  });

  it('no certificate of our own: identity_missing, and nothing is tried', async () => {
    const seen = await tlsServer(good(), isH2);
    const empty = new HeldIdentity({ clock: systemClock, random: () => 0 });
    const wire = wireTo(seen.port, isH2, MUTUAL, empty);
    expect(await wire.outcome()).toBe('identity_missing none');
    expect([seen.connections, wire.reports]).toEqual([0, { untrusted: [], refused: [], failures: 0 }]);
  });

  it('a rotation: the next call shows the new certificate, on new connections alone', async () => {
    const seen = await tlsServer(good(), isH2);
    const source = identity();
    const wire = wireTo(seen.port, isH2, MUTUAL, source);
    for (let i = 0; i < 3; i++) {
      expect(await wire.outcome()).toBe('200 ok');
      await idle();
    }
    const before = seen.connections;
    const { cert, key } = a.issue({ uris: [CLIENT] });
    source.offer({ chain: cert, key, bundles: new Map([['a.test', [a.cert]]]) });
    expect(await wire.outcome()).toBe('200 ok');
    expect([before, seen.connections, seen.requests]).toEqual([1, 2, 4]);
  });

  it.each<[string, 'client' | 'server']>([
    ['shows a certificate of a root that is no longer taken', 'client'],
    ['knows only a root that the server has left', 'server'],
  ])('a connection that a rotation overtakes, because it %s, is made anew: the call knows nothing of it', async (_name, leaver) => {
    const roots = { 'a.test': a.cert };
    const seen = await tlsServer(
      leaver === 'client' ? { ...good(), ca: b.cert } : { ...b.issue({ uris: [SERVER] }), ...asks, ca: [a.cert, b.cert] },
      isH2,
    );
    const source = identity({}, roots);
    const early = Promise.withResolvers<void>();
    const port = await listening(heldBack(seen.port, early.promise) as never);
    const wire = wireTo(port, isH2, MUTUAL, source);
    const outcomes = Promise.all([wire.outcome(), wire.outcome({ method: 'POST', content: once('body') })]);
    await idle();
    const { cert, key } = b.issue({ uris: [CLIENT] });
    source.offer({ chain: cert, key, bundles: new Map([['a.test', [a.cert, b.cert]]]) });
    early.resolve();
    expect([await outcomes, seen.requests]).toEqual([['200 ok', '200 ok'], 2]);
    expect(wire.reports).toMatchObject({ untrusted: [], refused: [] });
  });

  it('a connection that fails with certificates that are in force is not made anew', async () => {
    const seen = await tlsServer({ ...good(), ca: b.cert }, isH2);
    const wire = wireTo(seen.port, isH2, MUTUAL, identity());
    expect(await wire.outcome()).toBe('certificate_refused none');
    expect([seen.connections, wire.reports.refused.length]).toEqual([0, 1]);
  });
});

describe('the development CA', () => {
  it('makes what both sides take', async () => {
    const root = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
    const server = root.issue({ spiffeId: SERVER, nowMs: NOW_MS });
    const own = root.issue({ spiffeId: CLIENT, nowMs: NOW_MS });
    const seen = await tlsServer(
      { cert: server.chain.join(''), key: server.key, ca: root.cert, requestCert: true, rejectUnauthorized: true },
      false,
    );
    const held = new HeldIdentity({ clock: systemClock, random: () => 0 });
    held.offer({ chain: own.chain.join(''), key: own.key, roots: root.cert });
    expect(await wireTo(seen.port, false, MUTUAL, held).outcome()).toBe('200 ok');
  });
});
