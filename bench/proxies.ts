// nginx and HAProxy as the one hop that a sidecar is at the least: one worker, kept-alive connections on both sides, no access
// log, no metrics. Used where they are installed; never installs anything.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { track } from './child.ts';
import { processTimeUs } from './processor-time.ts';
import type { Target } from './protocol.ts';

const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

function findProgram(name: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

function nginxConfig(port: number, target: Target, folder: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; ${paths}
  keepalive_timeout 600s; keepalive_requests 100000000;
  upstream items { ${target.ports.map((p) => `server 127.0.0.1:${p};`).join(' ')} keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://items; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;
}

function haproxyConfig(port: number, target: Target): string {
  const servers = target.ports.map((p, i) => `  server s${i} 127.0.0.1:${p}`).join('\n');
  return `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend in
  bind 127.0.0.1:${port}
  default_backend items
backend items
${servers}
`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(socket.destroy() !== undefined));
    socket.on('error', () => resolve(false));
  });
}

export class Proxy {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  constructor(port: number, process: ChildProcess, folder: string) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
    track(process);
  }

  /** CPU time used so far, µs; NaN where the system does not tell. */
  cpuUs(): number {
    return processTimeUs(this.#process.pid);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The proxy in front of the endpoints, or a plain sentence that says why there is none. */
export async function startProxy(kind: 'nginx' | 'haproxy', target: Target): Promise<Proxy | string> {
  const program = findProgram(kind);
  if (program === null) return `${kind} is not installed here, so its row is left out.`;
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-bench-'));
  const port = await freePort();
  const file = join(folder, `${kind}.conf`);
  writeFileSync(file, kind === 'nginx' ? nginxConfig(port, target, folder) : haproxyConfig(port, target));
  const child = spawn(program, kind === 'nginx' ? ['-p', folder, '-c', file] : ['-db', '-f', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.on('error', (error) => {
    errors += error.message;
  });
  const proxy = new Proxy(port, child, folder);
  for (let i = 0; i < 100 && child.exitCode === null; i++) {
    if (await canConnect(port)) return proxy;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await proxy.stop();
  return `${kind} did not start, so its row is left out: ${errors.trim().split('\n')[0] ?? ''}`;
}
