// INM0105: ejection rules of Envoy under which nobody is ever ejected, because one endpoint is already too large a share.
// The concise form warns of its own when it is read.
import type { EnvoyOutlierPolicy } from '../../model/balancing.ts';
import type { ServiceConfig } from '../../model/config.ts';
import type { Analyzer } from './analyzer.ts';
import { placeInService } from './place.ts';

/** Where nobody knows how many endpoints there are, it is said only of shares that few services have. */
const USUAL_ENDPOINTS = 4;

export const outlierShare: Analyzer = (scene, findings) => {
  for (const service of Object.values(scene.config.services)) {
    const { outlierDetection: policy, name } = service;
    if (policy === null || policy.kind !== 'envoy' || service.sources?.outlierDetection === undefined || !isCapped(policy)) continue;
    const { maxEjectionPercent: most } = policy;
    const least = most === 0 ? Number.POSITIVE_INFINITY : Math.ceil(100 / most);
    const count = countOf(service);
    if (count === null ? least < USUAL_ENDPOINTS : count < 2 || count >= least) continue;
    const place = placeInService(scene, service, 'outlierDetection');
    const who = count === null ? `fewer than ${least} endpoints` : `${count} endpoints`;
    const message = `outlierDetection ejects nobody of ${name} while it has ${who}: one would be more than maxEjectionPercent (${most})`;
    const fix = count === null ? undefined : `Set maxEjectionPercent to ${Math.ceil(100 / count)} or more.`;
    findings.at('INM0105', place, message, fix);
  }
};

function isCapped({ capCheck, alwaysEjectOne }: EnvoyOutlierPolicy): boolean {
  return capCheck === 'after' && !alwaysEjectOne;
}

/** A subset that is called in its own way has only its own endpoints. null: nobody knows. */
function countOf({ endpoints, subsets, hosts }: ServiceConfig): number | null {
  if (endpoints.kind !== 'static') return null;
  const only = hosts.length === 0 ? Object.values(subsets)[0] : undefined;
  if (only === undefined) return endpoints.endpoints.length;
  const wanted = Object.entries(only);
  return endpoints.endpoints.filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value)).length;
}
