// How the fields of a Sidecar hang together, as far as a process obeys them. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidateSidecar.
import type { Report } from '../../model/report.ts';
import type { Resource } from '../resource.ts';
import { checkConnectionPool } from './check-connection-pool.ts';
import { checkSelector } from './check-selector.ts';
import { isLabel, isPartialWildcard, wildcardNameFault } from './host-name.ts';
import type { EgressSpec, SidecarSpec } from './registry-spec.ts';

const CANNOT = { part: 'key', code: 'INM0011' } as const;

export function checkSidecar(resource: Resource): void {
  const spec = resource.spec as SidecarSpec;
  const { report } = resource;
  const { workloadSelector, egress = [], ingress = [], inboundConnectionPool, outboundTrafficPolicy } = spec;
  if (workloadSelector !== undefined) checkSelector(workloadSelector, 'this Sidecar holds for the whole namespace', report);
  if (egress.length + ingress.length === 0 && outboundTrafficPolicy === undefined && inboundConnectionPool === undefined) {
    report.error(['spec'], 'a Sidecar needs egress, ingress, outboundTrafficPolicy or inboundConnectionPool', { part: 'key' });
  }
  if (ingress.length > 0) {
    report.warn(['spec', 'ingress'], 'ingress is passed over: it configures listeners of a sidecar, and there is none', CANNOT);
  }
  if (inboundConnectionPool !== undefined) checkConnectionPool(inboundConnectionPool, ['spec', 'inboundConnectionPool'], report);
  for (const [i, listener] of egress.entries()) checkEgress(listener, i, i === egress.length - 1, report);
  if (outboundTrafficPolicy?.egressProxy !== undefined) {
    const message = 'egressProxy is passed over: calls leave this process, and no proxy';
    report.warn(['spec', 'outboundTrafficPolicy', 'egressProxy'], message, CANNOT);
  }
}

function checkEgress({ port, bind, captureMode, hosts }: EgressSpec, index: number, isLast: boolean, report: Report): void {
  const path = ['spec', 'egress', index];
  if (port === undefined && !isLast) report.error(path, 'the listener without port is the last one');
  if (port !== undefined || bind !== undefined || captureMode !== undefined) {
    const message = 'port, bind and captureMode are passed over: inmesh has no listeners; the hosts count for all ports';
    report.warn(path, message, { code: 'INM0011' });
  }
  for (const [i, host] of hosts.entries()) {
    const at = [...path, 'hosts', i];
    const fault = hostFault(host);
    if (fault !== null) report.error(at, `${report.show(at, host)} is no host of a Sidecar: ${fault}`);
  }
}

function hostFault(host: string): string | null {
  const slash = host.indexOf('/');
  if (slash < 0) return 'write namespace/dnsName, with ., * or ~ for the namespace if need be';
  const namespace = host.slice(0, slash).replace(/^~/, '');
  const name = host.slice(slash + 1);
  if (host.startsWith('/') || name === '') return 'namespace and name cannot be empty';
  if (!['', '*', '.'].includes(namespace) && !isLabel(namespace)) return `${JSON.stringify(namespace)} is no namespace`;
  if (name !== '*' && !name.includes('.')) return 'short names are not taken';
  return isPartialWildcard(name) ? 'a star is the first part of a name, or the whole' : wildcardNameFault(name);
}
