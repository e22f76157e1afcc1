import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthChecks } from '../../src/balance/health-checks.ts';
import { Outlier } from '../../src/balance/outlier.ts';
import { outcomeListener } from '../../src/balance/outcome-listener.ts';
import { HEALTH_CHECK_DEFAULTS, type HealthCheckPolicy } from '../../src/model/balancing.ts';
import { OUTLIER_DEFAULTS } from '../../src/model/destination.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { DetectorRig } from './outlier-rig.ts';

/** Without jitter unless chance is given: every pause is the interval of 10 s. */
const NO_JITTER = (): number => 0.5;

interface Asked {
  readonly address: string;
  readonly atMs: number;
  readonly policy: HealthCheckPolicy;
  end(ok: boolean): void;
  fail(error: unknown): void;
}

class Rig {
  readonly clock: VirtualClock = new VirtualClock();
  readonly asked: Asked[] = [];
  readonly rig: DetectorRig<Outlier>;
  readonly checks: HealthChecks;
  /** Answers at once by address: `+` or `-`; without an entry the test answers. */
  readonly answers: Record<string, string> = {};

  constructor(size: number, policy: Partial<HealthCheckPolicy> = {}, random: () => number = NO_JITTER) {
    this.rig = new DetectorRig(
      size,
      (deps) => new Outlier({ ...OUTLIER_DEFAULTS, windowMs: 0 }, { ...deps, askCheck: (endpoint) => this.checks.ask(endpoint) }),
    );
    this.checks = new HealthChecks(
      { ...HEALTH_CHECK_DEFAULTS, ...policy },
      {
        service: 'reviews',
        set: this.rig.set,
        clock: this.clock,
        random,
        emit: (event) => this.rig.events.push(event),
        outlier: () => this.rig.outlier,
        probe: ({ address }, given) =>
          new Promise((resolve, reject) => {
            const one: Asked = {
              address,
              atMs: this.clock.now(),
              policy: given,
              end: (ok) => resolve(ok ? { ok, reason: '' } : { ok, reason: 'HTTP 503' }),
              fail: reject,
            };
            this.asked.push(one);
            const answer = this.answers[address];
            if (answer !== undefined) one.end(answer === '+');
          }),
      },
    );
  }

  async run(ms: number): Promise<void> {
    await this.clock.run(ms);
    this.rig.advance(this.clock.now() - this.rig.nowMs);
  }

  /** Who was asked, and when, s after the start. */
  get log(): string {
    return this.asked.map(({ address, atMs }) => `${address.slice(0, 2)}@${(atMs - 1_000) / 1_000}`).join(' ');
  }

  async end(index: number, ok: boolean): Promise<void> {
    this.asked[index]?.end(ok);
    await settle();
  }

  /** A call ended at the endpoint, now. */
  use(index: number, sign = '+'): void {
    this.rig.nowMs = this.clock.now();
    outcomeListener(null, true)?.(this.rig.at(index), this.rig.start(), this.rig.ending(sign));
  }

  isHealthy(index: number): boolean {
    return !this.rig.at(index).standing.unhealthy;
  }

  get healthEvents(): string {
    return this.rig.events
      .flatMap((event) =>
        event.type === 'endpointUnhealthy'
          ? [`${event.endpoint} unhealthy: ${event.reason}`]
          : event.type === 'endpointHealthy'
            ? [`${event.endpoint} healthy`]
            : [],
      )
      .join(', ');
  }
}

