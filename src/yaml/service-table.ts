// The services of a configuration while it is put together: found by any of their hosts, with or without a port. Knows
// no dialect.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import type { SourcePosition } from '../model/route.ts';
import type { ReadContext } from './dialect.ts';
import type { HostRef, KnownHost, Registry } from './draft.ts';
import { fullHost, hostAliases, kubernetesName } from './world.ts';

export interface ServiceEntry {
  config: ServiceConfig;
  /** Absent: every port. */
  readonly port: number | undefined;
  /** Name of the service of the concise form that it is, or a port of it; null: only documents of other meshes name it. */
  readonly concise: string | null;
  /** Full names that a rule of a mesh may mean; empty for what is reached by targets alone. */
  readonly fullHosts: readonly string[];
  /** Kubernetes' own; empty when nobody knows. */
  readonly namespace: string;
  /** Only a rule names it. */
  readonly isVirtual: boolean;
  /** Whether somebody has said who answers; the concise form is not contradicted. */
  hasEndpoints: boolean | 'concise';
  /** Targets find it, callers do not; left out when no rule leads there. */
  isHidden: boolean;
  /** Where its routes were taken from, once they were. */
  routedAt: SourcePosition | undefined;
  /** Which policy fields a resource has decided, and where. */
  readonly decided: Map<string, SourcePosition>;
}

export interface NewService {
  readonly aliases: readonly string[];
  readonly fields: Partial<ServiceConfig>;
  readonly namespace: string;
  readonly isVirtual: boolean;
}

export class ServiceTable {
  readonly #base: MeshConfig;
  readonly #context: ReadContext;
  readonly #entries: ServiceEntry[] = [];
  readonly #byHost: Map<string, ServiceEntry[]> = new Map();
  readonly #names: Set<string> = new Set();
  /** Subsets with policies of their own: services beside their service. */
  readonly #splits: Map<string, ServiceEntry> = new Map();

  constructor(base: MeshConfig, context: ReadContext) {
    this.#base = base;
    this.#context = context;
    const { self, clusterDomain } = context;
    for (const config of Object.values(base.services)) {
      const { endpoints, hosts, name } = config;
      const hasEndpoints = endpoints.kind !== 'static' || endpoints.endpoints.length > 0 ? 'concise' : false;
      const fullHosts = [...new Set(hosts.map((host) => fullHost(host, self.namespace, clusterDomain)))];
      const known = kubernetesName(fullHosts[0] ?? '', clusterDomain);
      this.#put(this.#entry({ config, concise: name, fullHosts, namespace: known?.namespace ?? '', hasEndpoints }), hosts);
    }
  }

