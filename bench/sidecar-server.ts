// The far side of every row beside sidecars: one handler, answering 1 KiB, in a server of node:http as it is, or in that of inmesh.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadLibrary } from './library.ts';
import { BODY_BYTES } from './protocol.ts';
import type { TlsFiles } from './sidecar-certificates.ts';

export interface ServerSetup {
  readonly isMeshed: boolean;
  /** Then nothing but mTLS is taken. */
  readonly tls: TlsFiles | null;
}

const BODY = Buffer.alloc(BODY_BYTES, 0x61);
const HEADERS = { 'content-type': 'application/octet-stream', 'content-length': String(BODY_BYTES) };
/** Longer than a round of all rows: nobody shall open connections while calls are measured. */
const IDLE_MS = 600_000;

const handler: RequestListener = (_request, response) => {
  response.writeHead(200, HEADERS);
  response.end(BODY);
};

async function open({ isMeshed, tls }: ServerSetup): Promise<Server> {
  if (!isMeshed) return createServer(handler);
  const { createMesh } = await loadLibrary();
  const server = (await import(new URL('../dist/server.js', import.meta.url).href)) as typeof import('../src/server.ts');
  const secure = tls === null ? {} : { identity: { cert: tls.cert, key: tls.key, ca: tls.ca }, inbound: { mtls: 'strict' as const } };
  const mesh = await createMesh({ config: { ...secure, services: {} } });
  await mesh.ready();
  return server.createServer(mesh, handler) as Server;
}

process.on('disconnect', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() });
});
const server = await open(JSON.parse(process.argv[2] as string) as ServerSetup);
server.keepAliveTimeout = IDLE_MS;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
