// IST0127 and IST0101: AuthorizationPolicies that protect nobody, or name namespaces which do not exist. Only where the
// documents are all that there is. Source: istio/istio pkg/config/analysis/analyzers/authz/authorizationpolicies.go.
import type { Resource } from '../resource.ts';
import type { Analyzer, Scene } from './analyzer.ts';
import { enumerate, type Findings } from './findings.ts';
import { labelsOf, listOf, mappingOf, textsOf, within } from './loose.ts';

/** Where a policy is for the whole mesh. */
const ROOT_NAMESPACE = 'istio-system';

export const authorizationScope: Analyzer = (scene, findings) => {
  if (!scene.isWhole) return;
  const namespaces = scene.world.of('', 'Namespace').map(({ name }) => name);
  const answers = new Map<string, boolean>();
  const exists = (pattern: string): boolean => {
    const known = answers.get(pattern);
    if (known !== undefined) return known;
    const found = namespaces.some((name) => isMeant(name, pattern));
    answers.set(pattern, found);
    return found;
  };
  for (const policy of scene.world.of('security.istio.io', 'AuthorizationPolicy')) {
    checkWorkloads(policy, scene, findings);
    checkNamespaces(policy, exists, findings);
  }
};

function checkWorkloads(policy: Resource, { workloads }: Scene, findings: Findings): void {
  const { spec, namespace } = policy;
  const isForAll = namespace === ROOT_NAMESPACE;
  const labels = labelsOf(within(spec, 'selector').matchLabels);
  const hasSelector = spec.selector !== undefined;
  if (isForAll && !hasSelector) return;
  if (workloads.select(labels, isForAll ? undefined : namespace).length > 0) return;
  const place = isForAll ? 'no workload' : `no workload of namespace ${namespace}`;
  const shown = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const message = hasSelector ? `${place} has the labels ${enumerate(shown)}` : `there is ${place}`;
  findings.in('IST0127', policy, hasSelector ? ['spec', 'selector'] : ['metadata', 'name'], `${message}, so this policy protects nobody`);
}

function checkNamespaces(policy: Resource, exists: (pattern: string) => boolean, findings: Findings): void {
  for (const [i, rule] of listOf(policy.spec.rules).entries()) {
    for (const [j, from] of listOf(mappingOf(rule).from).entries()) {
      const source = within(from, 'source');
      for (const key of ['namespaces', 'notNamespaces']) {
        for (const [k, pattern] of textsOf(source[key]).entries()) {
          if (exists(pattern)) continue;
          const path = ['spec', 'rules', i, 'from', j, 'source', key, k];
          findings.in('IST0101', policy, path, `there is no namespace ${pattern}`, { fix: 'Correct the name of the namespace.' });
        }
      }
    }
  }
}

function isMeant(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return name.toLowerCase() === pattern.toLowerCase();
}
