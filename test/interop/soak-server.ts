// The far side of the soak: two HTTP/1.1 and two HTTP/2 servers in a process of their own, so that neither its loop nor its memory is the
// caller's. One of each can be restarted on its port; a share of answers is spoilt: 503, a reset, or a slow one. Only what may be done
// twice is spoilt, so that every call can still end well.
import { type ChildProcess, spawn } from 'node:child_process';

const CODE = `
const http = require('node:http'); const http2 = require('node:http2');
const faultShare = Number(process.argv[1]);
process.on('disconnect', () => process.exit());
const spoil = (request, response) => {
  const which = Math.random();
  if (which < 0.4) return response.writeHead(503).end('no');
  if (which < 0.7) return request.stream ? request.stream.close(7) : request.socket.resetAndDestroy();
  setTimeout(() => response.end('late'), 50);
};
const answer = (request, response) => {
  response.on('error', () => {});
  request.on('error', () => {});
  if (Math.random() < faultShare) return spoil(request, response);
  request.resume().on('end', () => response.end('x'.repeat(500)));
};
function open(kind, port) {
  return new Promise((resolve) => {
    const server = kind === 'http1' ? http.createServer() : http2.createServer();
    const sockets = new Set(); const sessions = new Set();
    server.on('connection', (socket) => { sockets.add(socket); socket.on('error', () => {}); socket.on('close', () => sockets.delete(socket)); });
    server.on('session', (session) => { sessions.add(session); session.on('error', () => {}); session.on('close', () => sessions.delete(session)); });
    server.on('request', answer);
    server.listen(port, '127.0.0.1', () => resolve({ kind, server, sockets, sessions, port: server.address().port }));
  });
}
const close = (one) => new Promise((resolve) => {
  one.server.close(resolve);
  for (const session of one.sessions) session.close();
  if (one.kind === 'http1') one.server.closeIdleConnections();
  setTimeout(() => { for (const socket of one.sockets) socket.destroy(); }, 200);
});
(async () => {
  let all = [await open('http1', 0), await open('http1', 0), await open('http2', 0), await open('http2', 0)];
  process.on('message', async (what) => {
    if (what === 'restart') {
      for (const i of [1, 3]) { await close(all[i]); all[i] = await open(all[i].kind, all[i].port); }
      process.send('restarted');
    }
  });
  process.send(all.map(({ port }) => port));
})();
`;

export class SoakServer {
  readonly http1: readonly string[];
  readonly http2: readonly string[];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: readonly number[]) {
    const [a, b, c, d] = ports.map((port) => `127.0.0.1:${port}`);
    this.http1 = [a as string, b as string];
    this.http2 = [c as string, d as string];
    this.#child = child;
  }

  static async start(faultShare: number): Promise<SoakServer> {
    const child = spawn(process.execPath, ['-e', CODE, String(faultShare)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ports = await new Promise<number[]>((resolve) => child.once('message', (message) => resolve(message as number[])));
    return new SoakServer(child, ports);
  }

  /** One server of each kind goes away and comes back on its port. */
  async restart(): Promise<void> {
    const back = new Promise((resolve) => this.#child.once('message', resolve));
    this.#child.send('restart');
    await back;
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }
}
