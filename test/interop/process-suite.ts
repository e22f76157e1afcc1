// What importing and installing the package does to a process, on the Nodes that are asked for; the tests beside this say which.
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptUpgrade } from '../transport/websocket-echo.ts';
import { type NodeMajor, nodeBinary } from './nodes.ts';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('globals-child.ts', import.meta.url));
const DIST = new URL('../../dist/', import.meta.url);

const servers: Server[] = [];
let known: string;
let elsewhere: string;
let proxy: string;
const proxied: string[] = [];

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Leads every tunnel to the server outside. */
function proxyServer(): Server {
  const server = createServer((request, response) => {
    proxied.push(`${request.method} ${request.url}`);
    response.end('proxied');
  });
  return server.on('connect', (request, socket: Socket) => {
    proxied.push(`${request.method} ${request.url}`);
    const [host = '', port = ''] = elsewhere.split(':');
    const upstream = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const one of [socket, upstream]) one.on('error', () => {});
    socket.pipe(upstream).pipe(socket);
  });
}

export function processSuite(majors: readonly NodeMajor[]): void {
  beforeAll(async () => {
    const inside = createServer((request, response) => void sleep(request.url === '/' ? 30 : 0).then(() => response.end('inside')));
    known = await listen(inside.on('upgrade', acceptUpgrade));
    elsewhere = await listen(createServer((_request, response) => response.end('outside')));
    proxy = await listen(proxyServer());
  });

  afterAll(() => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  describe.each(majors)('a process of Node %i', (major) => {
    let binary: string | null;
    beforeAll(async () => {
      binary = await nodeBinary(major);
    }, 200_000);

    async function child(mode: string, env: Record<string, string> = {}): Promise<unknown> {
      const args = ['--disable-warning=ExperimentalWarning', CHILD, mode, DIST.href, known, elsewhere];
      const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy|^NODE_OPTIONS$/i.test(name)));
      const { stdout } = await run(binary as string, args, { timeout: 20_000, env: { ...own, ...env } });
      return JSON.parse(stdout);
    }

    it.for<[string, string, unknown]>([
      ['importing replaces no global dispatcher', 'import', [true, true]],
      ['imported first, built-in fetch has its own dispatcher all the same', 'first', ['inside', false, true]],
      [
        'installed, it serves the mesh and passes the rest; uninstalled, all is as before',
        'install',
        [['inside', 'outside'], true, 'unknown'],
      ],
      ['the WebSocket of Node goes through it', 'socket', 'hello'],
      ['ten calls survive a stall of 600 ms with 300 ms each to live', 'stall', Array.from({ length: 10 }, () => 'inside')],
    ])('%s', async ([, mode, expected], { skip }) => {
      if (binary === null) return skip(`Node ${major} cannot be had here`);
      expect(await child(mode)).toEqual(expected);
    });

    it('the dispatcher that the application had set serves the rest', async ({ skip }) => {
      if (binary === null) return skip(`Node ${major} cannot be had here`);
      const outside = `http://${elsewhere}`;
      expect(await child('keep')).toEqual([[outside], [outside]]);
    });

    it('the proxy of the environment serves the rest, and only the rest', async ({ skip }) => {
      if (binary === null) return skip(`Node ${major} cannot be had here`);
      proxied.length = 0;
      const answers = (await child('proxy', { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: `http://${proxy}` })) as string[];
      expect([answers[0], ['outside', 'proxied'].includes(answers[1] as string), proxied]).toEqual([
        'inside',
        true,
        [expect.stringContaining('outside.test')],
      ]);
    });
  });
}
