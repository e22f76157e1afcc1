// Callers who only want to keep a server busy, each by a way of its own: the connection ends, the process serves on.
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import { AccessCheck } from '../../src/access/check.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { allow, SELF } from '../access/cases.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import {
  CALLER,
  http2To,
  keepAlive,
  onSession,
  overHttp1,
  overHttp2,
  received,
  secure,
  type SecureOptions,
  type SecureServer,
  tcp,
  tlsSocket,
} from './secure-server.ts';

const DENIED = { access: compileAccess([allow({ methods: ['GET'] })], SELF), tokens: null, authorizers: new Map(), functions: [] };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let calls = 0;

async function serving(
  options: SecureOptions = {},
  listener: Listener = (_request, response) => void response.end(),
): Promise<SecureServer> {
  calls = 0;
  const real = await secure((request, response) => {
    calls++;
    return listener(request, response);
  }, options);
  closers.push(real.close);
  return real;
}

const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
const FRAME = { data: 0, headers: 1, priority: 2, rst: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
/** :method GET, :scheme http, :path /, :authority a. Source: HPACK static table. */
const GET = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61]);
const POST = Buffer.from([0x83, 0x86, 0x84, 0x41, 0x01, 0x61]);

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function h2c(port: number): Socket {
  const socket = tcp(port);
  socket.write(PREFACE);
  socket.resume();
  return socket;
}

const gone = (socket: Socket): Promise<void> => new Promise((resolve) => socket.on('close', () => resolve()));

