// IST0157: access logs that a mesh without a default provider would not write. Source: istio/istio
// pkg/config/analysis/analyzers/telemetry/providers.go.
import type { Analyzer } from './analyzer.ts';
import { listOf, mappingOf } from './loose.ts';

export const telemetryProviders: Analyzer = ({ world }, findings) => {
  for (const telemetry of world.of('telemetry.istio.io', 'Telemetry')) {
    for (const [i, one] of listOf(telemetry.spec.accessLogging).entries()) {
      const { disabled, providers } = mappingOf(one);
      if (disabled === true || listOf(providers).length > 0) continue;
      const message = 'this access log names no provider, so a mesh without a default one does not write it';
      findings.in('IST0157', telemetry, ['spec', 'accessLogging', i], message);
    }
  }
};
