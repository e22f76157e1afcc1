// Which hosts there are, who may see them, and on which ports they answer: from Service and ServiceEntry documents, and
// from services of the concise form. Source: istio/istio pkg/config/analysis/analyzers/util/service_lookup.go.
import type { MeshConfig } from '../../model/config.ts';
import type { Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { fullHost } from '../world.ts';
import { listOf, mappingOf, numberOf, textsOf } from './loose.ts';

export const CLUSTER_DOMAIN = 'cluster.local';

export const EVERYWHERE = '*';

export interface IndexedHost {
  /** Empty when the document has none; null when nobody knows, as for a service of the concise form. */
  readonly ports: ReadonlySet<number> | null;
}

export class HostIndex {
  /** By `namespace/host`; the namespace is `*` for what all may see. */
  readonly #byScope: Map<string, { readonly ports: Set<number> }> = new Map();
  readonly #documented: Set<string> = new Set();
  readonly #concise: Set<string> = new Set();
  readonly #subsets: Set<string> = new Set();

  constructor(world: World, config: MeshConfig) {
    for (const entry of world.of('networking.istio.io', 'ServiceEntry')) this.#addEntry(entry);
    for (const service of world.of('', 'Service')) this.#addService(service);
    for (const { hosts, endpoints, subsets } of Object.values(config.services)) {
      const answers = endpoints.kind !== 'static' || endpoints.endpoints.length > 0;
      for (const host of hosts) {
        const full = fullHost(host.replace(/:\d+$/, ''), config.self.namespace, CLUSTER_DOMAIN);
        if (answers) this.#concise.add(full);
        for (const subset of Object.keys(subsets)) this.#subsets.add(`${full} ${subset}`);
      }
    }
  }

  /** A host as a rule of `namespace` writes it, as those may see it to whom the rule is shown. */
  find(host: string, namespace: string, exportTo: readonly string[]): IndexedHost | null {
    const full = fullHost(host, namespace, CLUSTER_DOMAIN);
    const scopes = exportTo.length === 0 ? [namespace] : scopesOf(exportTo, namespace);
    for (const scope of [EVERYWHERE, ...scopes]) {
      const known = this.#byScope.get(`${scope}/${full}`);
      if (known !== undefined) return known;
    }
    const wild = this.#wildcard(full, [EVERYWHERE, namespace]);
    if (wild !== null) return wild;
    // What a document shows to others only is not there, whatever else says so.
    if (this.#documented.has(full)) return null;
    return this.#concise.has(full) ? { ports: null } : null;
  }

  /** Whether a service, once all is put together, has the subset. */
  hasSubset(fullName: string, subset: string): boolean {
    return this.#subsets.has(`${fullName} ${subset}`);
  }

  #wildcard(host: string, scopes: readonly string[]): IndexedHost | null {
    for (const suffix of suffixesOf(host.startsWith('*') ? host.slice(1) : host)) {
      for (const scope of scopes) {
        const known = this.#byScope.get(`${scope}/*${suffix}`);
        if (known !== undefined) return known;
      }
    }
    return null;
  }

  #addEntry({ spec, namespace }: Resource): void {
    const ports = portsOf(spec.ports, 'number');
    for (const host of textsOf(spec.hosts)) {
      for (const scope of scopesOf(textsOf(spec.exportTo), namespace)) this.#add(scope, fullHost(host, namespace, CLUSTER_DOMAIN), ports);
    }
  }

  #addService({ name, namespace, spec, annotations }: Resource): void {
    const shown = (annotations['networking.istio.io/exportTo'] ?? '').split(',').map((one) => one.trim());
    const scopes = scopesOf(
      shown.filter((one) => one !== ''),
      namespace,
    );
    for (const scope of scopes) this.#add(scope, fullHost(name, namespace, CLUSTER_DOMAIN), portsOf(spec.ports, 'port'));
  }

  #add(scope: string, host: string, ports: readonly number[]): void {
    this.#documented.add(host);
    const key = `${scope}/${host}`;
    const known = this.#byScope.get(key);
    if (known === undefined) this.#byScope.set(key, { ports: new Set(ports) });
    else for (const port of ports) known.ports.add(port);
  }
}

/** The namespaces that see a resource of `namespace`. */
export function scopesOf(exportTo: readonly string[], namespace: string): readonly string[] {
  if (exportTo.length === 0 || exportTo.includes(EVERYWHERE)) return [EVERYWHERE];
  return [...new Set(exportTo.map((one) => (one === '.' ? namespace : one)))];
}

function portsOf(value: unknown, key: string): number[] {
  return listOf(value).flatMap((one) => numberOf(mappingOf(one)[key]) ?? []);
}

/** The longest first, the host itself included, the empty one last. Names are short, so this is no loop to fear. */
function suffixesOf(host: string): string[] {
  const length = Math.min(host.length, HOST_LENGTH_MAX);
  return Array.from({ length: length + 1 }, (_, i) => host.slice(host.length - length + i));
}

const HOST_LENGTH_MAX = 255;
