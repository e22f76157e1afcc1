// One port, every form of HTTP, by mode: what is taken is served right, what is not never reaches the application.
import { afterEach, describe, expect, it } from 'vitest';
import { connectionOf } from '../../src/inbound/connection.ts';
import { kindOf } from '../../src/inbound/first-bytes.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { peerOf } from '../../src/inbound/peer-of.ts';
import { SELF_DEFAULTS } from '../../src/model/config.ts';
import type { PeerAuthenticationPolicy } from '../../src/model/security.ts';
import { identityOf } from '../support/fixed-identity.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import {
  CALLER,
  clientTls,
  http2To,
  keepAlive,
  onSession,
  overHttp1,
  overHttp2,
  received,
  ROOT,
  secure,
  type SecureOptions,
  type SecureServer,
  SERVER,
  tcp,
  tlsSocket,
  type Wanted,
} from './secure-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Seen {
  readonly version: string;
  readonly caller: string;
  readonly bytes: number;
}

/** Tells what it has seen of the request. */
const mirror: Listener = async (request, response) => {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  const seen: Seen = { version: request.httpVersion, caller: peerOf(request)?.spiffeId ?? '-', bytes };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(seen));
};

async function serving(options: SecureOptions = {}, listener: Listener = mirror): Promise<SecureServer> {
  const real = await secure(listener, options);
  closers.push(real.close);
  return real;
}

const FORMS = [
  { form: 'HTTP/1 plain', ask: overHttp1, as: undefined, version: '1.1' },
  { form: 'h2c', ask: overHttp2, as: undefined, version: '2.0' },
  { form: 'HTTP/1 mTLS', ask: overHttp1, as: CALLER, version: '1.1' },
  { form: 'HTTP/2 mTLS', ask: overHttp2, as: CALLER, version: '2.0' },
] as const;

function wanted(port: number, as: (typeof FORMS)[number]['as'], more: Partial<Wanted> = {}): Wanted {
  return { port, ...(as === undefined ? {} : { as }), ...more };
}

describe('the first bytes', () => {
  it.each([
    ['', null],
    ['\x16', 'tls'],
    ['\x16\x03\x01', 'tls'],
    ['P', null],
    ['PR', null],
    ['PRI', 'h2c'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'h2c'],
    ['PRO', 'http1'],
    ['PUT', 'http1'],
    ['G', 'http1'],
    ['\x80', 'http1'],
    ['\x00', 'http1'],
  ])('%j are %s', (bytes, kind) => {
    expect(kindOf(Buffer.from(bytes, 'latin1'))).toBe(kind);
  });
});

describe('permissive', () => {
  it.each(FORMS)('takes $form', async ({ ask, as, version }) => {
    const { port } = await serving();
    const { status, text } = await ask(wanted(port, as));
    expect([status, JSON.parse(text)]).toEqual([200, { version, caller: as?.spiffeId ?? '-', bytes: 0 }]);
  });

  it.each(FORMS)('takes 200 kB over $form', async ({ ask, as }) => {
    const { port } = await serving();
    const { text } = await ask(wanted(port, as, { method: 'POST', body: Buffer.alloc(200_000, 'x') }));
    expect(JSON.parse(text)).toMatchObject({ bytes: 200_000 });
  });

  it('takes bytes one by one', async () => {
    const { port } = await serving();
    const socket = tcp(port);
    socket.setNoDelay(true);
    const answered = received(socket);
    for (const byte of 'POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc') {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await answered).toContain('{"version":"1.1","caller":"-","bytes":3}');
  });

  it('takes the HTTP/2 preface byte by byte', async () => {
    const { port } = await serving();
    const socket = tcp(port);
    socket.setNoDelay(true);
    const first = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    // Type 4: SETTINGS.
    expect((await first)[3]).toBe(4);
    socket.destroy();
  });

  it('never shows an identity on a plain connection, whatever its headers say', async () => {
    const { port } = await serving();
    const headers = { 'x-forwarded-client-cert': `URI=${CALLER.spiffeId}`, 'x-mesh-peer': CALLER.spiffeId };
    for (const ask of [overHttp1, overHttp2]) expect(JSON.parse((await ask({ port, headers })).text)).toMatchObject({ caller: '-' });
  });

  it('keeps the address of the caller through TLS', async () => {
    const { port } = await serving({}, (request, response) => void response.end(request.socket.remoteAddress));
    for (const { ask, as } of FORMS) expect((await ask(wanted(port, as))).text).toBe('127.0.0.1');
  });

  it('keeps the name that was asked for in the handshake', async () => {
    const { port } = await serving({}, (request, response) => void response.end(connectionOf(request.socket)?.serverName));
    expect((await overHttp1({ port, as: CALLER })).text).toBe('localhost');
    expect((await overHttp2({ port, as: CALLER })).text).toBe('localhost');
    expect((await overHttp1({ port })).text).toBe('');
  });

  it('without an identity takes plain connections only', async () => {
    const { port, refusals } = await serving({ identity: null });
    expect((await overHttp1({ port })).status).toBe(200);
    await expect(overHttp1({ port, as: CALLER })).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown });
    expect(refusals).toMatchObject([{ code: 'tls_refused' }]);
  });
});

