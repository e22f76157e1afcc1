// What a reload does to what is there: services that go, health checks that change, and names whose endpoints cannot be reached.
import { describe, expect, it } from 'vitest';
import type { DnsResolver } from '../../src/discovery/dns-resolver.ts';
import { meshWorld } from '../support/mesh-world.ts';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

describe('a reload', () => {
  it('closes the service that is gone, and keeps what the others have learnt', async () => {
    const both = { reviews: { endpoints: ['10.0.0.1:80'] }, ratings: { endpoints: ['10.0.0.2:80'] } };
    const { mesh, clock } = await meshWorld({ services: both });
    expect((await mesh.fetch('http://ratings/')).status).toBe(200);
    const kept = mesh.snapshot().services.reviews;
    await mesh.reload({ services: { reviews: both.reviews }, unknownHosts: 'refuse' });
    expect(Object.keys(mesh.snapshot().services)).toEqual(['reviews']);
    expect(mesh.snapshot().services.reviews).toEqual(kept);
    await expect(mesh.fetch('http://ratings/')).rejects.toMatchObject({ code: 'unknown_host' });
    await mesh.close();
    expect(clock.armed).toBe(0);
  });

  it('keeps what was made for mesh.call, until a configuration names it', async () => {
    const { mesh } = await meshWorld({ services: {} });
    expect(await mesh.call('database', () => 'row')).toBe('row');
    await mesh.reload({ services: { reviews: { endpoints: [] } } });
    expect(Object.keys(mesh.snapshot().services).sort()).toEqual(['database', 'reviews']);
    expect(await mesh.call('database', () => 'row')).toBe('row');
    await mesh.close();
  });

  it('changes nothing when the object says the same', async () => {
    const config = { services: { reviews: { endpoints: ['10.0.0.1:80'] } } };
    const { mesh } = await meshWorld(config);
    let loaded = 0;
    mesh.events.addEventListener('configLoaded', () => loaded++);
    await mesh.reload(structuredClone(config));
    expect(loaded).toBe(0);
    await mesh.reload({ services: {} });
    expect(loaded).toBe(1);
    await mesh.close();
  });
});

describe('a service whose endpoints are found by name', () => {
  it('looks the name up again when they cannot be reached, over a transport that was handed in, too', async () => {
    let asked = 0;
    const resolver: DnsResolver = {
      resolve4: async () => [{ address: `10.0.0.${++asked}`, ttl: 3_600 }],
      resolve6: async () => [],
      resolveSrv: async () => [],
      lookup: async () => [],
    };
    const { mesh, clock, log, play } = await meshWorld(
      { services: { reviews: { dns: 'reviews.internal:80', retries: false, circuitBreaker: false, outlierDetection: false } } },
      { resolver },
    );
    expect([(await mesh.fetch('http://reviews/')).status, asked]).toEqual([200, 1]);
    play['10.0.0.1:80'] = () => 'refuse';
    clock.advance(10_000);
    await expect(mesh.fetch('http://reviews/')).rejects.toMatchObject({ code: 'connect_failed' });
    await settle();
    clock.advance(10_000);
    await settle();
    expect(asked).toBe(2);
    await mesh.fetch('http://reviews/');
    expect(log.at(-1)).toBe('10.0.0.2:80');
    await mesh.close();
  });
});

describe('failures that respond', () => {
  it('leave to the caller what he aborted himself', async () => {
    const { mesh, play } = await meshWorld({ failures: 'respond', services: { reviews: { endpoints: ['10.0.0.1:80'], retries: false } } });
    play['10.0.0.1:80'] = () => 'hang';
    const abort = new AbortController();
    const called = mesh.fetch('http://reviews/', { signal: abort.signal });
    await settle();
    abort.abort(new Error('enough'));
    await expect(called).rejects.toThrow('enough');
    play['10.0.0.1:80'] = () => 'refuse';
    expect((await mesh.fetch('http://reviews/')).status).toBe(503);
    await mesh.close();
  });
});
