// S11: four layers of services, each with a mesh of its own and three attempts. What reaches the last one?
import type { PolicyInput } from '../../../src/model/input-policy.ts';
import type { MeshInput } from '../../../src/model/input.ts';
import { type EndpointModel, type SimProcess, simulate, type SimWorld } from '../../../src/testing.ts';
import { atLeast, atMost, type Case, type Figure, ISTIO, type Scenario } from './scenario.ts';

const LAYERS = ['a', 'b', 'c', 'd'] as const;
const REPLICAS = 3;
const RPS = 300;

const addressesOf = (layer: string): string[] => Array.from({ length: REPLICAS }, (_, i) => `${layer}${i + 1}:80`);

function config(policies: PolicyInput): MeshInput {
  return { services: Object.fromEntries(LAYERS.map((layer) => [layer, { timeout: '5s', ...policies, endpoints: addressesOf(layer) }])) };
}

interface Effect {
  /** Attempts that reached the last layer ÷ calls of users. */
  readonly leaf: number;
  readonly goodput: number;
}

async function layers(policies: PolicyInput, errors: number, seed: number, durationMs = 60_000): Promise<Effect> {
  let received = (): number => 0;
  const fast: EndpointModel = { workers: 1_000, serviceMs: 1 };
  const prepare = async ({ place, process, endpoint }: SimWorld): Promise<void> => {
    for (const [i, layer] of LAYERS.entries()) {
      const below = LAYERS[i + 1];
      for (const address of addressesOf(layer)) {
        const server: SimProcess | null = below === undefined ? null : await process(address, config(policies));
        place(address, server === null ? fast : { ...fast, handle: () => server.call(below as string) });
      }
    }
    for (const address of addressesOf('d')) endpoint(address).behave({ errors });
    received = () => addressesOf('d').reduce((sum, address) => sum + endpoint(address).received, 0);
  };
  const result = await simulate({
    config: config(policies),
    service: 'a',
    clients: 3,
    endpoints: fast,
    load: RPS,
    durationMs,
    seed,
    prepare,
  });
  return { leaf: received() / result.stats().calls, goodput: result.stats().goodput };
}

const ours = (errors: number, leafMost: number | null, goodputLeast: number | null): Case => ({
  name: `leaf fails ${errors * 100} %`,
  run: async (seed): Promise<Figure[]> => {
    const { leaf, goodput } = await layers({}, errors, seed);
    return [
      ...(leafMost === null ? [] : [atMost('leaf amplification', leaf, leafMost)]),
      ...(goodputLeast === null ? [] : [atLeast('success %', 100 * goodput, goodputLeast)]),
    ];
  },
});

export const S11: Scenario = {
  id: 'S11',
  title: 'four layers, three attempts each',
  cases: [
    ours(1, 1.1, null),
    ours(0.3, 1.5, 95),
    ours(0.05, null, 99.99),
    {
      name: '2 unlimited retries in every layer, leaf fails 100 %',
      isControl: true,
      run: async (seed) => [atLeast('leaf amplification', (await layers({ ...ISTIO, timeout: '60s' }, 1, seed, 10_000)).leaf, 80)],
    },
  ],
};
