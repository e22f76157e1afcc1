// The scenarios that every edge must pass with the same configuration and the same words. Ways of endpoints, what is called,
// what it comes to, and how many calls each endpoint saw.
import type { RouteInput, ServiceInput } from '../../src/model/input.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { EdgeCall, EdgeEndpoint, Play } from './edge-world.ts';

export interface At {
  readonly a: EdgeEndpoint;
  readonly b: EdgeEndpoint;
  readonly c: EdgeEndpoint;
}

export interface Scenario {
  readonly name: string;
  /** Of the endpoints. @default ok */
  readonly plays?: Partial<Record<keyof At, Play>>;
  /** Beside endpoints `a` and `b`, round robin, and retries for any method without pause. */
  readonly service?: Partial<ServiceInput>;
  /** Which endpoints. @default ab */
  readonly on?: string;
  readonly others?: (at: At) => Readonly<Record<string, ServiceInput>>;
  readonly run: (call: EdgeCall, at: At, mesh: Mesh, config: (service: Partial<ServiceInput>) => object) => Promise<unknown>;
  readonly expected: unknown;
  /** Not for calls whose body is still to come when they are routed. */
  readonly wholeOnly?: true;
  /** Calls that reached each endpoint, such as `a1 b2`. @default not looked at */
  readonly seen?: string;
}

const V1 = { subsets: { v1: { version: 'a' }, v2: { version: 'b' } } };
const routes = (...list: RouteInput[]): Partial<ServiceInput> => ({ ...V1, routes: list });
const once: Scenario['run'] = (call) => call();
const times =
  (count: number): Scenario['run'] =>
  async (call) => {
    const words: string[] = [];
    for (let i = 0; i < count; i++) words.push(await call());
    return words.join(' ');
  };
const counted =
  (count: number): Scenario['run'] =>
  async (call) => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const word = await call();
      counts[word] = (counts[word] ?? 0) + 1;
    }
    return counts;
  };
const withHeader =
  (name: string, ...values: string[]): Scenario['run'] =>
  async (call) => {
    const words: string[] = [];
    for (const value of values) words.push(await call({ headers: { [name]: value } }));
    return words.join(' ');
  };
/** Its own time, so that the word does not hang on which of two timers is first. */
const NO_RETRIES = { retries: false } as const;
const R = (retries: object): Partial<ServiceInput> => ({ retries: { methods: ['*'], backoff: { base: '1ms', max: '1ms' }, ...retries } });
const QUIET = { outlierDetection: false, circuitBreaker: false } as const;

