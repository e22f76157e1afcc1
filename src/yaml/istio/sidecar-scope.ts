// What the Sidecar of this process lets it see: hosts by namespace, and what becomes of calls to all others.
// Source: Istio, sidecar.go (hostClassification, convertIstioListenerToWrapper).
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { KnownHost, MeshDraft } from '../draft.ts';
import { describeResource, type Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { byCreation } from './by-creation.ts';
import { hasLabels, isWithin, overlap } from './host-name.ts';
import { GROUP } from './http-rule.ts';
import { ROOT_NAMESPACE } from './istio-defaults.ts';
import type { EgressSpec, SidecarSpec } from './registry-spec.ts';

export interface SidecarScope {
  /** Whether any of these hosts, as rules name them, is in sight. */
  readonly importsRules: (hosts: readonly string[], namespace: string) => boolean;
  /** Whether a host that somebody answers for is out of sight; absent: none is. */
  readonly hides?: (host: KnownHost) => boolean;
  readonly mesh: readonly MeshDraft[];
}

export function sidecarScope(world: World, context: ReadContext): SidecarScope {
  const resource = chosen(world, context);
  if (resource === undefined) return { importsRules: () => true, mesh: [] };
  const { egress = [] } = resource.spec as SidecarSpec;
  const mesh = meshDrafts(resource);
  if (egress.length === 0) return { importsRules: () => true, mesh };
  const sight = new Sight(egress, resource.namespace);
  return {
    importsRules: (hosts, namespace) => hosts.some((host) => sight.sees(host, namespace, overlap)),
    hides: ({ host, namespace }) => !sight.sees(host, namespace, isWithin),
    mesh,
  };
}

/** That for this workload, else that of its namespace, else that of the mesh. */
function chosen(world: World, context: ReadContext): Resource | undefined {
  const { self } = context;
  const all = [...world.of(GROUP, 'Sidecar')].sort(byCreation);
  const selectorOf = ({ spec }: Resource): Readonly<Record<string, string>> => (spec as SidecarSpec).workloadSelector?.labels ?? {};
  const isWide = (one: Resource): boolean => Object.keys(selectorOf(one)).length === 0;
  const own = all.filter(({ namespace }) => namespace === self.namespace);
  const mine = own.filter((one) => !isWide(one) && hasLabels(self.labels, selectorOf(one)));
  const wide = own.filter(isWide);
  const root = all.filter((one) => one.namespace === ROOT_NAMESPACE && isWide(one));
  const [code, ranked] = mine.length > 0 ? ['IST0110', mine] : ['IST0111', wide.length > 0 ? wide : root];
  const [first, ...others] = ranked as readonly Resource[];
  for (const other of others) {
    if (first === undefined) break;
    const message = `${describeResource(first)} holds for the same workloads; keep one`;
    settle(context, { resource: other, path: ['metadata', 'name'] }, message, code as string);
  }
  return first;
}

const ALL = '*';
const NOT = '~';

class Sight {
  readonly #shown: Map<string, string[]> = new Map();
  readonly #hidden: Map<string, string[]> = new Map();

  constructor(egress: readonly EgressSpec[], own: string) {
    for (const text of egress.flatMap(({ hosts }) => hosts)) {
      const slash = text.indexOf('/');
      const written = text.slice(0, slash);
      const bare = written.startsWith(NOT) ? written.slice(NOT.length) || ALL : written;
      const namespace = bare === '.' ? own : bare;
      const lists = written.startsWith(NOT) ? this.#hidden : this.#shown;
      lists.set(namespace, [...(lists.get(namespace) ?? []), text.slice(slash + 1)]);
    }
  }

  /** `fits`: whether a host is meant by an entry. */
  sees(host: string, namespace: string, fits: (host: string, entry: string) => boolean): boolean {
    const found = (lists: Map<string, string[]>, test: typeof fits): boolean =>
      [namespace, ALL].some((key) => (lists.get(key) ?? []).some((entry) => test(host, entry)));
    return !found(this.#hidden, isWithin) && found(this.#shown, fits);
  }
}

function meshDrafts(resource: Resource): MeshDraft[] {
  const { outboundTrafficPolicy, inboundConnectionPool } = resource.spec as SidecarSpec;
  const drafts: MeshDraft[] = [];
  if (outboundTrafficPolicy !== undefined) {
    // What is not written is REGISTRY_ONLY: the first word of the enumeration.
    const unknownHosts = outboundTrafficPolicy.mode === 'ALLOW_ANY' ? 'pass' : 'refuse';
    drafts.push({ resource, path: ['spec', 'outboundTrafficPolicy'], dialect: 'istio', fields: { unknownHosts } });
  }
  if (inboundConnectionPool !== undefined) {
    const { tcp = {}, http = {} } = inboundConnectionPool;
    const limits = { maxConnections: tcp.maxConnections ?? 0, maxRequests: http.http2MaxRequests ?? 0 };
    drafts.push({ resource, path: ['spec', 'inboundConnectionPool'], dialect: 'istio', fields: {}, inbound: { limits } });
  }
  return drafts;
}
