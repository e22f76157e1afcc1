// What a rule does with its calls, from YAML to the outcome, through the assembled stacks: mirrors, faults, rewrites,
// answers of the mesh, rate limits. The other policies: traffic-policies-answers, -balancing, -reload.
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { createMesh, type Mesh } from '../../src/index.ts';
import { echoServer } from '../support/echo-server.ts';
import { A, B, trafficWorld } from './traffic-rig.ts';

/** Two versions behind one name; `routes` and more of the service follow. */
const versions = (rest: string): string => `
services:
  reviews:
    endpoints:
      - { address: '${A}', labels: { version: v1 } }
      - { address: '${B}', labels: { version: v2 } }
    subsets: { v1: { version: v1 }, v2: { version: v2 } }
${rest}`;

const one = (rest: string): string => `
services:
  reviews:
    endpoints: ['${A}']
${rest}`;

describe('a mirror', () => {
  const mirrored = versions(`
    routes:
      - { to: v1, mirror: { to: v2 } }
`);

  it('gets a copy that nobody waits for: its host, its headers, its criticality', async () => {
    const world = await trafficWorld(mirrored);
    world.play[B] = () => 'hang';
    const got = await world.start('/a?b=c', { headers: { cookie: 'x=1', 'x-keep': 'me' } });
    expect(got.status).toBe(200);
    expect(world.log()).toEqual([A, B]);
    const copy = world.attempts[1]?.call;
    expect([copy?.authority, copy?.path, copy?.header('cookie'), copy?.header('x-keep')]).toEqual([
      'reviews-shadow',
      '/a?b=c',
      undefined,
      'me',
    ]);
    expect(copy?.criticality).toBe(0);
    expect(world.actions()).toEqual({ 'mirror.sent': 1 });
  });

  it('that fails, refuses or hangs does not show: not in the answer, not in the circuit, not in what is in flight', async () => {
    const world = await trafficWorld(mirrored);
    for (const play of [() => 500, () => 'refuse' as const, () => 'hang' as const]) {
      world.play[B] = play;
      for (let i = 0; i < 5; i++) expect((await world.start()).status).toBe(200);
    }
    await world.clock.run(30_001);
    expect(world.mesh.snapshot().services.reviews?.inFlight).toEqual({ requests: 0, retries: 0 });
    expect(world.clock.armed).toBe(0);
  });

  it('is not sent what the retries repeat, and repeats nothing itself', async () => {
    const world = await trafficWorld(mirrored);
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    expect((await world.get()).status).toBe(503);
    expect(world.log().filter((address) => address === A)).toHaveLength(3);
    expect(world.log().filter((address) => address === B)).toHaveLength(1);
  });

  it('of one target gets copies of its calls, and of no others', async () => {
    const world = await trafficWorld(versions('    routes: [{ to: { v1: 1, v2: 3 }, mirror: { to: v1, of: v2 } }]\n'));
    for (let i = 0; i < 40; i++) await world.start();
    const copies = world.attempts.filter(({ call }) => call.authority === 'reviews-shadow').map(({ address }) => address);
    const drawn = world.log().filter((address) => address === B).length;
    expect([copies.length, new Set(copies)]).toEqual([drawn, new Set([A])]);
    expect(drawn).toBeGreaterThan(20);
  });

  it('gets the share it was promised', async () => {
    const world = await trafficWorld(versions('    routes: [{ to: v1, mirror: { to: v2, percent: 20 } }]\n'));
    for (let i = 0; i < 500; i++) await world.start();
    const copies = world.log().filter((address) => address === B).length;
    expect(copies).toBeGreaterThan(70);
    expect(copies).toBeLessThan(130);
  });

  it('sees what headers and rewrite made of the call, and may be of another service', async () => {
    const world = await trafficWorld(`
services:
  reviews:
    endpoints: ['${A}']
    routes:
      - match: { path: { pathPrefix: /old } }
        headers: { request: { set: { x-from: mesh } } }
        rewrite: { prefix: /new }
        mirror: { to: archive, hostSuffix: '' }
  archive:
    endpoints: ['${B}']
`);
    await world.get('/old/a');
    const copy = world.attempts[1]?.call;
    expect([copy?.path, copy?.header('x-from'), copy?.authority]).toEqual(['/new/a', 'mesh', 'reviews']);
  });

  it('gets the body, over sockets, and the call its own', async () => {
    const [first, second] = await Promise.all([echoServer('first'), echoServer('second')]);
    const endpoints = [
      { address: first.address, labels: { v: '1' } },
      { address: second.address, labels: { v: '2' } },
    ];
    const mesh = await createMesh({
      config: { services: { reviews: { endpoints, subsets: { v1: { v: '1' }, v2: { v: '2' } }, routes: [{ to: 'v1', mirror: 'v2' }] } } },
    });
    const copied = new Promise<void>((resolve) => {
      second.handle = (_seen, response) => {
        response.end();
        resolve();
      };
    });
    const body = 'x'.repeat(20_000);
    const response = await mesh.fetch('http://reviews/', { method: 'POST', body });
    expect(((await response.json()) as { body: string }).body).toBe(body);
    await copied;
    expect(second.seen.map((seen) => [seen.method, seen.body, seen.headers.host])).toEqual([['POST', body, 'reviews-shadow']]);
    // Longer than is kept for a copy: the call alone.
    const long = await mesh.fetch('http://reviews/', { method: 'POST', body: 'x'.repeat(70_000) });
    expect(((await long.json()) as { body: string }).body).toHaveLength(70_000);
    expect(second.seen).toHaveLength(1);
    await mesh.close();
    await Promise.all([first.close(), second.close()]);
  });
});

