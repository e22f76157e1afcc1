// INM0302: mutual TLS, asked for by a process that has no certificate to show.
import type { Analyzer } from './analyzer.ts';
import { within } from './loose.ts';
import { placeInService } from './place.ts';

export const missingIdentity: Analyzer = (scene, findings) => {
  if (scene.config.identity !== null) return;
  for (const service of Object.values(scene.config.services)) {
    const { tls, name } = service;
    if (tls.mode !== 'mutual' || tls.cert !== undefined) continue;
    findings.at('INM0302', placeInService(scene, service, 'tls'), `${name} asks for mutual TLS, and this process has no identity`);
  }
  for (const policy of scene.world.of('security.istio.io', 'PeerAuthentication')) {
    if (within(policy.spec, 'mtls').mode !== 'STRICT') continue;
    const message = 'callers must show a certificate (STRICT), and this process has no identity of its own to speak TLS with';
    findings.in('INM0302', policy, ['spec', 'mtls', 'mode'], message);
  }
};
