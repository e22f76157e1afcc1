// Who answers for the ports of a Service: the ready endpoints of the slices that carry its name.
import type { EndpointConfig } from '../../model/destination.ts';
import type { Resource } from '../resource.ts';
import { fullName } from '../resource.ts';
import type { World } from '../world.ts';
import type { EndpointSliceSpec } from './service-spec.ts';

const SERVICE_LABEL = 'kubernetes.io/service-name';
const ZONE_LABEL = 'topology.kubernetes.io/zone';

export interface EndpointSlices {
  /** Endpoints of one port of a Service; undefined when no slice belongs to it. An unnamed port has the name ''. */
  readonly endpoints: (service: Resource, portName: string) => readonly EndpointConfig[] | undefined;
}

export function readEndpointSlices(world: World): EndpointSlices {
  const byService = new Map<string, Resource[]>();
  for (const slice of world.of('discovery.k8s.io', 'EndpointSlice')) {
    const name = slice.labels[SERVICE_LABEL];
    if (name === undefined) {
      slice.report.warn(['metadata', 'labels'], `the label ${SERVICE_LABEL} is missing, so these endpoints answer for no Service`);
      continue;
    }
    const key = fullName({ namespace: slice.namespace, name });
    const known = byService.get(key);
    if (known === undefined) byService.set(key, [slice]);
    else known.push(slice);
  }
  return {
    endpoints: (service, portName) => {
      const slices = byService.get(fullName(service));
      return slices === undefined ? undefined : onceEach(slices.flatMap((slice) => endpointsOf(slice, portName)));
    },
  };
}

/** Not ready means: no new calls. Nothing said counts as ready. Source: discovery/v1 EndpointConditions. */
function endpointsOf(slice: Resource, portName: string): EndpointConfig[] {
  const { addressType, endpoints = [], ports = [] } = slice.value as unknown as EndpointSliceSpec;
  const found = ports.find(({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP')?.port;
  if (found === undefined) return [];
  return endpoints
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses, zone }) =>
      addresses.map((address) => ({
        address: addressType === 'IPv6' ? `[${address}]:${found}` : `${address}:${found}`,
        labels: zone === undefined ? {} : { [ZONE_LABEL]: zone },
        locality: '',
        weight: 1,
      })),
    );
}

/** An endpoint may stand in two slices for a while. */
function onceEach(endpoints: readonly EndpointConfig[]): EndpointConfig[] {
  return [...new Map(endpoints.map((endpoint) => [endpoint.address, endpoint])).values()];
}
