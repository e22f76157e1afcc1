// The order in which Istio settles conflicts: the oldest first. Source: istio/istio configCompareByCreationTime.
import type { Resource } from '../resource.ts';

/** Files seldom say when a resource was made; then its name decides, the namespace after it. */
export function byCreation(a: Resource, b: Resource): number {
  return a.createdAtMs - b.createdAtMs || compare(a.name, b.name) || compare(a.namespace, b.namespace);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
