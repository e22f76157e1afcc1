// IST0101, IST0110, IST0111, IST0159, IST0160: Sidecars and Telemetry resources that select no workload, or one that
// another selects too. Source: istio/istio pkg/config/analysis/analyzers/sidecar and telemetry.
import type { Resource } from '../resource.ts';
import { fullName } from '../resource.ts';
import type { Analyzer, Scene } from './analyzer.ts';
import type { CodeName } from './code.ts';
import { enumerate, type Findings } from './findings.ts';
import { labelsOf, within } from './loose.ts';
import type { Workload } from './workload-index.ts';

interface Selecting {
  readonly group: string;
  readonly kind: string;
  readonly selector: readonly [string, string];
  /** Several select one workload. */
  readonly overlap: CodeName;
  /** Several without a selector in one namespace. */
  readonly twice: CodeName;
  /** Whether a selector without labels counts as none. */
  readonly emptyIsNone: boolean;
}

const SIDECAR: Selecting = {
  group: 'networking.istio.io',
  kind: 'Sidecar',
  selector: ['workloadSelector', 'labels'],
  overlap: 'IST0110',
  twice: 'IST0111',
  emptyIsNone: true,
};

const TELEMETRY: Selecting = {
  group: 'telemetry.istio.io',
  kind: 'Telemetry',
  selector: ['selector', 'matchLabels'],
  overlap: 'IST0159',
  twice: 'IST0160',
  emptyIsNone: false,
};

export const selectors: Analyzer = (scene, findings) => {
  for (const kind of [SIDECAR, TELEMETRY]) check(kind, scene, findings);
};

function check(selecting: Selecting, { world, workloads, isWhole }: Scene, findings: Findings): void {
  const { group, kind, selector, emptyIsNone } = selecting;
  const ofNamespace = new Map<string, Resource[]>();
  const ofWorkload = new Map<Workload, Resource[]>();
  for (const resource of world.of(group, kind)) {
    const labels = labelsOf(within(resource.spec, ...selector));
    if (Object.keys(labels).length === 0) {
      if (emptyIsNone || resource.spec[selector[0]] === undefined) push(ofNamespace, resource.namespace, resource);
      continue;
    }
    const selected = workloads.select(labels, resource.namespace);
    for (const workload of selected) push(ofWorkload, workload, resource);
    if (selected.length > 0 || !isWhole) continue;
    const shown = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const message = `no workload of namespace ${resource.namespace} has the labels ${enumerate(shown)}`;
    findings.in('IST0101', resource, ['spec', ...selector], message, {
      fix: 'Check the labels of the selector against those of the workloads.',
    });
  }
  for (const [{ name, namespace }, involved] of ofWorkload) {
    complain(involved, selecting.overlap, (others) => `workload ${namespace}/${name} is selected here and by ${others}`, findings);
  }
  for (const [namespace, involved] of ofNamespace) {
    const one = `a ${kind} for the whole of namespace ${namespace}`;
    complain(involved, selecting.twice, (others) => `${one} stands here and in ${others}`, findings);
  }
}

const NAMED_MAX = 3;

function complain(involved: readonly Resource[], code: CodeName, message: (others: string) => string, findings: Findings): void {
  if (involved.length < 2) return;
  for (const resource of involved) {
    const near = involved.slice(0, NAMED_MAX + 1).filter((other) => other !== resource);
    const named = near.slice(0, NAMED_MAX).map(fullName);
    const more = involved.length - 1 - named.length;
    const others = enumerate(more > 0 ? [...named, `${more} more`] : named);
    findings.in(code, resource, ['metadata', 'name'], message(others), { involved });
  }
}

function push<Key>(map: Map<Key, Resource[]>, key: Key, resource: Resource): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [resource]);
  else known.push(resource);
}
