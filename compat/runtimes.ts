// The runtimes that are not Node: their binaries are in a package of their own, because they are large, and are installed there when they
// are first asked for. Bun and Deno run probe.mjs; workerd runs worker.mjs, bundled by esbuild as it would be for a Worker. The peers are
// those of the matrix, in this process. One that cannot be had says why in one sentence.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { npmCommand } from '../test/interop/nodes.ts';
import type { CaseResult } from './cases.ts';
import { type RuntimePeers, startRuntimePeers } from './peers.ts';

export interface RuntimeResult {
  readonly runtime: string;
  readonly version: string;
  /** Why there are no results. */
  readonly leftOut?: string;
  /** What must hold, over undici; null where undici cannot run, with the reason in `more`. */
  readonly undici: readonly CaseResult[] | null;
  /** What must hold, over the runtime's own fetch. */
  readonly fetch: readonly CaseResult[];
  /** What may hold. */
  readonly more: readonly CaseResult[];
}

type Found = Pick<RuntimeResult, 'undici' | 'fetch' | 'more'>;

interface Runtime {
  readonly name: string;
  readonly package: string;
  readonly binary: string;
  readonly probe: (binary: string, peers: RuntimePeers) => Promise<Found>;
}

const run = promisify(execFile);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const DIST = at('../dist/');
const RUN_MS_MAX = 120_000;
const INSTALL_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

const byProbe =
  (...args: readonly string[]): Runtime['probe'] =>
  async (binary, peers) => {
    const { stdout } = await run(binary, [...args, at('probe.mjs'), pathToFileURL(DIST).href], {
      timeout: RUN_MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { ...process.env, PEERS: JSON.stringify(peers.given) },
    });
    return JSON.parse(stdout) as Found;
  };

const RUNTIMES: readonly Runtime[] = [
  { name: 'Bun', package: '@oven/bun-linux-x64', binary: 'bin/bun', probe: byProbe() },
  { name: 'Deno', package: '@deno/linux-x64-glibc', binary: 'deno', probe: byProbe('run', '-A', '--no-lock', '--quiet') },
  { name: 'workerd', package: '@cloudflare/workerd-linux-64', binary: 'bin/workerd', probe: inWorkerd },
];

interface Esbuild {
  build(options: object): Promise<unknown>;
}

/** One file, as wrangler would make it. */
async function bundle(outfile: string): Promise<void> {
  // Of compat/node_modules: not known when this is compiled.
  const path = at('node_modules/esbuild/lib/main.js');
  const { default: esbuild } = (await import(pathToFileURL(path).href)) as { default: Esbuild };
  await esbuild.build({
    entryPoints: [at('worker.mjs')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    external: ['node:*', '@opentelemetry/api', '@grpc/grpc-js', '@connectrpc/connect', 'jose', 'http-cache-semantics'],
    alias: { inmesh: join(DIST, 'index.js'), 'inmesh/fetch': join(DIST, 'fetch.js'), 'inmesh/testing': join(DIST, 'testing.js') },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
  });
}

const WORKER_CONFIG = (peers: RuntimePeers): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "internet", network = (allow = ["private", "public"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  compatibilityDate = "2026-11-01",
  bindings = [(name = "PEERS", text = ${JSON.stringify(JSON.stringify(peers.given))})],
);
`;

async function inWorkerd(binary: string, peers: RuntimePeers): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-workerd-'));
  let child: ChildProcess | null = null;
  try {
    await bundle(join(folder, 'worker.mjs'));
    writeFileSync(join(folder, 'config.capnp'), WORKER_CONFIG(peers));
    child = spawn(binary, ['serve', join(folder, 'config.capnp'), '--control-fd=3'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const port = await listening(child);
    const ask = async (path: string): Promise<CaseResult[]> => {
      const response = await fetch(`http://127.0.0.1:${port}/${path}`, { signal: AbortSignal.timeout(RUN_MS_MAX) });
      const text = await response.text();
      if (!response.ok) throw new Error(`the worker answered ${response.status} to /${path}: ${text.split('\n')[0]}`);
      return JSON.parse(text) as CaseResult[];
    };
    const [first, later, more, undici] = [await ask('first'), await ask('later'), await ask('more'), await ask('undici')];
    const [{ reason }] = undici as [CaseResult];
    // Were it to work one day, it would be seen.
    return { undici: reason === null ? undici : null, fetch: [...first, ...later], more: [{ name: 'undici', reason }, ...more] };
  } finally {
    child?.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The port, when workerd has one; rejects when it ends before. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code} before it listened`)));
    createInterface(child.stdio[3] as Readable).on('line', (line) => {
      const { event, port } = JSON.parse(line) as { event: string; port: number };
      if (event === 'listen') resolve(port);
    });
  });
}

/** By its lock, once. Gives why it could not be done. */
async function install(): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'its binary is pinned for Linux on x64 alone';
  if (RUNTIMES.every((one) => existsSync(at(`node_modules/${one.package}/${one.binary}`))) && existsSync(at('node_modules/esbuild')))
    return null;
  process.stderr.write('Bun, Deno, workerd and esbuild are being installed into compat/, once (370 MB)\n');
  const npm = npmCommand();
  try {
    const args = [...npm.args, 'ci', '--prefix', at('.'), '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run(npm.command, args, { cwd: at('.'), timeout: INSTALL_MS_MAX, shell: npm.shell });
    return null;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return `npm ci in compat/ failed: ${(stderr || message).trim().split('\n')[0]}`;
  }
}

function versionOf(name: string): string {
  try {
    const path = at(`node_modules/${name}/package.json`);
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  } catch {
    return '';
  }
}

export async function runRuntimes(): Promise<RuntimeResult[]> {
  const missing = await install();
  const nothing = { undici: null, fetch: [], more: [] };
  if (missing !== null) return RUNTIMES.map(({ name }) => ({ runtime: name, version: '', leftOut: missing, ...nothing }));
  const peers = await startRuntimePeers();
  const results: RuntimeResult[] = [];
  for (const { name, package: from, binary, probe } of RUNTIMES) {
    const at0 = { runtime: name, version: versionOf(from) };
    try {
      results.push({ ...at0, ...(await probe(at(`node_modules/${from}/${binary}`), peers)) });
    } catch (error) {
      const reason = (error as Error).message.split('\n').slice(0, 3).join(' ');
      results.push({ ...at0, ...nothing, fetch: [{ name: 'the probe', reason }] });
    }
  }
  peers.close();
  return results;
}
