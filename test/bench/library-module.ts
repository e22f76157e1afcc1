// A module of the compiled package, as users run it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../bench/library.ts';

export function loadLibraryModule<T>(path: string): Promise<T> {
  return import(pathToFileURL(join(ROOT, 'dist', path)).href) as Promise<T>;
}