async function flood(port: number, frames: Buffer, times: number): Promise<void> {
  const socket = h2c(port);
  const closed = gone(socket);
  const batch = Buffer.concat(Array.from({ length: 200 }, () => frames));
  for (let i = 0; i < times / 200 && !socket.destroyed; i++) {
    socket.write(batch);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
}

describe('HTTP/2 floods', () => {
  it('rapid reset (CVE-2023-44487): the connection ends, few calls reach the handler', async () => {
    const { port } = await serving({}, () => {});
    const socket = h2c(port);
    const closed = gone(socket);
    for (let stream = 1; stream < 4_000 && !socket.destroyed; stream += 2) {
      socket.write(
        Buffer.concat([
          frame(FRAME.headers, END_HEADERS | END_STREAM, stream, GET),
          frame(FRAME.rst, 0, stream, Buffer.from([0, 0, 0, 8])),
        ]),
      );
      if (stream % 100 === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(calls).toBeLessThan(400);
  });

  it.each([
    ['PING (CVE-2019-9512)', frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['SETTINGS (CVE-2019-9515)', frame(FRAME.settings, 0, 0)],
  ])('%s', async (_, one) => {
    const { port } = await serving();
    await flood(port, one, 20_000);
    expect((await overHttp2({ port })).status).toBe(200);
  });

  it('CONTINUATION (CVE-2024-27983): no request comes of it', async () => {
    const { port } = await serving();
    const socket = h2c(port);
    const closed = gone(socket);
    socket.write(frame(FRAME.headers, 0, 1, GET));
    const one = frame(FRAME.continuation, 0, 1, Buffer.alloc(1_000, 0x40));
    for (let i = 0; i < 2_000 && !socket.destroyed; i++) {
      socket.write(one);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(calls).toBe(0);
  });

  it('empty DATA (CVE-2019-9518)', async () => {
    const { port } = await serving({}, () => {});
    const socket = h2c(port);
    const closed = gone(socket);
    socket.write(frame(FRAME.headers, END_HEADERS, 1, POST));
    const batch = Buffer.concat(Array.from({ length: 200 }, () => frame(FRAME.data, 0, 1)));
    for (let i = 0; i < 200 && !socket.destroyed; i++) {
      socket.write(batch);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
  });

  it.each([
    ['WINDOW_UPDATE of nothing (CVE-2026-21714)', frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(4))],
    [
      'WINDOW_UPDATE beyond the window',
      Buffer.concat([1, 2].map(() => frame(FRAME.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])))),
    ],
    ['a frame that is too long', Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])])],
    ['a stream of the server', frame(FRAME.headers, END_HEADERS | END_STREAM, 2, GET)],
    [
      'an upper-case header (HPACK literal)',
      frame(FRAME.headers, END_HEADERS | END_STREAM, 1, Buffer.concat([GET, Buffer.from([0x00, 1, 0x41, 1, 0x61])])),
    ],
  ])('%s: no request, and the process lives', async (_, bytes) => {
    const { port } = await serving();
    const socket = h2c(port);
    socket.end(bytes);
    await gone(socket);
    expect(calls).toBe(0);
    expect((await overHttp2({ port })).status).toBe(200);
  });

  it.each(['0a', '0d', '00'])('a header with the byte %s (CVE-2023-27491) does not reach the application', async (hex) => {
    let seen = '';
    const { port } = await serving({}, (request, response) => {
      seen = JSON.stringify(request.rawHeaders);
      response.end();
    });
    const socket = h2c(port);
    const field = Buffer.concat([Buffer.from([0x00, 5]), Buffer.from('x-bad'), Buffer.from([2, 0x61]), Buffer.from(hex, 'hex')]);
    socket.end(frame(FRAME.headers, END_HEADERS | END_STREAM, 1, Buffer.concat([GET, field])));
    await gone(socket);
    expect(seen).not.toContain('x-bad');
  });

  it('MadeYouReset (CVE-2025-8671): the server made to reset its streams ends the connection', async () => {
    const { port } = await serving({}, () => {});
    const socket = h2c(port);
    const closed = gone(socket);
    for (let stream = 1; stream < 8_000 && !socket.destroyed; stream += 2) {
      socket.write(
        Buffer.concat([frame(FRAME.headers, END_HEADERS | END_STREAM, stream, GET), frame(FRAME.windowUpdate, 0, stream, Buffer.alloc(4))]),
      );
      if (stream % 100 === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(calls).toBeLessThan(600);
  });

  it('more headers than allowed (CVE-2026-47774): counted as they are when decoded', async () => {
    const { port } = await serving();
    const many = Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'v'.repeat(300)]);
    for (const headers of [{ cookie: 'a'.repeat(20_000) }, Object.fromEntries(many) as Record<string, string>]) {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      closers.push(() => session.destroy());
      expect((await onSession(session, { headers })).status).toBe(431);
    }
    expect(calls).toBe(0);
  });

  it('more streams than allowed are refused, those before are served', async () => {
    const { port } = await serving({ config: { limits: { maxStreams: 2 } } }, () => {});
    const socket = h2c(port);
    socket.write(Buffer.concat([1, 3, 5, 7].map((stream) => frame(FRAME.headers, END_HEADERS | END_STREAM, stream, GET))));
    while (calls < 2) await new Promise((resolve) => setImmediate(resolve));
    const session = http2To({ port });
    expect(await new Promise((resolve) => session.once('remoteSettings', (settings) => resolve(settings.maxConcurrentStreams)))).toBe(2);
    expect(calls).toBe(2);
    socket.destroy();
    session.destroy();
  });
});

describe('slow callers', () => {
  it('slow loris: a head that does not come to its end is answered 408, and its connection closed', async () => {
    const { port } = await serving({ config: { limits: { headersMs: 100 } } });
    const plain = tcp(port);
    plain.write('GET / HTTP/1.1\r\nhost: a\r\nx-');
    const secret = tlsSocket(port, CALLER);
    secret.on('error', () => {});
    secret.write('GET / HTTP/1.1\r\nhost: a\r\nx-');
    const texts = await Promise.all([received(plain), received(secret)]);
    expect(texts.map((text) => text.split('\r\n')[0])).toEqual(['HTTP/1.1 408 Request Timeout', 'HTTP/1.1 408 Request Timeout']);
    expect(calls).toBe(0);
  });

  it('an HTTP/2 connection on which nothing moves is ended', async () => {
    const { port } = await serving({ config: { limits: { idleMs: 100 } } });
    const socket = h2c(port);
    socket.write(Buffer.from([0, 0, 40, 1, 0]));
    await gone(socket);
    expect(calls).toBe(0);
  });

  it('first bytes that never tell what is spoken are not waited for', async () => {
    const clock = new VirtualClock(1_000, Date.now());
    const { port, server } = await serving({ clock });
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const socket = tcp(port);
    socket.resume();
    socket.write('PR');
    const theirs = await accepted;
    while (theirs.bytesRead < 2) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_001);
    await gone(socket);
    expect(calls).toBe(0);
  });
});

