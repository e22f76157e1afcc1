// Runs the command line in a folder of its own: within this process, which is quick, or in one of its own, as people do.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine } from '../../src/cli/command-line.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliFolder {
  readonly path: string;
  /** Within this process. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult>;
  /** In a process of its own. */
  runProcess(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult>;
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
    run: async (args, env = {}) => {
      let out = '';
      let err = '';
      const code = await commandLine(args, {
        out: (text) => void (out += text),
        err: (text) => void (err += text),
        env,
        cwd: path,
      });
      return { code, out, err };
    },
    runProcess: (args, env = {}) =>
      new Promise((resolve) => {
        const { PATH = '', NODE_V8_COVERAGE } = process.env;
        // What `npm run coverage` counts, a process of its own writes down by itself.
        const options = { cwd: path, env: { PATH, ...(NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE }), ...env } };
        const child = execFile(process.execPath, [MAIN, ...args], options, (_error, out, err) =>
          resolve({ code: child.exitCode ?? -1, out, err }),
        );
      }),
    remove: () => rmSync(path, { recursive: true }),
  };
}
