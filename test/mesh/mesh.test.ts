import { ConsecutiveBreaker, circuitBreaker, ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import type { MeshEvent } from '../../src/core/events.ts';
import type { Layer } from '../../src/core/service.ts';
import { createMesh } from '../../src/mesh/mesh.ts';
import { meshWorld } from '../support/mesh-world.ts';
import { settle } from '../support/virtual-clock.ts';

const A = '10.0.0.1:80';
const B = '10.0.0.2:80';
const C = '10.0.0.3:80';
const two = { services: { reviews: { endpoints: [A, B] } } };

async function rejection(promise: Promise<unknown>): Promise<MeshError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MeshError);
  return error as MeshError;
}

describe('the defaults', () => {
  it('retry a 503 of an idempotent call on another endpoint', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    const answered = world.fetch();
    await world.clock.run(1_000);
    expect((await answered).status).toBe(503);
    expect(world.log).toHaveLength(3);
    expect(new Set(world.log.slice(0, 2))).toEqual(new Set([A, B]));
  });

  it('do not repeat a POST that may have been processed, and repeat one that was refused', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    expect((await world.fetch('/', { method: 'POST', body: 'x' })).status).toBe(503);
    expect(world.log).toHaveLength(1);
    world.play[A] = () => 'refuse';
    world.play[B] = () => 'refuse';
    const failed = rejection(world.fetch('/', { method: 'POST', body: 'x' }));
    await world.clock.run(1_000);
    expect((await failed).code).toBe('connect_failed');
    expect(world.log.length).toBeGreaterThan(3);
  });

  it('bound a hung endpoint by the per-try timeout and go elsewhere', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A, B], retries: { perTryTimeout: '100ms' } } } });
    const hung = new Set([A]);
    world.play[A] = () => (hung.has(A) ? 'hang' : 200);
    for (let i = 0; i < 5; i++) {
      const answered = world.fetch();
      await world.clock.run(500);
      expect((await answered).status).toBe(200);
    }
  });

  it('end the call at its total timeout and say where', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A], timeout: '300ms', retries: false } } });
    world.play[A] = () => 'hang';
    const failed = rejection(world.fetch());
    await world.clock.run(301);
    const error = await failed;
    expect(error.code).toBe('deadline_exceeded');
    expect(world.clock.armed).toBe(0);
  });

  it('let a caller shorten one call, and allow repetition of one', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 'hang';
    world.play[B] = () => 'hang';
    const failed = rejection(world.fetch('/', { mesh: { timeout: '50ms' } }));
    await world.clock.run(51);
    expect((await failed).code).toBe('deadline_exceeded');
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    const before = world.log.length;
    const answered = world.fetch('/', { method: 'POST', mesh: { idempotent: true } });
    await world.clock.run(1_000);
    expect((await answered).status).toBe(503);
    expect(world.log.length - before).toBe(3);
  });

  it('count the caller who went away for nobody, in every wait', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 'hang';
    world.play[B] = () => 'hang';
    const reason = new Error('gone');
    const controller = new AbortController();
    const failed = world.fetch('/', { signal: controller.signal });
    await settle();
    controller.abort(reason);
    await expect(failed).rejects.toBe(reason);
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    const later = new AbortController();
    const waiting = world.fetch('/', { signal: later.signal });
    await settle();
    await settle();
    later.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const { services } = world.mesh.snapshot();
    expect(services.reviews?.inFlight).toEqual({ requests: 0, retries: 0 });
    expect(world.clock.armed).toBe(0);
  });
});

describe('the circuit', () => {
  it('opens when most calls fail, refuses without sending, and closes again', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A], retries: false } } });
    const events: string[] = [];
    world.mesh.events.onAny((event: MeshEvent) => events.push(event.type));
    world.play[A] = () => 500;
    for (let i = 0; i < 10; i++) await world.fetch();
    const refused = await rejection(world.fetch());
    expect(refused.code).toBe('circuit_open');
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(world.log).toHaveLength(10);
    expect(world.mesh.snapshot().services.reviews?.circuit).toBe('open');
    world.play[A] = () => 200;
    await world.clock.run(1_001);
    for (let i = 0; i < 3; i++) await world.fetch();
    expect(world.mesh.snapshot().services.reviews?.circuit).toBe('closed');
    expect(events).toEqual(['circuitOpened', 'circuitHalfOpened', 'circuitClosed']);
  });
});

