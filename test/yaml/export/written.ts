// A configuration that was given as an object, as if it had been written in a file: every path has a line of its own.
import type { MeshInput } from '../../../src/model/input.ts';
import type { ConfigPath } from '../../../src/model/issue.ts';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import type { LoadedConfig } from '../../../src/yaml/load.ts';
import { loadConfig } from '../../../src/yaml/load.ts';

export type Written = Pick<LoadedConfig, 'config' | 'at' | 'resources'>;

export const regex = await loadRegex();

const checkRegex = (pattern: string): string | null => regex.check(pattern);

/** null: it does not make sense. */
export function writtenConfig(input: MeshInput): Written | null {
  const lines = new Map<string, number>();
  const at: LoadedConfig['at'] = (path) => {
    const key = JSON.stringify(pathIn(input, path));
    const line = lines.get(key) ?? lines.size + 1;
    lines.set(key, line);
    return { file: 'input.yaml', line, column: 1 };
  };
  const resolved = resolveConfig(input, { at, checkRegex });
  return 'issues' in resolved ? null : { config: resolved.config, at, resources: [] };
}

/** As far as it leads. */
function pathIn(input: unknown, path: ConfigPath): ConfigPath {
  let found = input;
  for (const [i, step] of path.entries()) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return path.slice(0, i);
    found = (found as Record<string | number, unknown>)[step];
  }
  return path;
}

/** The text as a file of its own; throws what is wrong with it. */
export async function readBack(text: string): Promise<LoadedConfig> {
  const readFile = (): Promise<string> => Promise.resolve(text);
  const result = await loadConfig('output.yaml', { env: {}, cwd: '/', readFile, checkRegex });
  if (!('issues' in result)) return result;
  throw new Error(`${result.issues.map(({ message, frame }) => `${message}\n${frame ?? ''}`).join('\n')}\n${text}`);
}