describe('a fault', () => {
  const fault = (text: string, more = ''): string => one(`${more}    routes: [{ name: all, fault: ${text} }]\n`);

  it('of position attempt is repeated, as if the endpoint had done it, and blames no endpoint', async () => {
    const world = await trafficWorld(fault('{ abort: { httpStatus: 503, percentage: 100 } }'));
    const got = await world.get();
    expect([got.status, got.text, got.headers.get('x-inmesh-flag')]).toEqual([503, 'fault filter abort', 'FI']);
    expect(world.log()).toEqual([]);
    expect(world.actions()).toEqual({ 'fault.abort': 3 });
    expect(world.mesh.snapshot().services.reviews?.endpoints[0]).toMatchObject({ standing: 'in', inFlight: 0 });
  });

  it('of position attempt opens the circuit', async () => {
    const world = await trafficWorld(fault('{ abort: { httpStatus: 500, percentage: 100 } }', '    retries: false\n'));
    for (let i = 0; i < 10; i++) expect((await world.get()).status).toBe(500);
    expect((await world.get()).code).toBe('circuit_open');
  });

  it('of position call is final, as in Istio, and no time of the call', async () => {
    const world = await trafficWorld(fault('{ position: call, abort: { httpStatus: 503, percentage: 100 } }'));
    expect((await world.get()).status).toBe(503);
    expect(world.actions()).toEqual({ 'fault.abort': 1 });
    const slow = await trafficWorld(fault('{ position: call, delay: { fixedDelay: 5s, percentage: 100 } }', '    timeout: 1s\n'));
    slow.play[A] = () => ({ afterMs: 900 });
    const got = await slow.get();
    expect([got.status, got.tookMs]).toEqual([200, 5_900]);
  });

  it('of position attempt runs into the time of the attempt, and is tried again', async () => {
    const world = await trafficWorld(
      fault('{ delay: { fixedDelay: 2s, percentage: 100 } }', '    retries: { attempts: 1, perTryTimeout: 500ms }\n'),
    );
    const got = await world.get();
    expect(got.code).toBe('attempt_timeout');
    expect(got.tookMs).toBeGreaterThanOrEqual(1_000);
    expect(world.log()).toEqual([]);
    expect(world.clock.armed).toBe(0);
  });

  it('of both kinds delays first, then aborts; gRPC is told in trailers', async () => {
    const world = await trafficWorld(
      fault(
        '{ position: call, delay: { fixedDelay: 100ms, percentage: 100 }, abort: { grpcStatus: UNAVAILABLE, percentage: { value: 100 } } }',
      ),
    );
    const got = await world.get();
    expect([got.status, got.headers.get('grpc-status'), got.tookMs]).toEqual([200, '14', 100]);
  });

  it('keeps to its rails: headers, blast radius, until', async () => {
    const world = await trafficWorld(
      fault("{ abort: { httpStatus: 500, percentage: 100 }, headers: { x-chaos: 'yes' }, blastRadius: 10 }", '    retries: false\n'),
    );
    const hit: number[] = [];
    for (let i = 0; i < 100; i++) {
      const got = await world.get('/', { headers: { 'x-chaos': i % 2 === 0 ? 'yes' : 'no' } });
      if (got.status === 500) hit.push(i);
    }
    expect(hit.length).toBeGreaterThan(5);
    expect(hit.length).toBeLessThanOrEqual(10);
    expect(hit.every((i) => i % 2 === 0)).toBe(true);
    const over = await trafficWorld(fault("{ abort: { httpStatus: 500, percentage: 100 }, until: '2020-01-01T00:00:00Z' }"));
    expect((await over.get()).status).toBe(200);
  });

  it('meets equal traces equally', async () => {
    const yaml = fault('{ position: call, abort: { httpStatus: 500, percentage: 50 } }');
    const play = async (): Promise<number[]> => {
      const world = await trafficWorld(yaml);
      const statuses: number[] = [];
      for (let i = 1; i <= 40; i++) {
        const traceparent = `00-${String(i).padStart(32, '0')}-b7ad6b7169203331-01`;
        statuses.push((await world.get('/', { headers: { traceparent } })).status);
      }
      return statuses;
    };
    const statuses = await play();
    expect(await play()).toEqual(statuses);
    expect(new Set(statuses)).toEqual(new Set([200, 500]));
  });

  it('of position call keeps the options of a call with a fallback function above it', async () => {
    const world = await trafficWorld('services: {}');
    const delayed = { delay: { fixedDelay: '100ms', percentage: 100 }, position: 'call' as const };
    const respond = ({ error }: { error: unknown }) => ({ body: String((error as { code?: string } | undefined)?.code) });
    await world.mesh.reload({ services: { reviews: { endpoints: [A], routes: [{ fault: delayed, fallback: { respond } }] } } });
    world.play[A] = () => 'hang';
    const got = await world.get('/', { mesh: { timeout: '50ms' } });
    expect([got.text, got.tookMs]).toEqual(['deadline_exceeded', 150]);
  });
});