describe('when a check is made', () => {
  it('one interval after the end of the last, for each endpoint', async () => {
    const rig = new Rig(2);
    await rig.run(9_999);
    expect(rig.log).toBe('');
    await rig.run(1);
    expect(rig.log).toBe('e0@10 e1@10');
    await rig.run(3_000);
    await rig.end(0, true);
    await rig.run(9_999);
    expect(rig.asked).toHaveLength(2);
    await rig.run(1);
    expect(rig.log).toBe('e0@10 e1@10 e0@23');
  });

  it.each([
    [0, 5_000],
    [0.5, 10_000],
    [0.9999, 14_999],
  ])('the interval is drawn from half to one and a half of it: %d', async (chance, dueMs) => {
    const rig = new Rig(1, {}, () => chance);
    await rig.run(dueMs - 1);
    expect(rig.asked).toHaveLength(0);
    await rig.run(1.1);
    expect(rig.asked).toHaveLength(1);
  });

  it.each([
    ['who was used within the interval is not asked', false, 'e1@10'],
    ['but with `always`', true, 'e0@10 e1@10'],
  ])('%s', async (_, always, expected) => {
    const rig = new Rig(2, { always });
    await rig.run(5_000);
    rig.use(0);
    await rig.run(5_000);
    expect(rig.log).toBe(expected);
  });

  it('who is idle again is asked again', async () => {
    const rig = new Rig(1);
    await rig.run(5_000);
    rig.use(0);
    await rig.run(14_999);
    expect(rig.log).toBe('');
    await rig.run(1);
    expect(rig.log).toBe('e0@20');
  });

  it('a canceled call tells nothing', async () => {
    const rig = new Rig(1);
    await rig.run(5_000);
    rig.use(0, '?');
    await rig.run(5_000);
    expect(rig.log).toBe('e0@10');
  });

  it('one that hangs is not joined by another', async () => {
    const rig = new Rig(1);
    await rig.run(60_000);
    expect(rig.log).toBe('e0@10');
  });

  it('newcomers are asked, those who left no more', async () => {
    const rig = new Rig(2);
    rig.answers['e0:1'] = '+';
    await rig.run(4_000);
    rig.rig.resize(1);
    await rig.run(6_000);
    rig.rig.resize(3);
    await rig.run(10_000);
    expect(rig.log).toBe('e0@10 e0@20 e1@20 e2@20');
    expect(rig.clock.armed).toBe(1);
  });
});

describe('what comes of it', () => {
  it('two failures take an endpoint out, two passes bring it back', async () => {
    const rig = new Rig(2);
    rig.answers['e1:1'] = '+';
    rig.answers['e0:1'] = '-';
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(true);
    const { version } = rig.rig.set;
    await rig.run(10_000);
    expect([rig.isHealthy(0), rig.isHealthy(1)]).toEqual([false, true]);
    expect(rig.rig.set.version).toBeGreaterThan(version);
    rig.answers['e0:1'] = '+';
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(false);
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(true);
    expect(rig.healthEvents).toBe('e0:1 unhealthy: HTTP 503, e0:1 healthy');
    expect(rig.rig.at(0).upSinceMs).toBe(41_000);
  });

  it('a probe that rejects has failed', async () => {
    const rig = new Rig(1, { unhealthyThreshold: 1 });
    await rig.run(10_000);
    rig.asked[0]?.fail(new Error('no such thing'));
    await settle();
    expect(rig.healthEvents).toBe('e0:1 unhealthy: no such thing');
  });

  it('an unhealthy one is asked although calls were sent to it', async () => {
    const rig = new Rig(1, { unhealthyThreshold: 1 });
    rig.answers['e0:1'] = '-';
    await rig.run(15_000);
    rig.use(0);
    await rig.run(5_000);
    expect(rig.log).toBe('e0@10 e0@20');
  });
});

