// INM0201: destinations of weight 0, as a canary leaves them. What is written is looked at where a lone 0 means something
// else than no share.
import type { Analyzer, Scene } from './analyzer.ts';
import type { Findings } from './findings.ts';
import { listOf, mappingOf } from './loose.ts';
import { placeInRoute } from './place.ts';
import { virtualServicesOf } from './virtual-service-targets.ts';

export const weights: Analyzer = (scene, findings) => {
  for (const service of Object.values(scene.config.services)) {
    for (const route of service.routes) {
      const idle = route.targets.filter(({ weight, fails }) => weight === 0 && fails === undefined);
      if (route.targets.length < 2 || idle.length === 0) continue;
      const names = idle.map((target) => (target.subset === undefined ? target.service : `${target.service}/${target.subset}`));
      const place = placeInRoute(scene, route, 'targets', service);
      findings.at('INM0201', place, `${names.join(' and ')} ${idle.length === 1 ? 'has' : 'have'} weight 0 and no call of ${route.name}`);
    }
  }
  lone(scene, findings);
};

function lone({ world }: Scene, findings: Findings): void {
  for (const rule of virtualServicesOf(world)) {
    for (const [i, one] of listOf(rule.spec.http).entries()) {
      const route = listOf(mappingOf(one).route);
      if (route.length !== 1 || mappingOf(route[0]).weight !== 0) continue;
      const path = ['spec', 'http', i, 'route', 0, 'weight'];
      findings.in('INM0201', rule, path, 'the only destination has weight 0, and with Istio it takes every call all the same', {
        part: 'key',
      });
    }
  }
  for (const kind of ['HTTPRoute', 'GRPCRoute']) {
    for (const route of world.of('gateway.networking.k8s.io', kind)) {
      for (const [i, one] of listOf(route.spec.rules).entries()) {
        const backends = listOf(mappingOf(one).backendRefs);
        if (backends.length === 0 || !backends.every((backend) => mappingOf(backend).weight === 0)) continue;
        const path = ['spec', 'rules', i, 'backendRefs'];
        findings.in('INM0201', route, path, 'all backends have weight 0, so every call is answered 500', { part: 'key' });
      }
    }
  }
}
