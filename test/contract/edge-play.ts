// Plays one scenario over one edge, or over all side by side, each with servers of its own.
import { expect } from 'vitest';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import type { ServiceInput } from '../../src/model/input.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { At, Scenario } from './edge-scenarios.ts';
import { type Edge, EDGES } from './edge-world.ts';

interface Result {
  readonly outcome: unknown;
  readonly seen?: string;
}

async function play(edge: Edge, scenario: Scenario): Promise<Result> {
  const at: At = { a: await edge.endpoint('a'), b: await edge.endpoint('b'), c: await edge.endpoint('c') };
  for (const [name, play] of Object.entries(scenario.plays ?? {})) at[name as keyof At].play = play;
  const { on = 'ab' } = scenario;
  const config = (service: Partial<ServiceInput>): { services: Record<string, ServiceInput>; unknownHosts: 'refuse' } => ({
    unknownHosts: 'refuse',
    services: {
      reviews: {
        endpoints: [...on].map((name) => ({ address: at[name as keyof At].address, labels: { version: name } })),
        loadBalancer: 'roundRobin',
        retries: { methods: ['*'], backoff: { base: '1ms', max: '1ms' } },
        ...service,
      },
      ...scenario.others?.(at),
    },
  });
  const mesh = await createMesh({ config: config(scenario.service ?? {}), random: seededRandom(1), watch: false });
  try {
    const outcome = await scenario.run(edge.caller(mesh), at, mesh, config);
    const seen = Object.values(at)
      .filter((endpoint) => endpoint.seen.length > 0)
      .map((endpoint) => `${endpoint.name}${endpoint.seen.length}`)
      .join(' ');
    return scenario.seen === undefined ? { outcome } : { outcome, seen };
  } finally {
    await mesh.close({ drainMs: 0 });
    await Promise.all(Object.values(at).map((endpoint) => endpoint.close()));
  }
}

/** All edges come to the same. */
export async function playAll(scenario: Scenario): Promise<void> {
  const edges = EDGES.filter(({ isWhole }) => isWhole || scenario.wholeOnly !== true);
  const results = await Promise.all(edges.map((edge) => play(edge, scenario)));
  const { expected, seen } = scenario;
  const wanted = seen === undefined ? { outcome: expected } : { outcome: expected, seen };
  const got = Object.fromEntries(edges.map(({ name }, index) => [name, results[index]]));
  expect(got).toEqual(Object.fromEntries(edges.map(({ name }) => [name, wanted])));
}
