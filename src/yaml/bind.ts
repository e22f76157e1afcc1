// Puts what mesh resources say about hosts together with the concise form: which services there are, who answers for
// them, and what becomes of calls to them. What a mesh settles silently is an error with both places named, or with
// `lenient` a warning, settled as the mesh does. Reports into the resources; never throws.
import type { MeshConfig, RouteConfig } from '../model/config.ts';
import type { EndpointSourceConfig } from '../model/destination.ts';
import type { Dialect, RouteTarget, SourcePosition } from '../model/route.ts';
import type { SecurityPolicy } from '../model/security.ts';
import type { MirrorPolicy } from '../model/traffic.ts';
import { type BindDeps, settle } from './bind-deps.ts';
import { bindPolicies, imply } from './bind-policies.ts';
import { bindTarget } from './bind-target.ts';
import type { BackendDraft, Drafts, HostRef, KnownHost, MeshDraft, RouteDraft, RoutesDraft } from './draft.ts';
import { describePosition, positionIn } from './resource.ts';
import { knownHosts, type ServiceEntry, ServiceTable } from './service-table.ts';
import { kubernetesName } from './world.ts';

export function bind(base: MeshConfig, drafts: readonly Drafts[], deps: BindDeps): MeshConfig {
  const table = new ServiceTable(base, deps.context);
  const binder = new Binder(table, deps);
  const late = drafts.flatMap((one) => one.late ?? []);
  for (const { backends } of drafts) for (const backend of backends) binder.backend(backend);
  for (const { hides } of late) if (hides !== undefined) binder.hide(hides);
  const read = [...drafts.flatMap((one) => one.routes), ...late.flatMap((one) => one.routes?.(table.registry) ?? [])];
  const routes = read.map((draft) => late.reduce((one, { adjust }) => adjust?.(one) ?? one, draft));
  // Every virtual host is there before the first policy is laid and the first target is looked for.
  for (const draft of routes) binder.virtual(draft);
  const policies = [...drafts.flatMap((one) => one.policies), ...late.flatMap((one) => one.policies?.(table.registry) ?? [])];
  bindPolicies(table, policies, routes, deps);
  const placed = routes.map((draft) => ({ draft, entries: binder.claim(draft) }));
  for (const { draft, entries } of placed) for (const entry of entries) binder.route(entry, draft);
  const whole = binder.mesh(
    base,
    drafts.flatMap((one) => one.mesh ?? []),
  );
  return { ...whole, services: table.services() };
}

class Binder {
  readonly #deps: BindDeps;
  readonly #table: ServiceTable;

  constructor(table: ServiceTable, deps: BindDeps) {
    this.#deps = deps;
    this.#table = table;
  }

