// INM0203 and INM0204: destinations that have nobody to ask. What a rule of Istio names and nobody has is IST0101.
import type { ServiceConfig } from '../../model/config.ts';
import type { Analyzer } from './analyzer.ts';
import { placeInRoute } from './place.ts';
import { isImplied } from './ways.ts';

export const nobodyAnswers: Analyzer = (scene, findings) => {
  const seen = new Set<ServiceConfig>();
  for (const way of scene.ways) {
    const { destination, owner, route } = way;
    const { endpoints, hosts, name } = destination;
    if (seen.has(destination) || endpoints.kind !== 'static' || endpoints.endpoints.length > 0) continue;
    const wildcard = hosts.find((host) => host.startsWith('*'));
    // A service of the concise form without endpoints is for mesh.call.
    if (wildcard === undefined && isImplied(way)) continue;
    seen.add(destination);
    if (wildcard !== undefined) {
      findings.at('INM0203', destination.source, `nothing says whom to ask for ${wildcard}, so calls to it are refused`);
    } else
      findings.at(
        'INM0204',
        placeInRoute(scene, route, 'targets', owner),
        `${name} has no endpoint, so calls that ${route.name} sends there are refused`,
      );
  }
};
