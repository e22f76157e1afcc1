// From a workload to an endpoint: address, port, labels, place and weight.
import type { EndpointConfig } from '../../model/destination.ts';
import type { Origin } from '../draft.ts';
import type { ServicePortSpec, WorkloadEntrySpec } from './registry-spec.ts';

/** null when inmesh cannot reach it; `refuse` is told why. Port: of its own, else that behind the service's, else that. */
export function readWorkload(
  spec: WorkloadEntrySpec,
  port: ServicePortSpec | undefined,
  { resource, path }: Origin,
  refuse: (message: string) => void,
): EndpointConfig | null {
  const { address = '', ports = {}, labels = {}, weight = 0 } = spec;
  // Said when the workload was checked.
  if (address === '') return null;
  if (address.startsWith('unix://')) {
    refuse('inmesh reaches endpoints over TCP, not over a Unix socket; give an address and a port');
    return null;
  }
  if (port === undefined) {
    resource.report.warn(path, 'this endpoint has no port: the ServiceEntry names none', { code: 'INM0023' });
    return null;
  }
  const number = ports[port.name] ?? port.targetPort ?? port.number;
  const host = address.includes(':') ? `[${address.toLowerCase()}]` : address.toLowerCase();
  return { address: `${host}:${number}`, labels, locality: localityOf(spec), weight: weight === 0 ? 1 : weight };
}

/** Its own, else what the labels of Kubernetes say. */
function localityOf({ locality = '', labels = {} }: WorkloadEntrySpec): string {
  if (locality !== '') return locality;
  const label = labels['istio-locality'];
  if (label !== undefined) return label.replaceAll('.', '/');
  const parts = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'].map(
    (key) => labels[key] ?? '',
  );
  return parts.join('/').replace(/\/+$/, '');
}
