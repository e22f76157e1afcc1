// Applications of every framework behind the mesh, none of them changed; and servers that are taken over when they listen.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { meshFastify } from '../../src/inbound/mesh-fastify.ts';
import { peerOf } from '../../src/inbound/peer-of.ts';
import { requestIdOf } from '../../src/inbound/request-id.ts';
import { routeTemplateOf } from '../../src/inbound/route-template.ts';
import { protect } from '../../src/inbound/server.ts';
import { Inbound } from '../../src/mesh/inbound.ts';
import { FixedIdentity } from '../support/fixed-identity.ts';
import { CALLER, overHttp1, overHttp2, secure, SERVER, tcp } from './secure-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const caller = (request: IncomingMessage): string => peerOf(request)?.serviceAccount ?? 'nobody';

function expressApp(): Listener {
  const app = express();
  app.use(express.json());
  app.post('/hello', (request, response) => void response.json({ caller: caller(request), body: request.body as unknown }));
  return app;
}

function koaApp(): Listener {
  const app = new Koa();
  app.use(async (context) => {
    const chunks: Buffer[] = [];
    for await (const chunk of context.req) chunks.push(chunk as Buffer);
    context.body = { caller: caller(context.req), body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
  });
  return app.callback();
}

function honoApp(): Listener {
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  app.post('/hello', async (context) =>
    context.json({ caller: caller(context.env.incoming), body: (await context.req.json()) as unknown }),
  );
  return getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0]) as Listener;
}

const plain: Listener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.end(JSON.stringify({ caller: caller(request), body: JSON.parse(Buffer.concat(chunks).toString()) as unknown }));
};

const APPS: readonly (readonly [name: string, make: () => Listener, http2: boolean])[] = [
  ['node:http', () => plain, true],
  ['Express', expressApp, false],
  ['Koa', koaApp, true],
  ['Hono', honoApp, true],
];

