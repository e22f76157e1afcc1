// TrafficSplit documents to routes. A split says nothing about time and retries, so these stay as they are. Calls that it
// does not match, and all of them when no weight is left, go to the root service.
import type { ConfigPath } from '../../model/issue.ts';
import type { RouteMatch } from '../../model/route.ts';
import type { ReadContext } from '../dialect.ts';
import type { HostRef, Registry, RouteDraft, RoutesDraft, TargetDraft } from '../draft.ts';
import { decides, profilesOf } from '../linkerd/read-profile.ts';
import { milliValue } from '../quantity.ts';
import { positionIn, type Resource } from '../resource.ts';
import { fullHost, kubernetesName, type World } from '../world.ts';
import { isCatchAll, readRouteGroup } from './read-route-group.ts';
import { generation, type ReferenceSpec, SPECS_GROUP, SPLIT_GROUP, type TrafficSplitSpec } from './smi-spec.ts';

/** Read once it is known which ports there are. */
export function readTrafficSplits(world: World, context: ReadContext, registry: Registry): RoutesDraft[] {
  const profiles = profilesOf(world, context);
  return world.of(SPLIT_GROUP, 'TrafficSplit').flatMap((resource) => {
    const split = new Split(resource, world, context, registry);
    const profile = profiles.get(split.host);
    // Linkerd takes the routes from the profile and their targets from the split; it knows no splits with matches.
    return profile !== undefined && decides(profile) && !split.hasMatches ? [] : split.routes();
  });
}

/** Where all calls to the root service go; null when the split does not take all of them. */
export function splitTargets(resource: Resource, world: World, context: ReadContext, registry: Registry): readonly TargetDraft[] | null {
  const split = new Split(resource, world, context, registry);
  return split.hasMatches ? null : split.targets({ host: split.host }).map((target) => ({ ...target, resource }));
}

class Split {
  readonly #resource: Resource;
  readonly #spec: TrafficSplitSpec;
  readonly #world: World;
  readonly #context: ReadContext;
  readonly #registry: Registry;

  constructor(resource: Resource, world: World, context: ReadContext, registry: Registry) {
    this.#resource = resource;
    this.#spec = resource.spec as unknown as TrafficSplitSpec;
    this.#world = world;
    this.#context = context;
    this.#registry = registry;
  }

  get host(): string {
    return this.#hostOf(this.#spec.service);
  }

