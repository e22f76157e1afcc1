// To whom, as Istio has it: least request unless something else is said. Locality and panic depend on outlier detection,
// too. Source: Istio, applyLoadBalancer, ApplyRingHashLoadBalancer, LocalityLBSettings.
import {
  HASH_DEFAULTS,
  type HashKey,
  type HashPolicy,
  LOCALITY_DEFAULTS,
  type LocalityPolicy,
  type SlowStartPolicy,
} from '../../model/balancing.ts';
import type { BalancerKind, BalancerPolicy } from '../../model/destination.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import { msOf } from './check-duration.ts';
import type { ConsistentHashSpec, LoadBalancerSpec, OutlierDetectionSpec } from './destination-rule-spec.ts';
import { ISTIO_BALANCER } from './istio-defaults.ts';
import type { Block } from './traffic-blocks.ts';

export function readLoadBalancer(
  block: Block<'loadBalancer'> | undefined,
  outlier: OutlierDetectionSpec | undefined,
  context: ReadContext,
): BalancerPolicy {
  const spec = block?.spec ?? {};
  const { consistentHash } = spec;
  const kind = consistentHash === undefined ? kindOf(block, context) : consistentHash.maglev === undefined ? 'ringHash' : 'maglev';
  return {
    ...ISTIO_BALANCER,
    kind,
    hash: consistentHash === undefined ? null : readHash(consistentHash),
    slowStart: kind === 'leastRequest' || kind === 'roundRobin' ? readWarmup(spec) : null,
    locality: readLocality(block, outlier !== undefined),
    panicPercent: outlier === undefined ? ISTIO_BALANCER.panicPercent : (outlier.minHealthPercent ?? 0),
  };
}

const KINDS: Readonly<Record<string, BalancerKind>> = { RANDOM: 'random', ROUND_ROBIN: 'roundRobin' };

function kindOf(block: Block<'loadBalancer'> | undefined, context: ReadContext): BalancerKind {
  const simple = block?.spec.simple ?? 'UNSPECIFIED';
  if (block !== undefined && simple === 'PASSTHROUGH') {
    const message = 'PASSTHROUGH calls the address that the caller has connected to, and inside a process nobody has connected yet';
    const origin = { ...block.origin, path: [...block.origin.path, 'simple'] };
    settle(context, origin, context.lenient ? `${message}; LEAST_REQUEST is used` : message, 'INM0011');
  }
  return KINDS[simple] ?? 'leastRequest';
}

function readHash({ httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName, ...sizes }: ConsistentHashSpec): HashPolicy {
  const keys: HashKey[] = [];
  if (httpHeaderName !== undefined) keys.push({ header: httpHeaderName.toLowerCase() });
  if (httpCookie !== undefined) {
    const { name, path = '', ttl, attributes = [] } = httpCookie;
    const pairs = Object.fromEntries(attributes.map((attribute) => [attribute.name, attribute.value ?? '']));
    keys.push({ cookie: name, path, ttlMs: ttl === undefined ? null : msOf(ttl), attributes: pairs });
  }
  if (httpQueryParameterName !== undefined) keys.push({ query: httpQueryParameterName });
  if (useSourceIp === true) keys.push({ source: true });
  const ring = sizes.ringHash?.minimumRingSize || sizes.minimumRingSize || HASH_DEFAULTS.ringSizeMin;
  return { ...HASH_DEFAULTS, keys, ringSizeMin: ring, maglevTableSize: sizes.maglev?.tableSize || HASH_DEFAULTS.maglevTableSize };
}

function readWarmup({ warmup, warmupDurationSecs }: LoadBalancerSpec): SlowStartPolicy | null {
  if (warmup !== undefined) {
    return { windowMs: msOf(warmup.duration), minPercent: warmup.minimumPercent ?? 10, aggression: warmup.aggression ?? 1 };
  }
  return warmupDurationSecs === undefined ? null : { windowMs: msOf(warmupDurationSecs), minPercent: 10, aggression: 1 };
}

/** Near endpoints go first only where somebody would notice that they are sick; shares hold always. */
function readLocality(block: Block<'loadBalancer'> | undefined, hasOutlier: boolean): LocalityPolicy | null {
  const { localityLbSetting: setting, zoneAwareLbSetting: zones } = block?.spec ?? {};
  if (zones !== undefined) {
    if (block !== undefined) {
      const message = "zoneAwareLbSetting is obeyed by inmesh's own rule: the own zone takes all calls it can, the rest spills over";
      block.origin.resource.report.warn([...block.origin.path, 'zoneAwareLbSetting'], message, { part: 'key', code: 'INM0020' });
    }
    if (zones.enabled === false) return null;
    return {
      ...LOCALITY_DEFAULTS,
      mode: 'zone',
      retriesLeave: false,
      failover: regions(zones.failover),
      failoverPriority: zones.failoverPriority ?? [],
    };
  }
  const { distribute = [], failover, failoverPriority = [], enabled = true } = setting ?? {};
  if (!enabled || (distribute.length === 0 && !hasOutlier)) return null;
  return {
    ...LOCALITY_DEFAULTS,
    mode: 'priority',
    retriesLeave: false,
    distribute: distribute.map(({ from = '', to = {} }) => ({ from, to })),
    failover: regions(failover),
    failoverPriority,
  };
}

function regions(failover: readonly { readonly from?: string; readonly to?: string }[] = []): LocalityPolicy['failover'] {
  return failover.map(({ from = '', to = '' }) => ({ from, to }));
}
