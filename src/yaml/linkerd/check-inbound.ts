// How the fields of Linkerd's documents about callers hang together. The form has been checked.
// Source: linkerd2 policy-controller/runtime/src/admission.rs, validation.rs; oneOf of the CRDs.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { holdsRange, parseAddressRange } from '../address-range.ts';
import type { Resource } from '../resource.ts';
import {
  type AuthorizationPolicySpec,
  kindOf,
  type MeshTlsAuthenticationSpec,
  type NetworkAuthenticationSpec,
  type NetworkSpec,
  type RateLimitSpec,
  REF_GROUPS,
  type RefSpec,
  type ServerAuthorizationSpec,
  type ServerSpec,
} from './inbound-spec.ts';

const IDENTITY = /^(?:\*|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const SPIFFE = /^spiffe:\/\/[a-z0-9._-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;

export function checkServer({ spec, report, version }: Resource): void {
  const { podSelector, externalWorkloadSelector, accessPolicy } = spec as unknown as ServerSpec;
  const selectors = [podSelector, externalWorkloadSelector].filter((one) => one !== undefined).length;
  if (selectors !== 1) report.error(['spec'], 'a Server has podSelector or externalWorkloadSelector, one of the two');
  if (externalWorkloadSelector !== undefined && (version === 'v1alpha1' || version === 'v1beta1')) {
    report.error(['spec', 'externalWorkloadSelector'], `${version} has no externalWorkloadSelector; use v1beta3`, { part: 'key' });
  }
  if (accessPolicy !== undefined && version !== 'v1beta3') {
    report.error(['spec', 'accessPolicy'], `${version} has no accessPolicy; use v1beta3`, { part: 'key' });
  }
}

/** Whether the reference names one of the kinds. */
function checkRef(ref: RefSpec, kinds: readonly string[], path: ConfigPath, report: Report): boolean {
  if (kinds.includes(kindOf(ref) ?? '')) return true;
  const groups = kinds.map((kind) => `${kind}${(REF_GROUPS[kind] ?? []).map((group) => (group === '' ? '' : ` of ${group}`)).join(' or')}`);
  const shown = `${report.show([...path, 'kind'], ref.kind)} of group ${report.show([...path, 'group'], ref.group ?? '')}`;
  report.error([...path, 'kind'], `${shown} cannot stand here; it may be ${groups.join(', ')}`, { allowed: kinds });
  return false;
}

export function checkLinkerdAuthorization({ spec, report, namespace }: Resource): void {
  const { targetRef, requiredAuthenticationRefs } = spec as unknown as AuthorizationPolicySpec;
  const path: ConfigPath = ['spec', 'targetRef'];
  checkRef(targetRef, ['Server', 'Namespace', 'HTTPRoute', 'GRPCRoute'], path, report);
  if (kindOf(targetRef) === 'Namespace' && targetRef.name !== namespace) {
    report.error([...path, 'name'], `a policy is about its own namespace, ${namespace}, not about another one`);
  }
  const counts = new Map<string, number>();
  for (const [i, ref] of requiredAuthenticationRefs.entries()) {
    const at: ConfigPath = ['spec', 'requiredAuthenticationRefs', i];
    if (!checkRef(ref, ['MeshTLSAuthentication', 'NetworkAuthentication', 'ServiceAccount'], at, report)) continue;
    const kind = kindOf(ref) === 'NetworkAuthentication' ? 'NetworkAuthentication' : 'MeshTLSAuthentication or ServiceAccount';
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count > 1) report.error(at, `only one ${kind} may be required`);
  }
}

export function checkMeshTlsAuthentication({ spec, report }: Resource): void {
  const { identities, identityRefs } = spec as MeshTlsAuthenticationSpec;
  if ((identities === undefined) === (identityRefs === undefined))
    report.error(['spec'], 'it has identities or identityRefs, one of the two');
  for (const [i, identity] of (identities ?? []).entries()) checkIdentity(identity, ['spec', 'identities', i], report);
  for (const [i, ref] of (identityRefs ?? []).entries()) {
    const path: ConfigPath = ['spec', 'identityRefs', i];
    checkRef(ref, ['ServiceAccount', 'Namespace'], path, report);
    if (kindOf(ref) === 'Namespace' && ref.namespace !== undefined) {
      report.error([...path, 'namespace'], 'a Namespace is in no namespace', { part: 'key' });
    }
  }
}

function checkIdentity(identity: string, path: ConfigPath, report: Report): void {
  if (IDENTITY.test(identity) || SPIFFE.test(identity)) return;
  report.error(path, `${report.show(path, identity)} is neither a DNS name (which may begin with *) nor a SPIFFE identity`);
}

export function checkNetworkAuthentication({ spec, report }: Resource): void {
  const { networks } = spec as unknown as NetworkAuthenticationSpec;
  checkNetworks(networks, ['spec', 'networks'], report);
}

function checkNetworks(networks: readonly NetworkSpec[], path: ConfigPath, report: Report): void {
  for (const [i, { cidr, except = [] }] of networks.entries()) {
    const range = parseAddressRange(cidr);
    if (range === null) report.error([...path, i, 'cidr'], `${report.show([...path, i, 'cidr'], cidr)} is no range such as 10.0.0.0/8`);
    for (const [j, text] of except.entries()) {
      const at: ConfigPath = [...path, i, 'except', j];
      const hole = parseAddressRange(text);
      if (hole === null) report.error(at, `${report.show(at, text)} is no range such as 10.1.0.0/16`);
      else if (range !== null && holdsRange(hole, range)) report.error(at, `nothing is left of ${cidr} without ${text}`);
      else if (range !== null && !holdsRange(range, hole)) report.error(at, `${text} is not in ${cidr}`);
    }
  }
}

export function checkRateLimit({ spec, report }: Resource): void {
  const { targetRef, total, identity, overrides = [] } = spec as unknown as RateLimitSpec;
  checkRef(targetRef, ['Server'], ['spec', 'targetRef'], report);
  const most = total?.requestsPerSecond ?? Number.POSITIVE_INFINITY;
  const limit = (rate: number, path: ConfigPath): void => {
    if (rate > most) report.error([...path, 'requestsPerSecond'], `it is more than total.requestsPerSecond, ${most}`);
  };
  if (identity !== undefined) limit(identity.requestsPerSecond, ['spec', 'identity']);
  for (const [i, { requestsPerSecond, clientRefs }] of overrides.entries()) {
    const path: ConfigPath = ['spec', 'overrides', i];
    limit(requestsPerSecond, path);
    for (const [j, ref] of clientRefs.entries()) checkRef(ref, ['ServiceAccount'], [...path, 'clientRefs', j], report);
  }
}

export function checkServerAuthorization({ spec, report }: Resource): void {
  const { server, client } = spec as unknown as ServerAuthorizationSpec;
  const { networks = [], unauthenticated = false, meshTLS } = client;
  if ((server.name === undefined) === (server.selector === undefined))
    report.error(['spec', 'server'], 'it has name or selector, one of the two');
  checkNetworks(networks, ['spec', 'client', 'networks'], report);
  const path: ConfigPath = ['spec', 'client', 'meshTLS'];
  if (meshTLS === undefined) {
    if (!unauthenticated) report.error(['spec', 'client'], 'client lets nobody in: it needs meshTLS, or unauthenticated: true');
    return;
  }
  const { unauthenticatedTLS = false, identities = [], serviceAccounts = [] } = meshTLS;
  if (unauthenticated)
    report.error(['spec', 'client', 'unauthenticated'], 'unauthenticated and meshTLS exclude each other', { part: 'key' });
  const named = identities.length + serviceAccounts.length;
  if (unauthenticatedTLS && named > 0) {
    report.error([...path, 'unauthenticatedTLS'], 'unauthenticatedTLS and named clients exclude each other', { part: 'key' });
  }
  if (!unauthenticatedTLS && named === 0) report.error(path, 'meshTLS lets nobody in: it needs identities or serviceAccounts');
  for (const [i, identity] of identities.entries()) checkIdentity(identity, [...path, 'identities', i], report);
}
