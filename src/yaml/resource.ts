// One document with apiVersion and kind: whose it is, what it says, and where each piece of it was written. Knows no
// kind and no dialect.
import type { ConfigPath, PathPart } from '../model/issue.ts';
import { Report } from '../model/report.ts';
import type { SourcePosition } from '../model/route.ts';
import { positionAt } from './frame.ts';
import { type Head, headOf } from './headless.ts';
import type { Environment } from './interpolate.ts';
import type { Located } from './located.ts';
import { nodeAt, offsetOf } from './located.ts';
import type { ConfigDocument } from './merge.ts';
import { rawText, toValue } from './value.ts';

export type Mapping = Readonly<Record<string, unknown>>;

export interface Resource {
  /** '' for Kubernetes' own. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  /** `default` when the document does not say. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** metadata.creationTimestamp, ms since the epoch; 0 when absent. Where a mesh lets the oldest win. */
  readonly createdAtMs: number;
  /** Place among all documents of the load: breaks ties. */
  readonly order: number;
  /** The whole document with variables put in, without keys that have no value. Objects have no prototype. */
  readonly value: Mapping;
  /** `value.spec`, empty when absent or no mapping. */
  readonly spec: Mapping;
  readonly document: ConfigDocument;
  /** Collects the issues of this document; paths start at its top. */
  readonly report: Report;
}

/** Whether anybody reads this piece of a document; a variable without a value does no harm where nobody does. */
export type Matters = (value: Mapping, path: ConfigPath) => boolean;

/** Resources have apiVersion or kind, or a shape that is enough; the concise form has none of them. */
export function isResource(root: Located): boolean {
  if (root.kind !== 'map') return false;
  return hasKind(root) || headOf(root) !== null;
}

function hasKind(root: Located): boolean {
  return nodeAt(root, ['kind']) !== undefined || nodeAt(root, ['apiVersion']) !== undefined;
}

/** Never throws: what is wrong with the head of the document is in `report`, and what is missing is ''. */
export function readResource(
  document: ConfigDocument,
  env: Environment,
  order: number,
  lenient = false,
  matters: Matters = () => true,
): Resource {
  const report = new Report({
    unknownKeys: lenient ? 'warning' : 'error',
    at: (path, part) => placeOf(document, path, part),
    raw: (path) => rawText(document.root, path),
  });
  const faults: (readonly [ConfigPath, string])[] = [];
  const value = mappingOf(toValue(document.root, env, (path, message) => void faults.push([path, message])));
  dropNulls(value);
  for (const [path, message] of faults) if (matters(value, path)) report.error(path, message);
  const head = hasKind(document.root) ? null : headOf(document.root);
  if (head !== null) return headlessResource(head, value, { document, order, report });
  const apiVersion = textAt(value, 'apiVersion', report);
  const slash = apiVersion.indexOf('/');
  const metadata = mappingOf(value.metadata);
  const { creationTimestamp } = metadata;
  const created = typeof creationTimestamp === 'string' ? Date.parse(creationTimestamp) : Number.NaN;
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind: textAt(value, 'kind', report),
    name: typeof metadata.name === 'string' ? metadata.name : '',
    namespace: typeof metadata.namespace === 'string' && metadata.namespace !== '' ? metadata.namespace : 'default',
    labels: textsOf(metadata.labels),
    annotations: textsOf(metadata.annotations),
    createdAtMs: Number.isNaN(created) ? 0 : created,
    order,
    value,
    spec: mappingOf(value.spec),
    document,
    report,
  };
}

function headlessResource(head: Head, value: Mapping, rest: Pick<Resource, 'document' | 'order' | 'report'>): Resource {
  const { path, ...names } = head;
  const [key] = path;
  const fields = key === undefined ? value : mappingOf(value[key]);
  return { ...names, labels: {}, annotations: {}, createdAtMs: 0, value, spec: mappingOf(fields.spec), ...rest };
}

/** `default/reviews`, for messages and ties. */
export function fullName({ namespace, name }: Pick<Resource, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** Where a piece of the resource was written, or what should hold it. */
export function positionIn({ document }: Resource, path: ConfigPath, part: PathPart = 'value'): SourcePosition {
  return placeOf(document, path, part);
}

/** `VirtualService default/reviews (mesh.yaml:3:1)`. */
export function describeResource(resource: Resource): string {
  return `${resource.kind} ${fullName(resource)} (${describePosition(positionIn(resource, ['metadata', 'name']))})`;
}

/** `mesh.yaml:3:1`. */
export function describePosition({ file, line, column }: SourcePosition): string {
  return `${file}:${line}:${column}`;
}

export function mappingOf(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : EMPTY;
}

const EMPTY: Mapping = Object.freeze(Object.create(null) as Record<string, unknown>);

/** Maps of matches by name: a name without a value asks for nothing but the name. Source: Istio HTTPMatchRequest. */
const NAMES_ALONE: ReadonlySet<string> = new Set(['headers', 'withoutHeaders', 'queryParams']);

/** An API server drops a key without a value, and templates make many of them. Changes the value: it was made for us. */
function dropNulls(value: unknown, key = ''): void {
  if (Array.isArray(value)) dropInList(value);
  else if (typeof value === 'object' && value !== null) {
    const mapping = value as Record<string, unknown>;
    for (const name of Object.keys(mapping)) {
      if (mapping[name] !== null) dropNulls(mapping[name], name);
      else if (NAMES_ALONE.has(key)) mapping[name] = Object.create(null);
      else delete mapping[name];
    }
  }
}

function dropInList(list: unknown[]): void {
  for (let i = 0; i < list.length; i++) {
    const address = addressIn(list[i]);
    if (address === null) dropNulls(list[i]);
    else list[i] = address;
  }
}

/** `[fe80::]` is a text to the parser of Kubernetes, and the key `fe80:` without a value to YAML 1.2. */
function addressIn(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return null;
  const [key = '', second] = Object.keys(item);
  return second === undefined && (item as Mapping)[key] === null && /^[0-9a-f:]+:$/i.test(key) ? `${key}:` : null;
}

function placeOf({ source, root }: ConfigDocument, path: ConfigPath, part: PathPart): SourcePosition {
  return positionAt(source, offsetOf(root, path, part));
}

function textAt(value: Mapping, key: string, report: Report): string {
  const found = value[key];
  if (typeof found === 'string' && found !== '') return found;
  report.error([key], `a resource needs ${key}, a text`);
  return '';
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const texts = Object.create(null) as Record<string, string>;
  for (const [key, one] of Object.entries(mappingOf(value))) if (typeof one === 'string') texts[key] = one;
  return texts;
}
