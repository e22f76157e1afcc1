// Warnings about routers and routes that no virtual service leads to: their calls never happen, which nobody would notice.
import type { MeshObjects } from './mesh-objects.ts';
import { routerRef } from './read-routes.ts';

export function noteUnreached(objects: MeshObjects): void {
  const reached = new Set<string>();
  const keyOf = (name: string, mesh: string): string => JSON.stringify([name, mesh]);
  for (const { resource, spec } of objects.services) {
    const provider = spec.provider?.virtualRouter;
    if (provider === undefined) continue;
    const wanted = routerRef(provider);
    const router = objects.router(wanted, resource);
    if (router !== undefined) reached.add(keyOf(router.name, router.resource.namespace));
    else if (wanted.name !== undefined) reached.add(keyOf(wanted.name, resource.namespace));
  }
  for (const { name, resource, path } of objects.routers) {
    if (reached.has(keyOf(name, resource.namespace))) continue;
    resource.report.warn(path, `no virtual service leads to the virtual router ${name}, so its routes take no calls`);
  }
  const routers = new Set(objects.routers.map(({ name, resource }) => keyOf(name, resource.namespace)));
  for (const { router, resource, path } of objects.printedRoutes) {
    const key = keyOf(router, resource.namespace);
    if (reached.has(key) || routers.has(key)) continue;
    resource.report.warn(path, `no virtual service leads to the virtual router ${router}, so this route takes no calls`);
  }
}