describe('an ejected endpoint', () => {
  /** Put out by five failed connections, on probation after a second. */
  async function unreachable(policy: Partial<HealthCheckPolicy> = {}, endings = 'ccccc'): Promise<Rig> {
    const rig = new Rig(2, policy);
    rig.use(1);
    rig.rig.play(0, endings);
    await rig.clock.run(5);
    expect(rig.rig.states).toBe('-+');
    await rig.run(1_000);
    expect(rig.rig.states).toBe('?+');
    await rig.clock.run(0);
    return rig;
  }

  it('is asked when it comes on probation, and calls are spared', async () => {
    const rig = await unreachable();
    expect(rig.asked.map(({ address }) => address)).toEqual(['e0:1']);
    expect(rig.rig.outlier.mayProbe(rig.rig.at(0), true)).toBe(false);
  });

  it('returns when the check passes', async () => {
    const rig = await unreachable();
    await rig.end(0, true);
    expect(rig.rig.states).toBe('++');
    expect(rig.rig.events.at(-1)).toMatchObject({ type: 'endpointReturned' });
  });

  it('stays out for twice as long when it fails', async () => {
    const rig = await unreachable();
    await rig.end(0, false);
    expect(rig.rig.states).toBe('-+');
    expect(rig.rig.events.at(-1)).toMatchObject({ rule: 'health-check', reason: 'the health check failed', forMs: 2_000 });
  });

  it('that answers neither way takes a call for its probe in the end', async () => {
    const rig = await unreachable();
    await rig.run(1_000);
    expect(rig.rig.outlier.mayProbe(rig.rig.at(0), true)).toBe(true);
    rig.rig.probe(0, '+');
    expect(rig.rig.states).toBe('++');
    await rig.end(0, false);
    expect(rig.rig.states).toBe('++');
  });

  it.each([
    ['answers of the service put it out', {}, '-----'],
    ['they were not all failed connections', {}, 'cc-cc'],
    ['another port is asked', { port: 9 }, 'ccccc'],
  ])('is left to a call when %s', async (_, policy, endings) => {
    const rig = await unreachable(policy, endings);
    expect(rig.asked).toHaveLength(0);
    expect(rig.rig.outlier.mayProbe(rig.rig.at(0), true)).toBe(true);
    await rig.run(10_000);
    expect(rig.asked.map(({ address }) => address)).toContain('e0:1');
    for (const index of rig.asked.keys()) await rig.end(index, true);
    expect(rig.rig.states).toBe('?+');
  });

  it('whose probe found no connection is asked the next time', async () => {
    const rig = await unreachable({}, '-----');
    rig.rig.probe(0, 'c');
    await rig.run(3_000);
    await rig.clock.run(0);
    expect(rig.rig.states).toBe('?+');
    expect(rig.asked.map(({ address }) => address)).toEqual(['e0:1']);
  });
});

describe('a reload', () => {
  it('asks by the new policy, after its interval', async () => {
    const rig = new Rig(1);
    await rig.run(1_000);
    rig.checks.update({ ...HEALTH_CHECK_DEFAULTS, intervalMs: 2_000, path: '/new' });
    await rig.run(2_000);
    expect(rig.log).toBe('e0@3');
    expect(rig.asked[0]?.policy.path).toBe('/new');
  });

  it('during a check begins no second one', async () => {
    const rig = new Rig(1);
    await rig.run(10_000);
    rig.checks.update({ ...HEALTH_CHECK_DEFAULTS, intervalMs: 2_000 });
    expect(rig.checks.ask(rig.rig.at(0))).toBe(true);
    await rig.run(20_000);
    expect(rig.log).toBe('e0@10');
    await rig.end(0, true);
    await rig.run(2_000);
    expect(rig.log).toBe('e0@10 e0@32');
  });

  it('of another kind does not add up with the old one', async () => {
    const rig = new Rig(1);
    rig.answers['e0:1'] = '-';
    await rig.run(10_000);
    rig.checks.update({ ...HEALTH_CHECK_DEFAULTS, kind: 'tcp' });
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(true);
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(false);
  });

  it('that releases it brings the unhealthy back, and asks nobody any more', async () => {
    const rig = new Rig(2, { unhealthyThreshold: 1 });
    rig.answers['e0:1'] = '-';
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(false);
    rig.checks.release();
    expect(rig.isHealthy(0)).toBe(true);
    expect(rig.healthEvents).toBe('e0:1 unhealthy: HTTP 503, e0:1 healthy');
    await rig.end(1, false);
    await rig.run(60_000);
    expect(rig.asked).toHaveLength(2);
    expect(rig.clock.armed).toBe(0);
    expect(rig.checks.ask(rig.rig.at(0))).toBe(false);
  });

  it('with others in its place finds who was unhealthy', async () => {
    const rig = new Rig(1, { unhealthyThreshold: 1 });
    rig.answers['e0:1'] = '-';
    await rig.run(10_000);
    rig.checks.close();
    const { clock } = rig;
    const next = new HealthChecks(HEALTH_CHECK_DEFAULTS, {
      service: 'reviews',
      set: rig.rig.set,
      clock,
      random: NO_JITTER,
      emit: (event) => rig.rig.events.push(event),
      outlier: () => null,
      probe: () => Promise.resolve({ ok: true, reason: '' }),
    });
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(false);
    await rig.run(10_000);
    expect(rig.isHealthy(0)).toBe(true);
    next.close();
    expect(clock.armed).toBe(0);
  });
});

