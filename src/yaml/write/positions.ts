// Where a field of a service or of a rule was written: in a resource of another mesh, in the concise form at the nearest
// level, or nowhere, because it is a default.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { ConfigPath, PathPart } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';

/** A configuration, and what its loader knows about the places in its files. */
export interface PlacedConfig {
  readonly config: MeshConfig;
  /** Absent for a configuration that was given as an object. */
  readonly at?: (path: ConfigPath, part?: PathPart) => SourcePosition | undefined;
}

/** `key`: a field in the words of the concise form, without what is in it. undefined: nobody wrote it. */
export interface Positions {
  readonly ofMesh: (path: ConfigPath) => SourcePosition | undefined;
  readonly ofService: (service: ServiceConfig, key: string) => SourcePosition | undefined;
  readonly ofRoute: (service: ServiceConfig, route: RouteConfig, key: string) => SourcePosition | undefined;
}

/** Fields of the model that have another name there, or are several. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  timeout: ['timeoutMs'],
  match: ['matches'],
  to: ['targets'],
  headers: ['requestHeaders', 'responseHeaders'],
  mirror: ['mirrors'],
  retries: ['retries', 'perTryTimeoutMs'],
  perTryTimeout: ['perTryTimeoutMs'],
  idempotent: ['idempotent', 'hedge'],
  dns: ['endpoints'],
  endpointsFile: ['endpoints'],
};

/** What a document says by naming the service. */
const OF_THE_SERVICE: ReadonlySet<string> = new Set(['', 'hosts', 'endpoints', 'dns', 'endpointsFile', 'routes']);

/** What a rule says by being there. */
const OF_THE_RULE: ReadonlySet<string> = new Set(['match', 'to', 'name']);

/** Fields of a rule that the service says when the rule does not. */
const INHERITED: ReadonlySet<string> = new Set(['timeout', 'retries']);

export function positionsOf({ at }: PlacedConfig): Positions {
  const written = (path: ConfigPath): SourcePosition | undefined => {
    const value = at?.(path, 'value');
    const holder = at?.(path.slice(0, -1), 'key');
    // For what is not written, `at` gives the place of what should hold it.
    return value === undefined || same(value, holder) ? undefined : (at?.(path, 'key') ?? value);
  };
  const ofService: Positions['ofService'] = (service, key) =>
    sourceOf(service.sources, key) ??
    (key === '' ? service.source : written(['services', service.name, key])) ??
    written(['defaults', key]) ??
    (OF_THE_SERVICE.has(key) ? foreignPlace(service, at) : undefined);
  return {
    ofMesh: written,
    ofService,
    ofRoute: (service, route, key) => {
      if (key === '') return route.source;
      const own = sourceOf(route.sources, key);
      if (own !== undefined) return own;
      const index = indexOf(service, route, at);
      const here = index < 0 ? undefined : written(['services', service.name, 'routes', index, key]);
      if (here !== undefined) return here;
      if (INHERITED.has(key)) return ofService(service, key);
      return route.dialect !== 'inmesh' && OF_THE_RULE.has(key) ? route.source : undefined;
    },
  };
}

/** A service that only documents of other meshes name: all of it stands there. */
function foreignPlace(service: ServiceConfig, at: PlacedConfig['at']): SourcePosition | undefined {
  const own = at?.(['services', service.name], 'key');
  return service.source === undefined || same(service.source, own) ? undefined : service.source;
}

function sourceOf(sources: Readonly<Record<string, SourcePosition>> | undefined, key: string): SourcePosition | undefined {
  if (sources === undefined) return undefined;
  for (const field of FIELDS[key] ?? [key]) if (sources[field] !== undefined) return sources[field];
  return undefined;
}

/** Place of a rule of the concise form in its list; one with several prefixes may have become several rules. */
function indexOf(service: ServiceConfig, { source }: RouteConfig, at: PlacedConfig['at']): number {
  if (at === undefined || source === undefined) return -1;
  for (let i = 0; i < service.routes.length; i++) {
    if (same(source, at(['services', service.name, 'routes', i]))) return i;
  }
  return -1;
}

function same(a: SourcePosition, b: SourcePosition | undefined): boolean {
  return a.file === b?.file && a.line === b.line && a.column === b.column;
}

export function placeText(position: SourcePosition | undefined): string {
  return position === undefined ? 'default' : `${position.file}:${position.line}:${position.column}`;
}
