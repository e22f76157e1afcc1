// WHAT IS LOADED WHEN. Parts of the stacks that most configurations go without, each with what asks for it; compile loads them before it
// changes anything, and the stacks find them here, so that a call never waits for one. What every mesh needs is imported where it is
// used. Beside these: what takes calls in comes with the first server (serving.ts), who may call with the first policy about it
// (mesh-access.ts), where certificates come from with `identity` (mesh-identity.ts), TLS with the first service or call that speaks it
// (transport/tls-room.ts), YAML, file watches and patterns with the first of their kind (config-source.ts, mesh.ts).
import type { MeshConfig } from '../model/config.ts';
import type { RegexCompiler } from '../route/regex.ts';

type Cache = typeof import('../resilience/cache-layer.ts') & typeof import('../resilience/cache.ts');

/** null: nothing asks for it. */
export interface Parts {
  readonly regex: Pick<RegexCompiler, 'compile' | 'replacer'> | null;
  readonly cache: (Cache & { readonly engine: Awaited<ReturnType<Cache['loadCacheEngine']>> }) | null;
  readonly coalesce: (typeof import('../resilience/coalesce-layer.ts') & typeof import('../resilience/flights.ts')) | null;
  readonly fallback: typeof import('../resilience/fallback-layer.ts') | null;
  readonly criticality: typeof import('../resilience/criticality-layer.ts') | null;
  readonly hedge: typeof import('../resilience/hedging.ts') | null;
  readonly throttle: (typeof import('../resilience/throttle.ts') & typeof import('../resilience/throttle-layer.ts')) | null;
  readonly fault: (typeof import('../route/fault.ts') & typeof import('../route/fault-layer.ts')) | null;
  readonly mirror: (typeof import('../route/mirrors.ts') & typeof import('../route/mirror-layer.ts')) | null;
  readonly rateLimit: (typeof import('../route/token-bucket.ts') & typeof import('../route/rate-limit-layer.ts')) | null;
  readonly headers: typeof import('../route/header-layer.ts') | null;
  readonly rewrite: typeof import('../route/rewrite-layer.ts') | null;
  readonly redirect: typeof import('../route/redirect.ts') | null;
  readonly answer: typeof import('../route/direct-response.ts') | null;
  readonly failing: typeof import('../route/failing-target.ts') | null;
  readonly health: (typeof import('../balance/health-checks.ts') & typeof import('../transport/probe.ts')) | null;
  /** By key. */
  readonly picker: typeof import('../balance/make-picker.ts') | null;
  /** Rules of other meshes, here and below. */
  readonly outlier: typeof import('../balance/make-outlier.ts') | null;
  readonly budget: typeof import('../resilience/make-budget.ts') | null;
}

/** All that the configuration asks for. */
export function loadParts({ services: byName }: MeshConfig): Promise<Parts> {
  const services = Object.values(byName);
  const routes = services.flatMap((service) => service.routes);
  const targets = routes.flatMap((route) => route.targets);
  const any = <T>(those: readonly T[], asks: (one: T) => unknown): boolean => those.some((one) => Boolean(asks(one)));
  const changesHeaders = [...routes, ...targets];
  return all({
    regex: JSON.stringify(byName).includes('"kind":"regex"') ? import('../route/regex.ts').then(({ loadRegex }) => loadRegex()) : null,
    cache: any(routes, ({ cache }) => cache) ? loadCache() : null,
    coalesce: any(routes, ({ coalesce }) => coalesce)
      ? both(import('../resilience/coalesce-layer.ts'), import('../resilience/flights.ts'))
      : null,
    fallback: any(routes, ({ fallback }) => fallback) ? import('../resilience/fallback-layer.ts') : null,
    criticality: any(routes, ({ criticality }) => criticality !== undefined) ? import('../resilience/criticality-layer.ts') : null,
    hedge: any(routes, ({ hedge }) => hedge) ? import('../resilience/hedging.ts') : null,
    throttle: any(services, ({ throttle }) => throttle)
      ? both(import('../resilience/throttle.ts'), import('../resilience/throttle-layer.ts'))
      : null,
    fault: any(routes, ({ fault }) => fault) ? both(import('../route/fault.ts'), import('../route/fault-layer.ts')) : null,
    mirror: any(routes, ({ mirrors }) => mirrors.length > 0)
      ? both(import('../route/mirrors.ts'), import('../route/mirror-layer.ts'))
      : null,
    rateLimit: any([...services, ...routes], ({ rateLimit }) => rateLimit)
      ? both(import('../route/token-bucket.ts'), import('../route/rate-limit-layer.ts'))
      : null,
    headers: any(changesHeaders, ({ requestHeaders, responseHeaders }) => requestHeaders ?? responseHeaders)
      ? import('../route/header-layer.ts')
      : null,
    rewrite: any(changesHeaders, ({ rewrite }) => rewrite) ? import('../route/rewrite-layer.ts') : null,
    redirect: any(changesHeaders, ({ redirect }) => redirect) ? import('../route/redirect.ts') : null,
    answer: any(routes, ({ directResponse }) => directResponse) ? import('../route/direct-response.ts') : null,
    failing: any(targets, ({ fails }) => fails) ? import('../route/failing-target.ts') : null,
    health: any(services, ({ healthCheck }) => healthCheck)
      ? both(import('../balance/health-checks.ts'), import('../transport/probe.ts'))
      : null,
    picker: any(services, ({ loadBalancer: { kind } }) => kind === 'ringHash' || kind === 'maglev')
      ? import('../balance/make-picker.ts')
      : null,
    outlier: any(services, ({ outlierDetection }) => outlierDetection !== null && outlierDetection.kind !== 'inmesh')
      ? import('../balance/make-outlier.ts')
      : null,
    budget: any(services, ({ retryBudget: { kind } }) => kind !== 'successes' && kind !== 'none')
      ? import('../resilience/make-budget.ts')
      : null,
  });
}

/** A part that the configuration asks for, and that is therefore there. */
export function needed<T>(part: T | null): T {
  if (part === null) throw new Error('a part of a stack was not loaded although the configuration asks for it; this is a fault of inmesh');
  return part;
}

async function loadCache(): Promise<Parts['cache']> {
  const [layer, kept] = await Promise.all([import('../resilience/cache-layer.ts'), import('../resilience/cache.ts')]);
  return { ...layer, ...kept, engine: await kept.loadCacheEngine() };
}

async function both<A extends object, B extends object>(one: Promise<A>, other: Promise<B>): Promise<A & B> {
  return { ...(await one), ...(await other) };
}

async function all(loading: { readonly [K in keyof Parts]: Promise<Parts[K]> | null }): Promise<Parts> {
  const loaded = await Promise.all(Object.entries(loading).map(async ([name, part]) => [name, await part]));
  return Object.fromEntries(loaded) as Parts;
}
