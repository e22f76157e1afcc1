// IST0174 and IST0173: DestinationRules for hosts that nothing has, and subsets that select none of the workloads of their
// host. Source: istio/istio pkg/config/analysis/analyzers/destinationrule/subset.go.
import type { Resource } from '../resource.ts';
import { fullHost } from '../world.ts';
import type { Analyzer, Scene } from './analyzer.ts';
import { CLUSTER_DOMAIN } from './host-index.ts';
import { labelsOf, listOf, mappingOf, textOf, textsOf } from './loose.ts';
import type { Labels } from './workload-index.ts';

export const destinationRuleReach: Analyzer = (scene, findings) => {
  const selectors = selectorsOf(scene);
  for (const rule of scene.world.of('networking.istio.io', 'DestinationRule')) {
    const host = textOf(rule.spec.host);
    if (scene.hosts.find(host, rule.namespace, textsOf(rule.spec.exportTo)) === null) {
      const message = `no Service, ServiceEntry or service has the host ${host}, so this rule does nothing`;
      findings.in('IST0174', rule, ['spec', 'host'], message);
      continue;
    }
    const selector = selectors.get(fullHost(host, rule.namespace, CLUSTER_DOMAIN)) ?? null;
    if (!showsWorkloads(scene, selector)) continue;
    for (const [i, one] of listOf(rule.spec.subsets).entries()) {
      const subset = mappingOf(one);
      if (scene.workloads.select({ ...selector, ...labelsOf(subset.labels) }).length > 0) continue;
      const message = `subset ${textOf(subset.name)} selects none of the workloads of ${host}`;
      findings.in('IST0173', rule, ['spec', 'subsets', i], message);
    }
  }
};

/** Labels of the workloads behind a host; null when somebody else says who they are. */
function selectorsOf({ world }: Scene): Map<string, Labels | null> {
  const selectors = new Map<string, Labels | null>();
  const hostOf = ({ name, namespace }: Resource): string => fullHost(name, namespace, CLUSTER_DOMAIN);
  for (const service of world.of('', 'Service')) {
    const labels = labelsOf(service.spec.selector);
    selectors.set(hostOf(service), Object.keys(labels).length === 0 ? null : labels);
  }
  return selectors;
}

/** A folder seldom holds all workloads of a cluster: it counts only if it holds some of this service. */
function showsWorkloads({ workloads, isWhole }: Scene, selector: Labels | null): boolean {
  return selector !== null && (isWhole || workloads.select(selector).length > 0);
}
