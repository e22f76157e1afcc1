// What people write, in a file or in code: the concise form. Field names are Istio's or Gateway API's wherever the
// meaning is the same. `resolveConfig` turns it into a MeshConfig; schema.ts checks the very same form.
import type { DurationInput, PolicyInput, RetriesInput } from './input-policy.ts';

/** How one string is compared: exactly one of the four, `not` turns the answer round. Source: Istio StringMatch. */
export interface StringMatchInput {
  readonly exact?: string;
  readonly prefix?: string;
  /** RE2 syntax, matches the whole string; at most 1024 characters. */
  readonly regex?: string;
  /** The header or parameter is there, whatever its value. */
  readonly present?: true;
  /** @default false */
  readonly not?: boolean;
}

/** Exactly one of the four. */
export interface PathMatchInput {
  readonly exact?: string;
  /** Raw string prefix: /a matches /ab. Source: Istio */
  readonly prefix?: string;
  /** Prefix by segments: /a matches /a/b, not /ab. Source: Gateway API PathPrefix */
  readonly pathPrefix?: string;
  /** RE2 syntax, matches the whole path without the query; at most 1024 characters. */
  readonly regex?: string;
  /** @default false */
  readonly not?: boolean;
}

/** All that is named must hold. A plain string means exact. */
export interface MatchInput {
  readonly path?: string | PathMatchInput;
  readonly method?: string | StringMatchInput;
  /** By name; the case of names does not matter. */
  readonly headers?: Readonly<Record<string, string | StringMatchInput>>;
  readonly queryParams?: Readonly<Record<string, string | StringMatchInput>>;
}

/** Order: remove, set, add. Source: Istio Headers.HeaderOperations. */
export interface HeaderOperationsInput {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface RouteInput {
  /** Shown in telemetry and errors. @default route-1, route-2, … by place */
  readonly name?: string;
  /** One match, or a list of which one must hold. @default every call */
  readonly match?: MatchInput | readonly MatchInput[];
  /** A subset, a service, `service/subset`, or weights by such names. @default the whole service */
  readonly to?: string | Readonly<Record<string, number>>;
  /** Total time of a call. @default that of the service */
  readonly timeout?: DurationInput;
  /** Merged over those of the service; false: no retries. */
  readonly retries?: false | RetriesInput;
  /** The same value of this header or cookie always draws the same target, while weights stand. */
  readonly sticky?: { readonly header?: string; readonly cookie?: string };
  readonly headers?: { readonly request?: HeaderOperationsInput; readonly response?: HeaderOperationsInput };
}

export interface EndpointInput {
  /** `host:port`, `[ipv6]:port`. */
  readonly address: string;
  /** What subsets choose by. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** `region/zone/subzone`, from the left. @default empty */
  readonly locality?: string;
  /** Relative share, above 0. @default 1 */
  readonly weight?: number;
}

export interface DnsInput {
  readonly host: string;
  /** Required unless `record` is SRV, whose answers name the port. */
  readonly port?: number;
  /** @default any: A and AAAA, and SRV where there is one */
  readonly record?: 'A' | 'AAAA' | 'SRV' | 'any';
}

/** One service. Exactly one of `endpoints`, `endpointsFile` and `dns` says who answers for it. */
export interface ServiceInput extends PolicyInput {
  /** More host names that mean this service, without port. Its own name always does. */
  readonly hosts?: readonly string[];
  /** Fixed addresses; a plain string is `host:port`. Empty for a service that only `mesh.call` uses. */
  readonly endpoints?: readonly (string | EndpointInput)[];
  /** Path of a YAML or JSON file with a list of the same form, watched. Relative to the file it stands in. */
  readonly endpointsFile?: string;
  /** `host:port`, or the whole. Resolved again by its TTL. */
  readonly dns?: string | DnsInput;
  /** Subset name → labels that an endpoint must carry. */
  readonly subsets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** In order; the first that matches wins. What none matches goes to the whole service. */
  readonly routes?: readonly RouteInput[];
}

/** Who this process is. */
export interface SelfInput {
  readonly service?: string;
  /** @default default */
  readonly namespace?: string;
  /** @default default */
  readonly serviceAccount?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** `region/zone/subzone`. */
  readonly locality?: string;
}

/** Certificate of this process: PEM text, or paths relative to the file they stand in. Read when the configuration is loaded. */
export interface IdentityInput {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** The whole configuration. */
export interface MeshInput {
  readonly self?: SelfInput;
  readonly identity?: IdentityInput;
  /** Policies of every service that does not say otherwise. */
  readonly defaults?: PolicyInput;
  /** What becomes of a call to a host that no service names. @default pass */
  readonly unknownHosts?: 'pass' | 'refuse';
  /** Whether a refusal rejects, or is the answer that a sidecar would give. @default throw */
  readonly failures?: 'throw' | 'respond';
  /** By name. The name is a host name of the service. */
  readonly services?: Readonly<Record<string, ServiceInput>>;
  /** Which connections a server of this process accepts. Source: Istio PeerAuthentication */
  readonly inbound?: {
    /** @default permissive with an identity, disable without */
    readonly mtls?: 'strict' | 'permissive' | 'disable';
  };
}