  get hasMatches(): boolean {
    return (this.#spec.matches?.length ?? 0) > 0;
  }

  /** One set of rules for each port of the root service. */
  routes(): RoutesDraft[] {
    const { host } = this;
    const known = this.#registry.find({ host });
    const refs: readonly HostRef[] = known.length === 0 ? [{ host }] : known.map(({ port }) => refOf(host, port));
    const matches = this.#matches();
    return refs.map((ref) => ({
      ...ref,
      dialect: 'smi',
      resource: this.#resource,
      path: ['spec', 'service'],
      routes: this.#rules(matches, this.targets(ref)),
    }));
  }

  #hostOf(service: string): string {
    return fullHost(service, this.#resource.namespace, this.#context.clusterDomain);
  }

  #rules(matches: readonly RouteMatch[] | null, targets: readonly TargetDraft[]): RouteDraft[] {
    const root = this.#rule('root', [], []);
    if (targets.length === 0) return [root];
    if (matches === null) return [this.#rule(this.#resource.name, [], targets)];
    return matches.length === 0 ? [root] : [this.#rule(this.#resource.name, matches, targets), root];
  }

  #rule(name: string, matches: readonly RouteMatch[], targets: readonly TargetDraft[]): RouteDraft {
    const at = (...path: string[]): ReturnType<typeof positionIn> => positionIn(this.#resource, path);
    const sources = {
      targets: targets.length === 0 ? at('spec', 'service') : at('spec', 'backends'),
      ...(matches.length === 0 ? {} : { matches: at('spec', 'matches') }),
    };
    return { name, dialect: 'smi', matches, targets, mirrors: [], idempotent: false, source: at('metadata', 'name'), sources };
  }

  /** null: every call is meant. */
  #matches(): readonly RouteMatch[] | null {
    const { matches: references = [] } = this.#spec;
    if (references.length === 0) return null;
    const matches = references.flatMap((reference, i) => this.#group(reference, ['spec', 'matches', i, 'name']));
    return matches.some(isCatchAll) ? null : matches;
  }

  #group({ name }: ReferenceSpec, path: ConfigPath): RouteMatch[] {
    const { namespace, report } = this.#resource;
    const group = this.#world.get(SPECS_GROUP, 'HTTPRouteGroup', namespace, name);
    if (group !== undefined) return [...readRouteGroup(group).values()];
    const message = `there is no HTTPRouteGroup ${namespace}/${name}`;
    if (this.#context.lenient) report.warn(path, `${message}, so it matches no call`);
    else report.error(path, message);
    return [];
  }

  /** Empty: the root service itself. */
  targets(root: HostRef): TargetDraft[] {
    const { report, version } = this.#resource;
    const { backends, service } = this.#spec;
    // Whole numbers as they are, quantities in thousandths; never the two mixed.
    const isWhole = generation(version) > 1 && backends.every(({ weight }) => Number.isInteger(weight));
    const weighted = backends.map(({ service: name, weight }, i): TargetDraft => {
      const value = isWhole ? Number(weight) : (milliValue(weight) ?? 0);
      return { host: this.#hostOf(name), weight: value, path: ['spec', 'backends', i, 'service'] };
    });
    const drawn = weighted.filter(({ weight }) => weight > 0);
    if (drawn.length === 0) {
      report.warn(['spec', 'backends'], `no backend has a weight, so all calls go to ${service} itself`);
      return [];
    }
    const placed = drawn.flatMap((target) => this.#onPort(target, root));
    if (placed.length > 0) return placed;
    const [first] = drawn as [TargetDraft];
    return [{ ...first, fails: { status: 503, flag: 'UH', reason: `no backend of ${service} has the port ${root.port ?? ''}`.trimEnd() } }];
  }

  /** The backend on the port of the root service, or nothing when it does not have it. Source: smi-spec, "Ports". */
  #onPort(target: TargetDraft, root: HostRef): TargetDraft[] {
    const ports = this.#registry.find({ host: target.host }).map(({ port }) => port);
    const wanted = root.port === undefined ? this.#documentedPorts(root.host) : [root.port];
    if (ports.length === 0 || ports.includes(undefined) || wanted.length === 0) return [target];
    const shared = wanted.find((port) => ports.includes(port));
    if (shared !== undefined) return [{ ...target, port: shared }];
    const message = `${target.host} has no port ${wanted.join(', ')} (it has ${ports.join(', ')}), so it gets no calls`;
    this.#resource.report.warn(target.path, message, { code: 'INM0016' });
    return [];
  }

  /** Of a root service whose endpoints the concise form names, so that its ports are not told apart. */
  #documentedPorts(host: string): number[] {
    const known = kubernetesName(host, this.#context.clusterDomain);
    const service = known === null ? undefined : this.#world.get('', 'Service', known.namespace, known.name);
    const { ports = [] } = (service?.spec ?? {}) as { ports?: readonly { readonly port?: unknown }[] };
    return ports.flatMap(({ port }) => (typeof port === 'number' ? [port] : []));
  }
}

function refOf(host: string, port: number | undefined): HostRef {
  return port === undefined ? { host } : { host, port };
}

/** Hosts whose calls a split shares out, with the document that says so. */
export function splitHosts(world: World, { clusterDomain }: ReadContext): ReadonlyMap<string, Resource> {
  const splits = world.of(SPLIT_GROUP, 'TrafficSplit');
  return new Map(
    splits.map((resource) => [
      fullHost((resource.spec as unknown as TrafficSplitSpec).service, resource.namespace, clusterDomain),
      resource,
    ]),
  );
}
