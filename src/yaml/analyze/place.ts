// Where a field was decided: by a document of a mesh, by a service of the concise form, or by its defaults.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';
import type { Scene } from './analyzer.ts';

/** Keys of the concise form that are named otherwise than the fields. */
const CONCISE_KEYS: Readonly<Record<string, string>> = { timeoutMs: 'timeout' };

type At = Pick<Scene, 'at'>;

/** Of a field of a service; where nobody has written it, of the service. */
export function placeInService({ at }: At, service: ServiceConfig, field: string): SourcePosition | undefined {
  const key = CONCISE_KEYS[field] ?? field;
  return service.sources?.[field] ?? written(at, ['services', service.name, key]) ?? written(at, ['defaults', key]) ?? service.source;
}

/** Of a field that a rule may have of its own. */
export function placeInRoute(scene: At, route: RouteConfig, field: keyof RouteConfig, service: ServiceConfig): SourcePosition | undefined {
  if (route[field] === undefined) return placeInService(scene, service, field);
  return route.sources?.[field] ?? route.source ?? service.source;
}

/** For a key that is not there, `at` gives what should hold it. */
function written(at: Scene['at'], path: ConfigPath): SourcePosition | undefined {
  const own = at(path, 'key');
  const holder = at(path.slice(0, -1), 'key');
  const isThere = own !== undefined && (holder === undefined || own.line !== holder.line || own.column !== holder.column);
  return isThere ? own : undefined;
}
