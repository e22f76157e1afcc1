// From ServiceEntries to hosts and those who answer for them: written endpoints, WorkloadEntries with the right labels, or
// what DNS says. Source: Istio, serviceregistry/serviceentry; mesh-semantics §2.7.
import type { EndpointConfig, EndpointSourceConfig } from '../../model/destination.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { BackendDraft, MeshDraft, Origin, RouteDraft } from '../draft.ts';
import { describeResource, type Resource } from '../resource.ts';
import { fullHost, type World } from '../world.ts';
import { byCreation } from './by-creation.ts';
import { hasLabels, isWildcard } from './host-name.ts';
import { GROUP } from './http-rule.ts';
import { IMPLIED_POLICY } from './istio-defaults.ts';
import { isHttp2, mayCarryHttp } from './protocol.ts';
import { defaultRetries } from './read-retries.ts';
import { readWorkload } from './read-workload.ts';
import type { ServiceEntrySpec, ServicePortSpec, WorkloadEntrySpec } from './registry-spec.ts';
import { isVisibleTo } from './visibility.ts';

export interface ServiceEntries {
  readonly backends: readonly BackendDraft[];
  readonly mesh: readonly MeshDraft[];
  /** Names that the endpoints of a host are known to show in their certificates. */
  readonly namesOf: (host: string) => readonly string[];
}

/** A workload and where it was written. */
interface Workload {
  readonly spec: WorkloadEntrySpec;
  readonly origin: Origin;
}

export function readServiceEntries(world: World, context: ReadContext): ServiceEntries {
  const { self } = context;
  const backends: BackendDraft[] = [];
  const mesh: MeshDraft[] = [];
  const names = new Map<string, Set<string>>();
  const protocols = new Map<string, { readonly protocol: string; readonly resource: Resource }>();
  for (const resource of [...world.of(GROUP, 'ServiceEntry')].sort(byCreation)) {
    const spec = resource.spec as unknown as ServiceEntrySpec;
    if (!isVisibleTo(self.namespace, spec, resource.namespace)) continue;
    const workloads = workloadsOf(spec, resource, world);
    const hosts = spec.hosts.map((host) => fullHost(host, resource.namespace, context.clusterDomain));
    for (const [i, host] of hosts.entries()) {
      const origin: Origin = { resource, path: ['spec', 'hosts', i] };
      const known = names.get(host) ?? new Set();
      for (const name of [...(spec.subjectAltNames ?? []), ...workloads.flatMap((one) => identityOf(one, resource))]) known.add(name);
      names.set(host, known);
      if (isPassedOn(host, spec)) mesh.push(passing(host, spec, origin));
      else backends.push(...portsOf(spec).map((port) => backend(host, port, spec, workloads, origin, context)));
      warnOfProtocols(host, spec, resource, protocols);
    }
  }
  return { backends, mesh, namesOf: (host) => [...(names.get(host) ?? [])] };
}

/** Source: Istio's certificates, spiffe://trust-domain/ns/namespace/sa/account. */
function identityOf({ spec: { serviceAccount = '' } }: Workload, { namespace }: Resource): string[] {
  return serviceAccount === '' ? [] : [`spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`];
}

function workloadsOf(spec: ServiceEntrySpec, resource: Resource, world: World): Workload[] {
  const { endpoints = [], workloadSelector } = spec;
  if (workloadSelector === undefined) {
    return endpoints.map((one, i) => ({ spec: one, origin: { resource, path: ['spec', 'endpoints', i] } }));
  }
  return world.of(GROUP, 'WorkloadEntry').flatMap((entry) => {
    const workload = entry.spec as WorkloadEntrySpec;
    const isMeant = entry.namespace === resource.namespace && hasLabels({ ...entry.labels, ...workload.labels }, workloadSelector.labels);
    return isMeant
      ? [{ spec: { ...workload, labels: { ...entry.labels, ...workload.labels } }, origin: { resource: entry, path: ['spec'] } }]
      : [];
  });
}

/** Without endpoints a wildcard goes where each call says, and so does a host whose ports nobody has named. */
function isPassedOn(host: string, { resolution = 'NONE', ports = [] }: ServiceEntrySpec): boolean {
  return (isWildcard(host) && (resolution === 'NONE' || resolution === 'DYNAMIC_DNS')) || (resolution === 'NONE' && ports.length === 0);
}

