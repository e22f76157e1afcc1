// From Services to hosts: one for each port, under all names that a cluster has for it. Who answers is said by
// EndpointSlices; without them DNS is asked, as a process in the cluster would do.
import type { EndpointSourceConfig } from '../../model/destination.ts';
import type { ReadContext } from '../dialect.ts';
import type { BackendDraft } from '../draft.ts';
import type { Resource } from '../resource.ts';
import { fullHost, type World } from '../world.ts';
import { type EndpointSlices, readEndpointSlices } from './read-endpoint-slices.ts';
import { type ServicePort, type ServiceSpec, servicePorts } from './service-spec.ts';

export function readServices(world: World, context: ReadContext): readonly BackendDraft[] {
  const slices = readEndpointSlices(world);
  return world.of('', 'Service').flatMap((service) => servicePorts(service).map((port) => backendOf(service, port, slices, context)));
}

function backendOf(service: Resource, port: ServicePort, slices: EndpointSlices, { clusterDomain }: ReadContext): BackendDraft {
  const { spec, index } = port;
  const host = fullHost(service.name, service.namespace, clusterDomain);
  const endpoints = endpointsOf(service, port, host, slices);
  return {
    dialect: 'inmesh',
    host,
    port: spec.port,
    aliases: addressesOf(service.spec),
    resource: service,
    path: ['spec', 'ports', index],
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(speaksHttp2(port) ? { protocol: 'http2' as const } : {}),
  };
}

/** undefined: by DNS of the host, on the port of the Service. */
function endpointsOf(service: Resource, { spec }: ServicePort, host: string, slices: EndpointSlices): EndpointSourceConfig | undefined {
  const { type, externalName, clusterIP } = service.spec as ServiceSpec;
  if (type === 'ExternalName' && externalName !== undefined) return { kind: 'dns', host: externalName, port: spec.port, record: 'any' };
  const endpoints = slices.endpoints(service, spec.name ?? '');
  if (endpoints !== undefined) return { kind: 'static', endpoints };
  // The names of a headless Service are its pods, which know nothing of its ports.
  const { targetPort } = spec;
  return clusterIP === 'None' && typeof targetPort === 'number' ? { kind: 'dns', host, port: targetPort, record: 'any' } : undefined;
}

function addressesOf({ clusterIP, clusterIPs = [] }: ServiceSpec): string[] {
  const addresses = new Set([clusterIP ?? 'None', ...clusterIPs].filter((address) => address !== 'None' && address !== ''));
  return [...addresses].map((address) => (address.includes(':') ? `[${address.toLowerCase()}]` : address));
}

/** Source: KEP-3726; names of ports as Istio reads them. */
function speaksHttp2({ spec }: ServicePort): boolean {
  const { appProtocol = spec.name ?? '' } = spec;
  return /^(?:kubernetes\.io\/h2c|(?:grpc|grpc-web|http2|h2c)(?:-.*)?)$/i.test(appProtocol);
}
