import { describe, expect, it } from 'vitest';
import { simulate, type SimulationOptions } from '../../src/testing.ts';

const WORLD: SimulationOptions = {
  config: { services: { target: { timeout: '1s' } } },
  clients: 3,
  endpoints: { count: 4, workers: 2 },
  load: 200,
  faults: [
    { fromMs: 1_000, untilMs: 2_000, endpoints: 1, is: 'refuse' },
    { fromMs: 3_000, untilMs: 4_000, endpoints: ['e2:80', 'e3:80'], is: { errors: 0.5 } },
    { fromMs: 5_000, untilMs: 6_000, is: 'blackHole' },
  ],
  durationMs: 10_000,
  seed: 7,
};

const json = async (options: SimulationOptions): Promise<string> => JSON.stringify(await simulate(options));

describe('simulate', () => {
  it('gives the same result for the same seed, byte for byte, and another for another', async () => {
    const first = await json(WORLD);
    expect(await json(WORLD)).toBe(first);
    const other = JSON.parse(await json({ ...WORLD, seed: 8 })) as { seed: number };
    expect(JSON.stringify({ ...other, seed: 7 })).not.toBe(first);
  });

  it('one client more does not change what the others do', async () => {
    const times = async (clients: number): Promise<number[]> => {
      const result = await simulate({ ...WORLD, faults: [], clients, load: 50 * clients, endpoints: { count: 1, workers: 100 } });
      return result.attemptTimes(() => true);
    };
    const [two, three] = [await times(2), new Set(await times(3))];
    expect(two.length).toBeGreaterThan(500);
    expect(two.every((at) => three.has(at))).toBe(true);
  });

  it('counts every call once, and every attempt', async () => {
    const result = await simulate({ ...WORLD, config: { services: { target: { timeout: '1s', retries: false } } }, faults: [] });
    const { calls, goodput, amplification } = result.stats();
    expect(calls).toBe(result.attemptTimes(() => true).length);
    expect([goodput, amplification]).toEqual([1, 1]);
    expect(Math.abs(calls - 2_000)).toBeLessThan(200);
    const shares = Object.values(result.shares());
    expect(shares).toHaveLength(4);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    expect(result.stats(0, 5_000).calls + result.stats(5_000, 10_000).calls).toBe(calls);
  });

  it('counts a call that failed at once as one that took all its time', async () => {
    const result = await simulate({ ...WORLD, faults: [{ fromMs: 0, is: 'failFast' }] });
    const { goodput, p50Ms, p99Ms, refused, calls } = result.stats();
    expect([goodput, p50Ms, p99Ms]).toEqual([0, 1_000, 1_000]);
    expect(refused).toBeGreaterThan(calls / 2);
    expect(result.count('circuitOpened')).toBeGreaterThan(2);
    expect(result.recoveryMs(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('tells when it goes well again', async () => {
    const result = await simulate({ ...WORLD, durationMs: 20_000 });
    expect(result.stats(5_000, 6_000).goodput).toBeLessThan(0.2);
    const recoveryMs = result.recoveryMs(5_000);
    expect(recoveryMs).toBeGreaterThan(900);
    expect(recoveryMs).toBeLessThan(8_000);
    expect(result.stats(5_000 + recoveryMs, 10_000 + recoveryMs).goodput).toBeGreaterThanOrEqual(0.99);
  });

  it('takes the endpoints of the configuration, and its routes', async () => {
    const result = await simulate({
      config: {
        services: {
          other: { endpoints: ['o1:80'] },
          target: {
            endpoints: [
              { address: 'a:80', labels: { version: 'v1' } },
              { address: 'b:80', labels: { version: 'v2' } },
            ],
            subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
            routes: [{ to: { v1: 75, v2: 25 } }],
          },
        },
      },
      service: 'target',
      endpoints: { workers: 50 },
      load: 100,
      durationMs: 20_000,
    });
    expect(result.shares()['b:80']).toBeCloseTo(0.25, 1.5);
  });

  it('gives a service that is found by name its endpoints', async () => {
    const result = await simulate({ config: { services: { target: { dns: 'target.internal:80' } } }, load: 50, durationMs: 1_000 });
    expect(Object.keys(result.shares())).toHaveLength(3);
    expect(result.stats().goodput).toBe(1);
  });

  it('plays a script, and hands on what it throws', async () => {
    const seen: number[] = [];
    const script = [
      { atMs: 500, run: ({ nowMs, meshes }: { nowMs: number; meshes: readonly unknown[] }) => void seen.push(nowMs, meshes.length) },
    ];
    await simulate({ ...WORLD, script, durationMs: 1_000 });
    expect(seen).toEqual([500, 3]);
    const broken = [{ atMs: 500, run: () => Promise.reject(new Error('broken')) }];
    await expect(simulate({ ...WORLD, script: broken, durationMs: 1_000 })).rejects.toThrow('broken');
  });

  it.each([
    ['a faulty configuration', { config: { services: { target: { timeout: 'soon' } } } }, /timeout/],
    ['files without a service', { config: 'mesh.yaml' }, /name the service/],
    ['a service that is not there', { service: 'nobody', config: { services: { a: { endpoints: ['a:1'] } } }, load: 0 }, null],
  ])('%s', async (_, options, message) => {
    const running = simulate({ ...WORLD, ...options, durationMs: 100 });
    if (message === null) await expect(running).resolves.toBeDefined();
    else await expect(running).rejects.toThrow(message);
  });
});
