// Who answers, and how often it is asked, from YAML to the outcome: hedges, caches, coalescing, fallbacks, throttling and
// criticality through the assembled stacks.
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { inboundContext } from '../../src/core/context.ts';
import { createMesh } from '../../src/index.ts';
import type { FallbackReason } from '../../src/model/traffic.ts';
import type { MeterSnapshot } from '../../src/telemetry/meter-snapshot.ts';
import { echoServer } from '../support/echo-server.ts';
import { settle } from '../support/virtual-clock.ts';
import { A, B, type Got, moved, trafficWorld, type TrafficWorld } from './traffic-rig.ts';

/** Two endpoints, no retries unless said; `all` is the one rule. */
const two = (rule: string, more = ''): string => `
services:
  reviews:
    endpoints: ['${A}', '${B}']
    loadBalancer: roundRobin
${more}    routes: [{ name: all, ${rule} }]
`;

const one = (rule: string, more = ''): string => two(rule, more).replace(`, '${B}'`, '');

describe('a hedge', () => {
  const hedged = two('idempotent: { extraLoad: 0.5, initialDelay: 100ms }', '    outlierDetection: false\n');

  /** Answers pay for hedges: so there is something to pay with. */
  async function warm(world: TrafficWorld): Promise<void> {
    for (let i = 0; i < 10; i++) await world.get();
    world.attempts.length = 0;
  }

  it('goes elsewhere when the first attempt is late, and the first good answer is taken', async () => {
    const world = await trafficWorld(hedged);
    await warm(world);
    world.play[A] = () => ({ afterMs: 5_000, body: 'late' });
    world.play[B] = () => ({ afterMs: 20, body: 'soon' });
    const [first, second] = [await world.get(), await world.get()];
    for (const got of [first, second]) {
      expect([got.status, got.text]).toEqual([200, 'soon']);
      expect(got.tookMs).toBeLessThan(140);
    }
    expect([...world.log()].sort()).toEqual([A, B, B]);
    const numbers = world.attempts.map(({ call }) => call.attempt);
    expect(numbers.filter((number) => number === 2)).toHaveLength(1);
    expect(world.actions()).toMatchObject({ 'hedge.sent': 1, 'hedge.won': 1 });
    expect(world.mesh.snapshot().services.reviews?.inFlight).toEqual({ requests: 0, retries: 0 });
    expect(world.clock.armed).toBe(0);
  });

  it('may be of any method on such a route, and of none elsewhere', async () => {
    const world = await trafficWorld(hedged);
    await warm(world);
    for (const address of [A, B]) world.play[address] = ({ attempt }) => ({ afterMs: attempt === 1 ? 300 : 10 });
    expect((await world.get('/', { method: 'POST', body: 'x' })).tookMs).toBeLessThan(130);
    const plain = await trafficWorld(two('to: reviews'));
    plain.play[A] = () => ({ afterMs: 300 });
    plain.play[B] = () => ({ afterMs: 300 });
    expect((await plain.get()).tookMs).toBe(300);
    expect(plain.log()).toHaveLength(1);
  });

  it('is paid for by the budget of the service, and stops when retries are stopped by hand', async () => {
    const world = await trafficWorld(hedged);
    await warm(world);
    for (const address of [A, B]) world.play[address] = ({ attempt }) => ({ afterMs: attempt === 1 ? 300 : 10 });
    const before = world.mesh.snapshot().services.reviews?.retryBudget.tokens ?? 0;
    await world.get();
    expect(world.mesh.snapshot().services.reviews?.retryBudget.tokens).toBeLessThan(before);
    const resume = world.mesh.pauseRetries('reviews', 'outage');
    expect((await world.get()).tookMs).toBe(300);
    resume();
    expect((await world.get()).tookMs).toBeLessThan(150);
    expect(world.actions()).toMatchObject({ 'hedge.sent': 2, 'hedge.denied': 1 });
  });

  it('sends the body twice, over sockets, in every form that is at hand', async () => {
    const [first, second] = await Promise.all([echoServer('first'), echoServer('second')]);
    const mesh = await createMesh({
      config: {
        services: {
          reviews: {
            endpoints: [first.address, second.address],
            loadBalancer: 'roundRobin',
            routes: [{ idempotent: { extraLoad: 0.5, initialDelay: '20ms' } }],
          },
        },
      },
    });
    for (let i = 0; i < 12; i++) await (await mesh.fetch('http://reviews/')).text();
    for (const [body, text] of [
      ['text', 'text'],
      [Buffer.from('bytes'), 'bytes'],
      [new Blob(['blob']), 'blob'],
      [new URLSearchParams({ a: 'b' }), 'a=b'],
    ] as const) {
      const bodies: string[] = [];
      const responses: Record<string, ServerResponse> = {};
      // When both have come, the second attempt is answered; the first hangs.
      const answer: typeof first.handle = (seen, response) => {
        responses[String(seen.headers['x-envoy-attempt-count'])] = response;
        if (bodies.push(seen.body) === 2) responses['2']?.end('2');
      };
      first.handle = answer;
      second.handle = answer;
      const response = await mesh.fetch('http://reviews/', { method: 'POST', body });
      expect(await response.text()).toBe('2');
      expect(bodies).toEqual([text, text]);
    }
    await mesh.close({ drainMs: 0 });
    await Promise.all([first.close(), second.close()]);
  });

  it('that fails as well leaves the retries to the policy, on whom the call has not tried', async () => {
    const world = await trafficWorld(hedged.replace(`'${B}'`, `'${B}', '10.0.0.3:80'`));
    await warm(world);
    world.play[A] = () => ({ status: 503, afterMs: 150 });
    world.play[B] = () => ({ status: 503, afterMs: 150 });
    world.play['10.0.0.3:80'] = () => ({ status: 503, afterMs: 150 });
    const got = await world.get();
    expect(got.status).toBe(503);
    expect(new Set(world.log().slice(0, 3)).size).toBe(3);
    expect(world.attempts.map(({ call }) => call.attempt)).toEqual([1, 2, 3, 4]);
  });
});

