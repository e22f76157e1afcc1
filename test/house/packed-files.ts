// What npm would publish, told by module: the four files that the compiler makes of each are named once, as `dist/x`.
import { execFileSync } from 'node:child_process';
import { ROOT } from './tree.ts';

const BUILT = /^dist\/(.+?)(\.d\.ts\.map|\.d\.ts|\.js\.map|\.js)$/;
const ENDINGS = 4;

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

/** Paths, as npm says. */
export function packedPaths(): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const listed = JSON.parse(output.slice(output.search(/[[{]/))) as readonly Packed[] | Readonly<Record<string, Packed>>;
  return (Object.values(listed)[0] as Packed).files.map(({ path }) => path);
}

/** One line for each module and each other file. What is built of a source that is gone is of this machine alone. */
export function packedLines(paths: readonly string[]): string[] {
  const sources = new Set(paths.filter((path) => path.startsWith('src/')));
  const endings = new Map<string, number>();
  const lines: string[] = [];
  for (const path of paths) {
    const module = BUILT.exec(path)?.[1];
    if (module === undefined) lines.push(path);
    else if (sources.has(`src/${module}.ts`)) endings.set(module, (endings.get(module) ?? 0) + 1);
  }
  for (const [module, count] of endings) lines.push(count === ENDINGS ? `dist/${module}` : `dist/${module}: ${count} of ${ENDINGS} files`);
  return lines.sort();
}
