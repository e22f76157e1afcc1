// From any configuration to Istio's documents: a VirtualService for the rules of a host, a DestinationRule for how it is
// called, a ServiceEntry for who answers, and what holds for the process as a whole.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { RouteTarget } from '../../model/route.ts';
import { routeLabel, targetName } from '../write/describe-route.ts';
import { plainKey, type PlainMap } from '../write/plain.ts';
import { hostIn, labelName, missingHost, placeOf, type ServicePlace, splitOf } from '../write/service-place.ts';
import {
  areRoutesKept,
  type DialectWriter,
  hasOwnEndpoints,
  isConcise,
  isRouteless,
  keptFor,
  type MadeResource,
  reportRouteless,
  type ResourceEdit,
  type WriteContext,
  type Written,
  unsaidFields,
} from '../write/writer.ts';
import type { DestinationRuleSpec, SubsetSpec, TrafficPolicySpec } from './destination-rule-spec.ts';
import { isLabel } from './host-name.ts';
import { IMPLIED_POLICY } from './istio-defaults.ts';
import type { DestinationSpec, HttpRouteSpec } from './virtual-service-spec.ts';
import { writeHttpRoutes } from './write-http-route.ts';
import { writeMesh } from './write-mesh.ts';
import { writeServiceEntry } from './write-service-entry.ts';
import { writeTrafficPolicy } from './write-traffic-policy.ts';

export const istioWriter: DialectWriter = {
  groups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io', ''],
  write: (context) => new IstioWriter(context).write(),
};

/** How Istio calls a host of which nobody says anything. */
const ISTIO_SILENCE: Partial<ServiceConfig> = { ...IMPLIED_POLICY, healthCheck: null, throttle: null, tls: { mode: 'disable' } };

const NETWORKING = 'networking.istio.io/v1';

/** All services that one host means: one, or one for each of its ports. */
interface HostGroup {
  readonly place: ServicePlace;
  readonly members: readonly { readonly service: ServiceConfig; readonly place: ServicePlace }[];
}

class IstioWriter {
  readonly #context: WriteContext;
  readonly #made: MadeResource[] = [];
  readonly #edits: ResourceEdit[] = [];

  constructor(context: WriteContext) {
    this.#context = context;
  }

  write(): Written {
    const { config } = this.#context;
    this.#made.push(...writeMesh(this.#context));
    for (const group of groupsOf(config)) {
      if (group.place.host === '*') {
        this.#refuse(group);
        continue;
      }
      this.#entries(group);
      this.#rules(group);
      this.#policies(group);
      this.#aliases(group);
    }
    return { made: this.#made, edits: this.#edits };
  }

  #refuse({ members }: HostGroup): void {
    for (const { service } of members)
      this.#context.report
        .ofService(service)
        .lost(
          '',
          [...service.hosts],
          'a VirtualService for callers takes no host that stands for all; write its rules for each host, or for a Gateway',
        );
  }

