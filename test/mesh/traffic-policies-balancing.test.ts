// To whom a call goes, and what is learnt of it, from YAML to the outcome: hashing, localities, slow start, adaptive limits,
// health checks, ejection and budgets of other meshes, the retry margin.
import { describe, expect, it } from 'vitest';
import { inboundContext } from '../../src/core/context.ts';
import type { MeshEvent } from '../../src/core/events.ts';
import { createMesh } from '../../src/index.ts';
import type { MeterSnapshot } from '../../src/telemetry/meter-snapshot.ts';
import { echoServer } from '../support/echo-server.ts';
import { A, B, C, type Play, trafficWorld, type TrafficWorld } from './traffic-rig.ts';

const three = (rest: string, head = ''): string => `${head}
services:
  reviews:
    endpoints: ['${A}', '${B}', '${C}']
${rest}`;

const standings = (world: TrafficWorld): string[] =>
  (world.mesh.snapshot().services.reviews?.endpoints ?? []).map(({ standing }) => standing);

async function calls(world: TrafficWorld, count: number, everyMs = 0): Promise<Record<string, number>> {
  const from = world.attempts.length;
  for (let i = 0; i < count; i++) {
    await world.get();
    if (everyMs > 0) await world.clock.run(everyMs);
  }
  const counts: Record<string, number> = {};
  for (const { address } of world.attempts.slice(from)) counts[address] = (counts[address] ?? 0) + 1;
  return counts;
}

describe.each(['ringHash', 'maglev'])('%s', (kind) => {
  const hashed = (keys: string): string => three(`    loadBalancer: { kind: ${kind}, hash: ${keys} }\n`);

  it('sends equal keys to one endpoint, and different keys everywhere', async () => {
    const world = await trafficWorld(hashed('{ header: x-user }'));
    const byUser = new Map<string, Set<string>>();
    for (let i = 0; i < 120; i++) {
      const user = `user-${i % 30}`;
      await world.get('/', { headers: { 'x-user': user } });
      byUser.set(user, (byUser.get(user) ?? new Set()).add(world.log().at(-1) ?? ''));
    }
    expect([...byUser.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...byUser.values()].flatMap((addresses) => [...addresses])).size).toBe(3);
  });

  it('takes the first key that the call has; makes a cookie for a call without one', async () => {
    const world = await trafficWorld(hashed('[{ query: id }, { cookie: { name: cart, ttl: 1h, path: / } }]'));
    const first = await world.get();
    const [cookie = ''] = (first.headers.get('set-cookie') ?? '').split(';');
    expect(cookie).toMatch(/^cart=/);
    expect(first.headers.get('set-cookie')).toContain('Max-Age=3600');
    const home = world.log()[0];
    for (let i = 0; i < 10; i++) {
      const again = await world.get('/', { headers: { cookie } });
      expect([world.log().at(-1), again.headers.get('set-cookie')]).toEqual([home, null]);
    }
    const byId = new Set<string | undefined>();
    for (let i = 0; i < 20; i++) {
      await world.get('/?id=7', { headers: { cookie: `cart=${i}` } });
      byId.add(world.log().at(-1));
    }
    expect(byId.size).toBe(1);
  });

  it('knows the caller whose call is served; a retry goes on to the next, and the key comes home', async () => {
    const world = await trafficWorld(hashed('{ source: true }'));
    const as = (source: string): Promise<unknown> =>
      inboundContext.run({ deadlineMs: Number.POSITIVE_INFINITY, criticality: -1, source }, () => world.get());
    await as('10.1.1.1');
    const home = world.log()[0] as string;
    world.play[home] = () => 503;
    await as('10.1.1.1');
    expect(world.log()[1]).toBe(home);
    expect(world.log()[2]).not.toBe(home);
    world.play[home] = () => 200;
    await as('10.1.1.1');
    expect(world.log().at(-1)).toBe(home);
  });
});

