// Our own rule of who is left out, and what becomes of the old one when the policy changes; the rules of other meshes are in
// make-outlier.ts.
import type { OutlierPolicy } from '../model/destination.ts';
import { Outlier } from './outlier.ts';
import type { OutlierDeps, OutlierDetector } from './outlier-detector.ts';

/** A reload. Our rule keeps who is out; after another one, or when there is none any more, everybody is in. */
export function reloadOwnOutlier(
  current: OutlierDetector | null,
  policy: OutlierPolicy | null,
  deps: OutlierDeps,
  nowMs: number,
): OutlierDetector | null {
  if (policy !== null && current instanceof Outlier) {
    current.update(policy);
    return current;
  }
  current?.release(nowMs);
  return policy === null ? null : new Outlier(policy, deps);
}
