// The server over real sockets: what callers get, what handlers know, and how connections live on.
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type InboundContext, inboundContext } from '../../src/core/context.ts';
import { systemClock } from '../../src/core/clock.ts';
import { ATTEMPT_HEADER, CRITICALITY_HEADER, DEADLINE_HEADER, LOAD_HEADER } from '../../src/core/headers.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { withDeadline } from '../../src/inbound/server.ts';
import { admit, createServer } from '../../src/mesh/servers.ts';
import { Inbound } from '../../src/mesh/inbound.ts';
import { createMesh } from '../../src/mesh/mesh.ts';
import { ADMISSION_DEFAULTS } from '../../src/model/inbound.ts';
import { echoServer } from '../support/echo-server.ts';
import { ask, exactly, Held, oneConnection, serve } from './real-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serving(...args: Parameters<typeof serve>): ReturnType<typeof serve> {
  const real = await serve(...args);
  closers.push(real.close);
  return real;
}

const hello: Listener = (_request, response) => void response.end('hello');

describe('createServer', () => {
  it('lets no call outlive the caller of its handler', async () => {
    const leaf = await echoServer('leaf');
    const mesh = await createMesh({ config: { services: { leaf: { endpoints: [leaf.address] } } } });
    const middle = createServer(mesh, async (_request, response) => {
      const answer = await mesh.fetch('http://leaf/');
      response.end(await answer.text());
    });
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(middle.address() as AddressInfo).port}`;
    const outer = await createMesh({ config: { services: { middle: { endpoints: [address], timeout: '700ms' } } } });
    await (await outer.fetch('http://middle/')).text();
    const remaining = Number(leaf.seen[0]?.headers[DEADLINE_HEADER]);
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(700);
    await (await fetch(`http://${address}/`)).text();
    expect(Number(leaf.seen[1]?.headers[DEADLINE_HEADER])).toBe(10_000);
    await outer.close();
    await mesh.close();
    middle.closeAllConnections();
    middle.close();
    await leaf.close();
  });

  it('tells the handler what its caller said, also after a wait', async () => {
    const { port } = await serving(async (_request, response) => {
      await new Promise((resolve) => setImmediate(resolve));
      const { deadlineMs, criticality, source, requestId } = inboundContext.getStore() as InboundContext;
      response.end(JSON.stringify({ deadlineMs, criticality, source, requestId }));
    });
    const before = systemClock.now();
    const told = await ask(port, { headers: { [CRITICALITY_HEADER]: 'sheddable', [DEADLINE_HEADER]: '5000' } });
    const { deadlineMs, ...rest } = JSON.parse(told.text);
    expect(rest).toEqual({ criticality: 0, source: '127.0.0.1', requestId: told.headers['x-request-id'] });
    expect(deadlineMs).toBeGreaterThanOrEqual(before + 5_000);
    expect(deadlineMs).toBeLessThanOrEqual(systemClock.now() + 5_000);
  });

  it('says how full it is with every answer', async () => {
    const { port } = await serving(hello, exactly(4));
    expect((await ask(port)).headers[LOAD_HEADER]).toBe('0.25');
  });

  it('without admission takes everything and says nothing', async () => {
    const { port } = await serving(hello, null);
    const { status, headers } = await ask(port);
    expect([status, headers[LOAD_HEADER]]).toEqual([200, undefined]);
  });

  it('leaves an error of the handler to Node, as it would be without us', async () => {
    const { port, server, inbound } = await serving(() => {
      throw new Error('broken');
    });
    // What Node does with an uncaught exception would end the test; a listener of the error stands before it.
    const [listener] = server.listeners('request') as [(...args: unknown[]) => void];
    const seen: unknown[] = [];
    server.removeAllListeners('request').on('request', (...args: unknown[]) => {
      try {
        listener(...args);
      } catch (error) {
        seen.push(error);
        (args[0] as { socket: { destroy(): void } }).socket.destroy();
      }
    });
    await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(seen).toMatchObject([{ message: 'broken' }]);
    expect(inbound.snapshot().inFlight).toBe(0);
  });
});

