// S12: each client uses a few endpoints of very many. How evenly are they spread, and how many change when one endpoint does?
import type { MeshInput } from '../../../src/model/input.ts';
import { simulate, type SimWorld, seededRandom } from '../../../src/testing.ts';
import { atLeast, atMost, type Case, type Figure, type Scenario, seen } from './scenario.ts';

interface Fleet {
  readonly clients: number;
  readonly endpoints: number;
  readonly size: number;
}

/** Time for one look at who uses whom: at four calls for each endpoint in turn, all of them are seen. */
const LOOK_MS = 10_000;

type Used = readonly ReadonlySet<string>[];

const addressesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `e${i + 1}:80`);

function config(addresses: readonly string[], size: number): MeshInput {
  return { services: { target: { loadBalancer: { kind: 'roundRobin', subsetSize: size }, endpoints: [...addresses] } } };
}

/** Which endpoints each client uses: with all, when one has gone, and when another has come. */
async function usedBy({ clients, endpoints, size }: Fleet, seed: number): Promise<Used[]> {
  const all = addressesOf(endpoints);
  const less = all.filter((_, i) => i !== endpoints >> 1);
  const sets = [all, less, [...less, 'new:80']];
  const looks: Set<string>[][] = sets.map(() => Array.from({ length: clients }, () => new Set()));
  let look = 0;
  const watch = ({ meshes }: SimWorld): void => {
    for (const [client, mesh] of meshes.entries()) {
      mesh.use(
        (next) => (attempt) => {
          looks[look]?.[client]?.add(attempt.endpoint?.address ?? '');
          return next(attempt);
        },
        { role: 'watch', above: 'transport' },
      );
    }
  };
  await simulate({
    config: config(all, size),
    clients,
    endpoints: { workers: 1_000, serviceMs: { kind: 'fixed', meanMs: 1 } },
    load: (clients * size * 4 * 1_000) / LOOK_MS,
    durationMs: sets.length * LOOK_MS,
    seed,
    prepare: watch,
    script: sets.slice(1).map((addresses, i) => ({
      atMs: (i + 1) * LOOK_MS,
      run: async ({ meshes }) => {
        await Promise.all(meshes.map((mesh) => mesh.reload(config(addresses, size))));
        look = i + 1;
      },
    })),
  });
  return looks;
}

/** Most endpoints that any client uses now and did not before. */
function churn(before: Used, after: Used): number {
  return Math.max(...after.map((now, client) => [...now].filter((address) => before[client]?.has(address) !== true).length));
}

/** Deviation of the clients of an endpoint, % of the mean. */
function spread(used: Used, endpoints: number): number {
  const counts = new Map(addressesOf(endpoints).map((address) => [address, 0]));
  for (const one of used) for (const address of one) counts.set(address, (counts.get(address) ?? 0) + 1);
  const mean = [...counts.values()].reduce((sum, count) => sum + count, 0) / endpoints;
  const variance = [...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2, 0) / endpoints;
  return (100 * Math.sqrt(variance)) / mean;
}

/** Each client draws anew whenever the endpoints change. */
function drawn({ clients, size }: Fleet, addresses: readonly string[], seed: number): Used {
  const random = seededRandom(seed);
  return Array.from({ length: clients }, () => {
    const some = new Set<string>();
    while (some.size < size) some.add(addresses[Math.floor(random() * addresses.length)] as string);
    return some;
  });
}

const HUNDRED: Fleet = { clients: 100, endpoints: 100, size: 10 };

const ours = (fleet: Fleet): Case => ({
  name: `${fleet.clients} clients, ${fleet.endpoints} endpoints, ${fleet.size} each`,
  run: async (seed): Promise<Figure[]> => {
    const [all, less, more] = (await usedBy(fleet, seed)) as [Used, Used, Used];
    return [
      atMost('new endpoints of a client when one goes', churn(all, less), 1),
      atMost('new endpoints of a client when one comes', churn(less, more), 1),
      atMost('endpoints of a client', Math.max(...all.map(({ size }) => size)), fleet.size),
      atLeast('endpoints of a client, least', Math.min(...all.map(({ size }) => size)), fleet.size),
      seen('deviation of the clients of an endpoint %', spread(all, fleet.endpoints)),
    ];
  },
});

export const S12: Scenario = {
  id: 'S12',
  title: 'subsetting',
  cases: [
    ours(HUNDRED),
    ours({ clients: 1_000, endpoints: 300, size: 20 }),
    {
      name: 'drawn at random, 100 clients',
      isControl: true,
      run: async (seed) => {
        const all = addressesOf(HUNDRED.endpoints);
        const before = drawn(HUNDRED, all, seed);
        return [
          { what: 'deviation of the clients of an endpoint %', value: spread(before, HUNDRED.endpoints), least: 22, most: 36 },
          atLeast('new endpoints of a client when one goes', churn(before, drawn(HUNDRED, all.slice(1), seed + 1_000)), 5),
        ];
      },
    },
  ],
};