describe('mesh.isolate', () => {
  it('refuses everything until it is released', async () => {
    const { mesh, fetch, log } = await meshWorld(two);
    const release = mesh.isolate('reviews', 'maintenance');
    const refused = await rejection(fetch());
    expect(refused.code).toBe('circuit_open');
    expect(refused.message).toContain('isolated');
    expect(log).toEqual([]);
    release();
    expect((await fetch()).status).toBe(200);
    expect(() => mesh.isolate('nobody')).toThrow(/no service "nobody"/);
  });
});

describe('targets', () => {
  const canary = {
    services: {
      reviews: {
        endpoints: [
          { address: A, labels: { version: 'v1' } },
          { address: B, labels: { version: 'v1' } },
          { address: C, labels: { version: 'v2' } },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        routes: [{ match: { headers: { 'user-agent': { regex: '.*mobile.*' } } }, to: 'v2' }, { to: { v1: 80, v2: 20 } }],
      },
    },
  };

  it('are drawn by weight, and by header', async () => {
    const world = await meshWorld(canary);
    for (let i = 0; i < 1_000; i++) await world.fetch();
    const v2 = world.log.filter((address) => address === C).length;
    expect(v2).toBeGreaterThanOrEqual(199);
    expect(v2).toBeLessThanOrEqual(201);
    world.log.length = 0;
    for (let i = 0; i < 50; i++) await world.fetch('/', { headers: { 'User-Agent': 'some mobile phone' } });
    expect(new Set(world.log)).toEqual(new Set([C]));
  });

  it('may be left by a retry when the canary is broken, but not when the rule names it alone', async () => {
    const world = await meshWorld(canary);
    world.play[C] = () => 503;
    const statuses: number[] = [];
    for (let i = 0; i < 50; i++) {
      const answered = world.fetch();
      await world.clock.run(300);
      statuses.push((await answered).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    const mobile = world.fetch('/', { headers: { 'user-agent': 'mobile' } });
    await world.clock.run(1_000);
    expect((await mobile).status).toBe(503);
  });

  it('are explained', async () => {
    const world = await meshWorld(canary);
    const mobile = world.mesh.explain({ url: 'http://reviews/x', headers: { 'user-agent': 'a mobile b' } });
    expect(mobile.targets).toEqual([{ name: 'reviews/v2', percent: 100 }]);
    const other = world.mesh.explain({ url: 'http://reviews/x' });
    expect(other.targets).toEqual([
      { name: 'reviews/v1', percent: 80 },
      { name: 'reviews/v2', percent: 20 },
    ]);
    expect(other.route?.reason).toContain('rule 2');
    expect(other.text).toContain('▸ retry');
    expect(world.mesh.explain({ url: 'http://elsewhere/x' }).service).toBeNull();
  });
});

describe('mesh.call', () => {
  it('gives what the function gives, and throws what it throws', async () => {
    const { mesh } = await meshWorld(two);
    expect(await mesh.call('reviews', ({ attempt }) => attempt * 2)).toBe(2);
    const own = new Error('mine');
    await expect(
      mesh.call('reviews', () => {
        throw own;
      }),
    ).rejects.toBe(own);
  });

  it('repeats only what may be repeated', async () => {
    const { mesh, clock } = await meshWorld(two);
    let runs = 0;
    const flaky = (): Promise<string> => (++runs < 3 ? Promise.reject(new Error('flaky')) : Promise.resolve('done'));
    await expect(mesh.call('reviews', flaky)).rejects.toThrow('flaky');
    expect(runs).toBe(1);
    runs = 0;
    const called = mesh.call('reviews', flaky, { idempotent: true });
    await clock.run(1_000);
    expect(await called).toBe('done');
    expect(runs).toBe(3);
    runs = 0;
    const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    const sent = mesh.call('reviews', () => (++runs < 2 ? Promise.reject(refused) : Promise.resolve('ok')));
    await clock.run(1_000);
    expect(await sent).toBe('ok');
  });

  it('ends a function that hangs, and aborts its signal', async () => {
    const { mesh, clock } = await meshWorld(two);
    let signal: AbortSignal | null = null;
    const called = rejection(
      mesh.call(
        'reviews',
        (context) => {
          signal = context.signal;
          return new Promise(() => {});
        },
        { timeout: '100ms' },
      ),
    );
    await clock.run(101);
    expect((await called).code).toBe('deadline_exceeded');
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
  });

  it('never aborts the signal after success', async () => {
    const { mesh } = await meshWorld(two);
    let signal: AbortSignal | null = null;
    await mesh.call('reviews', (context) => {
      signal = context.signal;
    });
    expect((signal as AbortSignal | null)?.aborted).toBe(false);
  });

  it('takes a name that no service has, with the defaults', async () => {
    const { mesh } = await meshWorld(two);
    expect(await mesh.call('database', () => 'row')).toBe('row');
    expect(mesh.snapshot().services.database?.circuit).toBe('closed');
    expect(mesh.snapshot().services.reviews?.endpoints).toHaveLength(2);
  });

  it('takes any cockatiel policy', async () => {
    const { mesh } = await meshWorld({ services: { reviews: { endpoints: [A], retries: false } } });
    let runs = 0;
    const policy = retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff({ initialDelay: 0, maxDelay: 0 }) });
    const result = await mesh.call('reviews', () => (++runs < 3 ? Promise.reject(new Error('flaky')) : Promise.resolve(runs)), { policy });
    expect(result).toBe(3);
    const breaker = circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(1) });
    await expect(mesh.call('reviews', () => Promise.reject(new Error('down')), { policy: breaker })).rejects.toThrow('down');
    await expect(mesh.call('reviews', () => 1, { policy: breaker })).rejects.toThrow(/[Bb]reaker is open/);
    expect(mesh.snapshot().services.reviews?.inFlight.requests).toBe(0);
  });
});

