// IST0109: VirtualServices that a mesh would settle by age, because they have a host in common for callers in the same
// namespace. Source: istio/istio pkg/config/analysis/analyzers/virtualservice/conflictingmeshgatewayhosts.go.
import type { Resource } from '../resource.ts';
import { describeResource, fullName } from '../resource.ts';
import { byAge, fullHost } from '../world.ts';
import type { Analyzer } from './analyzer.ts';
import { enumerate } from './findings.ts';
import { CLUSTER_DOMAIN, EVERYWHERE, scopesOf } from './host-index.ts';
import { textsOf } from './loose.ts';
import { isForCallers, virtualServicesOf } from './virtual-service-targets.ts';

type ByHost = Map<string, Set<Resource>>;

export const meshHosts: Analyzer = ({ world }, findings) => {
  const scopes = new Map<string, ByHost>();
  for (const rule of virtualServicesOf(world)) {
    if (!isForCallers(rule)) continue;
    for (const scope of scopesOf(textsOf(rule.spec.exportTo), rule.namespace)) {
      const hosts = scopes.get(scope) ?? new Map<string, Set<Resource>>();
      scopes.set(scope, hosts);
      for (const host of textsOf(rule.spec.hosts)) addTo(hosts, fullHost(host, rule.namespace, CLUSTER_DOMAIN), rule);
    }
  }
  const shown = scopes.get(EVERYWHERE) ?? new Map<string, Set<Resource>>();
  const below = bySuffix(shown);
  const reported = new Set<Resource>();
  for (const [scope, hosts] of scopes) {
    for (const [host, rules] of hosts) {
      const all = scope === EVERYWHERE ? rules : new Set([...rules, ...overlapping(host, shown, below)]);
      if (all.size < 2) continue;
      const fresh = [...all].filter((rule) => !reported.has(rule));
      if (fresh.length === 0) continue;
      const involved = [...all].sort(byAge);
      const oldest = fullName(involved[0] as Resource);
      for (const rule of fresh) {
        reported.add(rule);
        const message = `${host} has rules here and in ${namesOf(involved, rule)}; a mesh uses the oldest, ${oldest}`;
        findings.in('IST0109', rule, ['metadata', 'name'], message, { involved });
      }
    }
  }
};

const NAMED_MAX = 3;

function namesOf(involved: readonly Resource[], but: Resource): string {
  const near = involved.slice(0, NAMED_MAX + 1).filter((other) => other !== but);
  const named = near.slice(0, NAMED_MAX).map(describeResource);
  const more = involved.length - 1 - named.length;
  return enumerate(more > 0 ? [...named, `${more} more`] : named);
}

/** Hosts by the domains that they are in. */
function bySuffix(hosts: ByHost): ByHost {
  const below: ByHost = new Map();
  for (const [host, rules] of hosts) {
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      for (const rule of rules) addTo(below, host.slice(dot), rule);
    }
  }
  return below;
}

/** A few tell that there is a conflict as well as all. */
const OVERLAPPING_MAX = 20;

/** Rules that all see, for a host that a wildcard of theirs takes in, or that takes them in. */
function overlapping(host: string, shown: ByHost, below: ByHost): Resource[] {
  const found = [...(shown.get(host) ?? [])];
  for (let dot = host.indexOf('.', 1); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    found.push(...(shown.get(`*${host.slice(dot)}`) ?? []));
  }
  if (host.startsWith('*.')) found.push(...[...(below.get(host.slice(1)) ?? [])].slice(0, OVERLAPPING_MAX));
  return found.slice(0, OVERLAPPING_MAX);
}

function addTo(hosts: ByHost, host: string, rule: Resource): void {
  const known = hosts.get(host);
  if (known === undefined) hosts.set(host, new Set([rule]));
  else known.add(rule);
}
