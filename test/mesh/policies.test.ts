// The words of the client, each through a real mesh over fake leaves: said in code, seen in the outcome.
import { describe, expect, it } from 'vitest';
import {
  cache,
  canary,
  type Client,
  coalesce,
  createClient,
  criticality,
  fallback,
  fault,
  healthCheck,
  idempotent,
  loadBalancer,
  mirror,
  type Policy,
  rateLimit,
  retry,
  retryBudget,
  sticky,
  throttle,
  timeout,
} from '../../src/index.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { A, B, C, type FakeLeaves, fakeLeaves, moved } from './traffic-rig.ts';

interface World extends FakeLeaves {
  readonly client: Client;
  readonly clock: VirtualClock;
  get(path?: string, init?: Parameters<Client['fetch']>[1]): Promise<{ status: number; text: string; headers: Headers; tookMs: number }>;
}

function world(policies: readonly Policy[], endpoints: readonly string[] | Record<string, readonly string[]> = [A]): World {
  const clock = new VirtualClock();
  const leaves = fakeLeaves(clock);
  const { transport } = leaves;
  const client = createClient('http://reviews', {
    endpoints,
    policies,
    clock,
    random: seededRandom(7),
    telemetry: { spans: 'off' },
    transport,
  });
  const fetched = async (path: string, init?: Parameters<Client['fetch']>[1]): ReturnType<World['get']> => {
    await client.mesh;
    const sinceMs = clock.now();
    const response = await client.fetch(path, init);
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, tookMs: clock.now() - sinceMs };
  };
  return { ...leaves, client, clock, get: (path = '/', init) => moved(fetched(path, init), clock) };
}

