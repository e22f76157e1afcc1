// What differs in the same way in every rule of a service is said once, of the service.
import type { MeshConfig } from '../../model/config.ts';
import type { Difference } from '../diff.ts';
import { canonicalRoutes } from './canonical-route.ts';
import { plainKey } from './plain.ts';

const OF_ROUTE = /^(services\..*?)\.routes\[[^\]]*\]\.(.+)$/;

/** `config`: the one whose rules the paths name. */
export function foldDifferences(differences: readonly Difference[], config: MeshConfig): Difference[] {
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) {
    const key = groupOf(difference);
    groups.set(key, [...(groups.get(key) ?? []), difference]);
  }
  const counts = new Map(
    Object.values(config.services).map((service) => [`services.${service.name}`, canonicalRoutes(service, { merge: false }).length]),
  );
  const said = new Set<string>();
  return differences.flatMap((difference) => {
    const [, service = '', field = ''] = OF_ROUTE.exec(difference.path) ?? [];
    const key = groupOf(difference);
    const count = counts.get(service) ?? 0;
    if (count < 2 || groups.get(key)?.length !== count) return [difference];
    if (said.has(key)) return [];
    said.add(key);
    return [{ ...difference, path: `${service}.${field}` }];
  });
}

function groupOf({ path, from, to }: Difference): string {
  const [, service, field] = OF_ROUTE.exec(path) ?? [];
  if (service === undefined) return path;
  return `${service} ${field} ${from === undefined ? '' : plainKey(from)} ${to === undefined ? '' : plainKey(to)}`;
}