describe('retries', () => {
  it('stop by hand, free ones too, and go on', async () => {
    const world = await trafficWorld(two('to: reviews'));
    world.play[A] = () => 503;
    world.play[B] = () => 'refuse';
    const resume = world.mesh.pauseRetries();
    await world.get();
    await world.get();
    expect(world.log()).toHaveLength(2);
    resume();
    await world.get();
    expect(world.log().length).toBeGreaterThan(3);
    expect(world.events.map(({ type }) => type)).toEqual(['repetitionPaused', 'repetitionResumed']);
    expect(() => world.mesh.pauseRetries('nobody')).toThrow(/no service "nobody"/);
  });
});

describe('a cache', () => {
  const fresh = (body: string): { headers: Record<string, string>; body: string } => ({
    headers: { 'cache-control': 'max-age=60', etag: '"1"' },
    body,
  });

  it('gives a fresh answer without the service, whatever has become of that, and asks when it is stale', async () => {
    const world = await trafficWorld(one('cache: { jitter: 0 }', '    retries: false\n'));
    world.play[A] = () => fresh('kept');
    expect((await world.get('/a')).headers.get('x-inmesh-cache')).toBe(null);
    const release = world.mesh.isolate('reviews');
    const hit = await world.get('/a');
    expect([hit.text, hit.headers.get('x-inmesh-cache'), hit.headers.get('age')]).toEqual(['kept', 'hit', '0']);
    expect((await world.get('/b')).code).toBe('circuit_open');
    release();
    await world.clock.run(61_000);
    world.play[A] = (call) => (call.header('if-none-match') === '"1"' ? { status: 304, headers: { 'cache-control': 'max-age=60' } } : 500);
    const renewed = await world.get('/a');
    expect([renewed.status, renewed.text, renewed.headers.get('x-inmesh-cache')]).toEqual([200, 'kept', 'revalidated']);
    expect(world.log()).toHaveLength(2);
  });

  it('gives a stale answer instead of a failure, an error or an open circuit', async () => {
    const world = await trafficWorld(one('cache: { jitter: 0, staleIfError: 5m }', '    retries: false\n    timeout: 1s\n'));
    world.play[A] = () => fresh('old');
    await world.get();
    await world.clock.run(61_000);
    for (const play of [() => 500, () => 'refuse' as const, () => 'hang' as const]) {
      world.play[A] = play;
      const got = await world.get();
      expect([got.status, got.text, got.headers.get('x-inmesh-cache'), got.headers.get('x-inmesh-fallback')]).toEqual([
        200,
        'old',
        'stale',
        'stale',
      ]);
    }
    world.mesh.isolate('reviews');
    expect((await world.get()).text).toBe('old');
    await world.clock.run(300_000);
    expect((await world.get()).code).toBe('circuit_open');
    const [service] = (world.mesh.snapshot().metrics as MeterSnapshot).services;
    expect(service).toMatchObject({ successes: 1, failures: 3, ignored: 2 });
  });

  it('keeps the answers of users apart, forgets on a POST, and keeps what the retries found', async () => {
    const world = await trafficWorld(one('cache: true'));
    let count = 0;
    world.play[A] = ({ attempt }) => (attempt === 1 ? 503 : fresh(`answer ${++count}`));
    const as = (user: string): Promise<Got> => world.get('/me', { headers: { authorization: user } });
    expect([(await as('ada')).text, (await as('bob')).text, (await as('ada')).text]).toEqual(['answer 1', 'answer 2', 'answer 1']);
    world.play[A] = () => 201;
    await world.get('/me', { method: 'POST', body: 'x' });
    world.play[A] = () => fresh('new');
    expect((await as('ada')).text).toBe('new');
  });
});