  #make(kind: string, { name, namespace }: ServicePlace, spec: object): void {
    this.#made.push({ apiVersion: NETWORKING, kind, name, namespace, parts: { spec: spec as PlainMap } });
  }

  #entries({ members }: HostGroup): void {
    const { report } = this.#context;
    for (const { service, place } of members) {
      if (!hasOwnEndpoints(service, this.#context)) continue;
      const spec = writeServiceEntry(service, place, `ServiceEntry ${place.name}`, report.ofService(service));
      if (spec !== null) this.#make('ServiceEntry', place, spec);
    }
  }

  #rules({ place, members }: HostGroup): void {
    const { report } = this.#context;
    const to = `VirtualService ${place.name}`;
    if (members.every(({ service }) => isRouteless(service, this.#context))) {
      for (const { service } of members) reportRouteless(service, this.#context);
      return;
    }
    const names = new Set<string>();
    const http: HttpRouteSpec[] = [];
    // What one document says of the host, no other can add to.
    const isKept = members.some(({ service }) => areRoutesKept(service, this.#context));
    for (const { service, place: own } of members) {
      if (isKept) {
        for (const route of service.routes) report.ofRoute(service, route).kept('to', route.targets.map(targetName), to);
        continue;
      }
      for (const route of reached(service.routes)) {
        http.push(
          ...writeHttpRoutes(route, {
            service,
            report: report.ofRoute(service, route),
            reportVariant: (name, why) => report.ofService(service).approximated(`routes[${routeLabel({ name })}]`, route.name, to, why),
            to,
            destinationOf: (target) => this.#destination(target, place.namespace),
            inherits: isConcise(service, this.#context),
            port: members.length > 1 ? own.port : undefined,
            names,
          }),
        );
      }
    }
    if (http.length === 0) return;
    const hosts = [place.host, ...place.aliases].map((host) => hostIn(host, place.namespace));
    this.#make('VirtualService', place, { hosts, http });
  }

  /** A further host has the same rules, and nobody who answers for it but the first. */
  #aliases({ place, members }: HostGroup): void {
    const { report } = this.#context;
    for (const { service } of members.slice(0, 1)) {
      if (place.aliases.length === 0 || areRoutesKept(service, this.#context)) continue;
      report
        .ofService(service)
        .approximated(
          'hosts',
          [...service.hosts],
          `VirtualService ${place.name}: hosts`,
          'the further hosts are virtual ones, with the same rules',
        );
      for (const alias of place.aliases)
        report
          .ofMesh()
          .approximated(
            `services.${alias}`,
            service.name,
            `VirtualService ${place.name}: hosts`,
            `a virtual host with the rules of ${service.name}`,
          );
    }
  }

  #destination({ service, subset, fails }: RouteTarget, namespace: string): DestinationSpec {
    const { config } = this.#context;
    const missing = fails === undefined ? null : missingHost(fails);
    if (missing !== null) return { host: hostIn(missing, namespace), ...(subset === undefined ? {} : { subset: subsetName(subset) }) };
    const split = splitOf({ name: service } as ServiceConfig);
    const base = config.services[split?.service ?? service];
    const place = base === undefined ? undefined : placeOf(base, config);
    const name = split?.subset ?? subset;
    return {
      host: place === undefined ? service : hostIn(place.host, namespace),
      ...(name === undefined || name === '' ? {} : { subset: subsetName(name) }),
      // A host with several ports is called on one of them by name alone only if it has no others.
      ...(place?.port === undefined ? {} : { port: { number: place.port } }),
    };
  }

  #policies({ place, members }: HostGroup): void {
    const { config } = this.#context;
    const to = `DestinationRule ${place.name}`;
    const [first, ...others] = members.map(({ service, place: own }) => ({ service, place: own, policy: this.#policyOf(service, to) }));
    if (first === undefined) return;
    const { service } = first;
    const keptRule = keptFor(service, ['subsets', 'limits', 'loadBalancer', 'outlierDetection', 'tls', 'retryBudget'], this.#context);
    if (keptRule?.kind === 'DestinationRule') {
      for (const [block, value] of Object.entries(first.policy)) {
        this.#edits.push({ resource: keptRule, path: ['spec', 'trafficPolicy', block], value: value as PlainMap });
      }
      return;
    }
    const ports = others.filter(({ policy }) => plainKey(policy as PlainMap) !== plainKey(first.policy as PlainMap));
    const subsets = Object.entries(service.subsets).map(([name, labels]) => this.#subset(service, name, labels, first.policy, to));
    const portLevelSettings = ports.flatMap(({ place: own, policy: { retryBudget: _budget, ...blocks } }) => {
      // Settings that say nothing are refused; what the port does not have must be taken from it.
      const said = Object.keys(blocks).length === 0 && first.policy.tls !== undefined ? { tls: { mode: 'DISABLE' as const } } : blocks;
      return Object.keys(said).length === 0 ? [] : [{ port: { number: own.port ?? 80 }, ...said }];
    });
    const trafficPolicy: TrafficPolicySpec = { ...first.policy, ...(portLevelSettings.length === 0 ? {} : { portLevelSettings }) };
    if (Object.keys(trafficPolicy).length === 0 && subsets.length === 0) return;
    const spec: DestinationRuleSpec = {
      host: hostIn(place.host, place.namespace),
      ...(Object.keys(trafficPolicy).length === 0 ? {} : { trafficPolicy }),
      ...(subsets.length === 0 ? {} : { subsets }),
    };
    if (Object.keys(service.subsets).length > 0)
      this.#context.report.ofService(service).kept('subsets', Object.keys(config.services[service.name]?.subsets ?? {}), `${to}: subsets`);
    this.#make('DestinationRule', place, spec);
  }

  #policyOf(whole: ServiceConfig, to: string): TrafficPolicySpec {
    const { report, positions, config } = this.#context;
    const unsaid = unsaidFields(whole, this.#context);
    const service: ServiceConfig = {
      ...whole,
      ...Object.fromEntries(unsaid.map((field) => [field, Object.hasOwn(ISTIO_SILENCE, field) ? ISTIO_SILENCE[field] : whole[field]])),
    };
    if (unsaid.length > 0 && !areRoutesKept(whole, this.#context)) {
      report.ofService(whole).approximated([...unsaid], 'nobody wrote any', '', 'policies that are left to Istio');
    }
    return writeTrafficPolicy(service, {
      report: report.ofService(service),
      to,
      isKept: (field) => (unsaid as readonly string[]).includes(field) || keptFor(service, [field], this.#context) !== undefined,
      isWritten: (key) =>
        positions.ofMesh(['services', service.name, key]) !== undefined || positions.ofMesh(['defaults', key]) !== undefined,
      hasEntry: hasOwnEndpoints(config.services[service.name] as ServiceConfig, this.#context),
    });
  }

  /** A subset that is called in its own way says all blocks that differ. */
  #subset(
    service: ServiceConfig,
    name: string,
    labels: Readonly<Record<string, string>>,
    whole: TrafficPolicySpec,
    to: string,
  ): SubsetSpec {
    const split = this.#context.config.services[`${service.name}/${name}`];
    const own = split === undefined ? {} : this.#policyOf(split, `${to}: subset ${name}`);
    const blocks = Object.entries(own).filter(
      ([block, value]) => plainKey(value as PlainMap) !== plainKey(((whole as PlainMap)[block] ?? {}) as PlainMap),
    );
    return {
      name: subsetName(name),
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
      ...(blocks.length === 0 ? {} : { trafficPolicy: Object.fromEntries(blocks) }),
    };
  }
}

/** Rules behind one that takes every call are never asked. */
function reached(routes: readonly RouteConfig[]): readonly RouteConfig[] {
  const last = routes.findIndex(({ matches }) => matches.length === 0);
  return last < 0 ? routes : routes.slice(0, last + 1);
}

function groupsOf(config: WriteContext['config']): HostGroup[] {
  const groups = new Map<string, { service: ServiceConfig; place: ServicePlace }[]>();
  for (const service of Object.values(config.services)) {
    if (splitOf(service) !== null) continue;
    const place = placeOf(service, config);
    groups.set(place.host, [...(groups.get(place.host) ?? []), { service, place }]);
  }
  return [...groups.values()].map((members) => ({ place: (members[0] as { place: ServicePlace }).place, members }));
}

/** Istio takes labels of DNS as names. */
function subsetName(name: string): string {
  return isLabel(name) ? name : labelName(name);
}