describe('strict', () => {
  const strict = { config: { mtls: 'strict' } } as const;

  it.each(FORMS.filter(({ as }) => as !== undefined))('takes $form', async ({ ask, as }) => {
    const { port } = await serving(strict);
    expect((await ask(wanted(port, as))).status).toBe(200);
  });

  it.each([
    ['HTTP/1', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['garbage', '\x00\x01\x02'],
    ['one byte', 'G'],
  ])('resets a connection that begins with %s, before any parser', async (_, bytes) => {
    let calls = 0;
    const { port, server, refusals } = await serving(strict, () => void calls++);
    const parsed: unknown[] = [];
    server.on('clientError', (error) => parsed.push(error));
    const socket = tcp(port);
    const ended = new Promise<NodeJS.ErrnoException>((resolve) => socket.on('error', resolve));
    socket.write(Buffer.from(bytes, 'latin1'));
    expect((await ended).code).toBe('ECONNRESET');
    expect([calls, parsed, refusals.map(({ code }) => code)]).toEqual([0, [], ['plain_refused']]);
  });

  it('without an identity does not begin to listen, and says what to do', async () => {
    await expect(serving({ ...strict, identity: null })).rejects.toThrow(/takes mTLS only .* Add identity to the configuration/);
  });

  it('whose identity has not come yet refuses TLS, and takes it when it has', async () => {
    const { port, source, refusals } = await serving(strict);
    source.current = null;
    const late = await serving({ ...strict, setup: { identity: source } });
    await expect(overHttp1({ port: late.port, as: CALLER })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(late.refusals).toMatchObject([{ code: 'identity_missing' }]);
    source.set(SERVER);
    expect((await overHttp1({ port: late.port, as: CALLER })).status).toBe(200);
    expect([port > 0, refusals]).toEqual([true, []]);
  });
});

describe('disable', () => {
  it('takes plain connections, and resets TLS', async () => {
    const { port, refusals } = await serving({ config: { mtls: 'disable' } });
    expect((await overHttp1({ port })).status).toBe(200);
    expect((await overHttp2({ port })).status).toBe(200);
    await expect(overHttp1({ port, as: CALLER })).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown });
    expect(refusals).toMatchObject([{ code: 'tls_refused' }]);
  });
});

describe('PeerAuthentication', () => {
  const policy = (fields: Partial<PeerAuthenticationPolicy>): PeerAuthenticationPolicy => ({
    kind: 'peer-authentication',
    dialect: 'istio',
    name: 'p',
    namespace: 'default',
    createdAtMs: 0,
    source: { file: 'a.yaml', line: 1, column: 1 },
    scope: { namespace: '', labels: {}, expressions: [] },
    level: 'mesh',
    mode: 'strict',
    ports: {},
    ...fields,
  });
  const isTaken = async (policies: readonly PeerAuthenticationPolicy[], labels: Record<string, string> = {}): Promise<boolean> => {
    const { port, close } = await secure(mirror, {
      config: { policies, mtls: 'permissive' },
      setup: { self: { ...SELF_DEFAULTS, labels } },
    });
    closers.push(close);
    return overHttp1({ port }).then(
      () => true,
      () => false,
    );
  };

  it('of the mesh holds over the concise form', async () => {
    expect(await isTaken([policy({})])).toBe(false);
  });

  it('of the workload holds over that of the mesh', async () => {
    const own = policy({ level: 'workload', mode: 'permissive', scope: { namespace: 'default', labels: { app: 'a' }, expressions: [] } });
    expect(await isTaken([policy({}), own], { app: 'a' })).toBe(true);
    expect(await isTaken([policy({}), own], { app: 'b' })).toBe(false);
  });

  it('of the port holds over that of the workload, also after a reload', async () => {
    const { port, inbound, source } = await serving();
    const own = policy({ level: 'workload', mode: 'strict', ports: { [port]: 'disable' } });
    inbound.update({ mtls: 'strict', admission: null, policies: [own] }, { identity: source });
    expect((await overHttp1({ port })).status).toBe(200);
    inbound.update({ mtls: 'permissive', admission: null, policies: [{ ...own, ports: {} }] });
    await expect(overHttp1({ port })).rejects.toThrow();
    expect((await overHttp1({ port, as: CALLER })).status).toBe(200);
  });
});

