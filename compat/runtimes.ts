// The runtimes that are not Node: their binaries are in a package of their own, because they are large. Each runs probe.mjs; one that
// is not installed, or cannot run the library at all, says why in one sentence.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface RuntimeResult {
  readonly runtime: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'no';
  readonly detail: string;
}

interface Runtime {
  readonly name: string;
  readonly binary: string;
  readonly args: readonly string[];
  /** Known, and why it is so. */
  readonly impossible?: string;
}

const run = promisify(execFile);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const DIST = new URL('../dist/', import.meta.url).href;
const RUN_MS_MAX = 60_000;

const RUNTIMES: readonly Runtime[] = [
  { name: 'Deno', binary: at('node_modules/@deno/linux-x64-glibc/deno'), args: ['run', '-A', '--no-lock'] },
  {
    name: 'Bun',
    binary: at('node_modules/@oven/bun-linux-x64/bin/bun'),
    args: [],
    impossible: 'Bun answers an import of undici with a module of its own, which has no Dispatcher1Wrapper',
  },
  {
    name: 'workerd',
    binary: at('node_modules/@cloudflare/workerd-linux-64/bin/workerd'),
    args: [],
    impossible: 'the transport holds sockets over requests (undici on node:net), which an isolate may not',
  },
];

async function probe({ name, binary, args, impossible }: Runtime): Promise<RuntimeResult> {
  if (impossible !== undefined) return { runtime: name, state: 'no', detail: impossible };
  if (!existsSync(binary)) return { runtime: name, state: 'skipped', detail: 'not installed: npm ci --prefix compat --ignore-scripts' };
  try {
    const { stdout } = await run(binary, [...args, at('probe.mjs'), DIST], { timeout: RUN_MS_MAX });
    const { passed, failed } = JSON.parse(stdout) as { passed: number; failed: string[] };
    return { runtime: name, state: failed.length === 0 ? 'passed' : 'failed', detail: [`${passed} passed`, ...failed].join('; ') };
  } catch (error) {
    return { runtime: name, state: 'failed', detail: (error as Error).message.split('\n').slice(0, 3).join(' ') };
  }
}

export async function runRuntimes(): Promise<RuntimeResult[]> {
  const results: RuntimeResult[] = [];
  for (const runtime of RUNTIMES) results.push(await probe(runtime));
  return results;
}
