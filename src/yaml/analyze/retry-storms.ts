// INM0102 and INM0103: retries that nothing pays for. With A attempts for each call while everything fails, a service whose
// load is above 1 / A of its capacity stays down after the fault is gone; along a chain of calls the A multiply.
import type { ServiceConfig } from '../../model/config.ts';
import type { Analyzer } from './analyzer.ts';
import { enumerate } from './findings.ts';
import { placeInService } from './place.ts';

/** Deeper chains are rare, and their figures tell no more. */
const LEVELS_MAX = 3;

export const retryStorms: Analyzer = (scene, findings) => {
  const attempts = new Map<ServiceConfig, number>();
  for (const { destination, retries } of scene.ways) {
    if (destination.retryBudget.kind !== 'none' || retries.attempts === 0) continue;
    attempts.set(destination, Math.max(attempts.get(destination) ?? 0, 1 + retries.attempts));
  }
  for (const [service, most] of attempts) {
    const load = Math.floor(100 / most);
    const message = `nothing limits the retries to ${service.name}: while it fails a call is ${most} attempts, so above ${load} % of its capacity (u·A > 1) an overload does not end by itself`;
    findings.at('INM0102', placeInService(scene, service, 'retryBudget'), message);
  }
  const levels = [...attempts].sort(([, a], [, b]) => b - a).slice(0, LEVELS_MAX);
  if (levels.length < 2) return;
  const product = levels.reduce((all, [, most]) => all * most, 1);
  const names = enumerate(levels.map(([{ name }]) => name));
  const factors = levels.map(([, most]) => most).join(' × ');
  findings.at('INM0103', undefined, `one call through a chain of ${names} is up to ${product} attempts at the last (${factors})`);
};