describe('the words of the client', () => {
  it('rateLimit: what goes beyond is refused', async () => {
    const { get } = world([rateLimit({ requests: 1, per: '1m' })]);
    expect((await get()).status).toBe(200);
    await expect(get()).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('throttle: refuses here what is refused there', async () => {
    const { get, play } = world([throttle({ minRps: 1 }), retry(false)]);
    play[A] = () => 429;
    const codes = new Set<string>();
    for (let i = 0; i < 50; i++)
      await get().then(
        ({ status }) => codes.add(String(status)),
        (error: { code: string }) => codes.add(error.code),
      );
    expect(codes).toEqual(new Set(['429', 'throttled']));
  });

  it('healthCheck: over HTTP at /, unless said otherwise', async () => {
    const texts = [healthCheck(), healthCheck({ tcp: true, interval: '5s' })].map(async (policy) => {
      const { fields } = await world([policy]).client.explain('/');
      return fields.find(({ name }) => name === 'healthCheck')?.value;
    });
    expect(await Promise.all(texts)).toEqual(['http every 10s', 'tcp every 5s']);
  });

  it('idempotent: any method is repeated; with extraLoad a late call is sent twice', async () => {
    const repeated = world([idempotent()], [A, B]);
    for (const address of [A, B]) repeated.play[address] = ({ attempt }) => (attempt === 1 ? 503 : 200);
    expect((await repeated.get('/', { method: 'POST', body: 'x' })).status).toBe(200);
    const hedged = world([idempotent({ extraLoad: 0.5, initialDelay: '50ms' })], [A, B]);
    for (let i = 0; i < 5; i++) await hedged.get();
    for (const address of [A, B]) hedged.play[address] = ({ attempt }) => ({ afterMs: attempt === 1 ? 1_000 : 5 });
    expect((await hedged.get('/', { method: 'POST', body: 'x' })).tookMs).toBeLessThan(60);
  });

  it('cache and coalesce: one question for many, and none for the next', async () => {
    const { get, play, attempts, clock, client } = world([cache(), coalesce()]);
    play[A] = () => ({ afterMs: 20, body: 'x', headers: { 'cache-control': 'max-age=60' } });
    await client.mesh;
    const together = [client.fetch('/'), client.fetch('/'), client.fetch('/')];
    await clock.run(20);
    for (const answer of together) expect(await (await answer).text()).toBe('x');
    expect((await get()).headers.get('x-inmesh-cache')).toBe('hit');
    expect(attempts).toHaveLength(1);
  });

  it('fallback: a fixed answer, or a function', async () => {
    const fixed = world([fallback({ status: 203, body: '[]' }), retry(false)]);
    fixed.play[A] = () => 500;
    expect(await fixed.get()).toMatchObject({ status: 203, text: '[]' });
    const asked = world([fallback({ respond: ({ path }) => ({ body: `no ${path}` }), on: [404] }), retry(false)]);
    asked.play[A] = () => 404;
    expect(await asked.get('/a')).toMatchObject({ status: 200, text: 'no /a' });
  });

  it('mirror: a copy to another subset', async () => {
    const { get, attempts } = world([canary({ v1: 1 }), mirror('v2')], { v1: [A], v2: [B] });
    await get();
    expect(attempts.map(({ address, call }) => [address, call.authority])).toEqual([
      [A, 'reviews'],
      [B, 'reviews-shadow'],
    ]);
  });

  it('fault: as if the endpoint had done it', async () => {
    const { get } = world([fault({ abort: { httpStatus: 418, percentage: 100 } })]);
    expect((await get()).status).toBe(418);
  });

  it('criticality: of calls that do not say', async () => {
    const { get, attempts } = world([criticality('sheddable')]);
    await get();
    await get('/', { mesh: { criticality: 'criticalPlus' } });
    expect(attempts.map(({ call }) => call.criticality)).toEqual([0, 3]);
  });

  it('sticky: the same user draws the same subset', async () => {
    const { get, attempts } = world([canary({ v1: 50, v2: 50 }), sticky({ header: 'x-user' })], { v1: [A], v2: [B] });
    const homes = new Map<string, Set<string>>();
    for (let i = 0; i < 60; i++) {
      const user = `u${i % 20}`;
      await get('/', { headers: { 'x-user': user } });
      homes.set(user, (homes.get(user) ?? new Set()).add(attempts.at(-1)?.address ?? ''));
    }
    expect([...homes.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...homes.values()].map(([home]) => home)).size).toBe(2);
  });

  it('loadBalancer with hash: the same user, the same endpoint; retryBudget in the mode of another mesh', async () => {
    const policies = [loadBalancer({ kind: 'maglev', hash: { header: 'x-user' } }), retryBudget({ mode: 'grpc' })];
    const { get, attempts } = world(policies, [A, B, C]);
    for (let i = 0; i < 10; i++) await get('/', { headers: { 'x-user': 'ada' } });
    expect(new Set(attempts.map(({ address }) => address)).size).toBe(1);
  });
});

describe('words about routes', () => {
  it('hold for every route that the client makes, and leave its name and targets', async () => {
    const { get, client, attempts } = world([canary({ v1: 90, v2: 10 }), criticality('sheddable'), timeout('2s')], { v1: [A], v2: [B] });
    const { route, targets, fields } = await client.explain('/');
    expect([route?.name, targets]).toEqual([
      'canary',
      [
        { name: 'reviews/v1', percent: 90 },
        { name: 'reviews/v2', percent: 10 },
      ],
    ]);
    expect(fields.find(({ name }) => name === 'criticality')?.value).toBe('sheddable');
    for (let i = 0; i < 20; i++) await get();
    expect(new Set(attempts.map(({ call }) => call.criticality))).toEqual(new Set([0]));
  });

  it('make a route when there is none, under the usual name', async () => {
    expect((await world([criticality('sheddable')]).client.explain('/')).route?.name).toBe('default');
    expect((await world([]).client.explain('/')).route?.name).toBe('default');
  });

  it('stand in any order', async () => {
    const policies = [criticality('sheddable'), fallback({ body: 'x' }), canary({ v1: 1, v2: 0 })];
    for (const list of [policies, [...policies].reverse()]) {
      const { get, play, attempts } = world([...list, retry(false)], { v1: [A], v2: [B] });
      play[A] = () => 500;
      expect((await get()).text).toBe('x');
      expect(attempts[0]?.call.criticality).toBe(0);
    }
  });

  it('say what is wrong at the first call', async () => {
    await expect(world([mirror('v9')]).get()).rejects.toMatchObject({ code: 'config_invalid' });
    expect(() => world([cache(), cache()])).toThrow('the policy cache is given twice');
    await settle();
  });
});