describe('localities', () => {
  const zones = (locality: string): string => `
self: { locality: eu/a }
services:
  reviews:
    endpoints:
      - { address: '${A}', locality: eu/a }
      - { address: '${B}', locality: eu/b }
      - { address: '${C}', locality: us/a }
    loadBalancer: { kind: roundRobin${locality} }
`;

  it('the own zone first; a retry leaves it; the rest takes over when it is sick', async () => {
    const world = await trafficWorld(zones(''));
    expect(await calls(world, 10)).toEqual({ [A]: 10 });
    world.play[A] = () => 503;
    await world.get();
    expect(world.log().at(-1)).not.toBe(A);
    await calls(world, 10);
    expect(standings(world)[0]).toBe('ejected');
    const counts = await calls(world, 10);
    expect(counts[A] ?? 0).toBeLessThan(3);
    expect((counts[B] ?? 0) + (counts[C] ?? 0)).toBeGreaterThanOrEqual(8);
  });

  it('the own zone spills when it says that it is busy', async () => {
    const world = await trafficWorld(zones(', locality: { maxLoad: 0.5 }'));
    world.play[A] = () => ({ headers: { 'x-inmesh-load': '0.95' } });
    const counts = await calls(world, 300, 20);
    expect((counts[B] ?? 0) + (counts[C] ?? 0)).toBeGreaterThan(30);
    expect(counts[A]).toBeGreaterThan(30);
    expect(world.mesh.snapshot().services.reviews?.endpoints[0]?.load).toBe(0.95);
  });

  it('as Istio: zone, region, the rest; or shares by place; or none of it', async () => {
    const priority = await trafficWorld(zones(', locality: priority'));
    priority.play[A] = () => 503;
    await calls(priority, 6);
    const counts = await calls(priority, 6);
    expect(counts[B]).toBeGreaterThan(0);
    expect(counts[C] ?? 0).toBe(0);
    const shared = await trafficWorld(zones(", locality: { distribute: [{ from: eu/*, to: { 'eu/*': 70, 'us/*': 30 } }] }"));
    const shares = await calls(shared, 1_000);
    expect(shares[C]).toBeGreaterThan(230);
    expect(shares[C]).toBeLessThan(370);
    const plain = await trafficWorld(zones(', locality: false'));
    expect(await calls(plain, 9)).toEqual({ [A]: 3, [B]: 3, [C]: 3 });
  });

  it('priorities of endpoints hold without any locality', async () => {
    const world = await trafficWorld(`
services:
  reviews:
    endpoints: ['${A}', { address: '${B}', priority: 1 }]
    loadBalancer: roundRobin
`);
    expect(await calls(world, 5)).toEqual({ [A]: 5 });
    world.play[A] = () => 503;
    await calls(world, 6);
    expect((await calls(world, 6))[B]).toBeGreaterThanOrEqual(5);
  });
});

describe('slow start', () => {
  it('gives a new endpoint its share little by little', async () => {
    const yaml = (endpoints: string): string => `
services:
  reviews:
    endpoints: [${endpoints}]
    loadBalancer: { kind: roundRobin, slowStart: { window: 60s } }
`;
    const world = await trafficWorld(yaml(`'${A}', '${B}'`));
    await world.clock.run(60_000);
    expect(await calls(world, 100)).toEqual({ [A]: 50, [B]: 50 });
    await world.reload(yaml(`'${A}', '${B}', '${C}'`));
    const share = async (): Promise<number> => (await calls(world, 300))[C] ?? 0;
    const young = await share();
    await world.clock.run(30_000);
    const half = await share();
    await world.clock.run(30_000);
    const grown = await share();
    expect([young > 5 && young < 30, half > 45 && half < 75, grown > 95 && grown < 105]).toEqual([true, true, true]);
  });
});

describe('adaptive limits', () => {
  it('learn what each endpoint takes, pass over a full one, and refuse when all are full', async () => {
    const world = await trafficWorld(`
services:
  reviews:
    endpoints: ['${A}', '${B}']
    retries: false
    circuitBreaker: false
    outlierDetection: false
    loadBalancer: roundRobin
    limits: { adaptive: { initial: 4, min: 2, max: 8 } }
`);
    const limits = (): (number | null)[] => (world.mesh.snapshot().services.reviews?.endpoints ?? []).map(({ limit }) => limit);
    world.play[A] = () => 'hang';
    world.play[B] = () => 'hang';
    const hung = Array.from({ length: 8 }, () => world.start('/', { mesh: { timeout: '1s' } }));
    await world.clock.run(0);
    const refused = await world.start();
    expect([refused.code, refused.error?.family]).toEqual(['overloaded', 'refused']);
    expect(world.log()).toHaveLength(8);
    expect(limits()).toEqual([4, 4]);
    await world.clock.run(1_000);
    expect((await Promise.all(hung)).every(({ code }) => code === 'deadline_exceeded')).toBe(true);
    // One overload seen once for each, however many calls were under way.
    expect(limits()).toEqual([3, 3]);
    world.play[A] = () => 503;
    world.play[B] = () => ({ afterMs: 10 });
    for (let i = 0; i < 20; i++) {
      const together = Array.from({ length: 4 }, () => world.start());
      await world.clock.run(10);
      await Promise.all(together);
    }
    const [full, free] = limits();
    expect(full).toBe(2);
    expect(free).toBeGreaterThan(4);
    expect(world.mesh.snapshot().services.reviews?.inFlight.requests).toBe(0);
  });
});

