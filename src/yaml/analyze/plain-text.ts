// INM0301: services that are called without TLS by a process that could do better.
import type { ServiceConfig } from '../../model/config.ts';
import type { Analyzer } from './analyzer.ts';
import { placeInService } from './place.ts';

export const plainText: Analyzer = (scene, findings) => {
  if (scene.config.identity === null) return;
  for (const service of Object.values(scene.config.services)) {
    if (service.tls.mode !== 'disable' || service.hosts.length === 0 || staysHere(service)) continue;
    findings.at(
      'INM0301',
      placeInService(scene, service, 'tls'),
      `${service.name} is called in plain text, although this process has a certificate`,
    );
  }
};

/** Nobody to ask, or nobody but this machine. */
function staysHere({ endpoints }: ServiceConfig): boolean {
  if (endpoints.kind === 'dns') return endpoints.host === 'localhost';
  return endpoints.kind === 'static' && endpoints.endpoints.every(({ address }) => /^(127\.|localhost:|\[::1\]:)/.test(address));
}
