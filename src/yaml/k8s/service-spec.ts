// What a Service and an EndpointSlice say, as it is written; and the ports that HTTP can be spoken to.
import type { Resource } from '../resource.ts';
import type { World } from '../world.ts';

export interface ServicePortSpec {
  readonly port: number;
  readonly name?: string;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
}

export interface ServiceSpec {
  readonly type?: 'ClusterIP' | 'ExternalName' | 'LoadBalancer' | 'NodePort';
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly ports?: readonly ServicePortSpec[];
}

export interface EndpointSliceSpec {
  readonly addressType: 'FQDN' | 'IPv4' | 'IPv6';
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
    readonly zone?: string;
  }[];
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
}

export interface ServicePort {
  readonly spec: ServicePortSpec;
  /** In `spec.ports`. */
  readonly index: number;
}

/** Ports over TCP; the protocol is TCP unless it is said. */
export function servicePorts(service: Resource): readonly ServicePort[] {
  const { ports = [] } = service.spec as ServiceSpec;
  return ports.map((spec, index) => ({ spec, index })).filter(({ spec }) => (spec.protocol ?? 'TCP') === 'TCP');
}

export function findService(world: World, namespace: string, name: string): Resource | undefined {
  return world.get('', 'Service', namespace, name);
}