describe('a refusal', () => {
  it('is a 503 that says when to come back, and that it is overload', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener, { ...exactly(1), retryAfterMs: 2_500 });
    const first = ask(port);
    await held.come(1);
    const { status, headers, text } = await ask(port);
    expect(status).toBe(503);
    expect(headers).toMatchObject({
      'retry-after': '3',
      'x-envoy-overloaded': 'true',
      'x-inmesh-error': 'overloaded',
      [LOAD_HEADER]: '1.00',
      'content-type': 'text/plain',
    });
    expect(text).toBe('server overloaded');
    expect(inbound.snapshot()).toMatchObject({ inFlight: 1, limit: 1, utilization: 1, rejected: 1 });
    held.answer(0);
    expect((await first).text).toBe('done');
  });

  it('comes first to what matters least, and to retries', async () => {
    const held = new Held();
    const { port } = await serving(held.listener, exactly(10));
    const open = Array.from({ length: 8 }, () => ask(port));
    await held.come(8);
    const sheddable = await ask(port, { headers: { [CRITICALITY_HEADER]: 'sheddable' } });
    const retry = await ask(port, { headers: { [ATTEMPT_HEADER]: '2' } });
    expect([sheddable.status, retry.status]).toEqual([503, 503]);
    open.push(ask(port), ask(port, { headers: { [CRITICALITY_HEADER]: 'critical' } }));
    await held.come(10);
    expect((await ask(port)).status).toBe(503);
    open.push(ask(port, { headers: { [CRITICALITY_HEADER]: 'criticalPlus' } }));
    await held.come(11);
    for (let i = 0; i < 11; i++) held.answer(i);
    expect((await Promise.all(open)).map(({ status }) => status)).toEqual(Array(11).fill(200));
  });

  it.each([
    ['a GET', {}, 'keep-alive', 1],
    ['a small body that nobody reads', { method: 'POST', body: Buffer.alloc(60_000) }, 'keep-alive', 1],
    ['a long body that nobody reads', { method: 'POST', body: Buffer.alloc(5_000_000) }, 'close', 4],
    ['a body of unknown length', { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } }, 'close', 4],
    ['a body that waits to be asked for', { method: 'POST', body: Buffer.alloc(60_000), headers: { expect: '100-continue' } }, 'close', 4],
  ])('of %s leaves the connection as it should be', async (_, asked, connection, sockets) => {
    const held = new Held();
    const real = await serving(held.listener, exactly(1));
    const first = ask(real.port);
    await held.come(1);
    const agent = oneConnection();
    for (let i = 0; i < 4; i++) {
      const told = await ask(real.port, { ...asked, agent });
      expect([told.status, told.text, told.headers.connection]).toEqual([503, 'server overloaded', connection]);
    }
    expect(real.sockets.length).toBe(1 + sockets);
    held.answer(0);
    await first;
    agent.destroy();
  });

  it('asks for no body that waits to be asked for', async () => {
    const held = new Held();
    const { port } = await serving(held.listener, exactly(1));
    const expecting = (): Promise<[number | undefined, boolean]> =>
      new Promise((resolve, reject) => {
        let isAsked = false;
        const asked = request({ host: '127.0.0.1', port, method: 'POST', headers: { 'content-length': 3, expect: '100-continue' } });
        asked.on('continue', () => {
          isAsked = true;
          asked.end('abc');
        });
        asked.on('response', (response) => {
          response.resume();
          resolve([response.statusCode, isAsked]);
          asked.destroy();
        });
        asked.on('error', reject);
        asked.flushHeaders();
      });
    const first = expecting();
    await held.come(1);
    expect(await expecting()).toEqual([503, false]);
    const [{ request: taken, response } = {}] = held.calls;
    let body = '';
    for await (const chunk of taken ?? []) body += String(chunk);
    expect(body).toBe('abc');
    response?.end();
    expect(await first).toEqual([200, true]);
  });

  it('is no end: a place that is free again is taken on the same connection', async () => {
    const held = new Held();
    const { port } = await serving(held.listener, exactly(1));
    const agent = oneConnection();
    const first = ask(port);
    await held.come(1);
    expect((await ask(port, { agent })).status).toBe(503);
    held.answer(0);
    await first;
    const second = ask(port, { agent });
    await held.come(2);
    held.answer(1);
    expect((await second).status).toBe(200);
    agent.destroy();
  });
});

