// nginx, HAProxy and Envoy as the hop that a sidecar is at the least: one worker, kept-alive connections on both sides, no
// access log. Used where they are installed; never installs anything.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { track } from './child.ts';
import { processTimeUs } from './processor-time.ts';
import type { Target } from './protocol.ts';
import { envoyConfig, haproxyConfig, type Hop, type HopTls, nginxConfig } from './sidecar-proxy-configs.ts';
import type { ProxyKind } from './sidecar-rows.ts';

/** 20 ms each; Envoy takes seconds on a busy machine. */
const START_TRIES = 500;
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Where a program is, in the folders where proxies are. */
export function findProgram(name: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
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

interface Kind {
  readonly config: (hop: Hop) => string;
  readonly args: (file: string, folder: string) => string[];
}

const KINDS: Readonly<Record<ProxyKind, Kind>> = {
  nginx: { config: nginxConfig, args: (file, folder) => ['-p', folder, '-c', file] },
  haproxy: { config: haproxyConfig, args: (file) => ['-db', '-f', file] },
  envoy: { config: envoyConfig, args: (file) => ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'critical'] },
};

function processRssBytes(pid: number | undefined): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
  } catch {
    return Number.NaN;
  }
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

  /** Resident memory, bytes; NaN where the system does not tell. */
  rssBytes(): number {
    return processRssBytes(this.#process.pid);
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

export interface ProxyOptions {
  /** @default none */
  readonly tls?: HopTls;
  /** @default the program of that name on the path */
  readonly program?: string | null;
}

/** The proxy in front of the endpoints, or a plain sentence that says why there is none. */
export async function startProxy(kind: ProxyKind, target: Target, options: ProxyOptions = {}): Promise<Proxy | string> {
  const { tls = {}, program = findProgram(kind) } = options;
  if (program === null) return `${kind} is not installed here, so its row is left out.`;
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-bench-'));
  const port = await freePort();
  // Envoy tells by its name what is in a file.
  const file = join(folder, `${kind}.json`);
  writeFileSync(file, KINDS[kind].config({ port, targets: target.ports, folder, ...tls }));
  const child = spawn(program, KINDS[kind].args(file, folder), { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(0, 4_000);
  });
  child.on('error', (error) => {
    errors += error.message;
  });
  const proxy = new Proxy(port, child, folder);
  for (let i = 0; i < START_TRIES && child.exitCode === null; i++) {
    if (await canConnect(port)) return proxy;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await proxy.stop();
  return `${kind} did not start, so its row is left out: ${errors.trim().split('\n')[0] ?? ''}`;
}