const ROUTING: readonly Scenario[] = [
  { name: 'all goes round', run: times(4), expected: 'a b a b', seen: 'a2 b2' },
  { name: 'one endpoint', on: 'a', run: times(3), expected: 'a a a', seen: 'a3' },
  { name: 'a subset', service: routes({ to: 'v2' }), run: times(3), expected: 'b b b', seen: 'b3' },
  { name: 'weights 3 to 1', service: routes({ to: { v1: 75, v2: 25 } }), run: counted(8), expected: { a: 6, b: 2 } },
  { name: 'weight 0 gets nothing', service: routes({ to: { v1: 100, v2: 0 } }), run: counted(6), expected: { a: 6 } },
  {
    name: 'a header, exact',
    service: routes({ match: { headers: { user: 'jason' } }, to: 'v2' }, { to: 'v1' }),
    run: withHeader('user', 'jason', 'ann'),
    expected: 'b a',
  },
  {
    name: 'a header, prefix',
    service: routes({ match: { headers: { user: { prefix: 'ja' } } }, to: 'v2' }, { to: 'v1' }),
    run: withHeader('user', 'jason', 'ann'),
    expected: 'b a',
  },
  {
    name: 'a header, pattern',
    service: routes({ match: { headers: { user: { regex: '^j.*n$' } } }, to: 'v2' }, { to: 'v1' }),
    run: withHeader('user', 'jason', 'jim'),
    expected: 'b a',
  },
  {
    name: 'a header, present',
    service: routes({ match: { headers: { beta: { present: true } } }, to: 'v2' }, { to: 'v1' }),
    run: withHeader('beta', 'x'),
    expected: 'b',
  },
  {
    name: 'a header, not',
    service: routes({ match: { headers: { user: { exact: 'ann', not: true } } }, to: 'v2' }, { to: 'v1' }),
    run: withHeader('user', 'jason', 'ann'),
    expected: 'b a',
  },
  {
    name: 'the method, exact',
    service: routes({ match: { path: '/nobody' }, to: 'v1' }, { match: { method: 'POST' }, to: 'v2' }),
    run: once,
    expected: 'b',
  },
  {
    name: 'the path by prefix',
    service: routes({ match: { path: { pathPrefix: '/test.Echo' } }, to: 'v2' }, { to: 'v1' }),
    run: once,
    expected: 'b',
  },
  {
    name: 'the path by pattern',
    service: routes({ match: { path: { regex: '/test\\..*' } }, to: 'v2' }, { to: 'v1' }),
    run: once,
    expected: 'b',
  },
  {
    name: 'the first rule wins',
    service: routes({ match: { path: { prefix: '/' } }, to: 'v2' }, { match: { headers: { user: 'jason' } }, to: 'v1' }),
    run: withHeader('user', 'jason'),
    expected: 'b',
  },
  {
    name: 'another service',
    service: routes({ to: 'other' }),
    others: ({ c }) => ({ other: { endpoints: [c.address] } }),
    run: once,
    expected: 'c',
    seen: 'c1',
  },
  {
    name: 'sticky by header',
    service: routes({ to: { v1: 50, v2: 50 }, sticky: { header: 'user' } }),
    run: async (call) => new Set(await Promise.all(Array.from({ length: 6 }, () => call({ headers: { user: 'u1' } })))).size,
    expected: 1,
  },
  {
    name: 'a header is set',
    service: routes({ headers: { request: { set: { 'x-by': 'mesh' } } }, to: 'v1' }),
    run: async (call, at) => [await call(), at.a.seen[0]?.['x-by']],
    expected: ['a', 'mesh'],
  },
  {
    name: 'a header is removed',
    service: routes({ headers: { request: { remove: ['x-secret'] } }, to: 'v1' }),
    run: async (call, at) => [await call({ headers: { 'x-secret': '1' } }), at.a.seen[0]?.['x-secret']],
    expected: ['a', undefined],
  },
  { name: 'an unknown service', run: (call) => call({ service: 'nobody.invalid' }), expected: '!unknown_host' },
  {
    name: 'no endpoints',
    on: '',
    run: once,
    expected: '!no_endpoint',
    seen: '',
  },
];

