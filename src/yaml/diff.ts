// Two configurations compared by what they mean: every default filled in, documents in any order, rules that are written
// otherwise and do the same alike. Knows no dialect: it compares what a mesh would obey.
import type { MeshConfig, ServiceConfig } from '../model/config.ts';
import type { SourcePosition } from '../model/route.ts';
import { routeRetries } from '../model/route-retries.ts';
import { type CanonicalRoute, canonicalRoutes } from './write/canonical-route.ts';
import { matchSetKey, mayOverlap } from './write/canonical-match.ts';
import { describeForeignMesh, describeMesh, describePolicies, describeService } from './write/describe-service.ts';
import { describeMatch } from './write/describe-match.ts';
import type { Described } from './write/described.ts';
import { canonicalHosts, pairServices } from './write/pair-services.ts';
import { isPlainMap, type Plain, type PlainMap, plainKey, quotedName } from './write/plain.ts';
import { type PlacedConfig, positionsOf } from './write/positions.ts';

export interface Difference {
  /** `services.reviews.routes[canary].timeout`. */
  readonly path: string;
  /** undefined: it is not there. */
  readonly from: Plain | undefined;
  readonly to: Plain | undefined;
  /** undefined: a default, or not there. */
  readonly fromAt: SourcePosition | undefined;
  readonly toAt: SourcePosition | undefined;
}

type Places = (key: string) => Pick<Difference, 'fromAt' | 'toAt'>;

export interface DiffOptions {
  /** Whether neighbours that do the same may be taken for one rule. @default true */
  readonly together?: boolean;
}

export function diffConfigs(a: PlacedConfig, b: PlacedConfig, { together = true }: DiffOptions = {}): Difference[] {
  const comparison = new Comparison(a, b, together);
  comparison.mesh();
  comparison.defaults();
  for (const [one, other] of pairServices(a.config, b.config)) comparison.service(one, other);
  return comparison.differences;
}

class Comparison {
  readonly differences: Difference[] = [];
  readonly #together: boolean;
  readonly #a: PlacedConfig;
  readonly #b: PlacedConfig;
  readonly #atA: ReturnType<typeof positionsOf>;
  readonly #atB: ReturnType<typeof positionsOf>;
  /** What a service of the second is called in the first. */
  readonly #names: ReadonlyMap<string, string>;

