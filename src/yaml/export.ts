// From any configuration to the documents of another mesh, and the report of what was lost on the way. A document that is
// of that mesh already goes out as it came in: comments, order, and fields that nobody here knows.
import { argoRolloutsWriter } from './argo-rollouts/write-rollout.ts';
import { documentWriter, type DocumentEdit, type DocumentWriter } from './document.ts';
import { gatewayApiWriter } from './gateway-api/write-gateway-api.ts';
import { GATEWAY_GROUP } from './gateway-api/route-spec.ts';
import { hasPlaceholder } from './interpolate.ts';
import { istioWriter } from './istio/write-istio.ts';
import { CA_KEY } from './kinds.ts';
import { linkerdWriter } from './linkerd/write-linkerd.ts';
import type { LoadedConfig } from './load.ts';
import type { Located } from './located.ts';
import { type Loss, LossReport } from './losses.ts';
import { nodeAt } from './located.ts';
import { readBackLosses } from './read-back.ts';
import { fullName, mappingOf, type Resource } from './resource.ts';
import { distinctResources } from './write/distinct-resources.ts';
import { smiWriter } from './smi/write-smi.ts';
import { KeptResources } from './write/kept-resources.ts';
import type { Plain } from './write/plain.ts';
import { positionsOf } from './write/positions.ts';
import { reportLeftBehind } from './write/left-behind.ts';
import { type DialectWriter, documentOf, type ResourceEdit, type WriteContext } from './write/writer.ts';

export const EXPORT_TARGETS = ['istio', 'gateway-api', 'linkerd', 'smi', 'argo-rollouts'] as const;

export type ExportTarget = (typeof EXPORT_TARGETS)[number];

export interface ExportedDocument {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Ends with a line break; begins without `---`. */
  readonly text: string;
  /** `kept`: as it came in; `changed`: but for some places; `made`: new. */
  readonly origin: 'kept' | 'changed' | 'made';
}

export interface Exported {
  readonly documents: readonly ExportedDocument[];
  readonly losses: readonly Loss[];
}

const WRITERS: Readonly<Record<ExportTarget, DialectWriter>> = {
  istio: istioWriter,
  'gateway-api': gatewayApiWriter,
  linkerd: linkerdWriter,
  smi: smiWriter,
  'argo-rollouts': argoRolloutsWriter,
};

type Source = Pick<LoadedConfig, 'config' | 'at' | 'resources'>;

export async function exportConfig(loaded: Source, target: ExportTarget): Promise<Exported> {
  const { documents, losses } = await writeConfig(loaded, target);
  // A Rollout moves what the others say, and nobody here reads it.
  const texts = documents.flatMap(({ kind, text }) => (kind === 'Rollout' ? [] : [text]));
  return { documents, losses: await readBackLosses(loaded, texts, losses) };
}

/** `losses`: what the writer knows of. */
export async function writeConfig(loaded: Source, target: ExportTarget): Promise<Exported> {
  const writer = WRITERS[target];
  const printer = await documentWriter();
  const positions = positionsOf(loaded);
  const kept = new KeptResources(loaded.resources.filter((resource) => isKept(resource, writer)));
  const report = new LossReport(positions, 'a default of inmesh, left to the mesh');
  const context: WriteContext = { config: loaded.config, report, positions, kept };
  const { made, edits } = writer.write(context);
  reportResources(loaded.resources, kept, report, target);
  const documents = [
    ...kept.resources.map((resource) => keptDocument(resource, edits, printer)),
    ...distinctResources(made, kept.resources).map((resource): ExportedDocument => {
      const { kind, name, namespace } = resource;
      return { kind, name, namespace, text: printer.print(documentOf(resource)), origin: 'made' };
    }),
  ];
  return { documents, losses: report.losses };
}

/** Kinds of Kubernetes itself that say who is called. */
const OWN_KINDS: ReadonlySet<string> = new Set(['Service', 'ServiceAccount', 'EndpointSlice']);

function isKept({ group, kind, value }: Resource, { groups }: DialectWriter): boolean {
  // The certificates that a BackendTLSPolicy names.
  if (group === '' && kind === 'ConfigMap') return groups.includes(GATEWAY_GROUP) && typeof mappingOf(value.data)[CA_KEY] === 'string';
  if (group === '' || group === 'discovery.k8s.io') return OWN_KINDS.has(kind);
  return groups.includes(group);
}

function reportResources(resources: readonly Resource[], kept: KeptResources, report: LossReport, target: ExportTarget): void {
  const scope = report.ofMesh();
  for (const resource of resources) {
    const what = `${resource.kind} ${fullName(resource)}`;
    if (kept.resources.includes(resource)) scope.kept(what, 'a document', what);
    else reportLeftBehind(resource, report, `it is not translated; write it for ${target} by hand`);
  }
}

function keptDocument(resource: Resource, edits: readonly ResourceEdit[], printer: DocumentWriter): ExportedDocument {
  const { kind, name, namespace, document } = resource;
  const text = document.isItem === true ? printer.print(resource.value) : printer.cut(document.source.text, document.root.offset);
  const own: DocumentEdit[] = [...filledIn(resource), ...edits.filter((one) => one.resource === resource)];
  const origin = own.length === 0 ? ('kept' as const) : ('changed' as const);
  return { kind, name, namespace, text: own.length === 0 ? text : printer.edit(text, own), origin };
}

/** A mesh knows no variables: their values are put in. */
function filledIn(resource: Resource): DocumentEdit[] {
  const edits: DocumentEdit[] = [];
  const visit = (node: Located, path: (string | number)[]): void => {
    if (node.kind === 'scalar') {
      if (typeof node.value === 'string' && hasPlaceholder(node.value)) edits.push({ path, value: valueAt(resource, path) });
    } else if (node.kind === 'list') node.items.forEach((item, i) => visit(item, [...path, i]));
    else for (const [key, { value }] of node.entries) visit(value, [...path, key]);
  };
  visit(resource.document.root, []);
  return edits.filter(({ path }) => nodeAt(resource.document.root, path) !== undefined);
}

function valueAt({ value }: Resource, path: readonly (string | number)[]): Plain {
  let found: unknown = value;
  for (const step of path) found = (found as Readonly<Record<string | number, unknown>> | undefined)?.[step];
  return (found ?? null) as Plain;
}
