// What the readers of the dialects say about hosts, before it is known which services there are: policies and routes by
// host name, targets by host name. bind.ts puts names in their place. Pure data, but for what can only be said once all
// hosts are known.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { EndpointSourceConfig } from '../model/destination.ts';
import type { InboundConfig } from '../model/inbound.ts';
import type { ConfigPath } from '../model/issue.ts';
import type { Dialect, RouteTarget } from '../model/route.ts';
import type { MirrorPolicy } from '../model/traffic.ts';
import type { Resource } from './resource.ts';

/** A host as it is called: full name in lower case (`reviews.default.svc.cluster.local`), `*.suffix`, or `*`. */
export interface HostRef {
  readonly host: string;
  /** Absent: every port. */
  readonly port?: number;
}

/** Where a piece was written: for errors, for `explain`, and to write it back. */
export interface Origin {
  readonly resource: Resource;
  /** In the document. */
  readonly path: ConfigPath;
}

/** A target by host; `fails` is already known for what the reader itself finds invalid. */
export interface TargetDraft extends Omit<RouteTarget, 'service'>, HostRef {
  readonly path: ConfigPath;
  /** Whose `path` it is. @default the resource of the routes */
  readonly resource?: Resource;
}

export interface MirrorDraft extends Omit<MirrorPolicy, 'target' | 'of'> {
  readonly target: TargetDraft;
  /** Index of the target whose calls are copied. @default those of all */
  readonly of?: number;
}

export interface RouteDraft extends Omit<RouteConfig, 'targets' | 'mirrors'> {
  /** Empty: the service whose route it is. */
  readonly targets: readonly TargetDraft[];
  readonly mirrors: readonly MirrorDraft[];
}

/** There is such a host, and who answers for it if the document says. */
export interface BackendDraft extends HostRef, Origin {
  readonly dialect: Dialect;
  /** Further names that mean it. */
  readonly aliases: readonly string[];
  /** Absent: only the concise form, another document or DNS can tell. */
  readonly endpoints?: EndpointSourceConfig;
  readonly protocol?: ServiceConfig['protocol'];
  /** What holds for such a host by the rules of the dialect, where nobody says otherwise. */
  readonly implied?: Partial<ServicePolicyFields>;
  /** What becomes of its calls while no document has routes for it. @default our own default route */
  readonly route?: RouteDraft;
}

/** What becomes of calls to a host. All rules, the last one for what nothing matches included. */
export interface RoutesDraft extends HostRef, Origin {
  readonly dialect: Dialect;
  readonly routes: readonly RouteDraft[];
  /** What holds for all targets by the rules of the dialect, where nobody says otherwise. */
  readonly implied?: Partial<ServicePolicyFields>;
}

/** Fields of a service that may come from a policy resource. */
export type ServicePolicyFields = Pick<
  ServiceConfig,
  | 'protocol'
  | 'tls'
  | 'timeoutMs'
  | 'retries'
  | 'retryBudget'
  | 'circuitBreaker'
  | 'outlierDetection'
  | 'loadBalancer'
  | 'limits'
  | 'connections'
  | 'throttle'
  | 'healthCheck'
  | 'subsets'
>;

export type PolicyField = keyof ServicePolicyFields;

/** How something is called. */
export interface PolicyBlocks {
  /** Only the fields that the resource decides. */
  readonly policy: Partial<ServicePolicyFields>;
  /** What the dialect holds for decided by silence: laid only where nobody else has said anything. */
  readonly implied?: Partial<ServicePolicyFields>;
  /** Where single fields stand. @default the place of the policy */
  readonly origins?: Partial<Readonly<Record<PolicyField, Origin>>>;
}

export interface PolicyParts extends PolicyBlocks {
  /** Subsets that are called in their own way: all that holds there, laid over what the service has. */
  readonly subsetPolicies?: Readonly<Record<string, PolicyBlocks>>;
}

/** How a host is called, whatever the route. */
export interface PolicyDraft extends HostRef, Origin, PolicyParts {
  readonly dialect: Dialect;
  /** Ports that are called in their own way: all that holds there, in place of the parts above but for `subsets`. */
  readonly ports?: Readonly<Record<number, PolicyParts>>;
}

/** What holds for the process as a whole. One field, one owner; lists are put together. */
export interface MeshDraft extends Origin {
  readonly dialect: Dialect;
  readonly fields: Partial<Pick<MeshConfig, 'unknownHosts' | 'passHosts' | 'telemetry'>>;
  readonly inbound?: Partial<InboundConfig>;
}

/** A host that somebody answers for, or that a rule names. */
export interface KnownHost extends HostRef {
  /** Name of the service. */
  readonly service: string;
  /** Of Kubernetes; empty when nobody knows. */
  readonly namespace: string;
  readonly isConcise: boolean;
  /** Only a rule names it. */
  readonly isVirtual: boolean;
  readonly endpoints: EndpointSourceConfig;
}

/** All hosts that are known so far. */
export interface Registry {
  readonly hosts: readonly KnownHost[];
  /** Those of a host: one for the port, or every port's. */
  readonly find: (ref: HostRef) => readonly KnownHost[];
}

/** What can only be said once it is known which hosts there are. Called in this order. */
export interface LateDrafts {
  /** Whether a host of a document is out of this process's sight: it can be a target, and cannot be called by name. */
  readonly hides?: (host: KnownHost) => boolean;
  readonly routes?: (registry: Registry) => readonly RoutesDraft[];
  /** What becomes of the routes of all dialects by the rules of this one, such as annotations on their documents. */
  readonly adjust?: (routes: RoutesDraft) => RoutesDraft;
  /** The hosts that only rules name are known now, too. */
  readonly policies?: (registry: Registry) => readonly PolicyDraft[];
}

/** All that one dialect has to say. */
export interface Drafts {
  readonly backends: readonly BackendDraft[];
  readonly routes: readonly RoutesDraft[];
  readonly policies: readonly PolicyDraft[];
  readonly mesh?: readonly MeshDraft[];
  readonly late?: LateDrafts;
}
