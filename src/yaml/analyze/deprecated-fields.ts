// IST0002: fields that a later version of Istio may drop. Source: istio/istio
// pkg/config/analysis/analyzers/deprecation/deprecation.go.
import type { Analyzer } from './analyzer.ts';
import { listOf, numberOf, within } from './loose.ts';
import { virtualServicesOf } from './virtual-service-targets.ts';

export const deprecatedFields: Analyzer = ({ world }, findings) => {
  for (const rule of virtualServicesOf(world)) {
    for (const [i, one] of listOf(rule.spec.http).entries()) {
      if ((numberOf(within(one, 'fault', 'delay').percent) ?? 0) <= 0) continue;
      const path = ['spec', 'http', i, 'fault', 'delay', 'percent'];
      findings.in('IST0002', rule, path, 'fault.delay.percent is deprecated; percentage.value takes its place', { part: 'key' });
    }
  }
  for (const sidecar of world.of('networking.istio.io', 'Sidecar')) {
    if (within(sidecar.spec, 'outboundTrafficPolicy').egressProxy === undefined) continue;
    const path = ['spec', 'outboundTrafficPolicy', 'egressProxy'];
    findings.in('IST0002', sidecar, path, 'outboundTrafficPolicy.egressProxy is ignored', { part: 'key' });
  }
};
