// Who is asked and who is left out, in the words of the concise form. Only what the kind looks at is said.
import type { EnvoyOutlierPolicy, HashKey, HashPolicy, LinkerdOutlierPolicy, LocalityPolicy } from '../../model/balancing.ts';
import type { BalancerPolicy, OutlierPolicy } from '../../model/destination.ts';
import { OUTLIER_DEFAULTS } from '../../model/destination.ts';
import { described, type Described, statusText, timeText } from './described.ts';
import { defined, type Plain, type PlainMap } from './plain.ts';

export function describeBalancer(policy: BalancerPolicy): Described {
  const { kind, hash, slowStart, panicPercent } = policy;
  const scans = kind === 'peakEwma' || kind === 'leastRequest';
  const loadBalancer = defined({
    kind,
    tau: kind === 'peakEwma' ? timeText(policy.tauMs) : undefined,
    failurePenalty: kind === 'peakEwma' ? timeText(policy.failurePenaltyMs) : undefined,
    seedFactor: kind === 'peakEwma' ? policy.seedFactor : undefined,
    seed: kind === 'peakEwma' ? timeText(policy.seedMs) : undefined,
    // One endpoint needs no comparison.
    fullScanMax: scans ? Math.max(1, policy.fullScanMax) : undefined,
    choices: kind === 'leastRequest' ? policy.choices : undefined,
    ...describeHash(kind, hash),
    slowStart:
      slowStart === null
        ? false
        : { window: timeText(slowStart.windowMs), minimumPercent: slowStart.minPercent, aggression: slowStart.aggression },
    locality: policy.locality === null ? false : describeLocality(policy.locality),
    panicThreshold: panicPercent ?? undefined,
    subsetSize: policy.subsetSize,
  });
  return described(
    { loadBalancer },
    {
      'loadBalancer.panicThreshold': panicPercent === null ? 'never' : undefined,
      'loadBalancer.hash.retriesStay': hash?.retriesStay,
    },
  );
}

function describeHash(kind: BalancerPolicy['kind'], hash: HashPolicy | null): Readonly<Record<string, Plain | undefined>> {
  if (hash === null) return {};
  return {
    hash: hash.keys.map(describeKey),
    minimumRingSize: kind === 'ringHash' ? hash.ringSizeMin : undefined,
    maximumRingSize: kind === 'ringHash' ? hash.ringSizeMax : undefined,
    tableSize: kind === 'maglev' ? hash.maglevTableSize : undefined,
  };
}

function describeKey(key: HashKey): PlainMap {
  if (!('cookie' in key)) return { ...key };
  const { cookie: name, path, ttlMs, attributes } = key;
  // Without a lifetime no cookie is made, and the rest says nothing.
  if (ttlMs === null) return { cookie: { name } };
  return {
    cookie: { name, path, ttl: timeText(ttlMs), ...(Object.keys(attributes).length === 0 ? {} : { attributes: { ...attributes } }) },
  };
}

function describeLocality(policy: LocalityPolicy): PlainMap {
  const { mode, overprovisioning, loadMax: maxLoad, retriesLeave, distribute, failover, failoverPriority } = policy;
  return defined({
    mode,
    distribute:
      distribute.length === 0
        ? undefined
        : distribute.map(({ from, to }) => ({ from, to: Object.fromEntries(Object.entries(to).filter(([, share]) => share > 0)) })),
    failover: failover.length === 0 ? undefined : failover.map((one) => ({ ...one })),
    failoverPriority: failoverPriority.length === 0 ? undefined : [...failoverPriority],
    overprovisioning,
    maxLoad: mode === 'zone' ? maxLoad : undefined,
    retriesLeave,
  });
}

export function describeOutlier(policy: OutlierPolicy | EnvoyOutlierPolicy | LinkerdOutlierPolicy | null): Described {
  if (policy === null) return described({ outlierDetection: false });
  if (policy.kind === 'envoy') return described({ outlierDetection: describeEnvoy(policy) });
  if (policy.kind === 'linkerd') return described({ outlierDetection: describeLinkerd(policy) });
  return described(
    {
      outlierDetection: {
        mode: 'inmesh',
        consecutiveErrors: policy.consecutiveErrors,
        window: timeText(policy.windowMs),
        minCalls: policy.callsMin,
        margin: policy.margin,
        baseEjectionTime: timeText(policy.baseEjectionMs),
        maxEjectionTime: timeText(policy.maxEjectionMs),
        maxEjectionPercent: policy.maxEjectionPercent,
        jitter: policy.jitter,
      },
    },
    { 'outlierDetection.z': policy.z === OUTLIER_DEFAULTS.z ? undefined : policy.z },
  );
}

function describeEnvoy(policy: EnvoyOutlierPolicy): PlainMap {
  const { successRate: rate, failurePercentage: percentage } = policy;
  return defined({
    mode: 'envoy',
    consecutive5xxErrors: policy.consecutive5xx,
    consecutiveGatewayErrors: policy.consecutiveGatewayErrors,
    splitExternalLocalOriginErrors: policy.splitLocalOrigin,
    consecutiveLocalOriginFailures: policy.splitLocalOrigin ? policy.consecutiveLocalOriginErrors : undefined,
    outlierDetectionHttpErrorCodes: policy.errorStatuses === null ? undefined : policy.errorStatuses.map(statusText),
    interval: timeText(policy.intervalMs),
    baseEjectionTime: timeText(policy.baseEjectionMs),
    maxEjectionTime: timeText(policy.maxEjectionMs),
    maxEjectionTimeJitter: timeText(policy.jitterMs),
    maxEjectionPercent: policy.maxEjectionPercent,
    alwaysEjectOneHost: policy.alwaysEjectOne,
    capCheck: policy.capCheck,
    successRate:
      rate === null
        ? false
        : { minimumHosts: rate.hostsMin, requestVolume: rate.callsMin, stdevFactor: Math.round(rate.factor * 1e9) / 1e6 },
    failurePercentage:
      percentage === null
        ? false
        : { threshold: percentage.threshold, minimumHosts: percentage.hostsMin, requestVolume: percentage.callsMin },
  });
}

function describeLinkerd(policy: LinkerdOutlierPolicy): PlainMap {
  const { successRate: rate } = policy;
  return {
    mode: 'linkerd',
    maxFailures: policy.failuresMax,
    minPenalty: timeText(policy.penaltyMinMs),
    maxPenalty: timeText(policy.penaltyMaxMs),
    jitter: policy.jitter,
    unified: rate === null ? false : { successRate: rate.threshold, window: timeText(rate.windowMs), minCalls: rate.callsMin },
  };
}
