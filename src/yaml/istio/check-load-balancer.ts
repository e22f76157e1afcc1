// Load balancing of a DestinationRule, as Istio's own validator sees it. Source: istio/istio pkg/config/validation,
// validateLoadBalancer, and agent, ValidateLocalityLbSetting.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { checkDuration } from './check-duration.ts';
import type { ConsistentHashSpec, LoadBalancerSpec, LocalitySpec } from './destination-rule-spec.ts';

export function checkLoadBalancer(balancer: LoadBalancerSpec, hasOutlier: boolean, path: ConfigPath, report: Report): void {
  const { simple, consistentHash, localityLbSetting: locality, zoneAwareLbSetting: zones, warmup, warmupDurationSecs } = balancer;
  if (simple !== undefined && consistentHash !== undefined) {
    report.error([...path, 'consistentHash'], 'loadBalancer has both simple and consistentHash; keep one', { part: 'key' });
  }
  if (simple === 'LEAST_CONN') report.warn([...path, 'simple'], 'LEAST_CONN is the old name of LEAST_REQUEST');
  if (consistentHash !== undefined) checkHash(consistentHash, [...path, 'consistentHash'], report);
  if (locality !== undefined && zones !== undefined) {
    report.error([...path, 'zoneAwareLbSetting'], 'loadBalancer has both localityLbSetting and zoneAwareLbSetting; keep one', {
      part: 'key',
    });
  }
  if (locality !== undefined) checkLocality(locality, hasOutlier, [...path, 'localityLbSetting'], report);
  if (zones !== undefined) checkLocality(zones, hasOutlier, [...path, 'zoneAwareLbSetting'], report);
  if (warmup?.aggression === 0) report.error([...path, 'warmup', 'aggression'], 'aggression is above 0');
  checkDuration(warmup?.duration, [...path, 'warmup', 'duration'], report);
  checkDuration(warmupDurationSecs, [...path, 'warmupDurationSecs'], report);
  if (warmupDurationSecs !== undefined) {
    report.warn([...path, 'warmupDurationSecs'], 'warmupDurationSecs is old; write warmup: { duration: … }', { part: 'key' });
  }
}

const KEYS = ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'] as const;
const TABLE_SIZE_MAX = 5_000_011;

function checkHash(hash: ConsistentHashSpec, path: ConfigPath, report: Report): void {
  const [first, second] = KEYS.filter((key) => hash[key] !== undefined);
  if (second !== undefined) report.error([...path, second], `consistentHash has both ${first} and ${second}; keep one`, { part: 'key' });
  const { ringHash, maglev, minimumRingSize = 0, httpCookie } = hash;
  if (ringHash !== undefined && maglev !== undefined) {
    report.error([...path, 'maglev'], 'consistentHash has both ringHash and maglev; keep one', { part: 'key' });
  }
  if (minimumRingSize !== 0) {
    const at = [...path, 'minimumRingSize'];
    if (ringHash !== undefined || maglev !== undefined) {
      report.error(at, 'consistentHash has both minimumRingSize and an algorithm; write it in ringHash', { part: 'key' });
    } else report.warn(at, 'minimumRingSize is old; write ringHash: { minimumRingSize: … }', { part: 'key' });
  }
  if (maglev !== undefined) {
    const { tableSize = 0 } = maglev;
    if (!isPrime(tableSize) || tableSize >= TABLE_SIZE_MAX) {
      report.error([...path, 'maglev', 'tableSize'], `tableSize is a prime number below ${TABLE_SIZE_MAX}`);
    }
  }
  if (httpCookie !== undefined) checkCookie(httpCookie, [...path, 'httpCookie'], report);
}

function checkCookie(
  { name, ttl, attributes = [] }: NonNullable<ConsistentHashSpec['httpCookie']>,
  path: ConfigPath,
  report: Report,
): void {
  if (name === '') report.error([...path, 'name'], 'a cookie needs a name');
  checkDuration(ttl, [...path, 'ttl'], report);
  const seen = new Set<string>();
  for (const [i, attribute] of attributes.entries()) {
    const at = [...path, 'attributes', i, 'name'];
    if (attribute.name === '') report.error(at, 'an attribute of a cookie needs a name');
    else if (seen.has(attribute.name)) report.error(at, `the attribute ${report.show(at, attribute.name)} stands twice`);
    seen.add(attribute.name);
  }
}

function isPrime(value: number): boolean {
  if (value < 2 || (value > 2 && value % 2 === 0)) return false;
  for (let factor = 3; factor * factor <= value; factor += 2) if (value % factor === 0) return false;
  return true;
}

const TOPOLOGY: ReadonlySet<string> = new Set([
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.istio.io/subzone',
]);

function checkLocality(locality: LocalitySpec, hasOutlier: boolean, path: ConfigPath, report: Report): void {
  const { distribute = [], failover = [], failoverPriority = [] } = locality;
  if (distribute.length > 0 && failover.length > 0) {
    report.error([...path, 'failover'], 'distribute and failover exclude each other; keep one', { part: 'key' });
  }
  const topology = failoverPriority.findIndex((label) => TOPOLOGY.has(label));
  if (failover.length > 0 && topology >= 0) {
    report.error([...path, 'failoverPriority', topology], 'with failover, failoverPriority names no label of the topology');
  }
  const sources: string[] = [];
  for (const [i, { from = '', to = {} }] of distribute.entries()) {
    const at = [...path, 'distribute', i];
    checkPattern(from, sources, [...at, 'from'], report);
    sources.push(from);
    const targets: string[] = [];
    for (const [target, weight] of Object.entries(to)) {
      checkPattern(target, targets, [...at, 'to', target], report);
      targets.push(target);
      if (weight < 1 || weight > 100) report.error([...at, 'to', target], 'a share of a locality is 1 to 100');
    }
    const sum = Object.values(to).reduce((total, weight) => total + weight, 0);
    if (sum !== 100) report.error([...at, 'to'], `the shares sum to ${sum}, not to 100`);
  }
  if ((failover.length > 0 || failoverPriority.length > 0) && !hasOutlier) {
    report.warn(path, 'failover needs outlierDetection in the same policy; without it nothing fails over');
  }
  for (const [i, { from = '', to = '' }] of failover.entries()) {
    const at = [...path, 'failover', i];
    if (from === to) report.error(at, 'failover leads from one region to another');
    if (/[/*]/.test(from + to)) report.error(at, 'failover names regions, without zones and without *');
  }
}

/** `region/zone/subzone` or `region/*`; none within another. */
function checkPattern(pattern: string, before: readonly string[], path: ConfigPath, report: Report): void {
  const parts = pattern.split('/');
  if (parts.length > 3 || parts.includes('') || parts.some((part, i) => part.includes('*') && (part !== '*' || i < parts.length - 1))) {
    report.error(path, `${report.show(path, pattern)} is no locality: region/zone/subzone from the left, the last part may be *`);
    return;
  }
  const rooted = (text: string): string => `${text.replace(/\/?\*$/, '')}/`.replace(/^\/$/, '');
  const other = before.find((one) => rooted(pattern).startsWith(rooted(one)));
  if (other !== undefined)
    report.error(path, `the locality ${report.show(path, pattern)} lies within ${JSON.stringify(other)}, which stands before it`);
}
