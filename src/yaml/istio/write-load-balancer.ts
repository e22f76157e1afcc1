// To whom, in Istio's words. Peak EWMA has none; least request is the nearest.
import type { HashKey, HashPolicy, LocalityPolicy } from '../../model/balancing.ts';
import { HASH_DEFAULTS } from '../../model/balancing.ts';
import type { BalancerKind, BalancerPolicy } from '../../model/destination.ts';
import type { LossScope } from '../losses.ts';
import { describeBalancer } from '../write/describe-balancing.ts';
import type { ConsistentHashSpec, LoadBalancerSpec, LocalitySpec } from './destination-rule-spec.ts';
import { ISTIO_BALANCER } from './istio-defaults.ts';
import { isWhole, writeDuration } from './write-duration.ts';

export interface BalancerDeps {
  readonly report: LossScope;
  readonly to: string;
  readonly isWritten: (key: string) => boolean;
}

const SIMPLE: Readonly<Partial<Record<BalancerKind, NonNullable<LoadBalancerSpec['simple']>>>> = {
  peakEwma: 'LEAST_REQUEST',
  leastRequest: 'LEAST_REQUEST',
  roundRobin: 'ROUND_ROBIN',
  random: 'RANDOM',
};

/** `hasOutlier`: whether localities matter to Istio at all. */
export function writeLoadBalancer(policy: BalancerPolicy, hasOutlier: boolean, deps: BalancerDeps): LoadBalancerSpec | undefined {
  const { kind, hash, slowStart } = policy;
  const { report, to } = deps;
  const at = `${to}: loadBalancer`;
  const simple = hash === null ? SIMPLE[kind] : undefined;
  reportKind(policy, at, report);
  reportPanic(policy, hasOutlier, at, report);
  if (policy.subsetSize > 0) report.lost('loadBalancer.subsetSize', policy.subsetSize, 'an endpoint of Istio is called by every process');
  const consistentHash = hash === null ? undefined : writeHash(kind, hash, at, report);
  const warmup =
    slowStart === null
      ? undefined
      : {
          duration: writeDuration(slowStart.windowMs),
          minimumPercent: slowStart.minPercent,
          ...(slowStart.aggression === 1 ? {} : { aggression: slowStart.aggression }),
        };
  if (slowStart !== null) {
    if (isWhole(slowStart.windowMs)) report.kept('loadBalancer.slowStart', `${slowStart.windowMs}ms`, `${at}.warmup`);
    else report.approximated('loadBalancer.slowStart', `${slowStart.windowMs}ms`, `${at}.warmup`, 'in whole milliseconds');
  }
  const locality = writeLocality(policy.locality, hasOutlier, deps);
  const isIstios = kind === ISTIO_BALANCER.kind && !deps.isWritten('loadBalancer') && warmup === undefined;
  const said = {
    ...(simple === undefined || isIstios ? {} : { simple }),
    ...(consistentHash === undefined ? {} : { consistentHash }),
    ...(locality === undefined ? {} : { localityLbSetting: locality }),
    ...(warmup === undefined ? {} : { warmup }),
  };
  return Object.keys(said).length === 0 ? undefined : said;
}

function reportKind(policy: BalancerPolicy, at: string, report: LossScope): void {
  const { kind } = policy;
  if (kind === 'peakEwma') {
    const how = 'Istio has no moving average of latency: of two random endpoints the one with fewer calls in flight';
    report.approximated('loadBalancer', describeBalancer(policy).input.loadBalancer ?? kind, `${at}.simple LEAST_REQUEST`, how);
    return;
  }
  report.kept('loadBalancer.kind', kind, at);
  if (kind !== 'leastRequest' || (policy.choices === ISTIO_BALANCER.choices && policy.fullScanMax === ISTIO_BALANCER.fullScanMax)) return;
  report.approximated(['loadBalancer.choices', 'loadBalancer.fullScanMax'], policy.choices, at, 'Istio compares two random endpoints');
}

function reportPanic({ panicPercent }: BalancerPolicy, hasOutlier: boolean, at: string, report: LossScope): void {
  const percent = panicPercent ?? 0;
  if (!hasOutlier) {
    if (panicPercent !== ISTIO_BALANCER.panicPercent)
      report.approximated(
        'loadBalancer.panicThreshold',
        panicPercent ?? 'never',
        at,
        'without outlierDetection Istio asks all endpoints anyway',
      );
  } else if (Number.isInteger(percent) && panicPercent !== null)
    report.kept('loadBalancer.panicThreshold', percent, `${at}: outlierDetection.minHealthPercent`);
  else
    report.approximated(
      'loadBalancer.panicThreshold',
      panicPercent ?? 'never',
      `${at}: outlierDetection.minHealthPercent`,
      'in whole percent, 0 means when none is well',
    );
}