const RETRIES: readonly Scenario[] = [
  { name: 'a bad answer is repeated elsewhere', plays: { a: 'unavailable' }, run: once, expected: 'b', seen: 'a1 b1' },
  { name: 'every call is served beside a bad endpoint', plays: { a: 'unavailable' }, service: QUIET, run: counted(8), expected: { b: 8 } },
  {
    name: 'the last bad answer is returned',
    plays: { a: 'unavailable', b: 'unavailable' },
    service: R({ attempts: 1 }),
    run: once,
    expected: 'unavailable',
    seen: 'a1 b1',
  },
  {
    name: 'attempts are counted',
    on: 'a',
    plays: { a: 'unavailable' },
    service: R({ attempts: 2 }),
    run: once,
    expected: 'unavailable',
    seen: 'a3',
  },
  { name: 'no retries', plays: { a: 'unavailable' }, service: NO_RETRIES, run: once, expected: 'unavailable', seen: 'a1' },
  {
    name: 'a method that is not idempotent',
    plays: { a: 'unavailable' },
    service: { retries: { attempts: 2 } },
    run: once,
    expected: 'unavailable',
    seen: 'a1',
  },
  {
    name: 'unless the route says so',
    plays: { a: 'unavailable' },
    service: { retries: { attempts: 2 }, routes: [{ idempotent: true }] },
    run: once,
    expected: 'b',
    seen: 'a1 b1',
  },
  {
    name: 'unless the caller has a key',
    plays: { a: 'unavailable' },
    service: { retries: { attempts: 2 } },
    run: withHeader('idempotency-key', 'k1'),
    expected: 'b',
    seen: 'a1 b1',
  },
  { name: 'an internal error is not repeated', plays: { a: 'internal' }, run: once, expected: 'internal', seen: 'a1' },
  { name: 'an answer of no fault is not repeated', plays: { a: 'missing' }, run: once, expected: 'missing', seen: 'a1' },
  { name: 'too much, with a word on when', plays: { a: 'exhausted' }, run: once, expected: 'b', seen: 'a1 b1' },
  { name: 'a dead endpoint', run: async (call, { a }) => [await a.close(), await call(), await call()].slice(1), expected: ['b', 'b'] },
  {
    name: 'a dead endpoint, any method',
    service: { retries: { attempts: 1 } },
    run: async (call, { a }) => [await a.close(), await call()][1],
    expected: 'b',
  },
  { name: 'all endpoints dead', on: 'a', run: async (call, { a }) => [await a.close(), await call()][1], expected: '!connect_failed' },
  {
    name: 'a hung endpoint',
    plays: { a: 'hang' },
    service: R({ attempts: 1, perTryTimeout: '250ms' }),
    run: once,
    expected: 'b',
    seen: 'a1 b1',
  },
  {
    name: 'both hung',
    plays: { a: 'hang', b: 'hang' },
    service: R({ attempts: 1, perTryTimeout: '40ms' }),
    run: once,
    expected: '!attempt_timeout',
    seen: 'a1 b1',
  },
  {
    name: 'a slow endpoint in time',
    plays: { a: 'slow 20' },
    service: R({ attempts: 1, perTryTimeout: '2s' }),
    run: once,
    expected: 'a',
    seen: 'a1',
  },
  {
    name: 'the budget ends retries',
    on: 'a',
    plays: { a: 'unavailable' },
    service: { ...R({ attempts: 5 }), ...QUIET, retryBudget: { tokens: 3, perSecond: 0 } },
    run: once,
    expected: 'unavailable',
    seen: 'a4',
  },
  {
    name: 'a paused mesh does not repeat',
    plays: { a: 'unavailable' },
    run: (call, _at, mesh) => [mesh.pauseRetries('reviews'), call()][1] as Promise<string>,
    expected: 'unavailable',
    seen: 'a1',
  },
  {
    name: 'a retry leaves the subset',
    plays: { a: 'unavailable' },
    service: routes({ to: { v1: 100, v2: 1 } }),
    run: once,
    expected: 'b',
    seen: 'a1 b1',
  },
];

const TIME: readonly Scenario[] = [
  {
    name: 'the timeout of the service',
    on: 'a',
    plays: { a: 'hang' },
    service: { timeout: '60ms' },
    run: once,
    expected: '!deadline_exceeded',
    seen: 'a1',
  },
  {
    name: 'the timeout of the route',
    on: 'a',
    plays: { a: 'hang' },
    service: { routes: [{ timeout: '60ms' }] },
    run: once,
    expected: '!deadline_exceeded',
  },
  {
    name: 'the deadline of the call',
    on: 'a',
    plays: { a: 'hang' },
    run: (call) => call({ timeoutMs: 60 }),
    expected: '!deadline_exceeded',
  },
  {
    name: 'the deadline of the call above that of the route',
    on: 'a',
    plays: { a: 'slow 60' },
    service: { timeout: '20ms' },
    run: (call) => call({ timeoutMs: 2_000 }),
    expected: 'a',
  },
  {
    name: 'retries end with the deadline',
    plays: { a: 'hang', b: 'hang' },
    service: { ...R({ attempts: 5, perTryTimeout: '40ms' }), timeout: '100ms' },
    // Whether the last attempt ends it, or the deadline, is a matter of a millisecond.
    run: async (call) => ['!deadline_exceeded', '!attempt_timeout'].includes(await call()),
    expected: true,
  },
  {
    name: 'the caller goes',
    on: 'a',
    plays: { a: 'hang' },
    run: async (call, { a }) => {
      const controller = new AbortController();
      const word = call({ signal: controller.signal });
      await a.reached(1);
      controller.abort();
      return word;
    },
    expected: '!canceled',
    seen: 'a1',
  },
  {
    name: 'who goes is not repeated',
    plays: { a: 'hang', b: 'hang' },
    run: async (call, { a }) => {
      const controller = new AbortController();
      const word = call({ signal: controller.signal });
      await a.reached(1);
      controller.abort();
      return word;
    },
    expected: '!canceled',
    seen: 'a1',
  },
  {
    name: 'a hedge beside a late one',
    service: { routes: [{ idempotent: { extraLoad: 0.5, initialDelay: '50ms', minDelay: '20ms' } }] },
    run: async (call, { a }) => {
      await times(8)(call, {} as At, {} as Mesh, () => ({}));
      a.play = 'slow 400';
      return call();
    },
    expected: 'b',
    seen: 'a5 b5',
  },
  {
    name: 'no hedge beside a quick one',
    service: { routes: [{ idempotent: { extraLoad: 0.5, initialDelay: '2s' } }] },
    run: once,
    expected: 'a',
    seen: 'a1',
  },
  {
    name: 'a delay by a fault',
    on: 'a',
    service: { routes: [{ fault: { delay: { fixedDelay: '30ms', percentage: 100 } } }] },
    run: once,
    expected: 'a',
  },
  {
    name: 'a delay beyond the deadline',
    on: 'a',
    service: { timeout: '40ms', ...NO_RETRIES, routes: [{ fault: { delay: { fixedDelay: '10s', percentage: 100 } } }] },
    run: once,
    expected: '!deadline_exceeded',
    seen: '',
  },
];