describe("Envoy's ejection", () => {
  const envoy = (more = ''): string =>
    three(`    retries: false
    circuitBreaker: false
    loadBalancer: roundRobin
    outlierDetection: { mode: envoy, consecutive5xxErrors: 3, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 40${more} }
`);

  it('ejects after a run, for its time, back at a sweep; and tells', async () => {
    const world = await trafficWorld(envoy());
    world.play[A] = () => 500;
    await calls(world, 9);
    expect(standings(world)).toEqual(['ejected', 'in', 'in']);
    expect(await calls(world, 6)).toEqual({ [B]: 3, [C]: 3 });
    expect(world.events.find(({ type }) => type === 'endpointEjected')).toMatchObject({ endpoint: A, rule: 'consecutive', forMs: 30_000 });
    world.play[A] = () => 200;
    await world.clock.run(29_000);
    expect((await calls(world, 3))[A]).toBeUndefined();
    await world.clock.run(11_001);
    const back = (await calls(world, 60))[A];
    expect(back).toBeGreaterThanOrEqual(19);
    expect(standings(world)).toEqual(['in', 'in', 'in']);
  });

  it('keeps to the percentage, whoever else is sick', async () => {
    const world = await trafficWorld(envoy());
    for (const address of [A, B, C]) world.play[address] = () => 500;
    await calls(world, 30);
    expect(standings(world).filter((standing) => standing === 'ejected')).toHaveLength(1);
  });

  it("with gRPC's reading of the cap, one always may go", async () => {
    const world = await trafficWorld(envoy(', capCheck: before').replace('maxEjectionPercent: 40', 'maxEjectionPercent: 10'));
    world.play[A] = () => 500;
    await calls(world, 9);
    expect(standings(world)[0]).toBe('ejected');
  });
});

describe("Linkerd's failure accrual", () => {
  it('leaves an endpoint out after its run, tries it once, and doubles the penalty', async () => {
    const world = await trafficWorld(
      three(`    retries: false
    circuitBreaker: false
    loadBalancer: roundRobin
    outlierDetection: { mode: linkerd, maxFailures: 3, minPenalty: 1s, maxPenalty: 1m, jitter: 0 }
`),
    );
    world.play[A] = () => 500;
    await calls(world, 9);
    expect((await calls(world, 6))[A]).toBeUndefined();
    await world.clock.run(1_001);
    expect((await calls(world, 9))[A]).toBe(1);
    await world.clock.run(1_001);
    expect((await calls(world, 6))[A]).toBeUndefined();
    await world.clock.run(1_001);
    world.play[A] = () => 200;
    await calls(world, 3);
    expect((await calls(world, 9))[A]).toBe(3);
  });
});

describe('retry budgets', () => {
  const sick = (budget: string): string =>
    three(`    circuitBreaker: false
    outlierDetection: false
    retries: { attempts: 1, perTryTimeout: 1s }
    retryBudget: ${budget}
`);

  it.each([
    ['{ tokens: 5, perSecond: 0 }', 5, 5],
    ['{ mode: grpc, maxTokens: 10 }', 2, 2],
    ['{ mode: linkerd, retryRatio: 0.2, minRetriesPerSecond: 1 }', 10, 10],
    ['{ mode: gateway-api, budget: { percent: 20 }, minRetryRate: { count: 5, interval: 1s } }', 20, 45],
    ['{ mode: envoy, percent: 20, minRetryConcurrency: 1 }', 100, 100],
    ['false', 100, 100],
  ])('%s, all calls failing: %d to %d retries of a hundred calls', async (budget, least, most) => {
    const world = await trafficWorld(sick(budget));
    for (const address of [A, B, C]) world.play[address] = () => 503;
    for (let i = 0; i < 100; i++) await world.get();
    const retries = world.attempts.length - 100;
    expect(retries).toBeGreaterThanOrEqual(least);
    expect(retries).toBeLessThanOrEqual(most);
  });
});

