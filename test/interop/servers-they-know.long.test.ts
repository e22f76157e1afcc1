import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createMesh } from '../../src/index.ts';
import type { ServiceInput } from '../../src/model/input.ts';
import { authority } from '../identity/certificates.ts';
import { outcomeOf } from './faults/observe.ts';
import { closedPort } from './faults/raw-server.ts';
import { wellServer } from './faults/peers.ts';

const folders: string[] = [];
const children: ChildProcess[] = [];

function isThere(binary: string): boolean {
  try {
    execFileSync(binary, ['-v'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGTERM');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
    });
    if (isOpen) return;
    await sleep(20);
  }
  throw new Error(`nobody listens on ${port}`);
}

interface Proxy {
  readonly plain: number;
  readonly secure: number;
  readonly ca: string;
  readonly child: ChildProcess;
}

type Config = (files: { folder: string; plain: number; secure: number; upstream: number }) => string;

/** Connections are closed after a hundred calls, so that the race with the next call is run all the time. */
const nginx: Config = ({ folder, plain, secure, upstream }) => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log off; keepalive_requests 100; keepalive_timeout 1s;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${plain}; location / { proxy_pass http://127.0.0.1:${upstream}; } }
  server { listen 127.0.0.1:${secure} ssl http2; ssl_certificate ${folder}/tls.pem; ssl_certificate_key ${folder}/tls.pem; location / { proxy_pass http://127.0.0.1:${upstream}; } }
}`;

const haproxy: Config = ({ folder, plain, secure, upstream }) => `
global
  master-worker
  stats socket ${folder}/admin.sock level admin expose-fd listeners
defaults
  mode http
  timeout connect 2s
  timeout client 1s
  timeout server 5s
frontend it
  bind 127.0.0.1:${plain}
  bind 127.0.0.1:${secure} ssl crt ${folder}/tls.pem alpn h2,http/1.1
  default_backend well
backend well
  server one 127.0.0.1:${upstream}
`;

async function start(binary: string, config: Config, args: (file: string) => string[]): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-proxy-'));
  folders.push(folder);
  mkdirSync(join(folder, 'body'), { recursive: true });
  const ca = authority();
  const { key, cert } = ca.issue({ dns: ['it'] });
  writeFileSync(join(folder, 'tls.pem'), `${cert}\n${key}\n`);
  const well = await wellServer('http1');
  const [plain, secure] = [await closedPort(), await closedPort()];
  const file = join(folder, 'proxy.conf');
  writeFileSync(file, config({ folder, plain, secure, upstream: well.port }));
  const child = spawn(binary, args(file), { stdio: 'ignore' });
  child.once('exit', () => well.close());
  children.push(child);
  await Promise.all([listening(plain), listening(secure)]);
  return { plain, secure, ca: ca.cert, child };
}

const LOAD_MS = 4_000;
const RELOADS = 4;

/** Failed calls of `LOAD_MS`, while the proxy is told to reload again and again. */
async function underReload(service: ServiceInput, child: ChildProcess, signal: NodeJS.Signals): Promise<[calls: number, failed: string[]]> {
  const mesh = await createMesh({ config: { services: { it: { timeout: '10s', ...service } } } });
  const endMs = performance.now() + LOAD_MS;
  const failed: string[] = [];
  let calls = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < endMs) {
      calls++;
      const outcome = await outcomeOf(mesh, 'http://it/');
      if (outcome !== '200 ok') failed.push(outcome);
    }
  };
  const reload = async (): Promise<void> => {
    for (let i = 0; i < RELOADS; i++) {
      await sleep(LOAD_MS / (RELOADS + 1));
      child.kill(signal);
    }
  };
  await Promise.all([reload(), ...Array.from({ length: 10 }, work)]);
  await mesh.close();
  return [calls, failed];
}

describe.each([
  { binary: 'nginx', config: nginx, args: (file: string) => ['-c', file], signal: 'SIGHUP' as const },
  { binary: 'haproxy', config: haproxy, args: (file: string) => ['-W', '-f', file], signal: 'SIGUSR2' as const },
])('$binary reloads under load and no call is lost', ({ binary, config, args, signal }) => {
  it.for(['HTTP/1.1', 'HTTP/2 over TLS'])('%s', async (kind, { skip }) => {
    if (!isThere(binary)) return skip(`${binary} is not installed`);
    const { plain, secure, ca, child } = await start(binary, config, args);
    const service: ServiceInput =
      kind === 'HTTP/1.1'
        ? { endpoints: [`127.0.0.1:${plain}`] }
        : { endpoints: [`127.0.0.1:${secure}`], protocol: 'http2', tls: { mode: 'simple', ca, serverName: 'it' } };
    const [calls, failed] = await underReload(service, child, signal);
    expect(failed).toEqual([]);
    expect(calls).toBeGreaterThan(200);
  });
});
