// What the documents of SMI say, as it is written. Source: servicemeshinterface/smi-spec apis/*/v1alpha1 to v1alpha4.
import type { LabelExpression } from '../../model/security.ts';

export interface ReferenceSpec {
  readonly kind: string;
  readonly name: string;
  /** Names of matches of an HTTPRouteGroup, in a TrafficTarget. Absent: all. */
  readonly matches?: readonly string[];
}

export interface TrafficSplitSpec {
  readonly service: string;
  readonly backends: readonly { readonly service: string; readonly weight: number | string }[];
  readonly matches?: readonly ReferenceSpec[];
}

export interface HttpMatchSpec {
  readonly name: string;
  readonly methods?: readonly string[];
  readonly pathRegex?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TcpRouteSpec {
  readonly matches?: { readonly name?: string; readonly ports?: readonly number[] };
}

export interface IdentitySpec {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  /** v1alpha1 and v1alpha2. */
  readonly port?: number;
}

export interface TrafficTargetSpec {
  readonly destination?: IdentitySpec;
  readonly sources?: readonly IdentitySpec[];
  readonly rules?: readonly ReferenceSpec[];
  /** v1alpha1's name for `rules`. */
  readonly specs?: readonly ReferenceSpec[];
}

export interface IdentityBindingSpec {
  readonly schemes: {
    readonly podLabelSelector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly (Omit<LabelExpression, 'values'> & { readonly values?: readonly string[] })[];
    };
    readonly spiffeIdentities?: readonly string[];
    readonly serviceAccount?: string;
  };
}

export const SPLIT_GROUP = 'split.smi-spec.io';
export const SPECS_GROUP = 'specs.smi-spec.io';
export const ACCESS_GROUP = 'access.smi-spec.io';

export const VERSIONS: readonly string[] = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4'];

/** `v1alpha3` → 3. */
export function generation(version: string): number {
  return Number(version.slice('v1alpha'.length));
}