  constructor(a: PlacedConfig, b: PlacedConfig, together: boolean) {
    this.#together = together;
    this.#a = a;
    this.#b = b;
    this.#atA = positionsOf(a);
    this.#atB = positionsOf(b);
    const pairs = pairServices(a.config, b.config);
    this.#names = new Map(
      pairs.flatMap(([one, other]) => (one === undefined || other === undefined ? [] : [[other.name, one.name] as const])),
    );
  }

  mesh(): void {
    const whole = (config: MeshConfig): PlainMap => ({ ...describeMesh(config), ...describeForeignMesh(config) });
    const places: Places = (key) => ({ fromAt: this.#atA.ofMesh([key]), toAt: this.#atB.ofMesh([key]) });
    this.#trees('', whole(this.#a.config), whole(this.#b.config), places);
  }

  defaults(): void {
    const places: Places = (key) => ({ fromAt: this.#atA.ofMesh(['defaults', key]), toAt: this.#atB.ofMesh(['defaults', key]) });
    this.#trees('defaults', leaves(describePolicies(this.#a.config.unnamed)), leaves(describePolicies(this.#b.config.unnamed)), places);
  }

  service(one: ServiceConfig | undefined, other: ServiceConfig | undefined): void {
    const name = (one ?? other)?.name ?? '';
    const path = `services.${quotedName(name)}`;
    if (one === undefined || other === undefined) {
      this.differences.push({ path, from: one && 'a service', to: other && 'a service', fromAt: one?.source, toAt: other?.source });
      return;
    }
    const places: Places = (key) => ({ fromAt: this.#atA.ofService(one, key), toAt: this.#atB.ofService(other, key) });
    this.#trees(path, serviceTree(one, this.#a.config), serviceTree(other, this.#b.config), places);
    this.#routes(path, one, other);
  }

  /** Neighbours that do the same may be one rule; but where each has its partner as it stands, they are left alone. */
  #routes(path: string, one: ServiceConfig, other: ServiceConfig): void {
    const [asTheyStand, together] = [false, true].map((merge) => {
      const before = this.differences.length;
      this.#pairs(path, one, other, merge);
      return this.differences.splice(before);
    }) as [Difference[], Difference[]];
    const unpaired = (found: readonly Difference[]): number => found.filter((one) => one.path.endsWith(']')).length;
    const isOneRule = this.#together && (together.length === 0 || (unpaired(together) === 0 && unpaired(asTheyStand) > 0));
    this.differences.push(...(isOneRule ? together : asTheyStand));
  }

  #pairs(path: string, one: ServiceConfig, other: ServiceConfig, merge: boolean): void {
    const nameOf = (name: string): string => this.#names.get(name) ?? name;
    const pairs = pairRoutes(canonicalRoutes(one, { merge }), canonicalRoutes(other, { merge, nameOf }));
    for (const [first, second] of pairs) {
      const at = `${path}.routes[${(first ?? second)?.label}]`;
      if (first === undefined || second === undefined) {
        const text = (found: CanonicalRoute | undefined): Plain | undefined => found && { match: matchText(found), ...shortAction(found) };
        this.differences.push({ path: at, from: text(first), to: text(second), fromAt: first?.route.source, toAt: second?.route.source });
        continue;
      }
      const places: Places = (key) => ({
        fromAt: this.#atA.ofRoute(one, first.route, key),
        toAt: this.#atB.ofRoute(other, second.route, key),
      });
      if (first.name !== undefined && second.name !== undefined) this.#trees(`${at}.name`, first.name, second.name, places, 'name');
      if (matchSetKey(first.matches) !== matchSetKey(second.matches)) {
        this.differences.push({ path: `${at}.match`, from: matchText(first), to: matchText(second), ...places('match') });
      }
      const [from, to] = comparable(first, second);
      this.#trees(at, from, to, places);
    }
    this.#order(path, pairs);
  }

  /** Which of two rules is asked first matters only for calls that both could mean. */
  #order(path: string, pairs: readonly RoutePair[]): void {
    const both = pairs.filter((pair): pair is [CanonicalRoute, CanonicalRoute] => pair[0] !== undefined && pair[1] !== undefined);
    const placeInB = new Map(
      both
        .map(([, second]) => second)
        .toSorted((x, y) => indexIn(x) - indexIn(y))
        .map((route, i) => [route, i]),
    );
    for (const [i, [first, second]] of both.entries()) {
      const later = both
        .slice(i + 1)
        .find(([, one]) => (placeInB.get(one) ?? 0) < (placeInB.get(second) ?? 0) && mayOverlap(one.matches, second.matches));
      if (later === undefined) continue;
      const [from, to] = [`before ${later[0].label}`, `after ${later[0].label}`];
      const places = { fromAt: first.route.source, toAt: second.route.source };
      this.differences.push({ path: `${path}.routes[${first.label}].order`, from, to, ...places });
    }
  }

  /** `key`: the field that the tree stands in; else that of each branch. */
  #trees(path: string, from: Plain | undefined, to: Plain | undefined, places: Places, key?: string): void {
    if (isPlainMap(from) && isPlainMap(to)) {
      for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
        this.#trees(joined(path, name), from[name], to[name], places, key ?? name.replace(/[.[].*$/, ''));
      }
      return;
    }
    if (from !== undefined && to !== undefined && plainKey(from) === plainKey(to)) return;
    if (from === undefined && to === undefined) return;
    this.differences.push({ path, from: shown(from), to: shown(to), ...places(key ?? '') });
  }
}

function indexIn({ route, service }: CanonicalRoute): number {
  return service.routes.indexOf(route);
}