const json = { path: '/hello', method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' } as const;

function mesh(): { readonly clock: typeof systemClock; readonly inbound: Inbound } {
  const inbound = new Inbound({ mtls: 'disable', admission: null }, systemClock);
  inbound.update({ mtls: 'permissive', admission: null }, { identity: new FixedIdentity(SERVER) });
  closers.push(() => inbound.close(0));
  return { clock: systemClock, inbound };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe.each(APPS)('%s', (_, make, speaksHttp2) => {
  it('is served plain and over mTLS, and knows who calls', async () => {
    const { port, close } = await secure(make());
    closers.push(close);
    const answers = [await overHttp1({ port, ...json }), await overHttp1({ port, ...json, as: CALLER })];
    expect(answers.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      { caller: 'nobody', body: { a: 1 } },
      { caller: 'productpage', body: { a: 1 } },
    ]);
  });

  it(speaksHttp2 ? 'is served over HTTP/2' : 'is not offered HTTP/2, which it could not bear', async () => {
    const { port, close, refusals } = await secure(make());
    closers.push(close);
    if (speaksHttp2) {
      expect(JSON.parse((await overHttp2({ port, ...json, as: CALLER })).text)).toMatchObject({ caller: 'productpage' });
      return;
    }
    await expect(overHttp2({ port, ...json, as: CALLER })).rejects.toThrow();
    await expect(overHttp2({ port, ...json })).rejects.toThrow();
    expect(refusals.map(({ code }) => code)).toEqual(['ERR_SSL_NO_APPLICATION_PROTOCOL', 'http2_refused']);
  });
});

describe('Fastify', () => {
  it('is taken over by a plugin, and tells its routes', async () => {
    const routes: string[] = [];
    const app = fastify();
    await app.register(meshFastify, { mesh: mesh() });
    app.post('/hello/:name', (request) => {
      routes.push(routeTemplateOf(request.raw));
      return { caller: caller(request.raw), id: requestIdOf(request.raw).length, body: request.body };
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    closers.push(() => app.close());
    const { port } = app.server.address() as AddressInfo;
    const wanted = { port, ...json, path: '/hello/world' };
    for (const ask of [overHttp1, overHttp2])
      expect(JSON.parse((await ask({ ...wanted, as: CALLER })).text)).toEqual({ caller: 'productpage', id: 36, body: { a: 1 } });
    expect(routes).toEqual(['/hello/:name', '/hello/:name']);
  });

  it('that ends TLS itself is refused with a reason', async () => {
    const app = fastify({ https: { cert: SERVER.chain[0] ?? '', key: SERVER.key } });
    await expect(app.register(meshFastify, { mesh: mesh() }).ready()).rejects.toThrow(/this server ends TLS itself/);
  });
});

describe('a server that is taken over', () => {
  const app = (request: IncomingMessage, response: ServerResponse): void => void response.end(caller(request));

  it('when it listens already', async () => {
    const server = createHttpServer(app);
    const port = await listen(server);
    expect(await overHttp1({ port })).toMatchObject({ text: 'nobody' });
    expect(protect(mesh(), server)).toBe(server);
    expect(await overHttp1({ port, as: CALLER })).toMatchObject({ text: 'productpage' });
    expect(await overHttp2({ port, as: CALLER })).toMatchObject({ text: 'productpage' });
  });

  it('twice, is taken over once', async () => {
    const host = mesh();
    const server = protect(host, protect(host, createHttpServer(app)));
    const port = await listen(server);
    expect((await overHttp1({ port, as: CALLER })).text).toBe('productpage');
    expect(host.inbound.snapshot().inFlight).toBe(0);
  });

  it('calls a listener that is added later', async () => {
    const server = protect(mesh(), createHttpServer());
    const port = await listen(server);
    server.on('request', app);
    expect((await overHttp1({ port, as: CALLER })).text).toBe('productpage');
  });

  it('that ends TLS itself is refused with a reason', () => {
    const server = createHttpsServer({}, app) as unknown as Server;
    expect(() => protect(mesh(), server)).toThrow(/this server ends TLS itself/);
  });
});

describe('a server that owns its HTTP/2', () => {
  it('gets the connections, decrypted, and who calls; HTTP/1 goes on beside it', async () => {
    const own = createHttp2Server((_request, response) => void response.end('mine'));
    const peers: (string | undefined)[] = [];
    const { port, close } = await secure(plain, {
      onHttp2Connection(socket, peer) {
        peers.push(peer?.serviceAccount);
        own.emit('connection', socket);
      },
    });
    closers.push(close);
    expect((await overHttp2({ port, as: CALLER })).text).toBe('mine');
    expect((await overHttp2({ port })).text).toBe('mine');
    expect(peers).toEqual(['productpage', undefined]);
    expect((await overHttp1({ port, ...json, as: CALLER })).status).toBe(200);
  });
});

describe('a connection that becomes another', () => {
  it('passes the same places first, and keeps what was sent early', async () => {
    const host = mesh();
    const server = protect(host, createHttpServer(app404));
    server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n${request.headers['x-mesh-peer'] ?? '-'}${head.toString()}`,
      );
      socket.on('data', (chunk: Buffer) => void socket.end(chunk));
    });
    const port = await listen(server);
    const socket = connect(port, '127.0.0.1');
    const told = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith('early')) socket.write('late');
      });
      socket.on('end', () => resolve(text));
    });
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\nx-mesh-peer: admin\r\n\r\nearly');
    expect((await told).endsWith('\r\n\r\n-earlylate')).toBe(true);
    expect(host.inbound.snapshot().inFlight).toBe(0);
    socket.destroy();
  });

  it('is not made when a place says no; what was sent early is never read as a request', async () => {
    let calls = 0;
    const host = mesh();
    host.inbound.update({ mtls: 'permissive', admission: null, limits: { maxRequests: 1 } });
    const server = protect(
      host,
      createHttpServer(() => void calls++),
    );
    server.on('upgrade', () => void calls++);
    const port = await listen(server);
    const held = tcp(port);
    held.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
    while (calls === 0) await new Promise((resolve) => setImmediate(resolve));
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503']);
    expect(calls).toBe(1);
    held.destroy();
  });
});

function app404(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404).end();
}
