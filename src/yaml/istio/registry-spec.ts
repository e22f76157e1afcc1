// What ServiceEntry, WorkloadEntry and Sidecar say, as it is written. Source: istio/api networking/v1alpha3.
import type { ConnectionPoolSpec } from './destination-rule-spec.ts';
import type { DestinationSpec } from './virtual-service-spec.ts';

export interface WorkloadEntrySpec {
  readonly address?: string;
  readonly ports?: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly network?: string;
  readonly locality?: string;
  readonly weight?: number;
  readonly serviceAccount?: string;
}

export interface SelectorSpec {
  readonly labels?: Readonly<Record<string, string>>;
}

export type Resolution = 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';

export interface ServicePortSpec {
  readonly number: number;
  readonly name: string;
  readonly protocol?: string;
  readonly targetPort?: number;
}

export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses?: readonly string[];
  readonly ports?: readonly ServicePortSpec[];
  readonly location?: 'MESH_EXTERNAL' | 'MESH_INTERNAL';
  readonly resolution?: Resolution;
  readonly endpoints?: readonly WorkloadEntrySpec[];
  readonly workloadSelector?: SelectorSpec;
  readonly exportTo?: readonly string[];
  readonly subjectAltNames?: readonly string[];
}

export interface SidecarPortSpec {
  readonly number?: number;
  readonly protocol?: string;
  readonly name?: string;
  readonly targetPort?: number;
}

export interface EgressSpec {
  readonly port?: SidecarPortSpec;
  readonly bind?: string;
  readonly captureMode?: string;
  readonly hosts: readonly string[];
}

export interface SidecarSpec {
  readonly workloadSelector?: SelectorSpec;
  readonly ingress?: readonly { readonly port: SidecarPortSpec }[];
  readonly egress?: readonly EgressSpec[];
  readonly inboundConnectionPool?: ConnectionPoolSpec;
  readonly outboundTrafficPolicy?: { readonly mode?: 'REGISTRY_ONLY' | 'ALLOW_ANY'; readonly egressProxy?: DestinationSpec };
}
