// A simulation repeats to the last byte, with everything switched on that draws, waits, learns or reloads.
import { describe, expect, it } from 'vitest';
import type { MeshInput } from '../../src/model/input.ts';
import { simulate, type SimulationResult } from '../../src/testing.ts';

const ZONES = ['region/one', 'region/two'] as const;

function config(canary: number, client: number): MeshInput {
  const endpoints = Array.from({ length: 8 }, (_, i) => ({
    address: `e${i + 1}:80`,
    labels: { version: i % 4 === 3 ? 'v2' : 'v1' },
    locality: ZONES[i >> 2] as string,
  }));
  return {
    self: { locality: ZONES[client % 2] as string },
    services: {
      target: {
        timeout: '1s',
        retries: { perTryTimeout: '300ms' },
        throttle: true,
        limits: { adaptive: true },
        rateLimit: { requests: 5_000 },
        endpoints,
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        routes: [
          {
            match: { path: { prefix: '/cached' } },
            cache: true,
            coalesce: true,
            fallback: { body: 'stale' },
            to: 'v1',
          },
          {
            idempotent: { extraLoad: 0.05 },
            fault: { by: 'random', delay: { fixedDelay: '20ms', percentage: 1 }, abort: { httpStatus: 503, percentage: 1 } },
            mirror: { to: 'shadow', percent: 10 },
            sticky: { header: 'user' },
            to: { v1: 100 - canary, v2: canary },
          },
        ],
      },
      shadow: { endpoints: ['s1:80', 's2:80'], loadBalancer: { kind: 'ringHash', hash: { header: 'user' } } },
    },
  };
}

function everything(seed: number): Promise<SimulationResult> {
  return simulate({
    config: config(10, 0),
    configOf: (client) => config(10, client),
    clients: 6,
    endpoints: {
      workers: 4,
      serviceMs: { kind: 'bimodal', meanMs: 8, slowMs: 150, share: 0.02 },
      headers: { 'cache-control': 'max-age=1' },
      admission: true,
      honorsCancel: true,
      refusalMs: 1,
    },
    load: {
      rps: 600,
      steps: [{ fromMs: 6_000, untilMs: 9_000, times: 4 }],
      path: (random) => (random() < 0.3 ? `/cached/${Math.floor(random() * 50)}` : '/'),
      headers: (random) => ['user', `user-${Math.floor(random() * 100)}`],
      criticality: (random) => (random() < 0.1 ? 'critical' : 'sheddable'),
    },
    faults: [
      { fromMs: 3_000, untilMs: 5_000, endpoints: 1, is: 'failFast' },
      { fromMs: 10_000, untilMs: 12_000, endpoints: ['e5:80', 'e6:80', 'e7:80', 'e8:80'], is: 'blackHole' },
      { fromMs: 12_000, endpoints: ['e2:80'], is: { errors: 0.5 } },
      { fromMs: 12_500, untilMs: 14_000, is: 'refuse' },
    ],
    script: [
      { atMs: 7_000, run: async ({ meshes }) => void (await Promise.all(meshes.map((mesh, client) => mesh.reload(config(20, client))))) },
    ],
    durationMs: 15_000,
    seed,
  });
}

const bytesOf = (result: SimulationResult): string =>
  JSON.stringify([result, result.events, result.series(100), result.attemptTimes(() => true)]);

describe('a simulation with everything on', () => {
  it('is equal for equal seeds, byte for byte, and another one for another seed', async () => {
    const first = await everything(7);
    const bytes = bytesOf(first);
    expect(bytesOf(await everything(7))).toBe(bytes);
    expect(bytesOf(await everything(8))).not.toBe(bytes);
    // It would prove nothing if nothing had happened.
    const happened = new Set<string>(first.events.map(({ event }) => event.type));
    expect([...happened]).toEqual(expect.arrayContaining(['configLoaded', 'endpointEjected', 'endpointReturned', 'circuitOpened']));
    const { calls, goodput, amplification } = first.stats();
    expect(calls).toBeGreaterThan(10_000);
    expect(goodput).toBeGreaterThan(0.5);
    expect(goodput).toBeLessThan(1);
    expect(amplification).toBeGreaterThan(0.5);
  });
});
