// What a command is: one row of the table in command-line.ts, and a function that gets parsed arguments and a place to write.
// Help is made from the row, so it cannot differ from what is parsed.

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** Shown after the name: `--config FILE`. */
  readonly value?: string;
  readonly help: string;
}

/** Where a command reads and writes; a test could hand in its own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface CommandInput {
  readonly positionals: readonly string[];
  /** By long name; a list for options that may stand more than once. */
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly terminal: Terminal;
}

/** Exit code: 0 fine, 1 faults found, 2 wrong use. */
export type Run = (input: CommandInput) => Promise<number>;

export interface CommandSpec {
  readonly name: string;
  /** Shown after the name: `[paths…]`. */
  readonly args: string;
  readonly summary: string;
  readonly details: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Loads the code of the command, and no other. */
  readonly load: () => Promise<Run>;
}

/** Wrong use: main prints the message and the usage, and exits with 2. */
export class UsageError extends Error {}

/** Paths given, else INMESH_CONFIG (several separated by commas), else ./mesh.yaml. */
export function configPaths(given: readonly string[], env: Terminal['env']): readonly string[] {
  if (given.length > 0) return given;
  const named = (env.INMESH_CONFIG ?? '').split(',').map((path) => path.trim());
  const paths = named.filter((path) => path !== '');
  return paths.length > 0 ? paths : ['mesh.yaml'];
}
