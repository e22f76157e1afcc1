// INM0202: routes that no call can reach. VirtualServices have Istio's own finding for it, IST0130; the concise form warns
// of rules after one that takes everything when it is read.
import type { RouteConfig } from '../../model/config.ts';
import type { Analyzer } from './analyzer.ts';

export const unreachableRoutes: Analyzer = ({ config }, findings) => {
  for (const { name, routes } of Object.values(config.services)) {
    const seen = new Map<string, RouteConfig>();
    let open: RouteConfig | null = null;
    for (const route of routes) {
      const keys = route.matches.map((match) => JSON.stringify(match));
      const before = open ?? (keys.length > 0 && keys.every((key) => seen.has(key)) ? (seen.get(keys[0] ?? '') ?? null) : null);
      const isSaid = route.dialect === 'istio' || (route.dialect === 'inmesh' && open !== null);
      if (before !== null && !isSaid) {
        const why = open === null ? 'has the same matches' : 'takes every call';
        findings.at('INM0202', route.source, `${route.name} of ${name} is never reached: ${before.name} stands before it and ${why}`);
      }
      for (const key of keys) if (!seen.has(key)) seen.set(key, route);
      if (keys.length === 0) open ??= route;
    }
  }
};
