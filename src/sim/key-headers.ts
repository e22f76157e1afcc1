// Headers that a configuration chooses by: sticky routes and hash keys. In a simulation they are drawn from many users,
// or every call would look like the same one.
import type { Random } from '../core/clock.ts';
import type { HashKey } from '../model/balancing.ts';
import type { MeshConfig } from '../model/config.ts';
import type { StickyPolicy } from '../model/route.ts';

const USERS = 1_000;

/** Draws the headers of a call; undefined when the configuration looks at none. */
export function keyHeaders({ services }: MeshConfig): ((random: Random) => string[]) | undefined {
  const headers = new Set<string>();
  const cookies = new Set<string>();
  const note = (key: HashKey | StickyPolicy): void => {
    if ('header' in key) headers.add(key.header.toLowerCase());
    else if ('cookie' in key) cookies.add(key.cookie);
  };
  for (const { routes, loadBalancer } of Object.values(services)) {
    for (const { sticky } of routes) if (sticky !== undefined) note(sticky);
    for (const key of loadBalancer.hash?.keys ?? []) note(key);
  }
  if (headers.size + cookies.size === 0) return undefined;
  return (random) => {
    const user = `user-${Math.floor(random() * USERS)}`;
    const pairs = [...headers].flatMap((name) => [name, user]);
    if (cookies.size > 0) pairs.push('cookie', [...cookies].map((name) => `${name}=${user}`).join('; '));
    return pairs;
  };
}