describe('a rewrite', () => {
  it.each([
    [
      "{ path: { pathPrefix: /ratings } }, rewrite: { prefix: /v1/ratings, authority: 'ratings.internal:81' }",
      '/ratings/7?a=b',
      '/v1/ratings/7?a=b',
      'ratings.internal:81',
    ],
    [
      "{ path: { prefix: /user } }, rewrite: { regex: { match: '^/user/([0-9]+)', substitution: '/people/\\1' } }",
      '/user/42/x',
      '/people/42/x',
      'reviews',
    ],
    ['{ path: { exact: /a } }, rewrite: { path: /b }', '/a?q=1', '/b?q=1', 'reviews'],
    ['{ path: { prefix: /a } }, rewrite: { prefix: /b }', '/ab', '/bb', 'reviews'],
  ])('%s', async (rule, asked, path, authority) => {
    const world = await trafficWorld(one(`    routes: [{ match: ${rule} }]\n`));
    const got = await world.get(asked);
    const { call } = world.attempts[0] ?? {};
    expect([got.status, call?.path, call?.authority, call?.header('x-envoy-original-path')]).toEqual([200, path, authority, asked]);
  });

  it('holds for every attempt', async () => {
    const world = await trafficWorld(one('    routes: [{ match: { path: { pathPrefix: /a } }, rewrite: { prefix: /b } }]\n'));
    world.play[A] = () => 503;
    await world.get('/a/x');
    expect(world.attempts.map(({ call }) => call.path)).toEqual(['/b/x', '/b/x', '/b/x']);
  });
});