describe('coalescing', () => {
  it('makes one attempt of equal calls, and each caller has the whole answer', async () => {
    const world = await trafficWorld(one('coalesce: true'));
    world.play[A] = () => ({ afterMs: 50, body: 'shared' });
    const calls = Array.from({ length: 20 }, () => world.start('/a'));
    const other = world.start('/b');
    await world.clock.run(50);
    for (const got of await Promise.all(calls)) expect([got.status, got.text]).toEqual([200, 'shared']);
    expect((await other).text).toBe('shared');
    expect(world.log()).toHaveLength(2);
    expect(world.actions()).toEqual({ coalesced: 19 });
  });

  it('leaves each caller its own deadline and abort, and shares a failure as one failure', async () => {
    const world = await trafficWorld(one('coalesce: true', '    retries: false\n'));
    world.play[A] = () => ({ status: 500, afterMs: 100 });
    const patient = world.start();
    const hasty = world.start('/', { mesh: { timeout: '20ms' } });
    const controller = new AbortController();
    const gone = world.mesh.fetch('http://reviews/', { signal: controller.signal });
    await settle();
    controller.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await world.clock.run(20);
    expect((await hasty).code).toBe('deadline_exceeded');
    await world.clock.run(80);
    expect((await patient).status).toBe(500);
    expect(world.log()).toHaveLength(1);
    expect(world.mesh.snapshot().services.reviews?.inFlight).toEqual({ requests: 0, retries: 0 });
    expect(world.clock.armed).toBe(0);
  });

  it('with a cache above: many callers, one question, and then none', async () => {
    const world = await trafficWorld(one('cache: true, coalesce: true'));
    world.play[A] = () => ({ afterMs: 50, body: 'x', headers: { 'cache-control': 'max-age=60' } });
    const calls = Array.from({ length: 5 }, () => world.start());
    await world.clock.run(50);
    for (const got of await Promise.all(calls)) expect(got.text).toBe('x');
    expect((await world.get()).headers.get('x-inmesh-cache')).toBe('hit');
    expect(world.log()).toHaveLength(1);
  });
});