describe('whatever happens', () => {
  const step = fc.record({
    act: fc.constantFrom('pass', 'fail', 'reject', 'use', 'wait', 'wait', 'resize', 'update', 'release'),
    index: fc.nat(5),
    forMs: fc.nat(12_000),
  });

  it('asks one endpoint once at a time, the idle alone, at the pace of the interval; flips by its thresholds; ends with its release', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), fc.integer({ min: 1, max: 3 }), async (steps, seed, threshold) => {
        const rig = new Rig(3, { unhealthyThreshold: threshold, healthyThreshold: threshold }, seededRandom(seed));
        const open = new Set<Asked>();
        const lastEnd = new Map<string, number>();
        const results = new Map<string, string>();
        let isReleased = false;
        let seen = 0;
        const look = (): void => {
          for (const one of rig.asked.slice(seen)) {
            expect(isReleased).toBe(false);
            expect([...open].some(({ address }) => address === one.address)).toBe(false);
            open.add(one);
            const pausedMs = one.atMs - (lastEnd.get(one.address) ?? Number.NEGATIVE_INFINITY);
            expect(pausedMs).toBeGreaterThanOrEqual(5_000);
            const endpoint = rig.rig.set.all.find(({ address }) => address === one.address);
            if (endpoint === undefined || endpoint.standing.unhealthy) continue;
            expect(one.atMs - endpoint.standing.usedAtMs).toBeGreaterThanOrEqual(10_000);
          }
          seen = rig.asked.length;
        };
        for (const { act, index, forMs } of steps) {
          const [asked] = [...open].slice(index % Math.max(1, open.size));
          if (asked !== undefined && (act === 'pass' || act === 'fail' || act === 'reject')) {
            const before = rig.rig.set.all.find(({ address }) => address === asked.address);
            const wasUnhealthy = before?.standing.unhealthy ?? false;
            if (act === 'reject') asked.fail(new Error('broken'));
            else asked.end(act === 'pass');
            await settle();
            open.delete(asked);
            lastEnd.set(asked.address, rig.clock.now());
            if (isReleased) continue;
            const history = (results.get(asked.address) ?? '') + (act === 'pass' ? '+' : '-');
            results.set(asked.address, history);
            const isUnhealthy = before?.standing.unhealthy ?? false;
            const sign = isUnhealthy ? '-' : '+';
            if (isUnhealthy !== wasUnhealthy) expect(history.endsWith(sign.repeat(threshold))).toBe(true);
          } else if (act === 'use') rig.use(index % rig.rig.set.all.length);
          else if (act === 'resize') {
            rig.rig.resize(1 + (index % 4));
            // A new endpoint of an old address has no past, and its old check no effect.
            const known = new Set(rig.rig.set.all.map(({ address }) => address));
            for (const one of open) if (!known.has(one.address)) open.delete(one);
            for (const address of results.keys()) if (!known.has(address)) results.delete(address);
            for (const address of lastEnd.keys()) if (!known.has(address)) lastEnd.delete(address);
          } else if (act === 'update' && !isReleased) {
            rig.checks.update({ ...HEALTH_CHECK_DEFAULTS, unhealthyThreshold: threshold, healthyThreshold: threshold, timeoutMs: forMs });
          } else if (act === 'release' && index === 0) {
            rig.checks.release();
            isReleased = true;
            expect(rig.clock.armed).toBe(0);
          } else await rig.run(forMs);
          look();
        }
        rig.checks.release();
        expect(rig.rig.set.all.some(({ standing }) => standing.unhealthy)).toBe(false);
        expect(rig.clock.armed).toBe(0);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
