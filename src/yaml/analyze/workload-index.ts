// The workloads that documents show: Pods, and the templates of what makes them. Those with the same labels are one, so
// that a thousand copies cost no more than the first.
import type { Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { labelsOf, textOf, within } from './loose.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Workload {
  /** Of the first that has these labels. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
}

const TEMPLATED: readonly (readonly [group: string, kind: string])[] = [
  ['apps', 'Deployment'],
  ['apps', 'StatefulSet'],
  ['apps', 'DaemonSet'],
  ['apps', 'ReplicaSet'],
  ['batch', 'Job'],
];

/** Labels of the node that count as labels of what runs on it. Source: istio/istio pilot/pkg/serviceregistry/util/label. */
const TOPOLOGY: readonly string[] = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

export class WorkloadIndex {
  readonly all: readonly Workload[];
  readonly #byLabel: Map<string, Workload[]> = new Map();
  readonly #byNamespace: Map<string, Workload[]> = new Map();

  constructor(world: World) {
    const nodes = new Map(world.of('', 'Node').map((node) => [node.name, node.labels]));
    const known = new Map<string, Workload>();
    for (const pod of world.of('', 'Pod')) this.#put(known, pod, withTopology(pod, nodes));
    for (const [group, kind] of TEMPLATED) {
      for (const maker of world.of(group, kind)) this.#put(known, maker, labelsOf(within(maker.spec, 'template', 'metadata').labels));
    }
    this.all = [...known.values()];
    for (const workload of this.all) {
      pushTo(this.#byNamespace, workload.namespace, workload);
      for (const [key, value] of Object.entries(workload.labels)) pushTo(this.#byLabel, `${key}=${value}`, workload);
    }
  }

  in(namespace: string): readonly Workload[] {
    return this.#byNamespace.get(namespace) ?? [];
  }

  /** Those that carry all labels; no labels select all. `namespace` undefined: wherever they are. */
  select(labels: Labels, namespace?: string): readonly Workload[] {
    const wanted = Object.entries(labels);
    let candidates = namespace === undefined ? this.all : this.in(namespace);
    for (const [key, value] of wanted) {
      const labelled = this.#byLabel.get(`${key}=${value}`) ?? [];
      if (labelled.length < candidates.length) candidates = labelled;
    }
    return candidates.filter(
      (workload) =>
        (namespace === undefined || workload.namespace === namespace) && wanted.every(([key, value]) => workload.labels[key] === value),
    );
  }

  #put(known: Map<string, Workload>, { name, namespace }: Resource, labels: Labels): void {
    const key = JSON.stringify([namespace, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
    if (!known.has(key)) known.set(key, { name, namespace, labels });
  }
}

function withTopology({ labels, spec }: Resource, nodes: ReadonlyMap<string, Labels>): Labels {
  const of = nodes.get(textOf(spec.nodeName));
  if (of === undefined) return labels;
  const more = TOPOLOGY.flatMap((key) => (of[key] === undefined || of[key] === '' ? [] : [[key, of[key]] as const]));
  return { ...labels, ...Object.fromEntries(more) };
}

function pushTo(map: Map<string, Workload[]>, key: string, workload: Workload): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [workload]);
  else known.push(workload);
}
