import { describe, expect, it } from 'vitest';
import { simConfig } from '../../src/sim/sim-config.ts';
import { type OpenSite, openSite, type SiteOptions } from '../../src/sim/site.ts';
import type { EndpointInput, MeshInput } from '../../src/model/input.ts';

async function open(config: MeshInput, options: SiteOptions = {}): Promise<OpenSite> {
  return openSite(await simConfig(config, {}, 3), 'a', { clients: 4, ...options });
}

const serviceOf = (endpoints: readonly (string | EndpointInput)[]): MeshInput => ({ services: { a: { endpoints, timeout: '1s' } } });
const THREE = ['x:80', 'y:80', 'z:80'];

describe('a site', () => {
  it('uses two fifths of what it can serve, exactly, whatever the load', async () => {
    for (const rps of [150, 299, 1_000]) {
      const { capacityRps, model } = await open(serviceOf(THREE), { rps });
      expect(capacityRps).toBeCloseTo(2.5 * rps, 6);
      expect(model.serviceMs).toBeGreaterThan(13);
      expect(model.serviceMs).toBeLessThan(27);
    }
  });

  it('of many endpoints that are alike is no bigger by chance', async () => {
    const count = 40;
    const { model } = await open(serviceOf(Array.from({ length: count }, (_, i) => `e${i}:80`)), { rps: 4_000 });
    expect((count * model.workers * 1_000) / (model.serviceMs as number)).toBeCloseTo(10_000, 6);
  });

  it('has one worker and time to spare when there are few calls', async () => {
    expect((await open(serviceOf(THREE), { rps: 3 })).model).toEqual({ workers: 1, serviceMs: 20 });
  });

  it('is as big everywhere as the busiest endpoint must be', async () => {
    const endpoints = ['v1', 'v2'].map((version) => ({ address: `${version}:80`, labels: { version } }));
    const subsets = { v1: { version: 'v1' }, v2: { version: 'v2' } };
    const { capacityRps } = await open({ services: { a: { endpoints, subsets, routes: [{ to: { v1: 90, v2: 10 } }] } } }, { rps: 200 });
    expect(capacityRps).toBeGreaterThan(480);
    expect(capacityRps).toBeLessThan(540);
  });

  it('has defaults', async () => {
    const site = await open(serviceOf(THREE));
    expect([site.rps, site.durationMs, site.seed, site.fromMs, site.untilMs]).toEqual([300, 60_000, 1, 15_000, 30_000]);
    expect(site.endpoints.map(({ address }) => address)).toEqual(THREE);
  });

  it('spreads its callers over the zones, when there are several', async () => {
    const located = (localities: readonly string[]): MeshInput => ({
      ...serviceOf(localities.map((locality, i) => ({ address: `e${i}:80`, ...(locality === '' ? {} : { locality }) }))),
      self: { locality: 'home/a', service: 'me' },
    });
    const placesOf = async (localities: readonly string[]): Promise<(string | undefined)[]> => {
      const { config } = await simConfig(located(localities), {}, 3);
      const { configOf } = await open(located(localities));
      return [0, 1, 2, 3].map((client) => configOf(client, config).self.locality);
    };
    expect(await placesOf(['r/a/1', 'r/b', 'r/a/2', ''])).toEqual(['r/a', 'r/b', 'r/a', 'r/b']);
    expect(await placesOf(['r/a/1', 'r/a/2', ''])).toEqual(['home/a', 'home/a', 'home/a', 'home/a']);
  });

  it('can have endpoints replaced, and nothing else', async () => {
    const input: MeshInput = { ...serviceOf(['x:80', { address: 'y:80', labels: { v: '1' } }]), failures: 'respond' };
    const { config } = await simConfig(input, {}, 3);
    const { configOf } = await open(input);
    expect(configOf(0, config)).toBe(config);
    const { services, ...rest } = configOf(0, config, new Map([['y:80', 'new:80']]));
    const { services: before, ...same } = config;
    expect(rest).toEqual(same);
    const [x, y] = (before['a'] as { endpoints: { endpoints: readonly object[] } } | undefined)?.endpoints.endpoints ?? [];
    expect(services).toEqual({ a: { ...before['a'], endpoints: { kind: 'static', endpoints: [x, { ...y, address: 'new:80' }] } } });
  });
});
