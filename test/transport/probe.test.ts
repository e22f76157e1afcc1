import { createServer as createHttpServer } from 'node:http';
import { createSecureServer, createServer as createH2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { HEALTH_CHECK_DEFAULTS, type HealthCheckPolicy } from '../../src/model/balancing.ts';
import { LIMITS_DEFAULTS, type TlsPolicy } from '../../src/model/destination.ts';
import { ServiceTransport } from '../../src/transport/pool.ts';
import { endpointProbe } from '../../src/transport/probe.ts';
import { decodeStatus, encodeCheck } from '../../src/transport/probe-grpc.ts';
import { authority } from '../identity/certificates.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { loadTls } from '../../src/transport/tls-room.ts';

await loadTls();

const root = authority('root');
const cert = root.issue({ dns: ['reviews'] });
const client = root.issue({ uris: ['spiffe://cluster.local/ns/default/sa/productpage'], usage: 'client' });
const PLAIN: TlsPolicy = { mode: 'disable' };
const SIMPLE: TlsPolicy = { mode: 'simple', ca: root.cert };
const MUTUAL: TlsPolicy = { mode: 'mutual', cert: client.cert, key: client.key, ca: root.cert };
const PASSED = { ok: true, reason: '' };

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Listening {
  readonly port: number;
  /** Sockets accepted. */
  readonly sockets: Socket[];
  /** Settles when every accepted socket is closed. */
  drained(): Promise<unknown>;
}

async function listen(server: Server | Http2Server): Promise<Listening> {
  const sockets: Socket[] = [];
  const closed: Promise<unknown>[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    closed.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.on('error', () => {});
  });
  server.on('sessionError', () => {});
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, drained: () => Promise.all(closed) };
}

interface Ask {
  readonly tls?: TlsPolicy;
  readonly protocol?: 'http1' | 'http2';
  readonly clock?: Clock;
  readonly host?: string;
}

function ask(port: number, policy: Partial<HealthCheckPolicy>, { tls = PLAIN, protocol = 'http1', clock, host = '127.0.0.1' }: Ask = {}) {
  const transport = new ServiceTransport(
    { service: 'reviews', protocol, tls, limits: LIMITS_DEFAULTS, endpoints: 1 },
    { clock: clock ?? systemClock, identity: null },
  );
  const endpoint = { address: `${host}:${port}`, host, port, labels: {}, locality: '' } as unknown as Endpoint;
  return endpointProbe(() => transport)(endpoint, { ...HEALTH_CHECK_DEFAULTS, timeoutMs: 5_000, ...policy });
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Takes connections, reads what comes, says nothing. */
function mute(onConnection: () => void): Server {
  return createTcpServer((socket) => {
    socket.resume();
    onConnection();
  });
}

describe('the HTTP check', () => {
  it('asks the path of the service, by its name, on a connection that is closed', async () => {
    const seen: string[] = [];
    const peer = await listen(
      createHttpServer((request, response) => {
        seen.push(`${request.method} ${request.url} ${request.headers.host}`);
        response.end('x'.repeat(10_000));
      }),
    );
    expect(await ask(peer.port, { path: '/healthz?deep=1' })).toEqual(PASSED);
    expect(seen).toEqual(['GET /healthz?deep=1 reviews']);
    await peer.drained();
    expect(peer.sockets).toHaveLength(1);
  });

  it.each([
    [200, [[200, 299]], PASSED],
    [299, [[200, 299]], PASSED],
    [300, [[200, 299]], { ok: false, reason: 'HTTP 300' }],
    [503, [[200, 299]], { ok: false, reason: 'HTTP 503' }],
    [
      404,
      [
        [200, 200],
        [404, 404],
      ],
      PASSED,
    ],
    [200, [], { ok: false, reason: 'HTTP 200' }],
  ] as const)('%i of %j', async (status, statuses, expected) => {
    const peer = await listen(createHttpServer((_, response) => response.writeHead(status).end()));
    expect(await ask(peer.port, { statuses })).toEqual(expected);
    await peer.drained();
  });

  it('does not read a body without end', async () => {
    const peer = await listen(
      createHttpServer((_, response) => {
        response.on('error', () => {});
        const write = (): void => {
          while (response.write('x'.repeat(16_384)));
        };
        response.on('drain', write);
        write();
      }),
    );
    expect(await ask(peer.port, {})).toEqual(PASSED);
    await peer.drained();
  });

  it.each([
    ['HTTP/1.1 over TLS', 'http1', SIMPLE],
    ['HTTP/2 over TLS', 'http2', SIMPLE],
    ['HTTP/2 with prior knowledge', 'http2', PLAIN],
  ] as const)('speaks the protocol of the service: %s', async (_, protocol, tls) => {
    const versions: string[] = [];
    const handle = (request: { httpVersion: string }, response: { end(): unknown }): void => {
      versions.push(request.httpVersion);
      response.end();
    };
    const server =
      tls === PLAIN ? createH2Server(handle) : protocol === 'http2' ? createSecureServer(cert, handle) : createHttpsServer(cert, handle);
    const peer = await listen(server);
    expect(await ask(peer.port, {}, { protocol, tls })).toEqual(PASSED);
    expect(versions).toEqual([protocol === 'http2' ? '2.0' : '1.1']);
    await peer.drained();
  });
});

describe('the TCP check', () => {
  it('takes a connection for an answer, and closes it', async () => {
    const peer = await listen(mute(() => {}));
    expect(await ask(peer.port, { kind: 'tcp' })).toEqual(PASSED);
    await peer.drained();
    expect(peer.sockets).toHaveLength(1);
  });

  it('with TLS wants the handshake, and shows the certificate of the process', async () => {
    const names: string[] = [];
    const server = createTlsServer({ ...cert, requestCert: true, ca: root.cert }, (socket) => {
      names.push(String(socket.getPeerCertificate().subjectaltname));
      socket.resume();
    });
    const peer = await listen(server);
    expect(await ask(peer.port, { kind: 'tcp' }, { tls: MUTUAL })).toEqual(PASSED);
    await peer.drained();
    expect(names).toEqual(['URI:spiffe://cluster.local/ns/default/sa/productpage']);
  });
});

type Play = (stream: ServerHttp2Stream, service: string) => void;

const reply =
  (status: number, grpcStatus = '0'): Play =>
  (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
  };

async function grpcServer(play: Play, options = {}): Promise<Listening & { readonly asked: string[] }> {
  const asked: string[] = [];
  const server = Object.keys(options).length === 0 ? createH2Server() : createSecureServer(options);
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const body = Buffer.concat(chunks);
      asked.push(`${headers[':method']} ${headers[':path']} ${headers['content-type']} ${headers.te} ${body.toString('hex')}`);
      play(stream, body.subarray(7).toString());
    });
  });
  return Object.assign(await listen(server), { asked });
}

