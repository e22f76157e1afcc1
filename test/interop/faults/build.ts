// Which build a process of a scenario's own loads: the published one that is tested, or the sources.

/** `dist` is the URL of a folder, '' for the sources; `name` that of an entry, such as `grpc`. */
export function entryOf<T>(dist: string, name: string): Promise<T> {
  const at = dist === '' ? new URL(`../../../src/${name}.ts`, import.meta.url) : new URL(`${name}.js`, dist);
  return import(at.href) as Promise<T>;
}
