// Names of gateways: `namespace/name`, a short name, or, as of old, a full DNS name.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { isLabel, nameFault } from './host-name.ts';

/** Source: istio/istio pkg/config/validation, validateGatewayNames. */
export function checkGateways(gateways: readonly string[], path: ConfigPath, report: Report): void {
  for (const [i, gateway] of gateways.entries()) {
    const at = [...path, i];
    const [namespace = '', name, more] = gateway.split('/');
    if (name !== undefined) {
      if (!isLabel(namespace) || !isLabel(name) || more !== undefined)
        report.error(at, `a gateway is namespace/name, not ${report.show(at, gateway)}`);
      continue;
    }
    const fault = nameFault(gateway);
    if (fault !== null) report.error(at, `${report.show(at, gateway)} is no name of a gateway: ${fault}`);
    else if (gateway.includes('.')) {
      const [first, second] = gateway.split('.');
      report.warn(at, `${report.show(at, gateway)} is the old way to name a gateway; write ${second}/${first}`);
    }
  }
}
