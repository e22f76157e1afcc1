// Which DestinationRule holds for a host: that of the caller's namespace before that of the host's, before that of the mesh;
// the most exact host name in it; rules for this very workload before those for all. Several rules of one host are put
// together. Source: Istio, PushContext.destinationRule, mergeDestinationRule, SidecarScope.DestinationRule.
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { Origin } from '../draft.ts';
import { describeResource, type Resource } from '../resource.ts';
import { fullHost, type World } from '../world.ts';
import { byCreation } from './by-creation.ts';
import type { DestinationRuleSpec, PortPolicySpec, SubsetSpec, TrafficPolicySpec } from './destination-rule-spec.ts';
import { hasLabels, isWildcard, isWithin } from './host-name.ts';
import { GROUP } from './http-rule.ts';
import { ROOT_NAMESPACE } from './istio-defaults.ts';
import { isVisibleTo } from './visibility.ts';

/** All that is said of one host. */
export interface MergedRule {
  /** The first that says something. */
  readonly resource: Resource;
  readonly policy?: { readonly spec: TrafficPolicySpec; readonly origin: Origin };
  readonly subsets: readonly { readonly spec: SubsetSpec; readonly origin: Origin }[];
}

interface Rule {
  readonly resource: Resource;
  readonly spec: DestinationRuleSpec;
  /** In full; may be a wildcard. */
  readonly host: string;
}

/** Rules of one namespace, the oldest first. */
interface Shelf {
  readonly exact: Map<string, Rule[]>;
  readonly wildcards: Rule[];
}

export class DestinationRules {
  readonly #context: ReadContext;
  readonly #all: Rule[] = [];
  readonly #byNamespace: Map<string, Shelf> = new Map();
  readonly #merged: Map<string, MergedRule | null> = new Map();

  constructor(world: World, context: ReadContext) {
    this.#context = context;
    for (const resource of [...world.of(GROUP, 'DestinationRule')].sort(byCreation)) {
      const spec = resource.spec as unknown as DestinationRuleSpec;
      const { namespace } = resource;
      const rule = { resource, spec, host: fullHost(spec.host, namespace, context.clusterDomain) };
      const shelf: Shelf = this.#byNamespace.get(namespace) ?? { exact: new Map(), wildcards: [] };
      this.#all.push(rule);
      this.#byNamespace.set(namespace, shelf);
      if (isWildcard(rule.host)) shelf.wildcards.push(rule);
      else shelf.exact.set(rule.host, [...(shelf.exact.get(rule.host) ?? []), rule]);
    }
  }

  /** `namespace`: that of the host; empty when nobody knows. */
  find(host: string, namespace: string): MergedRule | null {
    const own = this.#context.self.namespace;
    for (const one of new Set([own, ...(namespace === '' ? [] : [namespace]), ROOT_NAMESPACE])) {
      const found = this.#findIn(one, host);
      if (found !== null) return found;
    }
    return null;
  }

  /** Hosts of the rules that this process would obey, with the places where they stand. */
  get hosts(): readonly { readonly host: string; readonly resource: Resource }[] {
    const { self } = this.#context;
    return this.#all.filter(({ spec, resource }) => isVisibleTo(self.namespace, spec, resource.namespace));
  }

