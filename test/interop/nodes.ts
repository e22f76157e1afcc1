// Real Node binaries for the compatibility matrix, installed once by npm into node_modules/.cache and used from there. Exact
// versions, so that a run means the same everywhere. Without a network there is no binary, and the caller skips its test.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type NodeMajor = 22 | 24 | 26;

export const NODE_VERSIONS: Readonly<Record<NodeMajor, string>> = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

const MAJORS: readonly NodeMajor[] = [22, 24, 26];

/** Of this process; the newest that is known when it is none of them. */
export function ownMajor(): NodeMajor {
  const own = Number(process.versions.node.split('.')[0]);
  return MAJORS.find((major) => major === own) ?? 26;
}

export function otherMajors(): readonly NodeMajor[] {
  return MAJORS.filter((major) => major !== ownMajor());
}

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/inmesh-nodes/', import.meta.url));
const INSTALL_MS_MAX = 180_000;
const POLL_MS = 200;

const run = promisify(execFile);
const pending = new Map<NodeMajor, Promise<string | null>>();

/** Path of a Node of that major version, or null, having said why, when it cannot be had. Safe to call from several processes. */
export function nodeBinary(major: NodeMajor): Promise<string | null> {
  let found = pending.get(major);
  if (found === undefined) {
    found = findBinary(major);
    pending.set(major, found);
  }
  return found;
}

async function findBinary(major: NodeMajor): Promise<string | null> {
  if (process.versions.node.split('.')[0] === String(major)) return process.execPath;
  const version = NODE_VERSIONS[major];
  const folder = join(CACHE, version);
  const binary = join(folder, 'node_modules', packageName(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary)) return binary;
  try {
    mkdirSync(CACHE, { recursive: true });
    const release = await lock(`${folder}.lock`);
    try {
      if (!existsSync(binary)) await install(version, folder);
      const { stdout } = await run(binary, ['--version']);
      if (stdout.trim() !== `v${version}`) throw new Error(`it says it is ${stdout.trim()}`);
      return binary;
    } finally {
      release();
    }
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr || (error as Error).message).trim();
    process.stdout.write(`Node ${version} is not available, so it is left out: ${firstTelling(reason)}\n`);
    return null;
  }
}

/** The packages that the npm package "node" chooses from. */
function packageName(): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return `${platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${process.arch}`;
}

/** Installs beside and renames, so that a binary which exists is whole. */
async function install(version: string, folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    // Of its own, or npm would look for a project in the folders above.
    writeFileSync(join(draft, 'package.json'), '{ "private": true }\n');
    const args = ['install', `${packageName()}@${version}`, '--prefix', draft, '--no-save', '--no-package-lock', '--ignore-scripts'];
    const npm = npmCommand();
    await run(npm.command, [...npm.args, ...args, '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: draft,
      timeout: INSTALL_MS_MAX,
      shell: npm.shell,
    });
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** The npm that runs the tests; else the one in PATH, which on Windows is a .cmd file and needs a shell. */
export function npmCommand(): { command: string; args: readonly string[]; shell: boolean } {
  const cli = process.env['npm_execpath'] ?? '';
  if (basename(cli) === 'npm-cli.js' && existsSync(cli))
    return { command: process.env['npm_node_execpath'] || process.execPath, args: [cli], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

/** One installer at a time: a folder is made by one process only. A lock whose owner is gone is taken over. */
async function lock(folder: string): Promise<() => void> {
  const owner = join(folder, 'pid');
  for (const deadlineMs = Date.now() + INSTALL_MS_MAX; ; await sleep(POLL_MS)) {
    try {
      mkdirSync(folder);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned(folder, owner)) rmSync(folder, { recursive: true, force: true });
    else if (Date.now() > deadlineMs)
      throw new Error(`another process has been installing it for too long; remove ${basename(dirname(owner))}`);
  }
}

function isAbandoned(folder: string, owner: string): boolean {
  try {
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Not written yet: the owner is between two steps, unless that was long ago.
    if (code === 'ENOENT') return existsSync(folder) && Date.now() - statSync(folder).mtimeMs > 10_000;
    return code === 'ESRCH';
  }
}

/** npm says the telling thing first, after its codes. */
function firstTelling(reason: string): string {
  const lines = reason.split('\n').map((line) => line.replace(/^npm error\s*/, '').trim());
  return (
    lines.find((line) => line !== '' && !/^(code|syscall|errno|network) /.test(line) && !line.startsWith('Command failed')) ??
    lines[0] ??
    'unknown'
  );
}