describe('answers of the mesh itself', () => {
  it.each([
    ['{ prefix: /new, status: 308 }', 308, 'http://reviews/new/a?b=c'],
    ['{ scheme: https, host: example.org }', 302, 'https://example.org/old/a?b=c'],
    ['{ port: 8443, path: /x }', 302, 'http://reviews:8443/x?b=c'],
  ])('redirect %s', async (redirect, status, location) => {
    const world = await trafficWorld(one(`    routes: [{ match: { path: { pathPrefix: /old } }, redirect: ${redirect} }]\n`));
    const got = await world.get('/old/a?b=c', { redirect: 'manual' });
    expect([got.status, got.headers.get('location')]).toEqual([status, location]);
    expect(world.log()).toEqual([]);
  });

  it('a redirect within the mesh is followed', async () => {
    const world = await trafficWorld(one('    routes: [{ match: { path: { pathPrefix: /old } }, redirect: { prefix: /new } }]\n'));
    const got = await world.get('/old/a');
    expect([got.status, world.attempts[0]?.call.path]).toEqual([200, '/new/a']);
  });

  it('a direct response, with the headers of the rule, whatever else is wrong with the service', async () => {
    const world = await trafficWorld(
      one(`    routes:
      - match: { path: { exact: /robots.txt } }
        headers: { response: { set: { x-by: mesh } } }
        directResponse: { status: 200, body: 'Disallow: /', headers: { cache-control: max-age=60 } }
`),
    );
    world.mesh.isolate('reviews');
    const got = await world.get('/robots.txt');
    expect([got.status, got.text]).toEqual([200, 'Disallow: /']);
    expect([got.headers.get('x-by'), got.headers.get('cache-control'), got.headers.get('content-type')]).toEqual([
      'mesh',
      'max-age=60',
      'text/plain',
    ]);
    const head = await world.get('/robots.txt', { method: 'HEAD' });
    expect([head.text, head.headers.get('content-length')]).toEqual(['', '11']);
  });
});

