// INM0104: attempts that may take as long as their call. The concise form warns of its own when it is read.
import { formatDuration } from '../../model/duration.ts';
import type { Analyzer } from './analyzer.ts';
import { placeInRoute } from './place.ts';

export const attemptTimes: Analyzer = (scene, findings) => {
  for (const { owner, route, destination, retries, timeoutMs } of scene.ways) {
    const { attempts, perTryTimeoutMs } = retries;
    if (route.dialect === 'inmesh' || attempts === 0 || timeoutMs === 0 || perTryTimeoutMs < timeoutMs) continue;
    const message = `an attempt at ${owner.name} may take ${formatDuration(perTryTimeoutMs)} and the call ${formatDuration(timeoutMs)}, so a slow attempt is never repeated`;
    findings.at('INM0104', placeInRoute(scene, route, 'retries', destination), message);
  }
};