describe('the gRPC check', () => {
  it.each([
    ['', '0000000000'],
    ['a.B', `0000000005${'0a03'}${Buffer.from('a.B').toString('hex')}`],
  ])('of %j is asked in one message', async (service, hex) => {
    const peer = await grpcServer(reply(1));
    expect(await ask(peer.port, { kind: 'grpc', service })).toEqual(PASSED);
    expect(peer.asked).toEqual([`POST /grpc.health.v1.Health/Check application/grpc trailers ${hex}`]);
    await peer.drained();
  });

  it.each<[string, Play, string]>([
    ['UNKNOWN', reply(0), 'UNKNOWN'],
    ['NOT_SERVING', reply(2), 'NOT_SERVING'],
    ['SERVICE_UNKNOWN', reply(3), 'SERVICE_UNKNOWN'],
    ['an unknown number', reply(9), 'an unreadable answer'],
    ['SERVING, but a failed call', reply(1, '13'), 'grpc-status 13'],
    [
      'trailers only',
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }),
      'grpc-status 12: the server has no grpc.health.v1.Health service',
    ],
    [
      'an unknown service',
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true }),
      'grpc-status 5: the server knows no health of that service name',
    ],
    ['no status at all', (stream) => stream.respond({ ':status': 200 }, { endStream: true }), 'grpc-status missing'],
    ['plain HTTP', (stream) => stream.respond({ ':status': 404 }, { endStream: true }), 'HTTP 404, not gRPC'],
    [
      'a long answer',
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end(Buffer.alloc(5_000));
      },
      'the answer is too long to be one of gRPC health',
    ],
  ])('fails for %s', async (_, play, reason) => {
    const peer = await grpcServer(play);
    expect(await ask(peer.port, { kind: 'grpc' })).toEqual({ ok: false, reason });
    await peer.drained();
  });

  it('over TLS', async () => {
    const peer = await grpcServer(reply(1), cert);
    expect(await ask(peer.port, { kind: 'grpc' }, { tls: SIMPLE, protocol: 'http2' })).toEqual(PASSED);
    await peer.drained();
  });

  it('knows a connection that breaks off', async () => {
    const peer = await grpcServer((stream) => stream.session?.destroy());
    const { ok, reason } = await ask(peer.port, { kind: 'grpc' });
    expect(ok).toBe(false);
    expect(reason).not.toBe('');
    await peer.drained();
  });
});

