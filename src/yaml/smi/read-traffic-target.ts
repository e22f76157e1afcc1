// TrafficTarget documents to the data that enforcement obeys: who may do what with whom. What they refer to is looked up.
import type { ConfigPath } from '../../model/issue.ts';
import { nearest } from '../../model/nearest.ts';
import type { RouteMatch } from '../../model/route.ts';
import type { ClientIdentity, TrafficTargetPolicy } from '../../model/security.ts';
import type { ReadContext } from '../dialect.ts';
import { nearestName } from '../nearest-name.ts';
import { positionIn, type Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { isCatchAll, readRouteGroup } from './read-route-group.ts';
import {
  ACCESS_GROUP,
  generation,
  type IdentityBindingSpec,
  type IdentitySpec,
  type ReferenceSpec,
  SPECS_GROUP,
  type TcpRouteSpec,
} from './smi-spec.ts';
import { fieldsOf, prefixOf } from './versioned-fields.ts';

interface Rules {
  readonly matches: readonly RouteMatch[];
  readonly ports: readonly number[];
}

export function readTrafficTarget(resource: Resource, world: World, context: ReadContext): TrafficTargetPolicy {
  const target = new Target(resource, world, context);
  const { destination, sources = [], rules = [] } = fieldsOf(resource);
  const own = rules.filter(({ kind }) => kind !== 'UDPRoute');
  const rulesPath = generation(resource.version) === 1 ? ['specs'] : ['spec', 'rules'];
  const read = rules.map((rule, i) => target.rule(rule, [...rulesPath, i]));
  const ports = [...read.flatMap((one) => one.ports), ...(destination?.port === undefined ? [] : [destination.port])];
  const matches = read.flatMap((one) => one.matches);
  return {
    dialect: 'smi',
    name: resource.name,
    namespace: resource.namespace,
    createdAtMs: resource.createdAtMs,
    source: positionIn(resource, ['metadata', 'name']),
    kind: 'traffic-target',
    destinations: destination === undefined ? [] : target.identities(destination, prefixOf(resource, 'destination', 2), false),
    sources: sources.flatMap((one, i) => target.identities(one, [...prefixOf(resource, 'sources', 2), i], true)),
    matches: matches.some(isCatchAll) ? [] : matches,
    anyHttp: matches.some(isCatchAll) || (own.length > 0 && own.every(({ kind }) => kind === 'TCPRoute')),
    ports: [...new Set(ports)].sort((a, b) => a - b),
  };
}

class Target {
  readonly #resource: Resource;
  readonly #world: World;
  readonly #context: ReadContext;

  constructor(resource: Resource, world: World, context: ReadContext) {
    this.#resource = resource;
    this.#world = world;
    this.#context = context;
  }

  /** Labels of a caller are in no certificate, so they let nobody in. */
  identities({ kind, name, namespace = this.#resource.namespace }: IdentitySpec, path: ConfigPath, isCaller: boolean): ClientIdentity[] {
    if (kind === 'ServiceAccount') return [{ kind: 'service-account', namespace, name }];
    const binding = this.#find(ACCESS_GROUP, kind, namespace, name, path);
    if (binding === undefined) return [];
    const { podLabelSelector, spiffeIdentities = [], serviceAccount } = (binding.spec as unknown as IdentityBindingSpec).schemes;
    const found: ClientIdentity[] = spiffeIdentities.map((id) => ({ kind: 'spiffe', value: id.replace(/^spiffe:\/\//, '') }));
    if (serviceAccount !== undefined) found.push({ kind: 'service-account', namespace: binding.namespace, name: serviceAccount });
    if (podLabelSelector === undefined) return found;
    if (isCaller) {
      const message = `${kind} ${namespace}/${name} knows callers by their labels; those cannot be seen in-process, so they let nobody in`;
      this.#resource.report.warn([...path, 'name'], message, { code: 'INM0011' });
      return found;
    }
    const { matchLabels = {}, matchExpressions = [] } = podLabelSelector;
    const expressions = matchExpressions.map(({ values = [], ...rest }) => ({ ...rest, values }));
    return [...found, { kind: 'labels', scope: { namespace: binding.namespace, labels: matchLabels, expressions } }];
  }

  rule({ kind, name, matches }: ReferenceSpec, path: ConfigPath): Rules {
    if (kind === 'UDPRoute') {
      this.#resource.report.warn([...path, 'kind'], 'datagrams do not pass through inmesh, so this rule lets nobody in');
      return NO_RULES;
    }
    const route = this.#find(SPECS_GROUP, kind, this.#resource.namespace, name, path);
    if (route === undefined) return NO_RULES;
    if (kind === 'TCPRoute') return { matches: [], ports: (route.spec as TcpRouteSpec).matches?.ports ?? [] };
    const group = readRouteGroup(route);
    if (matches === undefined) return { matches: [...group.values()], ports: [] };
    const found = matches.flatMap((one, i) => {
      const match = group.get(one);
      if (match === undefined)
        this.#missing(`${kind} ${name} has no match ${one}`, [...path, 'matches', i], nearest(one, [...group.keys()]));
      return match === undefined ? [] : [match];
    });
    return { matches: found, ports: [] };
  }

  #find(group: string, kind: string, namespace: string, name: string, path: ConfigPath): Resource | undefined {
    const found = this.#world.get(group, kind, namespace, name);
    if (found !== undefined) return found;
    this.#missing(`there is no ${kind} ${namespace}/${name}`, [...path, 'name'], nearestName(this.#world, group, kind, name));
    return undefined;
  }

  /** What is missing lets nobody in. */
  #missing(message: string, path: ConfigPath, suggestion: string | undefined): void {
    const { report } = this.#resource;
    if (this.#context.lenient) report.warn(path, `${message}, so it lets nobody in`, { suggestion });
    else report.error(path, message, { suggestion });
  }
}

const NO_RULES: Rules = Object.freeze({ matches: [], ports: [] });