describe('a fallback', () => {
  const fixed = one("fallback: { status: 203, headers: { content-type: application/json }, body: '[]' }", '    timeout: 1s\n');

  it.each([
    ['a 500 after the retries', () => 503],
    ['a lost connection', () => 'refuse' as const],
    ['no answer in time', () => 'hang' as const],
  ])('of a fixed answer stands in for %s; for those who count it is a failure', async (_, play) => {
    const world = await trafficWorld(fixed);
    world.play[A] = play;
    const got = await world.get();
    expect([got.status, got.text, got.headers.get('content-type'), got.headers.get('x-inmesh-fallback')]).toEqual([
      203,
      '[]',
      'application/json',
      'value',
    ]);
    expect(world.log().length).toBeGreaterThanOrEqual(1);
    const [service] = (world.mesh.snapshot().metrics as MeterSnapshot).services;
    expect(service).toMatchObject({ successes: 0, failures: 1 });
    expect(world.actions()).toEqual({ fallback: 1 });
    expect(world.clock.armed).toBe(0);
  });

  it('stands in for what is refused: an open circuit, a rate limit; not for a 404, nor for the abort of the caller', async () => {
    const world = await trafficWorld(fixed.replace('{ name: all', '{ name: all, rateLimit: { requests: 2, per: 1m }'));
    const release = world.mesh.isolate('reviews');
    expect((await world.get()).text).toBe('[]');
    release();
    world.play[A] = () => 404;
    expect((await world.get()).status).toBe(404);
    expect((await world.get()).text).toBe('[]');
    const other = await trafficWorld(fixed);
    other.play[A] = () => 'hang';
    const controller = new AbortController();
    const gone = other.mesh.fetch('http://reviews/', { signal: controller.signal });
    await settle();
    controller.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
  });

  it('comes after a stale answer', async () => {
    const world = await trafficWorld(one("fallback: { body: 'nothing' }, cache: { jitter: 0, staleIfError: 1m }", '    retries: false\n'));
    world.play[A] = () => ({ headers: { 'cache-control': 'max-age=1' }, body: 'kept' });
    await world.get();
    world.play[A] = () => 500;
    await world.clock.run(2_000);
    expect((await world.get()).text).toBe('kept');
    await world.clock.run(60_000);
    expect((await world.get()).text).toBe('nothing');
  });

  it('of a function is told why, and when it throws the failure stands', async () => {
    const world = await trafficWorld('services: {}');
    const asked: FallbackReason[] = [];
    const respond = async (reason: FallbackReason) => {
      asked.push(reason);
      if (reason.path === '/bad') throw new Error('no idea');
      return { status: 299, body: `instead of ${reason.status}` };
    };
    await world.mesh.reload({ services: { reviews: { endpoints: [A], retries: false, routes: [{ fallback: { respond } }] } } });
    world.play[A] = () => ({ status: 500, body: 'broken' });
    const got = await world.get('/good', { method: 'POST' });
    expect([got.status, got.text, got.headers.get('x-inmesh-fallback')]).toEqual([299, 'instead of 500', 'function']);
    expect(asked[0]).toMatchObject({ status: 500, method: 'POST', path: '/good' });
    const stands = await world.get('/bad');
    expect([stands.status, stands.text]).toEqual([500, 'broken']);
    world.mesh.isolate('reviews');
    expect((await world.get('/bad')).code).toBe('circuit_open');
    expect(asked[2]?.error).toMatchObject({ code: 'circuit_open' });
  });
});