  #findIn(namespace: string, host: string): MergedRule | null {
    const { self } = this.#context;
    const isOwn = namespace === self.namespace;
    const shelf = this.#byNamespace.get(namespace);
    if (shelf === undefined) return null;
    const rules = [...(shelf.exact.get(host) ?? []), ...shelf.wildcards].filter(({ spec, resource }) =>
      isOwn ? isVisibleTo(self.namespace, spec, namespace) : !isPrivate(spec, resource),
    );
    const pattern = mostExact(rules, host);
    if (pattern === undefined) return null;
    const key = `${namespace}/${pattern}`;
    const known = this.#merged.get(key);
    if (known !== undefined) return known;
    // Istio chooses the name first: a more exact rule for others hides a less exact one for all.
    const visible = rules.filter((rule) => rule.host === pattern && isVisibleTo(self.namespace, rule.spec, namespace));
    const merged = this.#merge(isOwn ? this.#chosen(visible) : visible);
    this.#merged.set(key, merged);
    return merged;
  }

  /** Those for this workload, if there are any. */
  #chosen(rules: readonly Rule[]): readonly Rule[] {
    const labelsOf = ({ spec }: Rule): Readonly<Record<string, string>> | undefined =>
      spec.workloadSelector === undefined ? undefined : (spec.workloadSelector.matchLabels ?? {});
    const mine = rules.find((rule) => {
      const labels = labelsOf(rule);
      return labels !== undefined && hasLabels(this.#context.self.labels, labels);
    });
    const wanted = JSON.stringify(mine === undefined ? undefined : labelsOf(mine));
    return rules.filter((rule) => JSON.stringify(labelsOf(rule)) === wanted);
  }

  /** The first traffic policy counts, and the first subset of a name. */
  #merge(rules: readonly Rule[]): MergedRule | null {
    const [first, ...others] = rules;
    if (first === undefined) return null;
    let { policy, subsets } = asMerged(first);
    for (const rule of others) {
      const next = asMerged(rule);
      if (policy === undefined) policy = next.policy;
      else if (next.policy !== undefined) this.#settle(next.policy.origin, 'a traffic policy', rule, policy.origin.resource);
      for (const subset of next.subsets) {
        const before = subsets.find(({ spec }) => spec.name === subset.spec.name);
        if (before === undefined) subsets = [...subsets, subset];
        else this.#settle(subset.origin, `subset ${subset.spec.name}`, rule, before.origin.resource);
      }
    }
    return { resource: first.resource, ...(policy === undefined ? {} : { policy }), subsets };
  }

  #settle(origin: Origin, what: string, { host }: Rule, before: Resource): void {
    const message = `${describeResource(before)} has ${what} for ${host} already, and a mesh uses the oldest alone; keep one`;
    settle(this.#context, origin, this.#context.lenient ? `${message}: this one is not used` : message, 'INM0012');
  }

  /** Whether calls to a destination are kept together by a hash. Source: Istio, HashForHTTPDestination. */
  isHashed(host: string, namespace: string, subset: string | undefined, port: number | undefined): boolean {
    const rule = this.find(host, namespace);
    const top = rule?.policy?.spec;
    const own = rule?.subsets.find(({ spec }) => spec.name === subset)?.spec.trafficPolicy;
    return [portPolicy(own, port), own, portPolicy(top, port), top].some((policy) => policy?.loadBalancer?.consistentHash !== undefined);
  }
}

/** The settings of a port, which replace all blocks. */
export function portPolicy(policy: TrafficPolicySpec | undefined, port: number | undefined): PortPolicySpec | undefined {
  if (port === undefined) return undefined;
  return policy?.portLevelSettings?.find((settings) => settings.port?.number === port);
}

function isPrivate({ exportTo = [], workloadSelector }: DestinationRuleSpec, { namespace }: Resource): boolean {
  if (workloadSelector !== undefined) return true;
  return exportTo.length === 1 && (exportTo[0] === '.' || exportTo[0] === namespace);
}

function mostExact(rules: readonly Rule[], host: string): string | undefined {
  let best: string | undefined;
  for (const { host: pattern } of rules) {
    if (pattern === host) return pattern;
    if (isWildcard(pattern) && isWithin(host, pattern) && pattern.length > (best?.length ?? 0)) best = pattern;
  }
  return best;
}

function asMerged({ resource, spec }: Rule): MergedRule {
  const { trafficPolicy, subsets = [] } = spec;
  const origin = (...path: (string | number)[]): Origin => ({ resource, path: ['spec', ...path] });
  return {
    resource,
    ...(trafficPolicy === undefined ? {} : { policy: { spec: trafficPolicy, origin: origin('trafficPolicy') } }),
    subsets: subsets.map((subset, i) => ({ spec: subset, origin: origin('subsets', i) })),
  };
}