function serviceTree(service: ServiceConfig, config: MeshConfig): PlainMap {
  const { hosts: _hosts, timeout: _timeout, retries: _retries, ...input } = describeService(service).input;
  const foreign = Object.entries(describeService(service).foreign).filter(([path]) => !path.startsWith('retries.'));
  const { endpoints, ...rest } = input;
  return {
    hosts: canonicalHosts(service, config),
    ...(Array.isArray(endpoints) ? { endpoints: byAddress(endpoints as readonly PlainMap[]) } : {}),
    ...rest,
    ...Object.fromEntries(foreign),
  };
}

function leaves({ input, foreign }: Described): PlainMap {
  return { ...input, ...foreign };
}

/** The order of endpoints says nothing. */
function byAddress(endpoints: readonly PlainMap[]): PlainMap {
  return Object.fromEntries(
    endpoints.map(({ address, ...rest }) => [`[${String(address)}]`, Object.keys(rest).length === 0 ? 'as it is' : rest]),
  );
}

type RoutePair = readonly [CanonicalRoute | undefined, CanonicalRoute | undefined];

/** By the name that people gave, then by what they match, then by the name that the reader made. */
function pairRoutes(a: readonly CanonicalRoute[], b: readonly CanonicalRoute[]): RoutePair[] {
  const partners = new Map<CanonicalRoute, CanonicalRoute>();
  const taken = new Set<CanonicalRoute>();
  const pair = (isPartner: (one: CanonicalRoute, other: CanonicalRoute) => boolean): void => {
    for (const one of a) {
      if (partners.has(one)) continue;
      const other = b.find((candidate) => !taken.has(candidate) && isPartner(one, candidate));
      if (other === undefined) continue;
      partners.set(one, other);
      taken.add(other);
    }
  };
  pair((one, other) => one.name !== undefined && one.name === other.name);
  pair((one, other) => one.label === other.label && matchSetKey(one.matches) === matchSetKey(other.matches));
  pair((one, other) => matchSetKey(one.matches) === matchSetKey(other.matches));
  pair((one, other) => one.label === other.label);
  return [
    ...a.map((one): RoutePair => [one, partners.get(one)]),
    ...b.filter((one) => !taken.has(one)).map((one): RoutePair => [undefined, one]),
  ];
}

/** As it was written, which people know better than what it amounts to. */
function matchText({ route }: CanonicalRoute): Plain {
  return route.matches.length === 0 ? 'every call' : route.matches.map((match) => describeMatch(match).input);
}

/** A try that is as long as the call is not limited; but when only the call became shorter, its tries did not change. */
function comparable(a: CanonicalRoute, b: CanonicalRoute): [PlainMap, PlainMap] {
  const perTry = ({ route, service }: CanonicalRoute): number => routeRetries(route, service).perTryTimeoutMs;
  if (perTry(a) !== perTry(b)) return [a.action, b.action];
  const without = ({ action }: CanonicalRoute): PlainMap => {
    if (!isPlainMap(action.retries)) return action;
    const { perTryTimeout: _, ...retries } = action.retries;
    return { ...action, retries };
  };
  return [without(a), without(b)];
}

function shortAction({ action }: CanonicalRoute): PlainMap {
  const { to, redirect, directResponse } = action;
  return {
    ...(to === undefined ? {} : { to }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(directResponse === undefined ? {} : { directResponse }),
  };
}

/** Certificates and keys are not for the screen. */
function shown(value: Plain | undefined): Plain | undefined {
  if (typeof value === 'string') return value.includes('-----BEGIN ') ? 'PEM text' : value;
  if (Array.isArray(value)) return value.map((one: Plain) => shown(one) as Plain);
  if (!isPlainMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shown(one) as Plain]));
}

function joined(path: string, name: string): string {
  if (path === '') return quotedName(name);
  return name.startsWith('[') ? `${path}${name}` : `${path}.${quotedName(name)}`;
}
