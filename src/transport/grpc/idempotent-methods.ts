// Which methods of a generated client may be called twice, by `option idempotency_level` of the `.proto`. proto-loader hands
// the option on; what protoc generates for JavaScript has lost it. Source: descriptor.proto, MethodOptions.IdempotencyLevel.

interface Definition {
  readonly path?: string;
  readonly options?: { readonly idempotency_level?: unknown };
}

/** NO_SIDE_EFFECTS and IDEMPOTENT, by name and by number. */
const LEVELS: readonly unknown[] = ['NO_SIDE_EFFECTS', 'IDEMPOTENT', 1, 2];

export function idempotentMethods(client: object): (method: string) => boolean {
  const service = (client as { service?: Readonly<Record<string, Definition>> }).service ?? {};
  const paths: Set<string> = new Set();
  for (const { path, options } of Object.values(service)) {
    if (path !== undefined && LEVELS.includes(options?.idempotency_level)) paths.add(path);
  }
  return paths.size === 0 ? () => false : (method) => paths.has(method);
}