  backend(draft: BackendDraft): void {
    const known = this.#table.find(draft);
    const [only] = known;
    if (only !== undefined && (only.concise !== null || only.port === draft.port)) {
      for (const entry of known) this.#join(entry, draft);
      return;
    }
    const { host, aliases, resource, path, protocol, implied = {} } = draft;
    const entry = this.#table.add(draft, {
      aliases,
      fields: {
        endpoints: draft.endpoints ?? dnsOf(draft),
        ...(protocol === undefined ? {} : { protocol }),
        source: positionIn(resource, path, 'key'),
      },
      namespace: kubernetesName(host, this.#deps.context.clusterDomain)?.namespace ?? resource.namespace,
      isVirtual: false,
    });
    entry.hasEndpoints = draft.endpoints !== undefined;
    imply(entry, implied, this.#deps);
    if (draft.route === undefined) return;
    entry.config = { ...entry.config, routes: [this.#bound(draft.route, draft, entry)] };
  }

  /** The concise form knows best who answers; two documents that name endpoints name them together. */
  #join(entry: ServiceEntry, draft: BackendDraft): void {
    this.#table.rename(entry, draft.aliases);
    this.#table.name(entry, draft.host);
    imply(entry, draft.implied ?? {}, this.#deps);
    if (draft.endpoints === undefined || entry.hasEndpoints === 'concise') return;
    entry.config = {
      ...entry.config,
      endpoints: entry.hasEndpoints === true ? joined(entry.config.endpoints, draft.endpoints) : draft.endpoints,
    };
    entry.hasEndpoints = true;
  }

  hide(hides: (host: KnownHost) => boolean): void {
    for (const entry of this.#table.entries) {
      if (entry.concise === null && knownHosts(entry).every(hides)) entry.isHidden = true;
    }
  }

  /** The host of a rule is there, whether anybody answers for it or not. */
  virtual(draft: RoutesDraft): void {
    if (this.#table.find({ host: draft.host }).length > 0) return;
    const { clusterDomain } = this.#deps.context;
    const namespace = kubernetesName(draft.host, clusterDomain)?.namespace ?? draft.resource.namespace;
    this.#table.add(draft, { aliases: [], fields: { endpoints: NOBODY }, namespace, isVirtual: true });
  }

  /** The services whose routes these are. */
  claim(draft: RoutesDraft): readonly ServiceEntry[] {
    const { context, written } = this.#deps;
    return this.#table.find(draft).filter((entry) => {
      const concise = entry.concise === null ? undefined : written.service(entry.concise, 'routes');
      const before = entry.routedAt ?? concise;
      if (before !== undefined) {
        const message = `${entry.config.name} has its routes twice, first at ${describePosition(before)}; keep one${context.lenient ? ': the first is used' : ''}`;
        settle(context, draft, message, 'IST0109');
        return false;
      }
      entry.routedAt = positionIn(draft.resource, ['metadata', 'name']);
      return true;
    });
  }

  route(entry: ServiceEntry, draft: RoutesDraft): void {
    const routes = draft.routes.map((route) => this.#bound(route, draft, entry));
    this.#table.name(entry, draft.host);
    entry.config = {
      ...entry.config,
      routes: routes.at(-1)?.matches.length === 0 ? routes : [...routes, notFound(draft.dialect, entry.config.name)],
      source: entry.config.source ?? positionIn(draft.resource, ['metadata', 'name']),
    };
  }

  #bound(route: RouteDraft, draft: Pick<RoutesDraft, 'dialect' | 'resource'>, owner: ServiceEntry): RouteConfig {
    const { targets, mirrors, ...rest } = route;
    const { dialect, resource } = draft;
    const deps = { table: this.#table, dialect, resource, owner };
    const bound = targets.length > 0 ? targets.map((target) => bindTarget(target, deps)) : [{ service: owner.config.name, weight: 1 }];
    return {
      ...rest,
      targets: bound,
      // A copy that cannot be sent is not sent. Source: mesh-semantics §2.5.
      mirrors: mirrors
        .filter(({ of }) => of === undefined || bound[of]?.fails === undefined)
        .map(({ target, of, ...mirror }) => ({
          ...mirror,
          ...(of === undefined ? {} : { of: destinationOf(bound[of] as RouteTarget) }),
          target: bindTarget(target, { ...deps, isCopy: true }),
        }))
        .filter(({ target }) => target.fails === undefined),
    };
  }

  /** What holds for the whole process. */
  mesh(base: MeshConfig, drafts: readonly MeshDraft[]): MeshConfig {
    const { context, written } = this.#deps;
    const owners = new Map<string, SourcePosition>();
    const all: SecurityPolicy[] = [];
    let config = base;
    for (const draft of drafts) {
      const { passHosts, ...fields } = draft.fields;
      for (const [field, value] of Object.entries(fields)) {
        const before = written.top(field) ?? owners.get(field);
        if (before === undefined) {
          owners.set(field, positionIn(draft.resource, draft.path, 'key'));
          config = { ...config, [field]: value };
        } else settle(context, draft, `${field} is decided twice, first at ${describePosition(before)}; keep one`, 'INM0012');
      }
      if (passHosts !== undefined) config = { ...config, passHosts: [...new Set([...(config.passHosts ?? []), ...passHosts])] };
      if (draft.inbound === undefined) continue;
      const { policies = [], ...inbound } = draft.inbound;
      // The last one said holds; of policies every one.
      config = { ...config, inbound: { ...config.inbound, ...inbound } };
      all.push(...policies);
    }
    if (all.length === 0) return config;
    const policies = [...(config.inbound.policies ?? []), ...all];
    return { ...config, inbound: { ...config.inbound, policies } };
  }
}

function destinationOf({ service, subset }: RouteTarget): NonNullable<MirrorPolicy['of']> {
  return { service, ...(subset === undefined ? {} : { subset }) };
}

const NOBODY: EndpointSourceConfig = Object.freeze({ kind: 'static', endpoints: [] });

function dnsOf({ host, port }: HostRef): EndpointSourceConfig {
  return port === undefined || host.startsWith('*') ? NOBODY : { kind: 'dns', host, port, record: 'any' };
}

/** What no rule matches. Source: Istio 404 NR, Gateway API 404. */
function notFound(dialect: Dialect, service: string): RouteConfig {
  return {
    name: 'no-route',
    dialect,
    matches: [],
    targets: [{ service, weight: 1 }],
    mirrors: [],
    idempotent: false,
    directResponse: { status: 404, headers: {}, body: '' },
  };
}

function joined(a: EndpointSourceConfig, b: EndpointSourceConfig): EndpointSourceConfig {
  if (a.kind !== 'static' || b.kind !== 'static') return b.kind === 'static' && b.endpoints.length === 0 ? a : b;
  const known = new Set(a.endpoints.map(({ address }) => address));
  return { kind: 'static', endpoints: [...a.endpoints, ...b.endpoints.filter(({ address }) => !known.has(address))] };
}
