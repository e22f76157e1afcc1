// IST0101 and IST0112: rules of VirtualServices that lead to a host or port which nothing has, or to one of several ports
// without saying which. Source: istio/istio pkg/config/analysis/analyzers/virtualservice/destinationhosts.go.
import type { Analyzer } from './analyzer.ts';
import { enumerate } from './findings.ts';
import { textsOf } from './loose.ts';
import { isForCallers, targetsOf, virtualServicesOf } from './virtual-service-targets.ts';

export const destinationHosts: Analyzer = ({ world, hosts }, findings) => {
  for (const rule of virtualServicesOf(world).filter(isForCallers)) {
    const exportTo = textsOf(rule.spec.exportTo);
    for (const { host, port, path, isMirror } of targetsOf(rule)) {
      const effect = isMirror ? 'it gets no copies' : 'its calls are answered 503';
      const known = hosts.find(host, rule.namespace, exportTo);
      if (known === null) {
        const what = host === '' ? 'this destination names no host' : `no Service, ServiceEntry or service has the host ${host}`;
        findings.in('IST0101', rule, path, `${what}; ${effect}`);
      } else if (known.ports !== null && port === undefined && known.ports.size > 1) {
        const ports = enumerate([...known.ports].map(String));
        findings.in('IST0112', rule, path, `${host} has several ports (${ports}) and none is named, so the port of the call decides`);
      } else if (known.ports !== null && port !== undefined && !known.ports.has(port)) {
        findings.in('IST0101', rule, [...path, 'port'], `${host} has no port ${port}; ${effect}`);
      }
    }
  }
};
