// The four of a destination together, over endpoints that misbehave: what one mechanism gives, another must not take.
import { describe, expect, it } from 'vitest';
import { balancer } from '../../src/balance/balancer.ts';
import { EndpointSet } from '../../src/balance/endpoint-set.ts';
import { makePicker } from '../../src/balance/make-picker.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import type { Call, Reply } from '../../src/core/call.ts';
import { Timer } from '../../src/core/clock.ts';
import { meshError } from '../../src/core/errors.ts';
import { type Service, wrap } from '../../src/core/service.ts';
import {
  BALANCER_DEFAULTS,
  BREAKER_DEFAULTS,
  BUDGET_DEFAULTS,
  LIMITS_DEFAULTS,
  OUTLIER_DEFAULTS,
  RETRY_DEFAULTS,
} from '../../src/model/destination.ts';
import { admissionLayer } from '../../src/resilience/admission-layer.ts';
import { Breaker } from '../../src/resilience/breaker.ts';
import { loadTrip, type Trip } from '../../src/resilience/breaker-trip.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { deadlineLayer } from '../../src/resilience/deadline-layer.ts';
import { Limits } from '../../src/resilience/limits.ts';
import { retryLayer } from '../../src/resilience/retry-layer.ts';
import { fakeReply, testCall } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Mode = 'ok' | '503' | 'refuse' | 'hang';

class Task extends Timer {
  readonly #run: () => void;
  constructor(run: () => void) {
    super();
    this.#run = run;
  }
  fire(): void {
    this.#run();
  }
}

/** Endpoints that answer after 10 ms, or misbehave by their mode. */
class World {
  readonly clock = new VirtualClock();
  readonly modes: Record<string, Mode> = { a: 'ok', b: 'ok', c: 'ok' };
  readonly counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  readonly set: EndpointSet;
  readonly breaker: Breaker;
  readonly budget: Budget;
  readonly limits = new Limits();
  readonly service: Service;

  constructor(seed = 1) {
    const { clock, limits } = this;
    const random = seededRandom(seed);
    this.budget = new Budget(BUDGET_DEFAULTS, clock.now());
    this.breaker = new Breaker(BREAKER_DEFAULTS, loadTrip(BREAKER_DEFAULTS) as Trip, { random, onChange: () => {} });
    this.set = new EndpointSet(BALANCER_DEFAULTS, { leaf: (endpoint) => (call) => this.#serve(endpoint.host, call) });
    this.set.update(
      ['a', 'b', 'c'].map((name) => ({ address: `${name}:1`, labels: {}, locality: '', weight: 1 })),
      clock.now(),
    );
    const { set, budget, breaker } = this;
    const outlier = new Outlier(OUTLIER_DEFAULTS, { service: 'r', set, random, emit: () => {} });
    const picker = makePicker(BALANCER_DEFAULTS, random);
    const leaf = balancer({ set, labels: null, spillTo: [], picker, outlier, clock, destinationName: 'r' });
    const perTry = { ...RETRY_DEFAULTS, perTryTimeoutMs: 300 };
    this.service = wrap(leaf, [
      deadlineLayer({ clock, inherited: () => undefined }),
      retryLayer(perTry, { clock, random, budget, fastestMs: () => set.fastestMs, onRetry() {}, onDenied() {} }),
      admissionLayer({ breaker, limits, policy: LIMITS_DEFAULTS, clock, name: 'r' }),
    ]);
  }

  #serve(name: string, call: Call): Promise<Reply> {
    const { clock } = this;
    const mode = this.modes[name];
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    return new Promise((resolve, reject) => {
      const failWith = (code: 'connect_failed' | 'attempt_timeout' | 'deadline_exceeded'): void => {
        const error = meshError({ code, message: 'played' });
        call.end({ kind: 'failure', status: 0, error, endedAtMs: clock.now() });
        reject(error);
      };
      const dueMs = Math.min(call.attemptDeadlineMs, call.deadlineMs);
      if (mode === 'refuse') clock.arm(new Task(() => failWith('connect_failed')), clock.now() + 0.2);
      else if (mode === 'hang')
        clock.arm(new Task(() => failWith(dueMs === call.deadlineMs ? 'deadline_exceeded' : 'attempt_timeout')), dueMs);
      else {
        const answer = (): void => {
          const status = mode === 'ok' ? 200 : 503;
          call.headAtMs = clock.now();
          resolve(
            fakeReply(status, {}, () =>
              call.end({ kind: status < 500 ? 'success' : 'failure', status, error: null, endedAtMs: clock.now() }),
            ),
          );
        };
        clock.arm(new Task(answer), clock.now() + (mode === 'ok' ? 10 : 1));
      }
    });
  }

  /** Sends a call every 5 ms for so long, and gives the share that was answered below 500. */
  async run(forMs: number): Promise<number> {
    let good = 0;
    let sent = 0;
    for (let t = 0; t < forMs; t += 5) {
      sent++;
      this.service(testCall({ startedAtMs: this.clock.now(), route: { name: 'r', service: 'r', timeoutMs: 2_000 } })).then(
        (reply) => {
          if (reply.status < 500) good++;
          reply.discard();
        },
        () => {},
      );
      await this.clock.run(5);
    }
    await this.clock.run(3_000);
    return good / sent;
  }

  share(name: string): number {
    const total = Object.values(this.counts).reduce((sum, count) => sum + count, 0);
    return (this.counts[name] ?? 0) / total;
  }

  expectNothingHeld(): void {
    expect(this.limits.requests).toBe(0);
    expect(this.limits.retries).toBe(0);
    expect(this.set.all.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
    expect(this.clock.armed).toBe(0);
  }
}

describe('assembled', () => {
  it.each<[Mode, number, number]>([
    ['503', 1, 0.02],
    ['refuse', 1, 0.02],
    ['hang', 1, 0.02],
  ])('one replica of three: %s. Nobody notices, and it gets next to nothing', async (mode, goodMin, shareMax) => {
    const world = new World();
    world.modes.a = mode;
    expect(await world.run(10_000)).toBeGreaterThanOrEqual(goodMin);
    expect(world.share('a')).toBeLessThan(shareMax);
    expect(world.breaker.state).toBe('closed');
    world.expectNothingHeld();
  });

  it('all good: evenly spread, no retries', async () => {
    const world = new World();
    expect(await world.run(10_000)).toBe(1);
    expect(Object.values(world.counts).reduce((sum, count) => sum + count, 0)).toBe(2_000);
    for (const name of ['a', 'b', 'c']) expect(world.share(name)).toBeGreaterThan(0.2);
    world.expectNothingHeld();
  });

  it('all failing: few retries, the circuit opens, and it recovers soon after the service does', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) world.modes[name] = '503';
    await world.run(20_000);
    const attempts = Object.values(world.counts).reduce((sum, count) => sum + count, 0);
    expect(attempts).toBeLessThan(200);
    for (const name of ['a', 'b', 'c']) world.modes[name] = 'ok';
    await world.run(6_000);
    expect(world.breaker.state).toBe('closed');
    expect(await world.run(2_000)).toBe(1);
    world.expectNothingHeld();
  });

  it('a black hole heals: it has its share back within a minute', async () => {
    const world = new World();
    world.modes.b = 'hang';
    await world.run(5_000);
    world.modes.b = 'ok';
    await world.run(60_000);
    world.counts.a = 0;
    world.counts.b = 0;
    world.counts.c = 0;
    await world.run(5_000);
    expect(world.share('b')).toBeGreaterThan(0.2);
    expect(world.set.all.every(({ standing }) => standing.state === 'in')).toBe(true);
  });
});
