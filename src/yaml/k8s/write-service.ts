// Who answers for a service, as documents of Kubernetes: a Service, and slices of endpoints where they are written down.
// Meshes without subsets call a Service for each of them.
import { isIpv6, parseHostPort } from '../../model/address.ts';
import type { ServiceConfig } from '../../model/config.ts';
import type { EndpointConfig } from '../../model/destination.ts';
import type { LossScope } from '../losses.ts';
import type { PlainMap } from '../write/plain.ts';
import { portSuffix, type ServicePlace } from '../write/service-place.ts';
import type { MadeResource } from '../write/writer.ts';

/** The port that callers name by not naming one. */
const PORT_DEFAULT = 80;
const PORT_NAME = 'http';
/** Source: KEP-3726. */
const H2C = 'kubernetes.io/h2c';

export interface ServiceTexts {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly report: LossScope;
}

/** The port by which callers know the Service. A name that DNS knows is called on the port that it has there. */
export function servicePort({ endpoints }: ServiceConfig, { port }: Pick<ServicePlace, 'port'>): number {
  return port ?? (endpoints.kind === 'dns' && endpoints.port > 0 ? endpoints.port : PORT_DEFAULT);
}

/** Empty when there is nothing to say. */
export function writeService(service: ServiceConfig, place: ServicePlace, { report, annotations }: ServiceTexts): MadeResource[] {
  const { endpoints } = service;
  const to = `Service ${place.name}`;
  const make = (spec: PlainMap): MadeResource => serviceDocument(place, spec, annotations);
  if (endpoints.kind === 'file') {
    report.lost('endpointsFile', endpoints.path, `a list that changes by itself; give the Service ${place.name} a selector`);
    return [];
  }
  if (endpoints.kind === 'dns') {
    const { host, port, record } = endpoints;
    if (port === 0 || record === 'SRV') {
      report.lost('dns', host, 'a Service does not ask for SRV records, which name the ports');
      return [];
    }
    if (port === (place.port ?? PORT_DEFAULT) && record === 'any') report.kept('dns', `${host}:${port}`, `${to}: externalName`);
    else
      report.approximated(
        'dns',
        `${host}:${port}`,
        `${to}: externalName`,
        `callers name the port ${port} themselves, and any address record is taken`,
      );
    return [make({ type: 'ExternalName', externalName: host, ports: [portOf(service, port)] })];
  }
  if (endpoints.endpoints.length === 0) {
    report.approximated('endpoints', [], '', 'the cluster must know who answers; a service for mesh.call alone is none of a mesh');
    return [];
  }
  reportEndpoints(endpoints.endpoints, `EndpointSlice ${place.name}`, report);
  const port = place.port ?? PORT_DEFAULT;
  const targets = new Set(endpoints.endpoints.map(({ address }) => parseHostPort(address)?.port ?? port));
  const [only = port] = targets;
  const target = targets.size === 1 && only !== port ? { targetPort: only } : {};
  return [make({ ports: [{ ...portOf(service, port), ...target }] }), ...slices(service, place, endpoints.endpoints)];
}

function serviceDocument({ name, namespace }: ServicePlace, spec: PlainMap, annotations?: Readonly<Record<string, string>>): MadeResource {
  return { apiVersion: 'v1', kind: 'Service', name, namespace, ...(annotations === undefined ? {} : { annotations }), parts: { spec } };
}

function portOf(service: ServiceConfig, port: number): PlainMap {
  const { protocol } = service;
  return { name: portName(service), port, ...(protocol === 'http2' ? { appProtocol: H2C } : {}) };
}

/** Ports of one Service differ in their names. */
function portName(service: ServiceConfig): string {
  return `${PORT_NAME}${portSuffix(service)}`;
}

function reportEndpoints(endpoints: readonly EndpointConfig[], to: string, report: LossScope): void {
  const lost = [
    ...(endpoints.some(({ labels }) => Object.keys(labels).length > 0)
      ? ['labels, which subsets choose by, are said by a Service for each subset']
      : []),
    ...(endpoints.some(({ locality }) => locality !== '') ? ['of the locality the zone'] : []),
    ...(endpoints.some(({ weight }) => weight !== 1) ? ['endpoints weigh the same'] : []),
    ...(endpoints.some(({ priority = 0 }) => priority > 0) ? ['no priorities'] : []),
    ...(endpoints.some(({ address }) => /[a-z]/i.test(address) && !address.startsWith('['))
      ? ['names are not looked up by every cluster']
      : []),
  ];
  if (lost.length === 0) report.kept('endpoints', endpoints.length, to);
  else report.approximated('endpoints', endpoints.length, to, lost.join('; '));
}

/** A slice has one kind of address and one port. */
function slices(service: ServiceConfig, { name, namespace }: ServicePlace, endpoints: readonly EndpointConfig[]): MadeResource[] {
  const own = `${name}${portSuffix(service)}`;
  const groups = new Map<string, { readonly addressType: string; readonly port: number; readonly endpoints: PlainMap[] }>();
  for (const { address, locality } of endpoints) {
    const { host, port } = parseHostPort(address) ?? { host: address, port: PORT_DEFAULT };
    const addressType = isIpv6(host) ? 'IPv6' : /^[0-9.]+$/.test(host) ? 'IPv4' : 'FQDN';
    const [, zone = ''] = locality.split('/');
    const group = groups.get(`${addressType} ${port}`) ?? { addressType, port, endpoints: [] };
    groups.set(`${addressType} ${port}`, group);
    group.endpoints.push({ addresses: [host], ...(zone === '' ? {} : { zone }) });
  }
  return [...groups.values()].map((group, i) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    name: i === 0 ? own : `${own}-${i + 1}`,
    namespace,
    labels: { 'kubernetes.io/service-name': name },
    parts: {
      addressType: group.addressType,
      endpoints: group.endpoints,
      ports: [{ name: portName(service), port: group.port, protocol: 'TCP' }],
    },
  }));
}

/** The endpoints of a subset, as a Service of its own. */
export function writeSubsetService(
  service: ServiceConfig,
  subset: string,
  place: ServicePlace,
  selector: Readonly<Record<string, string>> | null,
  annotations?: Readonly<Record<string, string>>,
): MadeResource[] {
  const labels = service.subsets[subset] ?? {};
  const { endpoints } = service;
  if (endpoints.kind === 'static' && endpoints.endpoints.length > 0 && selector === null) {
    const own = endpoints.endpoints.filter((endpoint) => Object.entries(labels).every(([key, value]) => endpoint.labels[key] === value));
    const ports = new Set(own.map(({ address }) => parseHostPort(address)?.port));
    const port = place.port ?? PORT_DEFAULT;
    const [only] = ports;
    const target = ports.size === 1 && only !== undefined && only !== port ? { targetPort: only } : {};
    return [serviceDocument(place, { ports: [{ ...portOf(service, port), ...target }] }, annotations), ...slices(service, place, own)];
  }
  const spec = { selector: { ...selector, ...labels }, ports: [portOf(service, servicePort(service, place))] };
  return [serviceDocument(place, spec, annotations)];
}
