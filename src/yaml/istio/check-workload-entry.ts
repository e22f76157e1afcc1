// A workload, alone or as an endpoint of a ServiceEntry, as Istio's own validator and CRD see it. The form has been checked.
// Source: istio/istio pkg/config/validation, validateWorkloadEntry; istio/api CRD.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { Resource } from '../resource.ts';
import { isAddress, isLabel, labelFault, nameFault } from './host-name.ts';
import type { WorkloadEntrySpec } from './registry-spec.ts';

export function checkWorkloadEntry(resource: Resource): void {
  checkWorkload(resource.spec as WorkloadEntrySpec, ['spec'], resource.report, { ports: null, takesNames: true });
}

export interface WorkloadRules {
  /** Ports of the ServiceEntry; null when there is none. */
  readonly ports: ReadonlySet<string> | null;
  /** Whether the address may be a DNS name. */
  readonly takesNames: boolean;
}

const UNIX = 'unix://';

export function checkWorkload(workload: WorkloadEntrySpec, path: ConfigPath, report: Report, rules: WorkloadRules): void {
  const { address = '', network = '', ports = {}, labels = {} } = workload;
  const at = [...path, 'address'];
  if (address === '') {
    if (network === '') report.error(path, 'a workload needs an address');
    else
      report.warn(path, `this workload has a network and no address, so only a gateway could reach it; inmesh cannot`, { code: 'INM0011' });
  } else if (address.startsWith(UNIX)) checkSocket(address.slice(UNIX.length), workload, path, report);
  else if (!isAddress(address)) {
    const fault = rules.takesNames ? nameFault(address) : 'an IP address is needed here';
    if (fault !== null) report.error(at, `${report.show(at, address)} is no address: ${fault}`);
  }
  for (const name of Object.keys(ports)) {
    const place = [...path, 'ports', name];
    if (!isLabel(name)) report.error(place, `${report.show([], name)} is no name of a port`, { part: 'key' });
    else if (rules.ports?.has(name) === false)
      report.error(place, `the ServiceEntry has no port ${report.show([], name)}`, { part: 'key' });
  }
  const fault = labelFault(labels);
  if (fault !== null) report.error([...path, 'labels'], fault);
}

function checkSocket(name: string, { ports }: WorkloadEntrySpec, path: ConfigPath, report: Report): void {
  const at = [...path, 'address'];
  if (!/^[/@]/.test(name)) report.error(at, 'a Unix socket is an absolute path, or an abstract name with @ before it');
  else if (name.endsWith('/')) report.error(at, 'a Unix socket is a file, no folder');
  if (ports !== undefined) report.error([...path, 'ports'], 'a Unix socket has no ports', { part: 'key' });
}
