// Runs the command line as people do: a process of its own, in a folder of its own.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliFolder {
  readonly path: string;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult>;
  remove(): void;
}

/** A new folder with these files. */
export function cliFolder(files: Readonly<Record<string, string>>): CliFolder {
  const path = mkdtempSync(join(tmpdir(), 'inmesh-cli-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return {
    path,
    run: (args, env = {}) =>
      new Promise((resolve) => {
        const options = { cwd: path, env: { PATH: process.env.PATH ?? '', ...env } };
        const child = execFile(process.execPath, [MAIN, ...args], options, (_error, out, err) =>
          resolve({ code: child.exitCode ?? -1, out, err }),
        );
      }),
    remove: () => rmSync(path, { recursive: true }),
  };
}