const PROTECTION: readonly Scenario[] = [
  {
    name: 'a fault of the call',
    service: { routes: [{ fault: { position: 'call', abort: { httpStatus: 503, percentage: 100 } } }] },
    run: once,
    expected: 'unavailable',
    seen: '',
  },
  {
    name: 'a fault of the attempt',
    service: { ...NO_RETRIES, routes: [{ fault: { abort: { httpStatus: 503, percentage: 100 } } }] },
    run: once,
    expected: 'unavailable',
    seen: '',
  },
  {
    name: 'a fault for some callers',
    service: { routes: [{ fault: { position: 'call', headers: { user: 'jason' }, abort: { httpStatus: 404, percentage: 100 } } }] },
    run: withHeader('x', 'y'),
    expected: 'a',
  },
  { name: 'a direct response', service: { routes: [{ directResponse: { status: 503 } }] }, run: once, expected: 'unavailable', seen: '' },
  {
    name: 'the circuit opens',
    on: 'a',
    plays: { a: 'internal' },
    service: { ...NO_RETRIES, outlierDetection: false, circuitBreaker: { consecutive: 2, openBase: '10s' } },
    run: times(4),
    expected: 'internal internal !circuit_open !circuit_open',
    seen: 'a2',
  },
  {
    name: 'answers of no fault keep it closed',
    on: 'a',
    plays: { a: 'missing' },
    service: { ...NO_RETRIES, circuitBreaker: { consecutive: 2 } },
    run: times(4),
    expected: 'missing missing missing missing',
    seen: 'a4',
  },
  {
    name: 'the circuit opens by ratio',
    on: 'a',
    plays: { a: 'unavailable' },
    service: { ...NO_RETRIES, outlierDetection: false, circuitBreaker: { failureRatio: 0.5, minCalls: 4, openBase: '10s' } },
    run: times(5),
    expected: 'unavailable unavailable unavailable unavailable !circuit_open',
    seen: 'a4',
  },
  {
    name: 'isolated by hand',
    run: (call, _at, mesh) => [mesh.isolate('reviews'), call()][1] as Promise<string>,
    service: { ...NO_RETRIES, circuitBreaker: {} },
    expected: '!circuit_open',
    seen: '',
  },
  {
    name: 'a sick endpoint is ejected',
    plays: { a: 'unavailable' },
    service: { ...NO_RETRIES, circuitBreaker: false, outlierDetection: { consecutiveErrors: 2, baseEjectionTime: '20s' } },
    run: times(7),
    expected: 'unavailable b unavailable b b b b',
    seen: 'a2 b5',
  },
  {
    name: 'the last is never ejected',
    on: 'a',
    plays: { a: 'unavailable' },
    service: { ...NO_RETRIES, circuitBreaker: false, outlierDetection: { consecutiveErrors: 1 } },
    run: times(3),
    expected: 'unavailable unavailable unavailable',
    seen: 'a3',
  },
  {
    name: 'a rate limit',
    service: { rateLimit: { requests: 2, per: '60s' } },
    run: times(3),
    expected: 'a b !rate_limited',
    seen: 'a1 b1',
  },
  {
    name: 'a rate limit of the route',
    service: { routes: [{ rateLimit: { requests: 1, per: '60s' } }] },
    run: times(2),
    expected: 'a !rate_limited',
  },
  {
    name: 'calls in flight',
    on: 'a',
    plays: { a: 'hang' },
    service: { timeout: '100ms', ...NO_RETRIES, limits: { maxRequests: 1 } },
    run: async (call, { a }) => {
      const first = call();
      await a.reached(1);
      return [await call(), await first];
    },
    expected: ['!overloaded', '!deadline_exceeded'],
    seen: 'a1',
  },
  {
    name: 'retries in flight',
    plays: { a: 'unavailable', b: 'unavailable' },
    service: { ...R({ attempts: 3 }), limits: { maxRetries: 1 }, retryBudget: { tokens: 1, perSecond: 0 } },
    run: once,
    expected: 'unavailable',
    seen: 'a1 b1',
  },
  {
    name: 'the fastest is preferred',
    plays: { a: 'slow 60' },
    service: { loadBalancer: 'peakEwma' },
    run: async (call) => {
      await Promise.all([call(), call(), call(), call()]);
      return times(4)(call, {} as At, {} as Mesh, () => ({}));
    },
    expected: 'b b b b',
  },
  {
    name: 'the same key, the same endpoint',
    service: { loadBalancer: { kind: 'maglev', hash: { header: 'user' } } } as Partial<ServiceInput>,
    run: async (call) =>
      new Set([await call({ headers: { user: 'x' } }), await call({ headers: { user: 'x' } }), await call({ headers: { user: 'x' } })])
        .size,
    expected: 1,
  },
];

