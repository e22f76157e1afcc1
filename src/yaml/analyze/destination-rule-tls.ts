// IST0128 and IST0129: TLS whose peer is checked against the roots of the web, for want of others. Source: istio/istio
// pkg/config/analysis/analyzers/destinationrule/ca-certificates.go.
import type { Analyzer } from './analyzer.ts';
import { listOf, mappingOf, shownOf, textOf, within } from './loose.ts';

export const destinationRuleTls: Analyzer = ({ world }, findings) => {
  for (const rule of world.of('networking.istio.io', 'DestinationRule')) {
    const { spec } = rule;
    const isForSome = spec.workloadSelector !== undefined;
    const host = textOf(spec.host);
    const policy = mappingOf(spec.trafficPolicy);
    const whole = unverified(policy.tls, isForSome);
    if (whole !== null) {
      const message = `tls ${whole} for ${host} has no caCertificates, so only the roots of the web are trusted`;
      findings.in('IST0128', rule, ['spec', 'trafficPolicy', 'tls'], message, { part: 'key' });
    }
    for (const [i, one] of listOf(policy.portLevelSettings).entries()) {
      const ofPort = unverified(mappingOf(one).tls, isForSome);
      if (ofPort === null) continue;
      const message = `tls ${ofPort} for ${host} at port ${shownOf(within(one, 'port').number)} has no caCertificates, so only the roots of the web are trusted`;
      findings.in('IST0129', rule, ['spec', 'trafficPolicy', 'portLevelSettings', i, 'tls'], message, { part: 'key' });
    }
  }
};

/** The mode; null when the peer is checked. A secret may bring the roots, for chosen workloads. */
function unverified(value: unknown, isForSome: boolean): string | null {
  const { mode, caCertificates, credentialName } = mappingOf(value);
  if (mode !== 'SIMPLE' && mode !== 'MUTUAL') return null;
  return textOf(caCertificates) === '' && !(textOf(credentialName) !== '' && isForSome) ? mode : null;
}