describe('mesh.use', () => {
  it('puts a layer where it is told, and shows it', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 503;
    world.play[B] = () => 503;
    const seen: string[] = [];
    const spy =
      (name: string): Layer =>
      (next) =>
      (call) => {
        seen.push(`${name}${call.attempt}`);
        return next(call);
      };
    world.mesh.use(spy('above'), { role: 'spy-above', above: 'retry' });
    world.mesh.use(spy('below'), { role: 'spy-below', below: 'retry' });
    world.mesh.use(spy('wire'), { role: 'spy-wire', above: 'transport' });
    const answered = world.fetch();
    await world.clock.run(1_000);
    await answered;
    expect(seen).toEqual(['above0', 'below1', 'wire1', 'below2', 'wire2', 'below3', 'wire3']);
    const roles = world.mesh.explain({ url: 'http://reviews/' }).pipeline.map(({ role }) => role);
    expect(roles.indexOf('spy-above')).toBe(roles.indexOf('retry') - 1);
    expect(roles.indexOf('spy-below')).toBe(roles.indexOf('retry') + 1);
  });

  it('takes a cockatiel policy as a layer', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A], retries: false } } });
    let answers = 0;
    world.play[A] = () => (++answers < 3 ? 'refuse' : 200);
    world.mesh.use(retry(handleAll, { maxAttempts: 5, backoff: new ExponentialBackoff({ initialDelay: 0, maxDelay: 0 }) }), {
      role: 'their-retry',
      above: 'router',
    });
    expect((await world.fetch()).status).toBe(200);
    expect(world.mesh.snapshot().services.reviews?.inFlight.requests).toBe(0);
  });

  it('refuses a role that is none', async () => {
    const { mesh } = await meshWorld(two);
    expect(() => mesh.use((next) => next, { role: 'x', above: 'nothing' })).toThrow(/no role "nothing"; there are respond, drain, span/);
    expect(() => mesh.use((next) => next, { role: 'x' })).toThrow(/exactly one/);
  });
});

describe('refusals', () => {
  it('are answers of a sidecar when failures is respond', async () => {
    const world = await meshWorld({ failures: 'respond', services: { reviews: { endpoints: [A], retries: false, timeout: '100ms' } } });
    world.play[A] = () => 'hang';
    const answered = world.fetch();
    await world.clock.run(101);
    const response = await answered;
    expect(response.status).toBe(504);
    expect(await response.text()).toBe('upstream request timeout');
    expect(response.headers.get('x-inmesh-error')).toBe('deadline_exceeded');
  });

  it('name the unknown host when unknownHosts is refuse', async () => {
    const world = await meshWorld({ ...two, unknownHosts: 'refuse' });
    const error = await rejection(world.mesh.fetch('http://elsewhere/'));
    expect(error.code).toBe('unknown_host');
    expect(error.message).toContain('http://elsewhere');
  });

  it('come as no_endpoint when a service has none', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [] } } });
    expect((await rejection(world.fetch())).code).toBe('no_endpoint');
  });

  it('come as overloaded at the limit', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A], limits: { maxRequests: 2 } } } });
    world.play[A] = () => 'hang';
    const hanging = [world.fetch(), world.fetch()].map((promise) => promise.catch(() => {}));
    const error = await rejection(world.fetch());
    expect(error.code).toBe('overloaded');
    expect(error.message).toContain('maxRequests');
    await world.clock.run(31_000);
    await Promise.all(hanging);
  });
});

