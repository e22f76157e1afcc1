// Addresses of an EndpointSlice are of the type that it says. Source: kubernetes/kubernetes pkg/apis/discovery/validation.
import { isHostName, isIpv6 } from '../../model/address.ts';
import type { Resource } from '../resource.ts';
import { checkMetadata } from './check-names.ts';
import type { EndpointSliceSpec } from './service-spec.ts';

const IPV4 = /^[0-9.]+$/;

export function checkEndpointSlice(resource: Resource): void {
  const { addressType, endpoints = [] } = resource.value as unknown as EndpointSliceSpec;
  const { report } = resource;
  checkMetadata(resource);
  for (const [i, { addresses }] of endpoints.entries()) {
    for (const [j, address] of addresses.entries()) {
      if (isOfType(address, addressType)) continue;
      const path = ['endpoints', i, 'addresses', j];
      report.error(path, `${report.show(path, address)} is no address of type ${addressType}`);
    }
  }
}

function isOfType(address: string, type: EndpointSliceSpec['addressType']): boolean {
  if (type === 'IPv6') return isIpv6(address);
  return isHostName(address) && IPV4.test(address) === (type === 'IPv4');
}