describe('a rate limit', () => {
  it('of the service is shared by its routes; one of a route stands beside it; retries do not pay', async () => {
    const world = await trafficWorld(
      one(`    rateLimit: { requests: 3, per: 10s }
    routes:
      - { match: { path: { exact: /export } }, rateLimit: { requests: 1, per: 10s } }
`),
    );
    world.play[A] = ({ attempt }) => (attempt === 1 ? 503 : 200);
    expect((await world.get('/export')).status).toBe(200);
    const second = await world.get('/export');
    expect([second.code, second.error?.family, second.error?.sent]).toEqual(['rate_limited', 'refused', 'none']);
    expect(second.error?.message).toContain('route reviews/route-1');
    expect((await world.get('/')).status).toBe(200);
    const fourth = await world.get('/');
    expect(fourth.error?.message).toContain('service reviews');
    expect(fourth.error?.retryAfterMs).toBeGreaterThan(9_000);
    await world.clock.run(10_000);
    expect((await world.get('/export')).status).toBe(200);
  });

  it('of the service holds for mesh.call, too', async () => {
    const { mesh } = await trafficWorld(one('    rateLimit: { requests: 1, per: 10s }\n'));
    expect(await mesh.call('reviews', () => Promise.resolve(42))).toBe(42);
    await expect(mesh.call('reviews', () => Promise.resolve(42))).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('bursts, and is a 429 with retry-after where refusals are answers', async () => {
    const world = await trafficWorld(`failures: respond\n${one('    rateLimit: { requests: 1, per: 1m, burst: 3 }\n')}`);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await world.get()).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const got = await world.get();
    expect([got.text, got.headers.get('retry-after'), got.headers.get('x-inmesh-error')]).toEqual([
      'local_rate_limited',
      '60',
      'rate_limited',
    ]);
  });
});

describe('a rule below one that matches every call', () => {
  it('is never reached, and does no harm', async () => {
    const world = await trafficWorld(
      one('    routes: [{ headers: { request: { set: { x-rule: first } } } }, { match: { path: /a }, directResponse: { status: 404 } }]\n'),
    );
    expect((await world.get('/a')).status).toBe(200);
    expect(world.attempts[0]?.call.header('x-rule')).toBe('first');
  });
});

describe('answers that no endpoint gave', () => {
  const answers = one(`    retries: false
    routes:
      - { match: { path: /direct }, directResponse: { status: 200, body: direct, headers: { x-a: b } } }
      - { match: { path: /redirect }, redirect: { path: /direct } }
      - { match: { path: /cache }, cache: { jitter: 0 } }
      - { match: { path: /coalesce }, coalesce: true }
      - { match: { path: /fallback }, fallback: { body: fallback } }
      - { match: { path: /fault }, fault: { abort: { httpStatus: 418, percentage: 100 } } }
  carts:
    endpoints: ['${A}']
    loadBalancer: { kind: maglev, hash: { cookie: { name: home, ttl: 1h } } }
`);

  it.each([
    ['undici', (dispatcher: Mesh['dispatcher'], url: string) => request(url, { dispatcher: dispatcher as never }).then(fromUndici)],
    [
      'built-in fetch',
      (dispatcher: Mesh['dispatcher'], url: string) =>
        fetch(url, { dispatcher, redirect: 'manual' } as unknown as RequestInit).then(fromFetch),
    ],
  ])('reach %s as any other', async (_, ask) => {
    const world = await trafficWorld(answers);
    world.play[A] = ({ path }) => (path === '/fallback' ? 500 : { body: path, headers: { 'cache-control': 'max-age=60' } });
    const { dispatcher } = world.mesh;
    const at = (path: string): Promise<Plain> => ask(dispatcher, `http://reviews${path}`);
    expect(await at('/direct')).toMatchObject({ status: 200, text: 'direct', headers: { 'x-a': 'b', 'content-length': '6' } });
    expect(await at('/redirect')).toMatchObject({ status: 302, headers: { location: 'http://reviews/direct' } });
    expect(await at('/cache')).toMatchObject({ status: 200, text: '/cache' });
    expect(await at('/cache')).toMatchObject({ status: 200, text: '/cache', headers: { 'x-inmesh-cache': 'hit' } });
    const [first, second] = await Promise.all([at('/coalesce'), at('/coalesce')]);
    expect([first.text, second.text]).toEqual(['/coalesce', '/coalesce']);
    expect(await at('/fallback')).toMatchObject({ status: 200, text: 'fallback', headers: { 'x-inmesh-fallback': 'value' } });
    expect(await at('/fault')).toMatchObject({ status: 418, text: 'fault filter abort' });
    expect((await ask(dispatcher, 'http://carts/')).headers['set-cookie']).toMatch(/^home=/);
    expect(world.log()).toHaveLength(4);
  });
});

interface Plain {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function fromUndici({ statusCode, headers, body }: Awaited<ReturnType<typeof request>>): Promise<Plain> {
  const plain = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { status: statusCode, text: await body.text(), headers: Object.fromEntries(plain) };
}

async function fromFetch(response: Response): Promise<Plain> {
  return { status: response.status, text: await response.text(), headers: Object.fromEntries(response.headers) };
}

describe('the time of an attempt', () => {
  const route = (retries: string): string => `services: { reviews: { endpoints: ['${A}'], retries: ${retries} } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: reviews }
spec:
  parentRefs: [{ group: '', kind: Service, name: reviews }]
  rules: [{ timeouts: { request: 5s, backendRequest: 1s }, backendRefs: [{ name: reviews, port: 80 }] }]
`;

  it.each([
    ['the retries of the service', '{ attempts: 2, perTryTimeout: 4s }', 3],
    ['the only attempt of a service without retries', 'false', 1],
  ])('that a rule gives alone limits %s', async (_name, retries, attempts) => {
    const world = await trafficWorld(route(retries));
    world.play[A] = () => 'hang';
    const answered = world.start().catch((error: unknown) => error);
    await world.clock.run(4_000);
    expect(await answered).toMatchObject({ code: expect.stringMatching(/timeout|deadline/) });
    expect(world.log()).toHaveLength(attempts);
  });
});