describe('many callers', () => {
  it('more connections than allowed from one address are closed, and counted', async () => {
    const { port, inbound } = await serving({ config: { limits: { maxConnectionsPerAddress: 2 } } });
    const agents = [keepAlive(), keepAlive()];
    for (const agent of agents) expect((await overHttp1({ port, agent })).status).toBe(200);
    await expect(overHttp1({ port })).rejects.toThrow();
    expect(inbound.snapshot().refused).toEqual({ too_many_connections: 1 });
    agents[0]?.destroy();
    while (true) {
      const status = await overHttp1({ port }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) break;
    }
    agents[1]?.destroy();
  });

  it('more connections than allowed in all are closed', async () => {
    const { port } = await serving({ config: { limits: { maxConnections: 1 } } });
    const agent = keepAlive();
    expect((await overHttp1({ port, agent })).status).toBe(200);
    await expect(overHttp1({ port })).rejects.toThrow();
    agent.destroy();
  });

  it('more calls than allowed are answered 503', async () => {
    const { port } = await serving({ config: { limits: { maxRequests: 1 } } }, (request, response) => {
      if (request.url !== '/held') response.end();
    });
    const held = tcp(port);
    held.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
    while (calls === 0) await new Promise((resolve) => setImmediate(resolve));
    const { status, headers } = await overHttp1({ port });
    expect([status, headers['x-inmesh-error']]).toEqual([503, 'overloaded']);
    held.destroy();
    while ((await overHttp1({ port })).status !== 200);
  });
});

describe('early data (CVE-2025-64763)', () => {
  it('a tunnel (CONNECT) that nobody serves: what was sent early is never read as a request', async () => {
    const { port } = await serving();
    const socket = tcp(port);
    socket.write('CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n');
    expect([await received(socket), calls]).toEqual(['', 0]);
  });

  it('a tunnel that a policy forbids is not made, and what was sent early is not read', async () => {
    let tunnels = 0;
    const { port, server } = await serving({ setup: { check: new AccessCheck(DENIED) } });
    server.on('connect', () => void tunnels++);
    const socket = tcp(port);
    socket.write('CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n');
    expect((await received(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual([expect.stringMatching(/ 40[03]$/)]);
    expect([tunnels, calls]).toEqual([0, 0]);
  });
});

describe('names', () => {
  it.each(['a%0d%0ab', 'a\u001b[31m', '..', 'x'.repeat(255)])(
    'that callers ask for in the handshake do no harm: %j',
    async (servername) => {
      const { port } = await serving();
      const socket = tlsSocket(port, CALLER, { servername, checkServerIdentity: () => undefined });
      socket.on('error', () => {});
      const closed = gone(socket);
      socket.end('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
      socket.resume();
      await closed;
      expect((await overHttp1({ port, as: CALLER })).status).toBe(200);
    },
  );
});

describe('an expectation', () => {
  it.each(['100-continue', '200-maybe'])('%s gets by no place: its head is looked at first', async (expectation) => {
    const { port, server } = await serving();
    server.on('checkContinue', (_request, response) => void response.end('asked'));
    server.on('checkExpectation', (_request, response) => void response.end('asked'));
    const fine = await overHttp1({ port, method: 'POST', headers: { expect: expectation }, body: 'x' });
    expect([fine.status, fine.text]).toEqual([200, 'asked']);
    const socket = tcp(port);
    socket.write(`POST / HTTP/1.1\r\nhost: a\r\nhost: b\r\nexpect: ${expectation}\r\ncontent-length: 1\r\n\r\nx`);
    expect(await received(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