describe('a rotation', () => {
  it('is shown to the next connection, with all options of the first', async () => {
    const { port, source } = await serving({ config: { mtls: 'strict' } });
    source.set(identityOf(ROOT, 'reviews-2', { version: 2 }));
    const socket = tlsSocket(port, CALLER);
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.getPeerCertificate().subjectaltname).toContain('reviews-2');
    expect([socket.getProtocol(), socket.isSessionReused()]).toEqual(['TLSv1.3', false]);
    socket.destroy();
    const old = tlsSocket(port, CALLER, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => old.once('error', resolve));
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('that cannot be used leaves the last good in force', async () => {
    const faults: string[] = [];
    const { port, source } = await serving({ setup: { onUnusable: ({ message }) => void faults.push(message) } });
    expect((await overHttp1({ port, as: CALLER })).status).toBe(200);
    source.set({ ...SERVER, key: CALLER.key, version: 2 });
    source.set({ ...SERVER, bundles: new Map(), version: 3 });
    expect((await overHttp1({ port, as: CALLER })).status).toBe(200);
    expect(faults).toEqual([expect.stringMatching(/key values mismatch/) as unknown, 'the identity trusts nobody: it has no roots']);
  });

  it('never resumes a session: every connection is verified', async () => {
    const { port } = await serving();
    const first = tlsSocket(port, CALLER);
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.destroy();
    const second = tlsSocket(port, CALLER, { session });
    await new Promise((resolve) => second.once('secureConnect', resolve));
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });
});

describe('TLS 1.2', () => {
  it('is spoken when the configuration allows it', async () => {
    const { port } = await serving({ config: { minTls: '1.2' } });
    const answer = await overHttp1({ port, tls: clientTls(CALLER, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }) });
    expect(JSON.parse(answer.text)).toMatchObject({ caller: CALLER.spiffeId });
  });
});

/** Certificates are of today; all else is when the test says. */
function today(): VirtualClock {
  return new VirtualClock(1_000, Date.now());
}

describe('the age of a connection', () => {
  const aged = { config: { limits: { connectionAgeMs: 60_000 } } } as const;

  it('ends it with the answer after', async () => {
    const clock = today();
    const { port } = await serving({ ...aged, clock, setup: { random: () => 0.5 } });
    const agent = keepAlive(CALLER);
    const connections = async (): Promise<string | undefined> => (await overHttp1({ port, as: CALLER, agent })).headers.connection;
    expect(await connections()).toBe('keep-alive');
    clock.advance(59_000);
    expect(await connections()).toBe('keep-alive');
    clock.advance(1_100);
    expect([await connections(), await connections()]).toEqual(['close', 'keep-alive']);
    agent.destroy();
  });

  it('says so with the answer that is under way', async () => {
    const clock = today();
    const { port } = await serving({ ...aged, clock, setup: { random: () => 0.5 } }, (_request, response) => {
      clock.advance(61_000);
      response.end('done');
    });
    expect((await overHttp1({ port, as: CALLER, agent: keepAlive(CALLER) })).headers.connection).toBe('close');
  });

  it('ends an HTTP/2 connection gracefully: what is under way is finished', async () => {
    const clock = today();
    const { port } = await serving({ ...aged, clock, setup: { random: () => 0.5 } }, (_request, response) => {
      clock.advance(61_000);
      setImmediate(() => response.end('done'));
    });
    const session = http2To({ port, as: CALLER });
    const goaway = new Promise<number>((resolve) => session.on('goaway', resolve));
    const closed = new Promise((resolve) => session.on('close', resolve));
    expect((await onSession(session, {})).text).toBe('done');
    expect(await goaway).toBe(0);
    await closed;
  });

  it('of a plain connection does not matter', async () => {
    const clock = today();
    const { port } = await serving({ ...aged, clock });
    const agent = keepAlive();
    await overHttp1({ port, agent });
    clock.advance(200_000);
    expect((await overHttp1({ port, agent })).headers.connection).toBe('keep-alive');
    agent.destroy();
  });
});

describe('a certificate that runs out while its connection lives', () => {
  it.each([
    [
      'HTTP/1',
      async (server: SecureServer) => {
        const agent = keepAlive(CALLER);
        const first = await overHttp1({ port: server.port, as: CALLER, agent });
        return [first, async () => overHttp1({ port: server.port, as: CALLER, agent })] as const;
      },
    ],
    [
      'HTTP/2',
      async (server: SecureServer) => {
        const session = http2To({ port: server.port, as: CALLER });
        closers.push(() => session.destroy());
        return [await onSession(session, {}), async () => onSession(session, {})] as const;
      },
    ],
  ])('over %s: the next call is not served', async (_, begin) => {
    let calls = 0;
    const clock = today();
    const real = await serving({ clock, config: { limits: { connectionAgeMs: 0 } } }, (_request, response) => {
      calls++;
      response.end();
    });
    const [first, again] = await begin(real);
    expect(first.status).toBe(200);
    clock.advance(25 * 3_600_000);
    expect((await again()).status).toBe(421);
    expect(calls).toBe(1);
  });
});
