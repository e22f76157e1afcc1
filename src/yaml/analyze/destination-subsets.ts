// IST0101: rules of VirtualServices that lead to a subset which no DestinationRule and no service has. Source: istio/istio
// pkg/config/analysis/analyzers/virtualservice/destinationrules.go.
import { fullHost } from '../world.ts';
import type { Analyzer } from './analyzer.ts';
import { CLUSTER_DOMAIN } from './host-index.ts';
import { listOf, mappingOf, textOf } from './loose.ts';
import { isForCallers, targetsOf, virtualServicesOf } from './virtual-service-targets.ts';

export const destinationSubsets: Analyzer = ({ world, hosts }, findings) => {
  const named = new Set<string>();
  for (const { spec, namespace } of world.of('networking.istio.io', 'DestinationRule')) {
    const host = fullHost(textOf(spec.host), namespace, CLUSTER_DOMAIN);
    for (const subset of listOf(spec.subsets)) named.add(`${host} ${textOf(mappingOf(subset).name)}`);
  }
  for (const rule of virtualServicesOf(world).filter(isForCallers)) {
    for (const { host, subset, path, isMirror } of targetsOf(rule)) {
      const full = fullHost(host, rule.namespace, CLUSTER_DOMAIN);
      if (subset === '' || named.has(`${full} ${subset}`) || hosts.hasSubset(full, subset)) continue;
      const effect = isMirror ? 'it gets no copies' : 'its calls are answered 503';
      findings.in('IST0101', rule, [...path, 'subset'], `${host} has no subset ${subset}; ${effect}`, {
        fix: `Add the subset ${subset} to a DestinationRule for ${host}, or correct the name.`,
      });
    }
  }
};
