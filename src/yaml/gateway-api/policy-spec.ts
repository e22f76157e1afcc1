// What BackendTLSPolicy, XBackendTrafficPolicy and ReferenceGrant say, as it is written. Source: kubernetes-sigs/gateway-api
// apis/v1/backendtlspolicy_types.go, apisx/v1alpha1/xbackendtrafficpolicy_types.go, apis/v1/referencegrant_types.go.
import type { SessionPersistenceSpec } from './route-spec.ts';

export interface TargetRefSpec {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

export interface SubjectAltNameSpec {
  readonly type: 'Hostname' | 'URI';
  readonly hostname?: string;
  readonly uri?: string;
}

export interface TlsValidationSpec {
  readonly caCertificateRefs?: readonly { readonly group: string; readonly kind: string; readonly name: string }[];
  readonly wellKnownCACertificates?: string;
  readonly hostname: string;
  readonly subjectAltNames?: readonly SubjectAltNameSpec[];
}

export interface BackendTlsSpec {
  readonly targetRefs: readonly TargetRefSpec[];
  readonly validation: TlsValidationSpec;
  readonly options?: Readonly<Record<string, string>>;
}

export interface BackendTrafficSpec {
  readonly targetRefs: readonly TargetRefSpec[];
  readonly retryConstraint?: {
    readonly budget?: { readonly percent?: number; readonly interval?: string };
    readonly minRetryRate?: { readonly count?: number; readonly interval?: string };
  };
  readonly sessionPersistence?: SessionPersistenceSpec;
}

export interface ReferenceGrantSpec {
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
}
