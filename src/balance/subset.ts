// The few endpoints that this process uses of very many, so that not every process holds sockets to every endpoint. Rendezvous:
// each process ranks all endpoints by a hash of its own, and takes the first; one endpoint more or less changes at most one.
// Source: gRFC A68, by rendezvous instead of a shuffle.
import type { LiveEndpoint } from './endpoint.ts';
import { type Hash64, xxHash64 } from './xxhash64.ts';

/** `size` of the endpoints, in the order given; all of them when they are not more, or when `size` is 0. */
export function subsetOf(endpoints: readonly LiveEndpoint[], size: number, seed: number): readonly LiveEndpoint[] {
  if (size === 0 || endpoints.length <= size) return endpoints;
  const hash: Hash64 = { hi: 0, lo: 0 };
  const ranked = endpoints.map((endpoint) => {
    xxHash64(endpoint.address, hash, 0, seed);
    return { endpoint, hi: hash.hi, lo: hash.lo };
  });
  ranked.sort((a, b) => b.hi - a.hi || b.lo - a.lo);
  const taken = new Set(ranked.slice(0, size).map(({ endpoint }) => endpoint));
  return endpoints.filter((endpoint) => taken.has(endpoint));
}
