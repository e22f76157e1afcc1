import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { request, upgrade, WebSocket } from 'undici';
import { WebSocket as WebSocket6 } from 'undici-6';
import { WebSocket as WebSocket7 } from 'undici-7';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { acceptUpgrade } from './websocket-echo.ts';

let server: Server;
let mesh: Mesh;
const seen: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((incoming, response) => {
    if (incoming.url === '/early') response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end('plain');
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('upgrade', (incoming, socket: Socket) => {
    seen.push(`${incoming.headers.upgrade} ${incoming.url} ${incoming.headers.host}`);
    socket.on('error', () => {});
    if (incoming.url === '/no') return void socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno');
    acceptUpgrade(incoming, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  mesh = await createMesh({ config: { services: { reviews: { endpoints: [`127.0.0.1:${port}`] } } } });
});

afterAll(async () => {
  await mesh.close({ drainMs: 0 });
  server.close();
  for (const socket of sockets) socket.destroy();
});

interface AnyWebSocket {
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  send(text: string): void;
  close(): void;
}

describe('a connection that changes its protocol', () => {
  it.each([
    ['undici 6', WebSocket6],
    ['undici 7', WebSocket7],
    ['undici 8', WebSocket],
  ])('WebSocket of %s', async (_, Made) => {
    const socket = new (Made as new (url: string, options: object) => AnyWebSocket)('ws://reviews/chat', { dispatcher: mesh.dispatcher });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    socket.addEventListener('open', () => socket.send('hello'));
    socket.addEventListener('message', ({ data }) => resolve(data));
    socket.addEventListener('error', () => reject(new Error('error')));
    expect(await promise).toBe('hello');
    const closed = new Promise((done) => socket.addEventListener('close', done));
    socket.close();
    await closed;
    expect(seen.at(-1)).toBe('websocket /chat reviews');
  });

  it('undici.upgrade gives the socket', async () => {
    const { socket, headers } = await upgrade('http://reviews/raw', { protocol: 'own', dispatcher: mesh.dispatcher });
    expect(headers.upgrade).toBe('own');
    const echoed = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    socket.write('bytes');
    expect(await echoed).toBe('bytes');
    socket.destroy();
  });

  it('a refusal is told', async () => {
    await expect(upgrade('http://reviews/no', { protocol: 'own', dispatcher: mesh.dispatcher })).rejects.toThrow();
  });

  it('counts as one call that succeeded', () => {
    const { services } = mesh.snapshot() as unknown as { services: Record<string, unknown> };
    expect(JSON.stringify(services)).toContain('"inFlight":0');
  });
});

describe('heads of status 1xx', () => {
  it('reach onInfo of undici', async () => {
    const info: unknown[] = [];
    const { statusCode, body } = await request('http://reviews/early', {
      dispatcher: mesh.dispatcher,
      onInfo: ({ statusCode: status, headers }) => void info.push([status, headers.link]),
    });
    expect([statusCode, await body.text(), info]).toEqual([200, 'plain', [[103, '</style.css>; rel=preload']]]);
  });

  it('do not disturb mesh.fetch nor built-in fetch', async () => {
    expect(await (await mesh.fetch('http://reviews/early')).text()).toBe('plain');
    const response = await fetch('http://reviews/early', { dispatcher: mesh.dispatcher } as unknown as RequestInit);
    expect(await response.text()).toBe('plain');
  });
});
