// Who is near: divides the endpoints of a destination into pools, by priority, by locality, or by shares for localities. Worked
// out when the endpoints change; which pool a call goes to is candidates.ts' to say. Must not know health.
// Source: Istio's locality load balancing (`applyLocalityFailover`, `applyFailoverPriorities`, `applyLocalityWeights`).
import type { LocalityPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';

/** Where this process is, and what it is called. */
export interface Place {
  /** `region/zone/subzone`, from the left; empty when unknown. */
  readonly locality: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Division {
  /** Never empty, and none of them is. */
  readonly pools: readonly (readonly LiveEndpoint[])[];
  /** What each pool is given; null: pools are priorities, the preferred one first. */
  readonly shares: readonly number[] | null;
  /** Whether the first pool is the own zone, and there are others. */
  readonly isZoned: boolean;
}

type Parts = readonly [region: string, zone: string, subzone: string];

/** The endpoints must not be none. `distribute` leaves out those of localities that it does not name. */
export function divide(endpoints: readonly LiveEndpoint[], policy: LocalityPolicy | null, self: Place): Division {
  const own = partsOf(self.locality);
  const share = policy?.mode === 'priority' ? policy.distribute.find(({ from }) => matches(from, own)) : undefined;
  if (share !== undefined) {
    const shared = shareOut(endpoints, share.to);
    if (shared !== null) return shared;
  }
  const ranks = new Map<number, LiveEndpoint[]>();
  for (const endpoint of endpoints) {
    const rank = rankOf(endpoint, policy, own, self);
    const peers = ranks.get(rank);
    if (peers === undefined) ranks.set(rank, [endpoint]);
    else peers.push(endpoint);
  }
  const pools = [...ranks].sort(([a], [b]) => a - b).map(([, pool]) => pool);
  const isZoned = policy?.mode === 'zone' && pools.length > 1 && isSameZone(pools[0]?.[0]?.locality ?? '', self.locality);
  return { pools, shares: null, isZoned };
}

/** Whether both name the same region and zone. An unknown locality is like no other. */
export function isSameZone(a: string, b: string): boolean {
  if (a === '' || b === '') return false;
  const [aRegion, aZone] = partsOf(a);
  const [bRegion, bZone] = partsOf(b);
  return aRegion === bRegion && aZone === bZone;
}

function partsOf(locality: string): Parts {
  const [region = '', zone = '', subzone = ''] = locality.split('/');
  return [region, zone, subzone];
}

/** `region/zone/subzone` with `*` for any; what is left away from the right is any, too. */
function matches(pattern: string, [region, zone, subzone]: Parts): boolean {
  const [wantedRegion, wantedZone, wantedSubzone] = partsOf(pattern);
  const fits = (wanted: string, is: string): boolean => wanted === '*' || wanted === is;
  return (
    fits(wantedRegion, region) && (wantedZone === '' || fits(wantedZone, zone)) && (wantedSubzone === '' || fits(wantedSubzone, subzone))
  );
}

/** What a lower number means more: the priority that the endpoint has of itself counts first. */
function rankOf(endpoint: LiveEndpoint, policy: LocalityPolicy | null, own: Parts, self: Place): number {
  const { priority } = endpoint;
  if (policy === null) return priority;
  if (policy.mode === 'zone') return priority * 2 + (isSameZone(endpoint.locality, self.locality) ? 0 : 1);
  const { failoverPriority, failover } = policy;
  if (failoverPriority.length === 0) return priority * 5 + distanceOf(endpoint, failover, own);
  const rank = priority * (failoverPriority.length + 1) + labelsMissed(endpoint, failoverPriority, self);
  return failover.length === 0 ? rank : rank * 5 + distanceOf(endpoint, failover, own);
}

/** Sub-zone 0, zone 1, region 2, else 3; 4 when `failover` names another region. */
function distanceOf(endpoint: LiveEndpoint, failover: LocalityPolicy['failover'], [region, zone, subzone]: Parts): number {
  const [itsRegion, itsZone, itsSubzone] = partsOf(endpoint.locality);
  if (itsRegion === region) return itsZone !== zone ? 2 : itsSubzone !== subzone ? 1 : 0;
  const next = failover.find(({ from }) => from === region);
  return next === undefined || next.to === itsRegion ? 3 : 4;
}

/** How many labels are left from the first that differs on. */
function labelsMissed(endpoint: LiveEndpoint, wanted: readonly string[], self: Place): number {
  const theirs = withTopology(endpoint.labels, endpoint.locality);
  const ours = withTopology(self.labels, self.locality);
  const first = wanted.findIndex((label) => {
    const equals = label.indexOf('=');
    const key = equals < 0 ? label : label.slice(0, equals);
    return (equals < 0 ? ours[key] : label.slice(equals + 1)) !== theirs[key];
  });
  return first < 0 ? 0 : wanted.length - first;
}

/** Kubernetes puts the locality into labels; elsewhere it is known all the same. */
function withTopology(labels: Readonly<Record<string, string>>, locality: string): Readonly<Record<string, string | undefined>> {
  const [region, zone, subzone] = partsOf(locality);
  return {
    ...(region === '' ? {} : { 'topology.kubernetes.io/region': region }),
    ...(zone === '' ? {} : { 'topology.kubernetes.io/zone': zone }),
    ...(subzone === '' ? {} : { 'topology.istio.io/subzone': subzone }),
    ...labels,
  };
}

/** A pool for each locality; a share given to several is divided by their weights. null: none of the localities is there. */
function shareOut(endpoints: readonly LiveEndpoint[], to: Readonly<Record<string, number>>): Division | null {
  const localities = new Map<string, LiveEndpoint[]>();
  for (const endpoint of endpoints) localities.set(endpoint.locality, [...(localities.get(endpoint.locality) ?? []), endpoint]);
  const pools: LiveEndpoint[][] = [];
  const shares: number[] = [];
  for (const [pattern, percent] of Object.entries(to)) {
    const named = [...localities].filter(([locality]) => matches(pattern, partsOf(locality)));
    const weight = weightOf(named.flatMap(([, pool]) => pool));
    for (const [locality, pool] of named) {
      // Each locality is given once, by the first that fits.
      localities.delete(locality);
      if (percent === 0) continue;
      pools.push(pool);
      shares.push((percent * weightOf(pool)) / weight);
    }
  }
  return pools.length === 0 ? null : { pools, shares, isZoned: false };
}

function weightOf(pool: readonly LiveEndpoint[]): number {
  return pool.reduce((sum, { weight }) => sum + weight, 0);
}
