// Any policies together, any behaviour of the endpoints, callers that give up: every call ends in its time, nothing stays
// in flight or armed, and who counts has counted each call once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMesh } from '../../src/index.ts';
import { MeshError } from '../../src/core/errors.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { ServiceInput } from '../../src/model/input.ts';
import type { MeterSnapshot } from '../../src/telemetry/meter-snapshot.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { A, B, C, type FakeLeaves, fakeLeaves, type Play } from './traffic-rig.ts';

const TIMEOUT_MS = 2_000;

const ROUTE: Readonly<Record<string, readonly unknown[]>> = {
  idempotent: [true, { extraLoad: 0.5, initialDelay: '50ms' }],
  cache: [true, { fresh: false, staleIfError: '1m' }],
  coalesce: [true, { bodyLimit: 4 }],
  fallback: [{ body: 'fixed' }, { respond: () => ({ body: 'made' }) }, { respond: () => Promise.reject(new Error('no')) }],
  mirror: ['v2', [{ to: 'v2', percent: 50 }, { to: 'other' }]],
  fault: [
    { delay: { fixedDelay: '100ms', percentage: 40 }, abort: { httpStatus: 503, percentage: 30 } },
    { position: 'call', delay: { fixedDelay: '100ms', percentage: 40 }, abort: { grpcStatus: 14, percentage: 30 } },
  ],
  rewrite: [{ path: '/else', authority: 'else:81' }],
  headers: [{ request: { set: { 'x-a': 'b' } }, response: { add: { 'x-c': 'd' } } }],
  rateLimit: [{ requests: 3, per: '1s' }],
  criticality: ['sheddable', 'criticalPlus'],
  sticky: [{ header: 'x-user' }],
  to: ['v1', { v1: 50, v2: 50 }],
};

const SERVICE: Readonly<Record<string, readonly unknown[]>> = {
  throttle: [{ minRps: 1 }],
  rateLimit: [{ requests: 5, per: '1s' }],
  retryBudget: [false, { mode: 'envoy' }, { mode: 'linkerd' }, { mode: 'gateway-api' }, { mode: 'grpc' }],
  outlierDetection: [false, { mode: 'envoy', consecutive5xxErrors: 2, maxEjectionPercent: 70 }, { mode: 'linkerd', maxFailures: 2 }],
  loadBalancer: [
    'roundRobin',
    'leastRequest',
    { kind: 'ringHash', hash: { header: 'x-user' } },
    { kind: 'maglev', hash: { cookie: { name: 'c', ttl: '0s' } } },
  ],
  limits: [{ adaptive: { initial: 2, min: 1, max: 4 } }, { maxRequests: 3, maxRetries: 1 }],
  circuitBreaker: [false, { consecutive: 3 }],
  retries: [false, { attempts: 3, perTryTimeout: '300ms' }],
};

/** Each field is absent as often as not. */
function menu(fields: Readonly<Record<string, readonly unknown[]>>): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields).map(
    ([name, values]) => [name, fc.option(fc.constantFrom(...values), { nil: undefined })] as const,
  );
  return fc
    .record(Object.fromEntries(entries))
    .map((chosen) => Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)));
}

const plays: fc.Arbitrary<Play> = fc.oneof(
  fc.constantFrom<Play>(
    () => 200,
    () => 503,
    () => 500,
    () => 404,
    () => 'hang',
    () => 'refuse',
    ({ attempt }) => (attempt === 1 ? 'refuse' : 200),
    () => ({ body: 'some text', headers: { 'cache-control': 'max-age=1', etag: '"1"' } }),
    (call) => ({ status: call.header('if-none-match') === undefined ? 200 : 304, headers: { etag: '"1"', 'cache-control': 'no-cache' } }),
    () => ({ headers: { 'set-cookie': 'a=b', 'x-inmesh-load': '0.9' }, body: 'mine' }),
    () => ({ status: 429, headers: { 'retry-after': '1' } }),
  ),
  fc.integer({ min: 1, max: 800 }).map(
    (afterMs): Play =>
      () => ({ afterMs, body: 'late' }),
  ),
);

interface Asked {
  readonly atMs: number;
  readonly method: 'GET' | 'POST' | 'HEAD';
  readonly path: '/a' | '/b';
  readonly user: string;
  /** The caller gives up after this time; 0: never. */
  readonly abortMs: number;
  readonly reads: boolean;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  atMs: fc.integer({ min: 0, max: 1_500 }),
  method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD'),
  path: fc.constantFrom('/a', '/b'),
  user: fc.constantFrom('ada', 'bob'),
  abortMs: fc.constantFrom(0, 0, 0, 1, 60, 400),
  reads: fc.constantFrom(true, true, false),
});