describe("Envoy's retry budget", () => {
  it('is a share of the calls in flight', async () => {
    const world = await trafficWorld(
      three('    circuitBreaker: false\n    retryBudget: { mode: envoy, percent: 20, minRetryConcurrency: 1 }\n'),
    );
    for (const address of [A, B, C]) world.play[address] = ({ attempt }) => ({ status: attempt === 1 ? 503 : 200, afterMs: 10 });
    const together = Array.from({ length: 50 }, () => world.start());
    await world.clock.run(1_000);
    const statuses = (await Promise.all(together)).map(({ status }) => status);
    const repeated = statuses.filter((status) => status === 200).length;
    expect(repeated).toBe(world.attempts.length - 50);
    expect(repeated).toBeGreaterThan(1);
    expect(repeated).toBeLessThanOrEqual(10);
    expect(world.mesh.snapshot().services.reviews?.retryBudget.denied).toBe(50 - repeated);
  });
});

describe('the retry margin', () => {
  it('is load × attempts per call under failure; told when it stays high', async () => {
    const world = await trafficWorld(three('    retryBudget: false\n    circuitBreaker: false\n'));
    const busy: Play = () => ({ headers: { 'x-inmesh-load': '0.60' } });
    for (const address of [A, B, C]) world.play[address] = busy;
    const margin = (): number | null => world.mesh.snapshot().services.reviews?.retryMargin ?? null;
    expect(margin()).toBeNull();
    for (let second = 0; second < 10; second++) {
      await calls(world, 10, 100);
      margin();
    }
    // Two retries, nothing that bounds them: three attempts.
    expect(margin()).toBeCloseTo(1.8, 5);
    const told = world.events.filter(({ type }) => type === 'retryMarginLow');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ service: 'reviews', amplification: 3 });
    const { values } = world.mesh.snapshot().metrics as MeterSnapshot;
    expect(values.find(({ name }) => name === 'inmesh.retry.margin')?.value).toBeCloseTo(1.8, 5);
  });
});

describe('the snapshot', () => {
  it('says where everything stands', async () => {
    const world = await trafficWorld(
      `self: { locality: eu/a }
services:
  reviews:
    endpoints: [{ address: '${A}', locality: eu/a, weight: 2, labels: { v: v1 } }]
    limits: { adaptive: true }
`,
    );
    world.play[A] = () => ({ headers: { 'x-inmesh-load': '0.25' }, afterMs: 40 });
    await world.get();
    const { services, inbound } = world.mesh.snapshot();
    expect(services.reviews).toEqual({
      endpoints: [
        {
          address: A,
          labels: { v: 'v1' },
          locality: 'eu/a',
          weight: 2,
          inFlight: 0,
          latencyMs: expect.any(Number),
          standing: 'in',
          load: 0.25,
          limit: 20,
        },
      ],
      circuit: 'closed',
      retryBudget: { tokens: 20, denied: 0 },
      retryMargin: null,
      inFlight: { requests: 0, retries: 0 },
    });
    expect(inbound).toEqual(expect.any(Object));
    expect(JSON.parse(JSON.stringify(services))).toEqual(services);
  });
});

describe('health checks, over sockets', () => {
  it('find a sick endpoint that no call would have found, and bring it back', async () => {
    const [first, second] = await Promise.all([echoServer('first'), echoServer('second')]);
    let isSick = true;
    second.handle = ({ url }, response) => response.writeHead(url === '/healthz' && isSick ? 503 : 200).end('second');
    const mesh = await createMesh({
      config: {
        services: {
          reviews: {
            endpoints: [first.address, second.address],
            healthCheck: { http: '/healthz', interval: '20ms', timeout: '2s' },
          },
        },
      },
    });
    const heard = (type: MeshEvent['type']): Promise<MeshEvent> =>
      new Promise((resolve) => {
        const stop = mesh.events.onAny((event) => {
          if (event.type !== type) return;
          stop();
          resolve(event);
        });
      });
    expect(await heard('endpointUnhealthy')).toMatchObject({ endpoint: second.address, reason: 'HTTP 503' });
    for (let i = 0; i < 6; i++) expect(await (await mesh.fetch('http://reviews/')).text()).not.toBe('second');
    expect(mesh.snapshot().services.reviews?.endpoints.map(({ standing }) => standing)).toEqual(['in', 'unhealthy']);
    isSick = false;
    expect(await heard('endpointHealthy')).toMatchObject({ endpoint: second.address });
    expect(first.seen.some(({ url }) => url === '/healthz')).toBe(true);
    await mesh.close();
    await Promise.all([first.close(), second.close()]);
  });
});
