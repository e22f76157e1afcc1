// INM0106: calls that nothing ends. Istio and Gateway API have no timeout unless a rule says so.
import type { ServiceConfig } from '../../model/config.ts';
import type { Analyzer } from './analyzer.ts';
import { placeInRoute } from './place.ts';

export const timeouts: Analyzer = (scene, findings) => {
  const seen = new Set<ServiceConfig>();
  for (const { owner, route, timeoutMs } of scene.ways) {
    if (timeoutMs > 0 || seen.has(owner)) continue;
    seen.add(owner);
    const place = route.source ?? placeInRoute(scene, route, 'timeoutMs', owner);
    findings.at('INM0106', place, `calls to ${owner.name} have no timeout`);
  }
};
