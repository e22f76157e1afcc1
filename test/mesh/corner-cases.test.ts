// Bugs that were found in the assembled mesh, one case each.
import { handleAll, retry as cockatielRetry } from 'cockatiel';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/index.ts';
import type { Layer } from '../../src/core/service.ts';
import { createMesh } from '../../src/mesh/mesh.ts';
import { echoServer } from '../support/echo-server.ts';
import { meshWorld } from '../support/mesh-world.ts';
import { settle } from '../support/virtual-clock.ts';

const A = '10.0.0.1:80';
const B = '10.0.0.2:80';
const C = '10.0.0.3:80';

describe('reload', () => {
  it('brings an ejected endpoint back when ejection is switched off, and on again', async () => {
    const config = (outlierDetection: false | { consecutiveErrors: number }): Parameters<typeof meshWorld>[0] => ({
      services: { reviews: { endpoints: [A, B, C], retries: false, circuitBreaker: false, loadBalancer: 'roundRobin', outlierDetection } },
    });
    const world = await meshWorld(config({ consecutiveErrors: 2 }));
    world.play[A] = () => 503;
    for (let i = 0; i < 12; i++) await world.fetch();
    const standing = (): (string | undefined)[] =>
      world.mesh.snapshot().services.reviews?.endpoints.map((endpoint) => endpoint.standing) ?? [];
    expect(standing()).toEqual(['ejected', 'in', 'in']);
    await world.mesh.reload(config(false));
    await world.mesh.reload(config({ consecutiveErrors: 2 }));
    expect(standing()).toEqual(['in', 'in', 'in']);
  });

  it('keeps names that only mesh.call knows, with their state and the defaults of the file', async () => {
    const world = await meshWorld({ defaults: { circuitBreaker: { consecutive: 2 } }, services: { reviews: { endpoints: [A] } } });
    for (let i = 0; i < 2; i++) await world.mesh.call('store', () => Promise.reject(new Error('down'))).catch(() => {});
    expect(world.mesh.snapshot().services.store?.circuit).toBe('open');
    await world.mesh.reload({ defaults: { circuitBreaker: { consecutive: 2 } }, services: { reviews: { endpoints: [B] } } });
    expect(world.mesh.snapshot().services.store?.circuit).toBe('open');
  });

  it('puts the layers of the user around services that it adds', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A] } } });
    const seen: string[] = [];
    const spy: Layer = (next) => (call) => {
      seen.push(call.endpoint?.address ?? '');
      return next(call);
    };
    world.mesh.use(spy, { role: 'spy', above: 'transport' });
    await world.mesh.reload({ services: { reviews: { endpoints: [A] }, ratings: { endpoints: [C] } } });
    await world.mesh.fetch('http://ratings/');
    expect(seen).toEqual([C]);
  });
});

describe('layers', () => {
  it('stand above a branch or not at all', async () => {
    const { mesh } = await meshWorld({ services: { reviews: { endpoints: [A] } } });
    for (const role of ['router', 'splitter', 'balancer', 'transport']) {
      expect(() => mesh.use((next) => next, { role: 'x', below: role })).toThrow(`nothing stands below ${role}`);
    }
  });

  it('that throw leave nothing open: close does not wait for them', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A] } } });
    const own = new Error('mine');
    let mode = '';
    world.mesh.use(
      (next) => (call) => {
        if (mode === 'throws') throw own;
        return mode === 'rejects' ? Promise.reject(own) : next(call);
      },
      { role: 'theirs', above: 'router' },
    );
    for (mode of ['throws', 'rejects']) await expect(world.fetch()).rejects.toBe(own);
    mode = '';
    expect((await world.fetch()).status).toBe(200);
    await world.mesh.close({ drainMs: 60_000 });
    expect(world.clock.armed).toBe(0);
  });

  it('made of a policy leave an upgrade alone', async () => {
    const server = await echoServer();
    const mesh = await createMesh({ config: { services: { reviews: { endpoints: [server.address] } } } });
    mesh.use(cockatielRetry(handleAll, { maxAttempts: 1 }), { role: 'theirs', above: 'router' });
    const seen: string[] = [];
    mesh.use(
      (next) => (call) => {
        seen.push(call.upgrade);
        return next(call);
      },
      { role: 'spy', above: 'transport' },
    );
    const { request } = await import('undici');
    await request('http://reviews/', { dispatcher: mesh.dispatcher, upgrade: 'websocket' } as never).catch(() => {});
    expect(seen).toContain('websocket');
    await mesh.close();
    await server.close();
  });
});

describe('listeners', () => {
  it('that throw harm no call', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A], retries: false, circuitBreaker: { consecutive: 1 } } } });
    const thrown: unknown[] = [];
    const keep = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error));
    const own = new Error('mine');
    world.mesh.events.onAny(() => {
      throw own;
    });
    world.play[A] = () => 500;
    expect((await world.fetch()).status).toBe(500);
    await settle();
    for (const listener of keep) process.on('uncaughtException', listener);
    expect(thrown).toEqual([own]);
  });
});

describe('a closed mesh', () => {
  it('answers like a sidecar when failures is respond', async () => {
    const world = await meshWorld({ failures: 'respond', services: { reviews: { endpoints: [A] } } });
    await world.mesh.close();
    const response = await world.fetch();
    expect(response.status).toBe(503);
    expect(response.headers.get('x-inmesh-error')).toBe('closed');
  });
});

describe('a sticky route', () => {
  const config = (acrossSubsets?: boolean): Parameters<typeof meshWorld>[0] => ({
    services: {
      reviews: {
        endpoints: [
          { address: A, labels: { version: 'v1' } },
          { address: B, labels: { version: 'v2' } },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        routes: [
          { to: { v1: 50, v2: 50 }, sticky: { header: 'x-user' }, ...(acrossSubsets === undefined ? {} : { retries: { acrossSubsets } }) },
        ],
      },
    },
  });
  it.each([
    [undefined, 1],
    [true, 2],
  ])('with acrossSubsets %s is answered by %d of its subsets', async (acrossSubsets, expected) => {
    const world = await meshWorld(config(acrossSubsets));
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    const answered = world.fetch('/', { headers: { 'x-user': 'ada' } });
    await world.clock.run(1_000);
    await answered;
    expect(new Set(world.log).size).toBe(expected);
  });
});

describe('createClient', () => {
  it('takes an IPv6 address', async () => {
    await using client = createClient('http://[::1]:9', { endpoints: ['127.0.0.1:9'] });
    expect((await client.explain('/')).service).toBe('1');
  });
});
