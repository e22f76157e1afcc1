// Reads a configuration for the commands that write it down again. What came from the environment is in the result, as it
// must be, and is kept off the screen.
import type { PlacedConfig } from '../yaml/write/positions.ts';
import { loadRegex } from '../route/regex.ts';
import { formatIssues, type LoadedConfig, loadConfig } from '../yaml/load.ts';
import type { Terminal } from './command.ts';

export interface LoadedPaths extends PlacedConfig {
  readonly config: LoadedConfig['config'];
  readonly at: LoadedConfig['at'];
  readonly resources: LoadedConfig['resources'];
  /** Puts the name of a variable where its value stands. */
  readonly hide: (text: string) => string;
}

/** Shorter values are words of every text. */
const HIDDEN_LENGTH_MIN = 6;

/** null: it cannot be read, and the reasons are printed. */
export async function loadPaths(paths: readonly string[], terminal: Terminal, lenient: boolean): Promise<LoadedPaths | null> {
  const regex = await loadRegex();
  const used = new Map<string, string>();
  const env = new Proxy(terminal.env, {
    get: (variables, name) => {
      const value = Reflect.get(variables, name) as string | undefined;
      if (typeof name === 'string' && value !== undefined && value.length >= HIDDEN_LENGTH_MIN) used.set(value, `\${${name}}`);
      return value;
    },
  });
  const result = await loadConfig(paths, { env, cwd: terminal.cwd, lenient, checkRegex: (pattern) => regex.check(pattern) });
  if ('issues' in result) {
    terminal.err(`${formatIssues(result.issues)}\n`);
    return null;
  }
  const { config, at, resources } = result;
  const hide = (text: string): string => [...used].reduce((rest, [value, name]) => rest.replaceAll(value, () => name), text);
  return { config, at, resources, hide };
}
