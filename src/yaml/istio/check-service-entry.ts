// How the fields of a ServiceEntry hang together, as Istio's own validator and CRD see it. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidateServiceEntry; istio/api CRD.
import type { Report } from '../../model/report.ts';
import type { Resource } from '../resource.ts';
import { checkWorkload } from './check-workload-entry.ts';
import { checkSelector } from './check-selector.ts';
import { isAddress, isLabel, isPartialWildcard, isSubnet, isWildcard, nameFault, wildcardNameFault } from './host-name.ts';
import { isHttp, isKnownProtocol, isTls } from './protocol.ts';
import type { ServiceEntrySpec, ServicePortSpec } from './registry-spec.ts';
import { checkExportTo } from './visibility.ts';

export function checkServiceEntry(resource: Resource): void {
  const spec = resource.spec as unknown as ServiceEntrySpec;
  const { report } = resource;
  const { workloadSelector, endpoints } = spec;
  if (workloadSelector !== undefined)
    checkSelector(workloadSelector, 'this ServiceEntry takes every WorkloadEntry of its namespace', report);
  if (workloadSelector !== undefined && endpoints !== undefined) {
    report.error(['spec', 'endpoints'], 'a ServiceEntry has workloadSelector or endpoints, not both', { part: 'key' });
  }
  checkHosts(spec, report);
  checkAddresses(spec, report);
  checkPorts(spec, report);
  checkResolution(spec, report);
  checkExportTo(resource, spec.exportTo, { allowsNobody: true });
}

function checkHosts({ hosts, resolution = 'NONE' }: ServiceEntrySpec, report: Report): void {
  for (const [i, host] of hosts.entries()) {
    const path = ['spec', 'hosts', i];
    const fault = host === '*' ? 'a star alone means nobody' : wildcardNameFault(host);
    if (fault !== null) report.error(path, `${report.show(path, host)} is no host: ${fault}`);
    else if (resolution !== 'DYNAMIC_DNS' && isPartialWildcard(host)) {
      report.warn(path, `${report.show(path, host)} has a star within its first part; only *.suffix is known to work`);
    }
  }
}

function checkAddresses({ addresses = [], resolution = 'NONE' }: ServiceEntrySpec, report: Report): void {
  for (const [i, address] of addresses.entries()) {
    const path = ['spec', 'addresses', i];
    if (!isSubnet(address)) report.error(path, `${report.show(path, address)} is no IP address and no block of addresses`);
    else if (address.includes('/') && resolution !== 'NONE' && resolution !== 'STATIC') {
      report.error(path, `a block of addresses is for resolution NONE or STATIC, not for ${resolution}`);
    }
  }
}

function checkPorts({ ports = [], hosts, resolution = 'NONE' }: ServiceEntrySpec, report: Report): void {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const [i, { name, number, protocol = '' }] of ports.entries()) {
    const path = ['spec', 'ports', i];
    if (names.has(name)) report.error([...path, 'name'], `the port name ${report.show([...path, 'name'], name)} stands twice`);
    if (numbers.has(number)) report.error([...path, 'number'], `the port ${number} stands twice`);
    names.add(name);
    numbers.add(number);
    if (!isLabel(name)) report.error([...path, 'name'], `${report.show([...path, 'name'], name)} is no name of a port`);
    if (protocol !== '' && !isKnownProtocol(protocol)) {
      report.error([...path, 'protocol'], `${report.show([...path, 'protocol'], protocol)} is no protocol that Istio knows`);
    }
  }
  if (resolution === 'NONE' || hosts.length < 2) return;
  const plain = ports.findIndex(({ protocol = '' }) => !isHttp(protocol) && !isTls(protocol));
  if (plain >= 0) report.error(['spec', 'ports', plain], 'several hosts can share a port only when it speaks HTTP or TLS');
}

function checkResolution(spec: ServiceEntrySpec, report: Report): void {
  const { resolution = 'NONE', endpoints = [], workloadSelector, hosts } = spec;
  switch (resolution) {
    case 'NONE':
      if (spec.endpoints !== undefined) {
        report.error(['spec', 'endpoints'], 'resolution NONE has no endpoints: the call goes where its host name leads', { part: 'key' });
      }
      if (workloadSelector !== undefined)
        report.warn(['spec', 'workloadSelector'], 'workloadSelector does nothing with resolution NONE', { part: 'key' });
      return;
    case 'STATIC':
      for (const i of endpoints.keys()) checkEndpoint(spec, i, report);
      return;
    case 'DNS':
    case 'DNS_ROUND_ROBIN':
      checkDns(spec, report);
      return;
    case 'DYNAMIC_DNS':
      for (const [i, host] of hosts.entries()) {
        if (!isWildcard(host)) report.error(['spec', 'hosts', i], 'resolution DYNAMIC_DNS is for hosts with a star');
      }
      checkDynamic(spec, report);
  }
}

function checkEndpoint({ endpoints = [], ports = [] }: ServiceEntrySpec, i: number, report: Report): void {
  const endpoint = endpoints[i];
  if (endpoint === undefined) return;
  checkWorkload(endpoint, ['spec', 'endpoints', i], report, { ports: new Set(ports.map(({ name }) => name)), takesNames: false });
}

function checkDns({ endpoints = [], ports = [], hosts, resolution }: ServiceEntrySpec, report: Report): void {
  if (endpoints.length === 0) {
    const wrong = hosts.findIndex((host) => nameFault(host) !== null);
    if (wrong >= 0) {
      const path = ['spec', 'hosts', wrong];
      report.error(path, `without endpoints the hosts are looked up, and ${report.show(path, hosts[wrong])} cannot be`);
    }
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    report.error(['spec', 'endpoints'], 'resolution DNS_ROUND_ROBIN has one endpoint at most', { part: 'key' });
  }
  for (const [i, endpoint] of endpoints.entries()) {
    const { address = '' } = endpoint;
    const path = ['spec', 'endpoints', i, 'address'];
    if (isAddress(address) || nameFault(address) === null) {
      checkWorkload(endpoint, ['spec', 'endpoints', i], report, { ports: new Set(ports.map(({ name }) => name)), takesNames: true });
    } else report.error(path, `${report.show(path, address)} is neither a DNS name nor an IP address`);
  }
}

/** Source: Envoy's dynamic forward proxy, as Istio makes it. */
function checkDynamic({ addresses = [], endpoints = [], ports = [] }: ServiceEntrySpec, report: Report): void {
  for (const [key, there] of Object.entries({ addresses, endpoints })) {
    if (there.length > 0)
      report.error(['spec', key], `resolution DYNAMIC_DNS has no ${key}: the host of the call says where it goes`, { part: 'key' });
  }
  const wrong = ports.findIndex(({ protocol = '' }: ServicePortSpec) => !/^(?:http|http2|grpc|tls)$/i.test(protocol));
  if (wrong >= 0) report.error(['spec', 'ports', wrong], 'resolution DYNAMIC_DNS is for HTTP, HTTP2, GRPC and TLS');
}