  /** Those out of sight are left out unless a rule leads there. */
  services(): MeshConfig['services'] {
    const kept = this.#entries.filter(({ isHidden }) => !isHidden);
    const waiting = new Map(this.#entries.filter(({ isHidden }) => isHidden).map((entry) => [entry.config.name, entry]));
    for (const { config } of kept) {
      for (const name of servicesOf(config)) {
        const hidden = waiting.get(name);
        if (hidden === undefined) continue;
        waiting.delete(name);
        hidden.config = { ...hidden.config, hosts: [] };
        kept.push(hidden);
      }
    }
    const services: Record<string, ServiceConfig> = Object.create(null) as Record<string, ServiceConfig>;
    for (const { config } of kept) services[config.name] = config;
    return services;
  }

  get entries(): readonly ServiceEntry[] {
    return this.#entries;
  }

  /** What readers see of it. */
  get registry(): Registry {
    const find = (ref: HostRef): readonly KnownHost[] => this.find(ref).flatMap((entry) => knownHosts(entry));
    return { hosts: this.#entries.flatMap(knownHosts), find };
  }

  /** All that have the host: one for a port, or every port's. */
  find({ host, port }: HostRef): readonly ServiceEntry[] {
    const entries = this.#byHost.get(host) ?? [];
    if (port === undefined) return entries;
    const exact = entries.filter((entry) => entry.port === port);
    return exact.length > 0 ? exact : entries.filter((entry) => entry.port === undefined);
  }

  /** A service that no document has named before. */
  add(ref: HostRef, { aliases, fields, namespace, isVirtual }: NewService): ServiceEntry {
    const { unnamed } = this.#base;
    const name = this.#nameOf(ref);
    const siblings = this.#byHost.get(ref.host) ?? [];
    const names = [...new Set([ref.host, ...aliases, ...this.#aliasesOf(ref.host)])];
    // The first port is also meant by the name alone.
    const hosts =
      ref.port === undefined
        ? names
        : names.flatMap((one) => (siblings.length === 0 ? [one, `${one}:${ref.port}`] : [`${one}:${ref.port}`]));
    const config: ServiceConfig = { ...unnamed, ...fields, name, hosts, routes: routesTo(name, unnamed.routes) };
    const entry = this.#entry({ config, port: ref.port, fullHosts: [ref.host], namespace, isVirtual });
    this.#put(entry, names);
    return entry;
  }

  /** Further names for a service. */
  rename(entry: ServiceEntry, aliases: readonly string[]): void {
    const { port, config } = entry;
    const names = port === undefined ? aliases : aliases.map((alias) => `${alias}:${port}`);
    const more = names.filter((name) => !config.hosts.includes(name));
    if (more.length > 0) entry.config = { ...config, hosts: [...config.hosts, ...more] };
    for (const alias of aliases) this.#index(alias, entry);
  }

  /** The names under which the cluster knows the host, beside the host itself. */
  name(entry: ServiceEntry, host: string): void {
    const aliases = this.#aliasesOf(host);
    if (aliases.length > 0) this.rename(entry, aliases);
  }

  /** One port of a service that has the same policies for all: a service of its own over the same endpoints. */
  carve(entry: ServiceEntry, port: number): ServiceEntry {
    const { config } = entry;
    const name = `${config.name}:${port}`;
    const own: ServiceConfig = {
      ...config,
      name,
      hosts: config.hosts.filter((host) => !/:\d+$/.test(host)).map((host) => `${host}:${port}`),
      routes: config.routes.map((route) => ({
        ...route,
        targets: route.targets.map((target) => (target.service === config.name ? { ...target, service: name } : target)),
      })),
    };
    const carved = this.#entry({ ...entry, config: own, port, decided: new Map() });
    this.#put(carved, []);
    for (const [host, entries] of this.#byHost) if (entries.includes(entry)) this.#index(host, carved);
    return carved;
  }

  /**
   * A subset that is called in its own way: a service of its own over the same endpoints, whose nameless subset it is, so
   * that it goes by one name only. Source: Istio, one cluster for each subset.
   */
  split(entry: ServiceEntry, subset: string, fields: Partial<ServiceConfig>): void {
    const { config } = entry;
    const labels = config.subsets[subset];
    if (labels === undefined) return;
    const name = `${config.name}/${subset}`;
    const targets = [{ service: name, subset: WHOLE_SPLIT, weight: 1 }];
    const routes = routesTo(name, this.#base.unnamed.routes).map((route) => ({ ...route, targets }));
    const own: ServiceConfig = { ...config, ...fields, name, hosts: [], subsets: { [WHOLE_SPLIT]: labels }, routes };
    const split = this.#entry({ ...entry, config: own, fullHosts: [], isHidden: true, decided: new Map() });
    this.#splits.set(name, split);
    this.#entries.push(split);
  }

  /** Service and subset to call for a subset of a service; undefined when it is called as all the others are. */
  splitOf({ config }: ServiceEntry, subset: string): { readonly service: string; readonly subset: string } | undefined {
    const split = this.#splits.get(`${config.name}/${subset}`);
    return split === undefined ? undefined : { service: split.config.name, subset: WHOLE_SPLIT };
  }

  #entry(fields: Pick<ServiceEntry, 'config' | 'fullHosts' | 'namespace'> & Partial<ServiceEntry>): ServiceEntry {
    return {
      port: undefined,
      concise: null,
      isVirtual: false,
      hasEndpoints: false,
      isHidden: false,
      routedAt: undefined,
      decided: new Map(),
      ...fields,
    };
  }

  #put(entry: ServiceEntry, names: readonly string[]): void {
    this.#entries.push(entry);
    this.#names.add(entry.config.name);
    for (const name of names) this.#index(name, entry);
  }

  #index(name: string, entry: ServiceEntry): void {
    const { self, clusterDomain } = this.#context;
    for (const host of new Set([name, fullHost(name, self.namespace, clusterDomain)])) {
      const known = this.#byHost.get(host);
      if (known === undefined) this.#byHost.set(host, [entry]);
      else if (!known.includes(entry)) known.push(entry);
    }
  }

  #aliasesOf(host: string): string[] {
    const { self, clusterDomain } = this.#context;
    const known = kubernetesName(host, clusterDomain);
    return known === null ? [] : hostAliases(known.name, known.namespace, self.namespace, clusterDomain);
  }

  /** Short where it can be: `reviews` at home, `reviews.other` elsewhere, with the port when there are several. */
  #nameOf({ host, port }: HostRef): string {
    const { self, clusterDomain } = this.#context;
    const known = kubernetesName(host, clusterDomain);
    const name = known === null ? host : known.namespace === self.namespace ? known.name : `${known.name}.${known.namespace}`;
    const candidates = [name, `${name}:${port ?? 'any'}`, `${host}:${port ?? 'any'}`];
    return candidates.find((one) => !this.#names.has(one)) ?? `${host}#${this.#entries.length}`;
  }
}

/** The one subset of a service that is a subset. */
const WHOLE_SPLIT = '';

/** What readers see of an entry: nothing, when no rule can mean it. */
export function knownHosts({ config, port, fullHosts, namespace, concise, isVirtual }: ServiceEntry): KnownHost[] {
  const { name: service, endpoints } = config;
  const more = { service, namespace, isConcise: concise !== null, isVirtual, endpoints };
  return fullHosts.map((host) => ({ host, ...(port === undefined ? {} : { port }), ...more }));
}

function routesTo(service: string, routes: readonly RouteConfig[]): RouteConfig[] {
  return routes.map((route) => ({ ...route, targets: route.targets.map((target) => ({ ...target, service })) }));
}

function servicesOf({ routes }: ServiceConfig): string[] {
  return routes.flatMap(({ targets, mirrors }) => [
    ...targets.map(({ service }) => service),
    ...mirrors.map(({ target }) => target.service),
  ]);
}
