// The port of a dialect on the way out: from a whole configuration to the documents that say it, and to what they do not say.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { LossReport } from '../losses.ts';
import type { PolicyField } from '../draft.ts';
import type { Resource } from '../resource.ts';
import { targetName } from './describe-route.ts';
import type { KeptResources } from './kept-resources.ts';
import { defined, type Plain, type PlainMap } from './plain.ts';
import type { Positions } from './positions.ts';
import { splitOf } from './service-place.ts';

export interface WriteContext {
  readonly config: MeshConfig;
  readonly report: LossReport;
  readonly positions: Positions;
  /** What goes out as it came in. */
  readonly kept: KeptResources;
}

/** A document that was made. Keys in the order in which people write them. */
export interface MadeResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** `spec`, or whatever the kind has beside its metadata. */
  readonly parts: PlainMap;
}

/** A place of a document that goes out as it came in, but for this. */
export interface ResourceEdit {
  readonly resource: Resource;
  readonly path: ConfigPath;
  readonly value: Plain;
}

export interface Written {
  readonly made: readonly MadeResource[];
  readonly edits: readonly ResourceEdit[];
}

export interface DialectWriter {
  /** Groups of the documents that are of this dialect already. */
  readonly groups: readonly string[];
  readonly write: (context: WriteContext) => Written;
}

export function documentOf({ apiVersion, kind, name, namespace, labels, annotations, parts }: MadeResource): PlainMap {
  return { apiVersion, kind, metadata: defined({ name, namespace, labels, annotations }), ...parts };
}

/** Whether the rules of a service stand in a document that goes out as it is. */
export function areRoutesKept(service: ServiceConfig, { kept }: WriteContext): boolean {
  return service.routes.some(({ source }) => kept.at(source) !== undefined);
}

/** Whether nobody has given the service any rules: what it has is what its mesh does by itself, and goes without saying. */
export function isRouteless(service: ServiceConfig, context: WriteContext): boolean {
  const [route, second] = service.routes;
  if (route === undefined || second !== undefined || route.source !== undefined || isConcise(service, context)) return false;
  const { matches, targets, mirrors, redirect, directResponse, fault } = route;
  const isPlain = mirrors.length === 0 && (redirect ?? directResponse ?? fault) === undefined;
  return isPlain && matches.length === 0 && isToItself(targets, service);
}

function isToItself([only, second]: RouteConfig['targets'], { name }: ServiceConfig): boolean {
  return second === undefined && only?.service === name && only.subset === undefined && only.fails === undefined;
}

/** The only rule of a service to which nobody has given any. */
export function reportRouteless(service: ServiceConfig, { report }: WriteContext): void {
  for (const route of service.routes)
    report.ofRoute(service, route).approximated(['timeout', 'retries', 'name'], 'nobody wrote any', '', 'left to the mesh');
}

/** Whether nothing is to be written for the routes of the service: their documents go out as they are, or nobody wrote any. Reported here. */
export function areRoutesSettled(service: ServiceConfig, to: string, context: WriteContext): boolean {
  if (areRoutesKept(service, context)) {
    for (const route of service.routes) context.report.ofRoute(service, route).kept('to', route.targets.map(targetName), to);
    return true;
  }
  if (!isRouteless(service, context)) return false;
  reportRouteless(service, context);
  return true;
}

/** The document that says the field, if it goes out as it is. `fields`: names of the model. */
export function keptFor(owner: ServiceConfig | RouteConfig, fields: readonly string[], { kept }: WriteContext): Resource | undefined {
  for (const field of fields) {
    const found = kept.at(owner.sources?.[field]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the concise form says who answers for the service. */
export function hasOwnEndpoints({ name }: ServiceConfig, { positions, config }: WriteContext): boolean {
  const keys = ['endpoints', 'dns', 'endpointsFile'];
  const source = config.services[name]?.source;
  // A configuration that was given as an object has no places at all.
  return source === undefined || keys.some((key) => positions.ofMesh(['services', name, key]) !== undefined);
}

/** Whether the concise form names the service, so that its defaults are wanted, too. */
export function isConcise({ name, source }: ServiceConfig, { positions, config }: WriteContext): boolean {
  const base = config.services[name.replace(/[/:][^/:]*$/, '')] ?? config.services[name];
  return (base?.source ?? source) === undefined || positions.ofMesh(['services', base?.name ?? name]) !== undefined;
}

/** Policies that no document has a word about, of a service that only documents name: they are left to the mesh. */
export function unsaidFields(service: ServiceConfig, context: WriteContext): readonly PolicyField[] {
  if (isConcise(service, context) || splitOf(service) !== null) return [];
  return POLICY_FIELDS.filter((field) => service.sources?.[field] === undefined);
}

const POLICY_FIELDS: readonly PolicyField[] = [
  'protocol',
  'tls',
  'timeoutMs',
  'retries',
  'retryBudget',
  'circuitBreaker',
  'outlierDetection',
  'loadBalancer',
  'limits',
  'connections',
  'throttle',
  'healthCheck',
];