function passing(host: string, { ports = [] }: ServiceEntrySpec, origin: Origin): MeshDraft {
  const passHosts = ports.length === 0 ? [host] : ports.map(({ number }) => `${host}:${number}`);
  return { ...origin, dialect: 'istio', fields: { passHosts } };
}

/** Those that calls over HTTP may have; undefined: any, because none is named. */
function portsOf({ ports = [] }: ServiceEntrySpec): (ServicePortSpec | undefined)[] {
  return ports.length === 0 ? [undefined] : ports.filter(({ protocol = '' }) => mayCarryHttp(protocol) || /^tcp$/i.test(protocol));
}

function backend(
  host: string,
  port: ServicePortSpec | undefined,
  spec: ServiceEntrySpec,
  workloads: readonly Workload[],
  origin: Origin,
  context: ReadContext,
): BackendDraft {
  const endpoints = endpointsOf(host, port, spec, workloads, context);
  const { addresses = [], hosts } = spec;
  return {
    ...origin,
    dialect: 'istio',
    host,
    ...(port === undefined ? {} : { port: port.number }),
    // The address of the service itself means it, when it is that of one host alone.
    aliases: hosts.length === 1 ? addresses.filter((address) => !address.includes('/')).map(bracketed) : [],
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(isHttp2(port?.protocol ?? '') ? { protocol: 'http2' as const } : {}),
    implied: IMPLIED_POLICY,
    route: DEFAULT_ROUTE,
  };
}

/** A host without rules of its own. Source: Istio, BuildDefaultHTTPOutboundRoute. */
const DEFAULT_ROUTE: RouteDraft = Object.freeze({
  name: 'default',
  dialect: 'istio',
  matches: [],
  targets: [],
  mirrors: [],
  idempotent: false,
  timeoutMs: 0,
  retries: defaultRetries(false),
});

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** undefined: nobody has said. */
function endpointsOf(
  host: string,
  port: ServicePortSpec | undefined,
  { resolution = 'NONE', workloadSelector }: ServiceEntrySpec,
  workloads: readonly Workload[],
  context: ReadContext,
): EndpointSourceConfig | undefined {
  const number = port?.number;
  const byName = (name: string, at: number): EndpointSourceConfig => ({ kind: 'dns', host: name, port: at, record: 'any' });
  const asksDns = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN';
  // The caller would have looked the name up, and called what he found.
  if (resolution === 'NONE') return number === undefined ? undefined : byName(host, number);
  if (asksDns && workloads.length === 0 && workloadSelector === undefined) {
    if (number === undefined) return undefined;
    // One connection to whatever the name means at that moment, or one endpoint for each of its addresses.
    return resolution === 'DNS' ? byName(host, port?.targetPort ?? number) : named(host, port?.targetPort ?? number);
  }
  const endpoints = workloads.flatMap(
    ({ spec, origin }) => readWorkload(spec, port, origin, (message) => settle(context, origin, message, 'INM0011')) ?? [],
  );
  const [only] = endpoints;
  if (resolution === 'DNS' && endpoints.length === 1 && only !== undefined && isBare(only)) {
    const colon = only.address.lastIndexOf(':');
    const name = only.address.slice(0, colon);
    if (!/^[0-9.]+$|^\[/.test(name)) return byName(name, Number(only.address.slice(colon + 1)));
  }
  return { kind: 'static', endpoints };
}

function named(host: string, port: number): EndpointSourceConfig {
  return { kind: 'static', endpoints: [{ address: `${host}:${port}`, labels: {}, locality: '', weight: 1 }] };
}

/** Whether nothing is lost when it becomes a name that DNS has many addresses for. */
function isBare({ labels, locality, weight }: EndpointConfig): boolean {
  return Object.keys(labels).length === 0 && locality === '' && weight === 1;
}

function warnOfProtocols(
  host: string,
  { ports = [] }: ServiceEntrySpec,
  resource: Resource,
  seen: Map<string, { readonly protocol: string; readonly resource: Resource }>,
): void {
  for (const [i, { number, protocol = '' }] of ports.entries()) {
    const key = `${host}:${number}`;
    const before = seen.get(key);
    if (before === undefined) seen.set(key, { protocol, resource });
    else if (before.resource !== resource && before.protocol.toLowerCase() !== protocol.toLowerCase()) {
      const message = `port ${number} of ${host} speaks ${before.protocol || 'nothing in particular'} in ${describeResource(before.resource)}; the first counts`;
      resource.report.warn(['spec', 'ports', i], message, { code: 'IST0177' });
    }
  }
}