function writeHash(kind: BalancerKind, hash: HashPolicy, at: string, report: LossScope): ConsistentHashSpec {
  const [first, ...others] = hash.keys;
  const place = `${at}.consistentHash`;
  if (others.length > 0)
    report.lost(
      'loadBalancer.hash',
      hash.keys.map((key) => Object.keys(key)[0] ?? ''),
      'Istio takes one key; the first is written',
    );
  else report.kept('loadBalancer.hash', Object.keys(first ?? {})[0] ?? '', place);
  report.approximated('loadBalancer.hash.retriesStay', hash.retriesStay ?? false, place, 'Istio repeats where the key leads');
  if (kind === 'ringHash' && hash.ringSizeMax !== HASH_DEFAULTS.ringSizeMax) {
    report.lost('loadBalancer.maximumRingSize', hash.ringSizeMax, 'Istio has no such bound');
  }
  const size = kind === 'maglev' ? { maglev: { tableSize: hash.maglevTableSize } } : { ringHash: { minimumRingSize: hash.ringSizeMin } };
  return { ...(first === undefined ? {} : writeKey(first)), ...size };
}

function writeKey(key: HashKey): ConsistentHashSpec {
  if ('header' in key) return { httpHeaderName: key.header };
  if ('query' in key) return { httpQueryParameterName: key.query };
  if ('source' in key) return { useSourceIp: true };
  const { cookie: name, path, ttlMs, attributes } = key;
  const pairs = Object.entries(attributes).map(([attribute, value]) => ({ name: attribute, ...(value === '' ? {} : { value }) }));
  return {
    httpCookie: {
      name,
      ...(path === '' || ttlMs === null ? {} : { path }),
      ...(ttlMs === null ? {} : { ttl: ttlMs === 0 ? '0s' : writeDuration(ttlMs) }),
      ...(pairs.length === 0 ? {} : { attributes: pairs }),
    },
  };
}

function writeLocality(
  locality: LocalityPolicy | null,
  hasOutlier: boolean,
  { report, to, isWritten }: BalancerDeps,
): LocalitySpec | undefined {
  const at = `${to}: loadBalancer.localityLbSetting`;
  if (locality === null) {
    if (!hasOutlier) return undefined;
    if (isWritten('loadBalancer')) {
      report.kept('loadBalancer.locality', false, `${at}.enabled false`);
      return { enabled: false };
    }
    report.approximated('loadBalancer.locality', false, at, 'Istio puts near endpoints first by itself');
    return undefined;
  }
  const { mode, distribute, failover, failoverPriority } = locality;
  const keys = ['overprovisioning', 'maxLoad', 'retriesLeave'].map((key) => `loadBalancer.locality.${key}`);
  report.approximated(keys, locality.overprovisioning, at, 'Istio: 1.4, no regard to reported load, and retries stay near');
  if (mode === 'zone') {
    report.approximated('loadBalancer.locality', mode, at, 'Istio: sub-zone, zone, region, the rest, and only with outlierDetection');
    return hasOutlier ? { enabled: true } : undefined;
  }
  if (distribute.length === 0 && !hasOutlier)
    report.lost('loadBalancer.locality', mode, 'Istio looks at localities only with outlierDetection');
  else report.kept('loadBalancer.locality', mode, at);
  return {
    enabled: true,
    ...(distribute.length === 0 ? {} : { distribute: distribute.map((one) => writeShares(one, at, report)) }),
    ...(failover.length === 0 ? {} : { failover: failover.map((one) => ({ ...one })) }),
    ...(failoverPriority.length === 0 ? {} : { failoverPriority: [...failoverPriority] }),
  };
}

/** Shares of 0 are left out, and parts of a percent are rounded, so that they still sum to 100. */
function writeShares(
  { from, to }: LocalityPolicy['distribute'][number],
  at: string,
  report: LossScope,
): { readonly from: string; readonly to: Readonly<Record<string, number>> } {
  const shares = Object.entries(to).filter(([, share]) => share > 0);
  if (shares.every(([, share]) => Number.isInteger(share))) return { from, to: Object.fromEntries(shares) };
  report.approximated('loadBalancer.locality', from, `${at}.distribute`, 'shares are whole percent');
  const whole = shares.map(([name, share]): [string, number] => [name, Math.max(1, Math.floor(share))]);
  const largest = whole.toSorted((a, b) => b[1] - a[1])[0] as [string, number];
  largest[1] += 100 - whole.reduce((sum, [, share]) => sum + share, 0);
  return { from, to: Object.fromEntries(whole) };
}