describe('close', () => {
  it('waits for calls under way and refuses new ones', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 'hang';
    world.play[B] = () => 'hang';
    const answered = world.fetch();
    await settle();
    let closed = false;
    const closing = world.mesh.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    expect((await rejection(world.fetch())).code).toBe('closed');
    world.attempts[0]?.reply(200);
    world.attempts[0]?.end();
    expect((await answered).status).toBe(200);
    await closing;
    expect(world.clock.armed).toBe(0);
  });

  it('waits no longer than drainMs', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 'hang';
    world.play[B] = () => 'hang';
    void world.fetch().catch(() => {});
    await settle();
    const closing = world.mesh.close({ drainMs: 50 });
    await world.clock.run(51);
    await closing;
  });
});

describe('a faulty configuration', () => {
  it('rejects createMesh with every fault', async () => {
    const error = await rejection(createMesh({ config: { services: { reviews: { endpoints: ['nonsense'], timeuot: '2s' } } } as never }));
    expect(error.code).toBe('config_invalid');
    expect(error.message).toContain('timeuot');
    expect(error.message).toContain('timeout');
    expect((error as unknown as { issues: unknown[] }).issues.length).toBeGreaterThanOrEqual(2);
  });

  it('leaves the last good one in force on reload, with an event', async () => {
    const world = await meshWorld(two);
    const events: MeshEvent[] = [];
    world.mesh.events.onAny((event) => events.push(event));
    await rejection(world.mesh.reload({ services: { reviews: { endpoints: [A], routes: [{ to: { v9: 100 } }] } } }));
    expect(events.map(({ type }) => type)).toEqual(['configRejected']);
    expect((await world.fetch()).status).toBe(200);
  });

  it('of TLS rejects without changing anything', async () => {
    const mesh = await createMesh({ config: two });
    const error = await rejection(
      mesh.reload({
        services: { reviews: { endpoints: [A], tls: { mode: 'mutual', cert: '/nowhere.crt', key: '/nowhere.key', ca: '/nowhere.ca' } } },
      }),
    );
    expect(error.code).toBe('config_invalid');
    expect(error.message).toContain('/nowhere');
    expect(mesh.snapshot().services.reviews?.endpoints).toHaveLength(2);
    await mesh.close();
  });
});

describe('reload', () => {
  it('keeps what was learnt of endpoints that stay, the budget and the circuit', async () => {
    const world = await meshWorld({ services: { reviews: { endpoints: [A, B], retries: false } } });
    world.play[A] = () => 500;
    world.play[B] = () => 500;
    for (let i = 0; i < 10; i++) await world.fetch();
    expect(world.mesh.snapshot().services.reviews?.circuit).toBe('open');
    const before = world.mesh.snapshot().services.reviews?.endpoints.find(({ address }) => address === B)?.latencyMs;
    await world.mesh.reload({ services: { reviews: { endpoints: [B, C], retries: false, timeout: '5s' }, other: { endpoints: [A] } } });
    const after = world.mesh.snapshot().services.reviews;
    expect(after?.circuit).toBe('open');
    expect(after?.endpoints.map(({ address }) => address)).toEqual([B, C]);
    expect(after?.endpoints[0]?.latencyMs).toBe(before);
    expect(Object.keys(world.mesh.snapshot().services)).toEqual(['reviews', 'other']);
  });

  it('lets calls under way end on the stack they began on', async () => {
    const world = await meshWorld(two);
    world.play[A] = () => 'hang';
    world.play[B] = () => 'hang';
    const answered = world.fetch();
    await settle();
    await world.mesh.reload({ services: { reviews: { endpoints: [C] } } });
    world.attempts[0]?.reply(200);
    world.attempts[0]?.end();
    expect((await answered).status).toBe(200);
    world.log.length = 0;
    await world.fetch();
    expect(world.log).toEqual([C]);
  });
});