describe.each(['http', 'tcp', 'grpc'] as const)('every check: %s', (kind) => {
  it('fails where nobody listens', async () => {
    const { ok, reason } = await ask(await closedPort(), { kind });
    expect(ok).toBe(false);
    expect(reason).toContain('ECONNREFUSED');
  });

  it('asks the port of the policy when there is one', async () => {
    const peer = kind === 'grpc' ? await grpcServer(reply(1)) : await listen(createHttpServer((_, response) => response.end()));
    expect(await ask(await closedPort(), { kind, port: peer.port })).toEqual(PASSED);
  });

  it('does not believe a peer that cannot prove who it is', async () => {
    const stranger = authority('stranger').issue({ dns: ['reviews'] });
    const other = root.issue({ dns: ['ratings'] });
    for (const wrong of [stranger, other]) {
      const peer = await grpcServer(reply(1), { ...wrong, allowHTTP1: true });
      const { ok, reason } = await ask(peer.port, { kind }, { tls: SIMPLE, protocol: kind === 'grpc' ? 'http2' : 'http1' });
      expect(ok).toBe(false);
      expect(reason).toMatch(wrong === stranger ? /SELF_SIGNED|UNABLE_TO|self-signed|unable to/ : /ALTNAME/);
      await peer.drained();
    }
  });

  it('leaves no timer behind when it passes', async () => {
    const clock = new VirtualClock();
    const peer = kind === 'grpc' ? await grpcServer(reply(1)) : await listen(createHttpServer((_, response) => response.end()));
    expect(await ask(peer.port, { kind }, { clock })).toEqual(PASSED);
    expect(clock.armed).toBe(0);
    await peer.drained();
  });
});

describe('a check that gets no answer', () => {
  it.each([
    ['http', PLAIN],
    ['grpc', PLAIN],
    ['tcp', SIMPLE],
  ] as const)('closes the socket and leaves no timer: %s', async (kind, tls) => {
    const clock = new VirtualClock();
    const accepted = Promise.withResolvers<void>();
    const peer = await listen(mute(accepted.resolve));
    const asked = ask(peer.port, { kind, timeoutMs: 700 }, { clock, tls });
    await accepted.promise;
    clock.advance(699);
    await settle();
    expect(clock.armed).toBe(1);
    clock.advance(1);
    expect(await asked).toEqual({ ok: false, reason: 'no answer within 700 ms' });
    await peer.drained();
    expect(clock.armed).toBe(0);
  });
});

describe('the messages of gRPC health', () => {
  it.each([
    ['no field', [], 0],
    ['SERVING', [0x08, 1], 1],
    ['NOT_SERVING', [0x08, 2], 2],
    ['the last of two', [0x08, 1, 0x08, 2], 2],
    ['a field of later times, a number', [0x10, 0x96, 0x01, 0x08, 1], 1],
    ['a field of later times, a text', [0x12, 2, 0x61, 0x62, 0x08, 1], 1],
    ['half a number', [0x08], -1],
    ['a number without end', [0x08, 0x80, 0x80, 0x80, 0x80, 0x80], -1],
    ['a text longer than the message', [0x12, 9, 0x61], -1],
    ['a kind of field that does not exist', [0x0f, 1], -1],
  ])('%s', (_, message, expected) => {
    expect(decodeStatus(Buffer.from([0, 0, 0, 0, message.length, ...message]))).toBe(expected);
  });

  it.each([
    ['nothing', []],
    ['half a frame', [0, 0, 0, 0]],
    ['a compressed frame', [1, 0, 0, 0, 2, 8, 1]],
    ['two frames', [0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 1]],
  ])('%s is none', (_, bytes) => {
    expect(decodeStatus(Buffer.from(bytes))).toBe(-1);
  });

  it('any name survives the way there, any bytes are read without harm', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: 'grapheme' }), fc.uint8Array({ maxLength: 40 }), (service, bytes) => {
        const frame = encodeCheck(service);
        const name = Buffer.from(service);
        expect(frame.readUInt32BE(1)).toBe(frame.length - 5);
        expect(frame.subarray(frame.length - name.length).toString()).toBe(service);
        // The same layout as the answer: a field of text is skipped.
        expect(decodeStatus(frame)).toBe(0);
        expect([-1, 0, 1, 2, 3]).toContain(Math.min(3, decodeStatus(Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]))));
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
