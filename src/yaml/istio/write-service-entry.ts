// Who answers for a service, as a ServiceEntry: for services that Kubernetes does not know.
import { parseHostPort } from '../../model/address.ts';
import type { ServiceConfig } from '../../model/config.ts';
import type { EndpointConfig } from '../../model/destination.ts';
import type { LossScope } from '../losses.ts';
import type { ServicePlace } from '../write/service-place.ts';
import { wholeWeights } from '../write/whole-weights.ts';
import type { Resolution, ServiceEntrySpec, ServicePortSpec, WorkloadEntrySpec } from './registry-spec.ts';

/** The port that callers name by not naming one. */
const PORT_DEFAULT = 80;

/** null: nothing can be said, or nothing need be. */
export function writeServiceEntry(service: ServiceConfig, place: ServicePlace, to: string, report: LossScope): ServiceEntrySpec | null {
  const { endpoints } = service;
  const port = place.port ?? PORT_DEFAULT;
  const name = service.protocol === 'http2' ? 'http2' : 'http';
  const base: Omit<ServicePortSpec, 'targetPort'> = { number: port, name, protocol: name.toUpperCase() };
  const location = place.isKubernetes ? ('MESH_INTERNAL' as const) : ('MESH_EXTERNAL' as const);
  if (endpoints.kind === 'file') {
    report.lost('endpointsFile', endpoints.path, 'a list that changes by itself; make a Service, or a WorkloadEntry for each endpoint');
    return null;
  }
  if (endpoints.kind === 'dns') {
    const { host, port: number, record } = endpoints;
    if (number === 0 || record === 'SRV') {
      report.lost('dns', host, 'Istio does not ask for SRV records, which name the ports');
      return null;
    }
    if (record === 'any') report.kept('dns', `${host}:${number}`, `${to}: endpoints`);
    else report.approximated('dns', `${host}:${number}`, `${to}: endpoints`, 'Istio asks for A and AAAA records');
    return {
      hosts: [place.host],
      ports: [{ ...base, ...target(number, port) }],
      location,
      resolution: 'DNS',
      endpoints: [{ address: host }],
    };
  }
  if (endpoints.endpoints.length === 0) {
    report.approximated('endpoints', [], '', 'the mesh must know who answers; a service for mesh.call alone is none of a mesh');
    return null;
  }
  const { ports, ...rest } = fixed(endpoints.endpoints, base, to, report);
  return { hosts: [place.host], ports, location, ...rest };
}

function target(number: number, port: number): Pick<ServicePortSpec, 'targetPort'> {
  return number === port ? {} : { targetPort: number };
}

type Fixed = Required<Pick<ServiceEntrySpec, 'ports' | 'resolution' | 'endpoints'>>;

function fixed(endpoints: readonly EndpointConfig[], base: ServicePortSpec, to: string, report: LossScope): Fixed {
  const places = endpoints.map(({ address }) => parseHostPort(address) ?? { host: address, port: base.number });
  const ports = new Set(places.map(({ port }) => port));
  const [only = base.number] = ports;
  const { weights, isExact } = wholeWeights(endpoints.map(({ weight }) => weight));
  if (endpoints.some(({ priority = 0 }) => priority > 0)) {
    report.lost('endpoints', 'priority', 'Istio takes priorities from localities; say region and zone');
  }
  if (isExact) report.kept('endpoints', endpoints.length, `${to}: endpoints`);
  else report.approximated('endpoints', endpoints.length, `${to}: endpoints`, 'weights are whole numbers');
  const said = endpoints.map(({ labels, locality }, i): WorkloadEntrySpec => {
    const { host, port } = places[i] as { host: string; port: number };
    const weight = weights[i] ?? 1;
    return {
      address: host,
      ...(ports.size === 1 ? {} : { ports: { [base.name]: port } }),
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
      ...(locality === '' ? {} : { locality }),
      ...(weight === 1 ? {} : { weight }),
    };
  });
  return {
    ports: [{ ...base, ...(ports.size === 1 ? target(only, base.number) : {}) }],
    resolution: resolutionOf(places),
    endpoints: said,
  };
}

/** A fixed address needs no look-up; one name alone stands for one endpoint, not for each of its addresses. */
function resolutionOf(places: readonly { readonly host: string }[]): Resolution {
  if (places.every(({ host }) => /^[0-9.]+$|:/.test(host))) return 'STATIC';
  return places.length === 1 ? 'DNS_ROUND_ROBIN' : 'DNS';
}