interface Ended {
  readonly text: string;
  readonly tookMs: number;
}

async function call(mesh: Mesh, clock: VirtualClock, { method, path, user, abortMs, reads }: Asked): Promise<Ended> {
  const sinceMs = clock.now();
  const controller = new AbortController();
  const init = { method, headers: { 'x-user': user }, signal: controller.signal, ...(method === 'POST' ? { body: 'text' } : {}) };
  const answered = mesh.fetch(`http://reviews${path}`, init);
  if (abortMs > 0) later(clock, abortMs, () => controller.abort(new Error('gone')));
  let text: string;
  try {
    const response = await answered;
    if (reads) await response.text();
    else await response.body?.cancel();
    text = String(response.status);
  } catch (error) {
    if (!(error instanceof MeshError) && (error as Error).message !== 'gone') throw error;
    text = error instanceof MeshError ? error.code : 'aborted';
  }
  return { text, tookMs: clock.now() - sinceMs };
}

/** What is due between the steps of the clock, so that it leaves no timer. */
const waiting: { atMs: number; run: () => void }[] = [];

function later(clock: VirtualClock, forMs: number, run: () => void): void {
  waiting.push({ atMs: clock.now() + forMs, run });
}

async function play(mesh: Mesh, clock: VirtualClock, list: readonly Asked[]): Promise<Ended[]> {
  waiting.length = 0;
  const startedAtMs = clock.now();
  const ended: Promise<Ended>[] = [];
  for (const one of list) waiting.push({ atMs: startedAtMs + one.atMs, run: () => void ended.push(call(mesh, clock, one)) });
  for (let tick = 0; tick < 300; tick++) {
    for (const due of waiting.filter(({ atMs }) => atMs <= clock.now())) {
      waiting.splice(waiting.indexOf(due), 1);
      due.run();
      await settle();
    }
    await clock.run(20);
  }
  const all = await Promise.race([
    Promise.all(ended),
    settle()
      .then(settle)
      .then(() => null),
  ]);
  if (all === null) throw new Error('a call does not end');
  return all;
}

function world(
  service: Record<string, unknown>,
  route: Record<string, unknown>,
): { config: { services: Record<string, ServiceInput> } } & FakeLeaves & { clock: VirtualClock } {
  const clock = new VirtualClock();
  const reviews = {
    endpoints: [
      { address: A, labels: { v: '1' } },
      { address: B, labels: { v: '2' } },
      { address: C, labels: { v: '1' } },
    ],
    subsets: { v1: { v: '1' }, v2: { v: '2' } },
    timeout: TIMEOUT_MS,
    ...service,
    routes: [{ name: 'all', ...route }],
  } as ServiceInput;
  return { config: { services: { reviews, other: { endpoints: [B] } } }, clock, ...fakeLeaves(clock) };
}

describe('all policies together', () => {
  it('end every call once, in its time, and hold nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        menu(SERVICE),
        menu(ROUTE),
        fc.tuple(plays, plays, plays),
        fc.array(asked, { minLength: 1, maxLength: 12 }),
        async (service, route, [a, b, c], list) => {
          const { config, clock, transport, play: behaviour } = world(service, route);
          Object.assign(behaviour, { [A]: a, [B]: b, [C]: c });
          const mesh = await createMesh({ config, clock, random: seededRandom(3), telemetry: { spans: 'off' }, transport });
          const ended = await play(mesh, clock, list);
          expect(ended).toHaveLength(list.length);
          // A delay of position `call` is no time of the call.
          for (const { tookMs } of ended) expect(tookMs).toBeLessThanOrEqual(TIMEOUT_MS + 100 + 20);
          const { services, metrics, replayBytes } = mesh.snapshot();
          for (const name of ['reviews', 'other']) expect(services[name]?.inFlight).toEqual({ requests: 0, retries: 0 });
          for (const { inFlight } of services.reviews?.endpoints ?? []) expect(inFlight).toBe(0);
          const series = (metrics as MeterSnapshot).services.find((one) => one.service === 'reviews');
          expect([series?.calls, series?.inFlight, replayBytes]).toEqual([list.length, 0, 0]);
          await mesh.close({ drainMs: 60_000 });
          expect(clock.armed).toBe(0);
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });
});