describe('throttling', () => {
  const throttled = one(
    'criticality: critical',
    '    retries: false\n    circuitBreaker: false\n    outlierDetection: false\n    throttle: { window: 10s, minRps: 1 }\n',
  );

  /** Ten calls a second; the service takes one of ten. */
  async function overload(world: TrafficWorld, calls: number, criticality?: 'sheddable' | 'criticalPlus'): Promise<Got[]> {
    let count = 0;
    world.play[A] = () => (count++ % 10 === 0 ? 200 : 503);
    const got: Got[] = [];
    for (let i = 0; i < calls; i++) {
      got.push(await world.get('/', criticality === undefined ? {} : { mesh: { criticality } }));
      await world.clock.run(100);
    }
    return got;
  }

  it('refuses here what the service would refuse, and lets go when it recovers', async () => {
    const world = await trafficWorld(throttled);
    const got = await overload(world, 200);
    const refused = got.filter(({ code }) => code === 'throttled');
    expect(refused.length).toBeGreaterThan(80);
    expect(refused[0]?.error).toMatchObject({ family: 'refused', sent: 'none' });
    expect(world.log()).toHaveLength(200 - refused.length);
    const values = (world.mesh.snapshot().metrics as MeterSnapshot).values;
    expect(values.find(({ name }) => name === 'inmesh.throttle.probability')?.value).toBeGreaterThan(0.5);
    world.play[A] = () => 200;
    for (let i = 0; i < 200; i++) {
      await world.get();
      await world.clock.run(100);
    }
    expect((await world.get()).status).toBe(200);
  });

  it('refuses what matters least first', async () => {
    const world = await trafficWorld(throttled);
    // Room for eight calls in each second, of twenty.
    const taken: Record<number, number> = {};
    world.play[A] = () => {
      const second = Math.floor(world.clock.now() / 1_000);
      taken[second] = (taken[second] ?? 0) + 1;
      return taken[second] <= 8 ? 200 : 503;
    };
    const refused = { sheddable: 0, criticalPlus: 0 };
    for (let i = 0; i < 200; i++) {
      for (const criticality of ['sheddable', 'criticalPlus'] as const) {
        if ((await world.get('/', { mesh: { criticality } })).code === 'throttled') refused[criticality]++;
      }
      await world.clock.run(100);
    }
    expect(refused.sheddable).toBeGreaterThan(30);
    expect(refused.criticalPlus).toBe(0);
  });
});

describe('criticality', () => {
  const seen = async (world: TrafficWorld, path: string, init = {}): Promise<number | undefined> => {
    await world.get(path, init);
    return world.attempts.at(-1)?.call.criticality;
  };

  it('is that of the call, else of the route, else of the inbound call', async () => {
    const world = await trafficWorld(`
services:
  reviews:
    endpoints: ['${A}']
    routes: [{ match: { path: { pathPrefix: /prefetch } }, criticality: sheddable }]
`);
    expect(await seen(world, '/')).toBe(-1);
    expect(await seen(world, '/prefetch')).toBe(0);
    expect(await seen(world, '/prefetch', { mesh: { criticality: 'criticalPlus' } })).toBe(3);
    const inbound = { deadlineMs: Number.POSITIVE_INFINITY, criticality: 1, source: '' };
    expect(await inboundContext.run(inbound, () => seen(world, '/'))).toBe(1);
    expect(await inboundContext.run(inbound, () => seen(world, '/prefetch'))).toBe(0);
    expect(await inboundContext.run(inbound, () => seen(world, '/', { mesh: { criticality: 'critical' } }))).toBe(2);
  });

  it('of the inbound call comes with its deadline', async () => {
    const world = await trafficWorld(one('to: reviews'));
    world.play[A] = () => 'hang';
    const inbound = { deadlineMs: world.clock.now() + 200, criticality: 1, source: '' };
    const got = await moved(
      inboundContext.run(inbound, () => world.start()),
      world.clock,
    );
    expect([got.code, got.tookMs]).toEqual(['deadline_exceeded', 200]);
  });
});