describe('a reload', () => {
  it('holds from the next call on, and lets no place be lost', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener, exactly(2));
    const first = ask(port);
    await held.come(1);
    inbound.update({ mtls: 'disable', admission: { ...ADMISSION_DEFAULTS, ...exactly(1) } });
    expect((await ask(port)).status).toBe(503);
    held.answer(0);
    await first;
    expect(inbound.snapshot()).toMatchObject({ inFlight: 0, utilization: 0 });
    inbound.update({ mtls: 'disable', admission: null });
    const many = Array.from({ length: 5 }, () => ask(port));
    await held.come(6);
    for (let i = 1; i < 6; i++) held.answer(i);
    expect((await Promise.all(many)).map(({ status }) => status)).toEqual(Array(5).fill(200));
  });
});

describe('a handler for a server that is not ours', () => {
  it('is admitted in the same way', async () => {
    const held = new Held();
    const inbound = new Inbound({ mtls: 'disable', admission: { ...ADMISSION_DEFAULTS, ...exactly(1) } }, systemClock);
    const server = createHttpServer(admit({ clock: systemClock, inbound }, held.listener));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const first = ask(port);
    await held.come(1);
    expect((await ask(port)).status).toBe(503);
    held.answer(0);
    expect((await first).status).toBe(200);
    await inbound.close(0);
    expect(server.listening).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('may speak HTTP/2', async () => {
    const inbound = new Inbound({ mtls: 'disable', admission: { ...ADMISSION_DEFAULTS, ...exactly(1) } }, systemClock);
    const held = new Held();
    const server = createHttp2Server(admit({ clock: systemClock, inbound }, held.listener) as never);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const get = (): Promise<unknown[]> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': '/' });
        stream.on('response', (headers) => stream.resume().on('end', () => resolve([headers[':status'], headers[LOAD_HEADER]])));
      });
    const first = get();
    await held.come(1);
    expect(await get()).toEqual([503, '1.00']);
    held.answer(0);
    expect(await first).toEqual([200, '1.00']);
    await new Promise((resolve) => session.close(() => server.close(resolve)));
    expect(inbound.snapshot().inFlight).toBe(0);
  });

  it('that was wrapped twice is admitted once', async () => {
    const inbound = new Inbound({ mtls: 'disable', admission: { ...ADMISSION_DEFAULTS, ...exactly(1) } }, systemClock);
    const mesh = { clock: systemClock, inbound };
    const server = createServer(mesh, admit(mesh, withDeadline(mesh, hello)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (let i = 0; i < 3; i++) expect((await ask(port)).status).toBe(200);
    await inbound.close(0);
    expect(inbound.snapshot()).toMatchObject({ inFlight: 0, utilization: 0, rejected: 0 });
  });

  it('answers pipelined requests in their order', async () => {
    const held = new Held();
    const { port } = await serving(held.listener, exactly(1));
    const socket = connectTcp(port, '127.0.0.1');
    socket.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n');
    await held.come(1);
    held.answer(0, 'one');
    const heads: string[] = [];
    for await (const chunk of socket) {
      heads.push(...(String(chunk).match(/HTTP\/1\.1 \d+/g) ?? []));
      if (heads.length === 2) break;
    }
    expect(heads).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503']);
  });
});
