// Which build of inmesh is measured: the compiled package, as users get it. Compiles it first when a source is newer.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('..', import.meta.url));
const ENTRY = join(ROOT, 'dist', 'index.js');

function newestMs(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.ts')) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

/** Compiles the package unless `dist` is newer than every source. Throws when there is nothing to measure afterwards. */
export function buildIfStale(): void {
  if (existsSync(ENTRY) && statSync(ENTRY).mtimeMs >= newestMs(join(ROOT, 'src'))) return;
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  let output = '';
  try {
    execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.json')], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    output = String((error as { stdout?: unknown }).stdout ?? error);
  }
  if (!existsSync(ENTRY)) throw new Error(`dist/index.js could not be made, so there is nothing to measure. Run npm run build.\n${output}`);
  if (output !== '') process.stderr.write('The sources have type errors; what the compiler made of them is measured.\n');
}

/** The public face of the build. */
export function loadLibrary(): Promise<typeof import('../src/index.ts')> {
  return import(new URL('../dist/index.js', import.meta.url).href);
}

/** Its gRPC client. */
export function loadGrpcLibrary(): Promise<typeof import('../src/grpc.ts')> {
  return import(new URL('../dist/grpc.js', import.meta.url).href);
}