const CHANGE: readonly Scenario[] = [
  {
    name: 'a reload moves all calls',
    run: async (call, _at, mesh, config) => {
      const before = await call();
      await mesh.reload(config(routes({ to: 'v2' })) as never);
      return [before, await call(), await call()];
    },
    expected: ['a', 'b', 'b'],
  },
  {
    name: 'a reload does not touch calls under way',
    plays: { a: 'slow 60' },
    on: 'a',
    run: async (call, { a }, mesh, config) => {
      const first = call();
      await a.reached(1);
      await mesh.reload(config({ timeout: '5s' }) as never);
      return [await first, await call()];
    },
    expected: ['a', 'a'],
  },
  {
    name: 'an endpoint leaves',
    run: async (call, { b }, mesh) => {
      const before = [await call(), await call()];
      await mesh.reload({ services: { reviews: { endpoints: [b.address] } } });
      return [...before, await call(), await call()];
    },
    expected: ['a', 'b', 'b', 'b'],
  },
  {
    name: 'an endpoint leaves with a call under way',
    plays: { a: 'slow 60' },
    run: async (call, { a, b }, mesh) => {
      const first = call();
      await a.reached(1);
      await mesh.reload({ services: { reviews: { endpoints: [b.address] } } });
      return [await first, await call()];
    },
    expected: ['a', 'b'],
  },
  {
    name: 'closing waits for calls',
    plays: { a: 'slow 60' },
    on: 'a',
    run: async (call, { a }, mesh) => {
      const first = call();
      await a.reached(1);
      const closing = mesh.close();
      const word = await first;
      await closing;
      return [word, await call()];
    },
    expected: ['a', '!closed'],
    seen: 'a1',
  },
  { name: 'a closed mesh refuses', run: async (call, _at, mesh) => [await mesh.close(), await call()][1], expected: '!closed', seen: '' },
  {
    name: 'a mirror gets a copy',
    wholeOnly: true,
    service: routes({ to: 'v1', mirror: 'other' }),
    others: ({ c }) => ({ other: { endpoints: [c.address] } }),
    run: async (call, { c }) => [await call(), await c.reached(1)][0],
    expected: 'a',
    seen: 'a1 c1',
  },
  {
    name: 'a mirror that hangs delays nobody',
    wholeOnly: true,
    plays: { c: 'hang' },
    service: routes({ to: 'v1', mirror: 'other' }),
    others: ({ c }) => ({ other: { endpoints: [c.address] } }),
    run: async (call, { c }) => [await call(), await c.reached(1)][0],
    expected: 'a',
  },
  {
    name: 'a mirror that fails harms nobody',
    plays: { c: 'internal' },
    service: routes({ to: 'v1', mirror: 'other' }),
    others: ({ c }) => ({ other: { endpoints: [c.address] } }),
    run: times(2),
    expected: 'a a',
  },
];

export const SCENARIOS: readonly Scenario[] = [...ROUTING, ...RETRIES, ...TIME, ...PROTECTION, ...CHANGE];
