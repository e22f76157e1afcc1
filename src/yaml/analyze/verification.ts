// INM0303 and INM0304: TLS that does not look closely at who answers.
import type { Analyzer } from './analyzer.ts';
import { placeInService } from './place.ts';

export const verification: Analyzer = (scene, findings) => {
  for (const service of Object.values(scene.config.services)) {
    const { mode, verify } = service.tls;
    if (mode === 'disable' || verify === undefined) continue;
    const place = placeInService(scene, service, 'tls');
    if (verify === 'none') findings.at('INM0303', place, `nothing of the certificate of ${service.name} is verified`);
    else findings.at('INM0304', place, `${service.name} may show any name in its certificate`);
  }
};
