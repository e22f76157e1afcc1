// Who is left out, in Istio's words. Our comparison with the peers has none; what is written is the rule that is nearest.
import type { EnvoyOutlierPolicy, LinkerdOutlierPolicy } from '../../model/balancing.ts';
import { ENVOY_OUTLIER_DEFAULTS } from '../../model/balancing.ts';
import type { ServiceConfig } from '../../model/config.ts';
import type { OutlierPolicy } from '../../model/destination.ts';
import type { LossScope } from '../losses.ts';
import { describeOutlier } from '../write/describe-balancing.ts';
import type { OutlierDetectionSpec } from './destination-rule-spec.ts';
import { isWhole, writeDuration } from './write-duration.ts';

export interface OutlierDeps {
  readonly report: LossScope;
  readonly to: string;
}

/** Statuses that one range may stand for. */
const CODES_MAX = 200;

export function writeOutlier(service: ServiceConfig, deps: OutlierDeps): OutlierDetectionSpec | undefined {
  const { outlierDetection: policy, loadBalancer, endpoints } = service;
  if (policy === null) return undefined;
  const { panicPercent } = loadBalancer;
  const panic = panicPercent === null || panicPercent === 0 ? {} : { minHealthPercent: Math.round(panicPercent) };
  if (policy.kind === 'envoy') return { ...writeEnvoy(policy, deps), ...panic };
  const what = describeOutlier(policy).input.outlierDetection ?? false;
  const said = policy.kind === 'inmesh' ? nearestToOurs(policy) : nearestToLinkerd(policy);
  const count = endpoints.kind === 'static' ? endpoints.endpoints.length : 0;
  // Istio counts before it ejects; ours lets one go whatever the share.
  const percent = count > 1 ? Math.max(said.maxEjectionPercent, Math.ceil(100 / count)) : said.maxEjectionPercent;
  const how =
    policy.kind === 'inmesh'
      ? 'Istio counts 5xx in a row and compares with no peers; ejections end at a sweep, without a probe'
      : 'Istio counts 5xx in a row; ejections end at a sweep, without a probe';
  deps.report.approximated(
    'outlierDetection',
    what,
    `${deps.to}: outlierDetection consecutive5xxErrors ${said.consecutive5xxErrors}, maxEjectionPercent ${percent}`,
    how,
  );
  return { ...said, maxEjectionPercent: percent, ...panic };
}

type Said = OutlierDetectionSpec & { readonly maxEjectionPercent: number };

function nearestToOurs({ consecutiveErrors, baseEjectionMs, maxEjectionPercent }: OutlierPolicy): Said {
  return {
    consecutive5xxErrors: consecutiveErrors === 0 ? ENVOY_OUTLIER_DEFAULTS.consecutive5xx : consecutiveErrors,
    // Ejections are short, so sweeps are often.
    interval: writeDuration(Math.min(Math.max(baseEjectionMs, 1_000), ENVOY_OUTLIER_DEFAULTS.intervalMs)),
    baseEjectionTime: writeDuration(baseEjectionMs),
    maxEjectionPercent: Math.max(1, Math.round(maxEjectionPercent)),
  };
}

function nearestToLinkerd({ failuresMax, penaltyMinMs }: LinkerdOutlierPolicy): Said {
  return {
    consecutive5xxErrors: failuresMax,
    interval: writeDuration(Math.min(Math.max(penaltyMinMs, 1_000), ENVOY_OUTLIER_DEFAULTS.intervalMs)),
    baseEjectionTime: writeDuration(penaltyMinMs),
    maxEjectionPercent: 100,
  };
}

function writeEnvoy(policy: EnvoyOutlierPolicy, { report, to }: OutlierDeps): OutlierDetectionSpec {
  const d = ENVOY_OUTLIER_DEFAULTS;
  const at = `${to}: outlierDetection`;
  const key = 'outlierDetection';
  const codes = policy.errorStatuses?.flatMap(([from, until]) => Array.from({ length: until - from + 1 }, (_, i) => from + i)) ?? [];
  const percent = Math.max(1, Math.round(policy.maxEjectionPercent));
  report.kept(`${key}.consecutive5xxErrors`, policy.consecutive5xx, at);
  report.kept(`${key}.interval`, `${policy.intervalMs}ms`, at);
  report.kept(`${key}.baseEjectionTime`, `${policy.baseEjectionMs}ms`, at);
  if (percent === policy.maxEjectionPercent) report.kept(`${key}.maxEjectionPercent`, percent, at);
  else
    report.approximated(
      `${key}.maxEjectionPercent`,
      policy.maxEjectionPercent,
      `${at}.maxEjectionPercent ${percent}`,
      'a whole number from 1',
    );
  if (policy.maxEjectionMs !== Math.max(d.maxEjectionMs, policy.baseEjectionMs)) {
    report.lost(`${key}.maxEjectionTime`, `${policy.maxEjectionMs}ms`, 'Istio leaves it at 5m, or at the base when that is longer');
  }
  if (policy.jitterMs > 0) report.lost(`${key}.maxEjectionTimeJitter`, `${policy.jitterMs}ms`, 'Istio has no jitter of ejections');
  if (policy.alwaysEjectOne) report.lost(`${key}.alwaysEjectOneHost`, true, 'Istio never sets it; raise maxEjectionPercent');
  if (policy.capCheck === 'before') report.lost(`${key}.capCheck`, 'before', 'Istio counts the one that is to be ejected, too');
  if (policy.successRate !== null) report.lost(`${key}.successRate`, { ...policy.successRate }, 'Istio switches it off');
  if (policy.failurePercentage !== null) report.lost(`${key}.failurePercentage`, { ...policy.failurePercentage }, 'Istio switches it off');
  if (codes.length > 0) {
    const text = `${codes[0]} to ${codes.at(-1)}`;
    if (codes.length > CODES_MAX)
      report.lost(`${key}.outlierDetectionHttpErrorCodes`, text, 'Istio takes single statuses, and these are too many');
    else
      report.approximated(`${key}.outlierDetectionHttpErrorCodes`, text, `${at}.outlierDetectionHttpErrorCodes`, 'each status by itself');
  }
  const times = [policy.intervalMs, policy.baseEjectionMs];
  if (!times.every(isWhole)) {
    report.approximated(`${key}.interval`, `${policy.intervalMs}ms`, at, 'in whole milliseconds');
    report.approximated(`${key}.baseEjectionTime`, `${policy.baseEjectionMs}ms`, at, 'in whole milliseconds');
  }
  const local = policy.consecutiveLocalOriginErrors;
  return {
    consecutive5xxErrors: policy.consecutive5xx,
    ...(policy.consecutiveGatewayErrors > 0 ? { consecutiveGatewayErrors: policy.consecutiveGatewayErrors } : {}),
    ...(policy.splitLocalOrigin
      ? { splitExternalLocalOriginErrors: true, ...(local > 0 ? { consecutiveLocalOriginFailures: local } : {}) }
      : {}),
    interval: writeDuration(policy.intervalMs),
    baseEjectionTime: writeDuration(policy.baseEjectionMs),
    maxEjectionPercent: percent,
    ...(codes.length === 0 || codes.length > CODES_MAX ? {} : { outlierDetectionHttpErrorCodes: codes }),
  };
}
