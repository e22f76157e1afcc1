// Servers of every framework behind a mesh: what is written for each is one line.
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { createMesh } from 'inmesh';
import { createServer, meshFastify, peerOf, protect, requestIdOf } from 'inmesh/server';
import Koa from 'koa';

const mesh = await createMesh({ config: { services: {} } });
const servers: Server[] = [];

// #region express
const shop = express();
shop.get('/hello', (request, response) => {
  response.send(`hello ${peerOf(request)?.serviceAccount ?? 'stranger'}`); // who calls, by its certificate
});
servers.push(createServer(mesh, shop).listen(0));
// #endregion

// #region koa-hono
const koa = new Koa();
koa.use((context) => {
  context.body = `request ${requestIdOf(context.req).length === 36 ? 'has an id' : 'has none'}`;
});
servers.push(createServer(mesh, koa.callback()).listen(0));

const hono = new Hono();
hono.get('/hello', (context) => context.text('hello'));
servers.push(createServer(mesh, getRequestListener(hono.fetch)).listen(0));
// #endregion

// #region fastify
const app = fastify();
await app.register(meshFastify, { mesh });
app.get('/hello', () => 'hello');
await app.listen({ port: 0 });
// #endregion
servers.push(app.server);

// #region protect
const old = createHttpServer((_request, response) => void response.end('as before'));
old.listen(0);
protect(mesh, old); // an application that nobody wants to touch
// #endregion
servers.push(old);

for (const server of servers) {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/hello`);
  console.log(response.status, await response.text());
}
await mesh.close();
