// Which documents are read, which are passed over, and which cannot be obeyed inside a process. The one table that knows
// all dialects.
import type { ConfigIssue, ConfigPath } from '../model/issue.ts';
import { nearest } from '../model/nearest.ts';
import { checkSchema } from '../model/schema-check.ts';
import type { Schema } from '../model/schema-scalar.ts';
import { appMeshReader } from './app-mesh/reader.ts';
import type { CheckContext, DialectReader, Kind } from './dialect.ts';
import { gatewayApiReader } from './gateway-api/reader.ts';
import { istioReader } from './istio/reader.ts';
import { istioSecurityReader } from './istio/security/reader.ts';
import { kubernetesReader } from './k8s/reader.ts';
import { linkerdReader } from './linkerd/reader.ts';
import type { Mapping, Resource } from './resource.ts';
import { smiReader } from './smi/reader.ts';

export const READERS: readonly DialectReader[] = Object.freeze([
  kubernetesReader,
  // A ServiceProfile goes before routes of the Gateway API.
  linkerdReader,
  gatewayApiReader,
  istioReader,
  istioSecurityReader,
  smiReader,
  appMeshReader,
]);

/** Say nothing about who calls whom; a folder of a cluster holds many of them. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  '/ConfigMap',
  '/Namespace',
  '/Pod',
  '/Secret',
  'appmesh.k8s.aws/BackendGroup',
  'appmesh.k8s.aws/GatewayRoute',
  'appmesh.k8s.aws/VirtualGateway',
  'apps/DaemonSet',
  'apps/Deployment',
  'apps/ReplicaSet',
  'apps/StatefulSet',
  'autoscaling/HorizontalPodAutoscaler',
  'batch/CronJob',
  'batch/Job',
  'policy/PodDisruptionBudget',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
  'gateway.networking.k8s.io/ListenerSet',
  'gateway.networking.x-k8s.io/XListenerSet',
  'gateway.networking.x-k8s.io/XMesh',
  'networking.istio.io/Gateway',
  'networking.istio.io/WorkloadGroup',
  'workload.linkerd.io/ExternalWorkload',
]);

/** Whether anything of a document is looked at there: scripts and templates are full of `${…}` that mean no variable of ours. */
export function isRead({ apiVersion, kind }: Mapping, [first, second]: ConfigPath): boolean {
  const group = typeof apiVersion === 'string' && apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const key = `${group}/${String(kind)}`;
  if (first === 'metadata' || first === 'kind' || first === 'apiVersion') return true;
  return key === '/ConfigMap' ? first === 'data' && second === CA_KEY : !PASSED_OVER.has(key);
}

/** All that is read of a ConfigMap. */
export const CA_KEY = 'ca.crt';

/** Why nobody can obey them from inside one process. Source: mesh-semantics §2.11. */
const IMPOSSIBLE: Readonly<Record<string, string>> = Object.freeze({
  'networking.istio.io/EnvoyFilter': 'it changes the configuration of Envoy, and there is none',
  'networking.istio.io/ProxyConfig': 'it configures the sidecar, and there is none',
  'extensions.istio.io/WasmPlugin': 'it extends Envoy, and there is none; write a layer (mesh.use)',
  'gateway.networking.k8s.io/TCPRoute': 'connections that are no HTTP do not pass through inmesh',
  'gateway.networking.k8s.io/TLSRoute': 'connections that are no HTTP do not pass through inmesh',
  'gateway.networking.k8s.io/UDPRoute': 'datagrams do not pass through inmesh',
  'policy.linkerd.io/EgressNetwork': 'it knows calls by address, and inmesh by host; use unknownHosts',
});

const KINDS: ReadonlyMap<string, Kind> = new Map(
  READERS.flatMap(({ kinds }) => kinds).map((kind) => [`${kind.group}/${kind.kind}`, kind] as const),
);

/** Made when the first document of the kind comes. */
const SCHEMAS: Map<Kind, Schema> = new Map();

function schemaOf(kind: Kind): Schema {
  const known = SCHEMAS.get(kind) ?? kind.schema();
  SCHEMAS.set(kind, known);
  return known;
}

export interface AdmitOptions extends CheckContext {
  readonly lenient: boolean;
}

/** Whether the resource is to be read. Reports what is wrong with it. */
export function admitResource(resource: Resource, options: AdmitOptions): boolean {
  const { group, kind, version, report } = resource;
  if (report.hasErrors) return false;
  const key = `${group}/${kind}`;
  const known = KINDS.get(key);
  if (known !== undefined) return isAdmitted(resource, known, options);
  if (PASSED_OVER.has(key)) return false;
  const impossible = IMPOSSIBLE[key];
  if (impossible !== undefined) {
    const message = `${kind} cannot be obeyed inside a process: ${impossible}; keep it out of the files that inmesh loads`;
    if (options.lenient) report.warn(['kind'], message, { code: 'INM0011' });
    else report.error(['kind'], message, { code: 'INM0011' });
    return false;
  }
  const allowed = [...KINDS.values()].map((one) => one.kind);
  const place = group === '' ? version : `${group}/${version}`;
  report.error(['kind'], `kind ${report.show(['kind'], kind)} of ${place} is not read`, {
    suggestion: nearest(kind, allowed),
    allowed,
    code: 'INM0010',
  });
  return false;
}

/** Findings of a resource, with the codes that its mesh has for them. */
export function issuesOf({ group, kind, report }: Resource): readonly ConfigIssue[] {
  const codes = KINDS.get(`${group}/${kind}`)?.codes;
  if (codes === undefined) return report.issues;
  return report.issues.map((issue) => (issue.code === undefined ? { ...issue, code: codes[issue.severity] } : issue));
}

function isAdmitted(resource: Resource, known: Kind, context: CheckContext): boolean {
  const { version, report, name } = resource;
  if (!known.versions.includes(version)) {
    const allowed = known.versions.map((one) => (known.group === '' ? one : `${known.group}/${one}`));
    report.error(['apiVersion'], `${known.kind} is not read in version ${version}`, { suggestion: allowed.at(-1), allowed });
    return false;
  }
  if (name === '') report.error(['metadata', 'name'], `a ${known.kind} needs metadata.name`);
  checkSchema(schemaOf(known), resource.value, [], report);
  if (!report.hasErrors) known.check?.(resource, context);
  return !report.hasErrors;
}
