// All resources of one load, found by kind and by name.
import type { Resource } from './resource.ts';

export class World {
  readonly #byKind: Map<string, Resource[]> = new Map();
  readonly #byName: Map<string, Resource> = new Map();

  /** false: there is one of that kind and name already; the first stays. */
  add(resource: Resource): boolean {
    const { group, kind, namespace, name } = resource;
    const key = `${group}/${kind}`;
    const named = `${key} ${namespace}/${name}`;
    if (this.#byName.has(named)) return false;
    this.#byName.set(named, resource);
    const known = this.#byKind.get(key);
    if (known === undefined) this.#byKind.set(key, [resource]);
    else known.push(resource);
    return true;
  }

  /** In the order of the load. */
  of(group: string, kind: string): readonly Resource[] {
    return this.#byKind.get(`${group}/${kind}`) ?? [];
  }

  get(group: string, kind: string, namespace: string, name: string): Resource | undefined {
    return this.#byName.get(`${group}/${kind} ${namespace}/${name}`);
  }

  get all(): readonly Resource[] {
    return [...this.#byKind.values()].flat();
  }
}

/** Oldest first, as meshes settle it: creation, then namespace and name, then the order of the documents. */
export function byAge(a: Resource, b: Resource): number {
  return a.createdAtMs - b.createdAtMs || compare(a.namespace, b.namespace) || compare(a.name, b.name) || a.order - b.order;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A Kubernetes short name in full; a name with a dot, or an address, is taken as it is. Source: Istio, ResolveShortnameToFQDN. */
export function fullHost(host: string, namespace: string, clusterDomain: string): string {
  const lower = host.toLowerCase().replace(/\.$/, '');
  return /[.:]/.test(lower) || lower === '*' || lower === '' ? lower : `${lower}.${namespace}.svc.${clusterDomain}`;
}

/** Name and namespace of a full Kubernetes name; null for any other. */
export function kubernetesName(host: string, clusterDomain: string): { readonly name: string; readonly namespace: string } | null {
  const suffix = `.svc.${clusterDomain}`;
  if (!host.endsWith(suffix) || host.startsWith('*')) return null;
  const [name, namespace, more] = host.slice(0, -suffix.length).split('.');
  return name === undefined || namespace === undefined || more !== undefined ? null : { name, namespace };
}

/** The names under which a process in `selfNamespace` may call a Kubernetes service. */
export function hostAliases(name: string, namespace: string, selfNamespace: string, clusterDomain: string): string[] {
  const full = [`${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.${clusterDomain}`];
  return namespace === selfNamespace ? [name, ...full] : full;
}
