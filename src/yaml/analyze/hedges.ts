// INM0107: hedges of calls that are not GET, because the rule says that all of its calls may be repeated.
import type { RouteMatch } from '../../model/route.ts';
import type { Analyzer } from './analyzer.ts';
import { placeInRoute } from './place.ts';

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export const hedges: Analyzer = (scene, findings) => {
  for (const { owner, route } of scene.ways) {
    if (route.hedge === undefined || !route.idempotent) continue;
    if (route.matches.length > 0 && route.matches.every(isSafe)) continue;
    const message = `two calls of any method to ${owner.name} may run at once, since ${route.name} is idempotent and hedged`;
    findings.at('INM0107', placeInRoute(scene, route, 'hedge', owner), message);
  }
};

function isSafe({ method }: RouteMatch): boolean {
  return method?.kind === 'exact' && !method.invert && SAFE.has(method.value);
}
