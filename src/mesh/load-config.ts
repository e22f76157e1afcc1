// Reads a configuration for a program that wants it as data: with the environment and the regular expressions of a mesh.
import { loadRegex } from '../route/regex.ts';
import { type LoadResult, loadConfig as loadFrom } from '../yaml/load.ts';

export interface LoadConfigOptions {
  /** What `${VAR}` is looked up in. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What a relative path is relative to. @default process.cwd() */
  readonly cwd?: string;
  /** What a mesh settles by itself, such as two rules for one host, is a warning, and settled in the same way. @default false: an error */
  readonly lenient?: boolean;
}

/** Reads a file, a folder or several of them. Never rejects: what is wrong is in `issues`, each with its place. */
export async function loadConfig(source: string | readonly string[], options: LoadConfigOptions = {}): Promise<LoadResult> {
  const { env = process.env, cwd = process.cwd(), lenient = false } = options;
  const regex = await loadRegex();
  return loadFrom(source, { env, cwd, lenient, checkRegex: (pattern) => regex.check(pattern) });
}
