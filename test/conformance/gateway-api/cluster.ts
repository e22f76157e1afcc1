// The pods of the manifests as real servers on loopback, and the documents that tell the mesh of them: EndpointSlices for
// every Service, ConfigMaps with the certificates of the authorities. The manifests themselves stay as they are.
import { readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { type Authority, authority } from '../../identity/certificates.ts';
import { type Pod, type PodPort, startPod } from './echo-pod.ts';
import { INFRA } from './suite.ts';

type Labels = Readonly<Record<string, string>>;

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: Labels;
    readonly ports?: readonly ServicePort[];
    readonly template?: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: { readonly containers: readonly { readonly image: string; readonly env?: readonly { readonly name: string }[] }[] };
    };
  };
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number;
  readonly protocol?: string;
}

interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly pods: readonly Pod[];
}

export interface Cluster {
  readonly pods: readonly Pod[];
  /** Documents beside those of the files; `also` names Services that get the pods of a workload. */
  readonly beside: (files: readonly string[], also?: ReadonlyMap<string, string>) => string;
  close(): void;
}

function manifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document) => {
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

export async function startCluster(files: readonly string[]): Promise<Cluster> {
  const checks = authority('checks');
  const mismatch = authority('mismatch');
  const deployments = files.flatMap(manifests).filter(({ kind }) => kind === 'Deployment');
  const workloads = await Promise.all(deployments.map((deployment) => startWorkload(deployment, checks)));
  const pods = workloads.flatMap((workload) => workload.pods);
  const certificates = [configMap('tls-checks-ca-certificate', checks), configMap('mismatch-ca-certificate', mismatch)];
  return {
    pods,
    beside: (used, also = new Map()) => {
      const services = used.flatMap(manifests).filter(({ kind }) => kind === 'Service');
      const documents = [...certificates, ...services.flatMap((service) => slicesOf(service, workloads, also))];
      return documents.map((document) => stringify(document)).join('---\n');
    },
    close: () => {
      for (const pod of pods) pod.close();
    },
  };
}

async function startWorkload({ metadata, spec }: Manifest, checks: Authority): Promise<Workload> {
  const { name, namespace = 'default' } = metadata;
  const replicas = spec?.replicas ?? 1;
  const ports = portsOf(spec, checks);
  const pods = await Promise.all(
    Array.from({ length: replicas }, (_, i) => startPod({ namespace, name: `${name}-5d9c7b8f6-pod0${i}` }, ports)),
  );
  return { namespace, name, labels: spec?.template?.metadata.labels ?? {}, pods };
}

/** By image and environment, as the containers would. */
function portsOf(spec: Manifest['spec'], checks: Authority): PodPort[] {
  const [container] = spec?.template?.spec.containers ?? [];
  const image = container?.image ?? '';
  const env = new Set((container?.env ?? []).map(({ name }) => name));
  const leaf = checks.issue({ dns: ['abc.example.com', 'other.example.com'], uris: ['spiffe://abc.example.com/test-identity'] });
  if (image.includes('/echo-advanced:')) {
    return [
      { port: 8080, speaks: 'http' },
      { port: 8443, speaks: 'https', ...leaf },
      { port: 7070, speaks: 'grpc' },
    ];
  }
  if (!image.includes('/echo-basic:') || env.has('TCP_ECHO_SERVER') || env.has('UDP_ECHO_SERVER')) return [];
  const isGrpc = env.has('GRPC_ECHO_SERVER');
  const secure: PodPort[] = env.has('TLS_SERVER_CERT') ? [{ port: 8443, speaks: isGrpc ? 'grpcs' : 'https', ...leaf }] : [];
  if (isGrpc) return [{ port: 3000, speaks: 'grpc' }, ...secure];
  return [{ port: 3000, speaks: 'http' }, { port: 3001, speaks: 'h2c' }, ...secure];
}

function configMap(name: string, { cert }: Authority): unknown {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: INFRA }, data: { 'ca.crt': cert } };
}

/** One slice for each pod, whose ports on loopback are its own; an empty one where there is no pod. */
function slicesOf({ metadata, spec }: Manifest, workloads: readonly Workload[], also: ReadonlyMap<string, string>): unknown[] {
  const { name, namespace = 'default' } = metadata;
  const selector = spec?.selector;
  const isMeant = (workload: Workload): boolean => {
    if (workload.namespace !== namespace) return false;
    if (selector === undefined) return also.get(name) === workload.name;
    return Object.entries(selector).every(([key, value]) => workload.labels[key] === value);
  };
  const pods = workloads.filter(isMeant).flatMap((workload) => workload.pods);
  const slice = (i: number, pod: Pod | null): unknown => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-on-loopback-${i}`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: pod === null ? [] : [{ addresses: ['127.0.0.1'] }],
    ports: (spec?.ports ?? []).flatMap(({ name: portName = '', port, targetPort = port, protocol = 'TCP' }) => {
      const found = pod?.ports.get(targetPort);
      return found === undefined ? [] : [{ name: portName, port: found, protocol }];
    }),
  });
  return pods.length === 0 ? [slice(0, null)] : pods.map((pod, i) => slice(i, pod));
}
