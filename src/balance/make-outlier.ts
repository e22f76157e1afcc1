// The detector that a policy asks for, and what becomes of the old one when the policy changes.
import type { EnvoyOutlierPolicy, LinkerdOutlierPolicy } from '../model/balancing.ts';
import type { OutlierPolicy } from '../model/destination.ts';
import { EnvoyOutlier } from './envoy-outlier.ts';
import { LinkerdOutlier } from './linkerd-outlier.ts';
import { Outlier } from './outlier.ts';
import type { OutlierDeps, OutlierDetector } from './outlier-detector.ts';
import { reloadOwnOutlier } from './own-outlier.ts';

/** Any of the three rules. */
export type AnyOutlierPolicy = OutlierPolicy | EnvoyOutlierPolicy | LinkerdOutlierPolicy;

/** `nowMs`: from when Envoy's sweeps are counted. */
export function makeOutlier(policy: AnyOutlierPolicy, deps: OutlierDeps, nowMs: number): OutlierDetector {
  switch (policy.kind) {
    case 'inmesh':
      return new Outlier(policy, deps);
    case 'envoy':
      return new EnvoyOutlier(policy, deps, nowMs);
    case 'linkerd':
      return new LinkerdOutlier(policy, deps);
  }
}

/** A reload. A rule of the same kind keeps who is out; another kind, or none, starts with everybody in. */
export function reloadOutlier(
  current: OutlierDetector | null,
  policy: AnyOutlierPolicy | null,
  deps: OutlierDeps,
  nowMs: number,
): OutlierDetector | null {
  if (policy === null || policy.kind === 'inmesh') return reloadOwnOutlier(current, policy, deps, nowMs);
  if (policy.kind === 'envoy' && current instanceof EnvoyOutlier) current.update(policy);
  else if (policy.kind === 'linkerd' && current instanceof LinkerdOutlier) current.update(policy);
  else {
    current?.release(nowMs);
    return makeOutlier(policy, deps, nowMs);
  }
  return current;
}
