import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutcomeKind } from '../../src/core/call.ts';
import { BREAKER_DEFAULTS } from '../../src/model/destination.ts';
import { Breaker, type CircuitState } from '../../src/resilience/breaker.ts';
import { loadTrip, type Trip } from '../../src/resilience/breaker-trip.ts';
import { seededRandom } from '../support/seeded-random.ts';

const POLICY = BREAKER_DEFAULTS;

interface Change {
  readonly state: CircuitState;
  readonly reason: string;
  readonly forMs: number;
}

function setup(random: () => number = () => 1): { breaker: Breaker; changes: Change[]; states: () => string } {
  const changes: Change[] = [];
  const onChange = (state: CircuitState, reason: string, forMs: number): void => {
    changes.push({ state, reason, forMs });
  };
  const breaker = new Breaker(POLICY, loadTrip(POLICY) as Trip, { random, onChange });
  return { breaker, changes, states: () => changes.map((change) => change.state).join(' ') };
}

function call(breaker: Breaker, kind: OutcomeKind, nowMs: number): boolean {
  const admitted = breaker.acquire(nowMs);
  if (admitted) breaker.record(kind, nowMs, nowMs);
  return admitted;
}

/** Ten failures at `nowMs`: with the random of `setup`, open for exactly 1000 ms. */
function open(breaker: Breaker, nowMs: number): void {
  for (let i = 0; i < 10; i++) call(breaker, 'failure', nowMs);
}

describe('Breaker', () => {
  it('opens, refuses, probes and closes', () => {
    const { breaker, changes, states } = setup();
    open(breaker, 100);
    expect(breaker.state).toBe('open');
    expect(changes[0]).toEqual({ state: 'open', reason: '70 % of the calls of the last 5000 ms failed', forMs: 1_000 });
    expect(breaker.acquire(1_099)).toBe(false);
    expect(breaker.retryAfterMs(600)).toBe(500);
    for (const nowMs of [1_100, 1_101, 1_102]) expect(call(breaker, 'success', nowMs)).toBe(true);
    expect(breaker.state).toBe('closed');
    expect(states()).toBe('open halfOpen closed');
    expect(breaker.retryAfterMs(1_102)).toBe(0);
  });

  it('has forgotten the failures when it closes', () => {
    const { breaker } = setup();
    open(breaker, 0);
    for (const nowMs of [1_000, 1_001, 1_002]) call(breaker, 'success', nowMs);
    for (let i = 0; i < 9; i++) call(breaker, 'failure', 1_003);
    expect(breaker.state).toBe('closed');
  });

  it('counts what is admitted in the very ms in which it closes', () => {
    const { breaker } = setup();
    open(breaker, 0);
    for (const nowMs of [1_000, 1_001, 1_002]) call(breaker, 'success', nowMs);
    open(breaker, 1_002);
    expect(breaker.state).toBe('open');
  });

  it('tells nobody to stay away when it is closed, half open, or held open by hand', () => {
    const { breaker } = setup();
    expect(breaker.retryAfterMs(0)).toBe(0);
    open(breaker, 0);
    expect(breaker.retryAfterMs(400)).toBe(600);
    const release = breaker.isolate();
    expect(breaker.retryAfterMs(400)).toBe(0);
    release();
    breaker.acquire(1_500);
    expect(breaker.retryAfterMs(1_500)).toBe(0);
  });

  it('says for how long it is open when it is no longer held open by hand', () => {
    const { breaker, changes } = setup();
    breaker.isolate('a drill')();
    open(breaker, 0);
    breaker.isolate()();
    expect(changes.map(({ state, reason, forMs }) => [state, reason, forMs])).toEqual([
      ['isolated', 'a drill', 0],
      ['closed', 'no longer isolated', 0],
      ['open', '70 % of the calls of the last 5000 ms failed', 1_000],
      ['isolated', 'isolated by hand', 0],
      ['open', 'no longer isolated', 1_000],
    ]);
  });

  it('a probe that is due is not put off by another look for endpoints', () => {
    const { breaker } = setup();
    open(breaker, 0);
    breaker.probeSoon(5_000);
    expect(breaker.acquire(1_000)).toBe(true);
  });

  it('does not count what is ignored', () => {
    const { breaker } = setup();
    for (let i = 0; i < 100; i++) call(breaker, 'ignored', i);
    for (let i = 0; i < 9; i++) call(breaker, 'failure', 100);
    expect(breaker.state).toBe('closed');
  });

  it('lets one probe through at a time, and refuses the others at once', () => {
    const { breaker } = setup();
    open(breaker, 0);
    expect(breaker.acquire(1_000)).toBe(true);
    expect(breaker.acquire(1_000)).toBe(false);
    expect(breaker.acquire(1_001)).toBe(false);
    breaker.record('success', 1_000, 1_002);
    expect(breaker.acquire(1_002)).toBe(true);
  });

  it.each(['success', 'ignored'] as const)('a probe that ends as %s below the quota gives its permit back', (kind) => {
    const { breaker } = setup();
    open(breaker, 0);
    for (let probe = 0; probe < 2; probe++) expect(call(breaker, kind, 1_000 + probe)).toBe(true);
    expect(breaker.state).toBe('halfOpen');
    expect(breaker.acquire(1_010)).toBe(true);
  });

  it('ignored probes neither close nor open it', () => {
    const { breaker } = setup();
    open(breaker, 0);
    for (let probe = 0; probe < 20; probe++) expect(call(breaker, 'ignored', 1_000 + probe)).toBe(true);
    expect(breaker.state).toBe('halfOpen');
  });

  it('a reload gives the permit of a probe back and keeps state and successes', () => {
    const { breaker } = setup();
    open(breaker, 0);
    call(breaker, 'success', 1_000);
    expect(breaker.acquire(1_001)).toBe(true);
    breaker.update({ ...POLICY, successesToClose: 2 }, loadTrip(POLICY) as Trip);
    expect(breaker.state).toBe('halfOpen');
    expect(breaker.acquire(1_002)).toBe(true);
    breaker.record('failure', 1_001, 1_003);
    expect(breaker.state).toBe('halfOpen');
    breaker.record('success', 1_002, 1_004);
    expect(breaker.state).toBe('closed');
  });

  it('a reload keeps the counts of the same rule, and drops those of another', () => {
    for (const [callsMin, expected] of [
      [10, 'open'],
      [11, 'closed'],
    ] as const) {
      const { breaker } = setup();
      for (let i = 0; i < 9; i++) call(breaker, 'failure', 0);
      const policy = { ...POLICY, callsMin, openMaxMs: 9_000 };
      breaker.update(policy, loadTrip(policy) as Trip);
      call(breaker, 'failure', 1);
      expect(breaker.state).toBe(expected);
    }
  });

  it('a probe that hangs does not wedge it: after the open time another is let through', () => {
    const { breaker } = setup();
    open(breaker, 0);
    expect(breaker.acquire(1_000)).toBe(true);
    expect(breaker.acquire(1_999)).toBe(false);
    expect(breaker.acquire(2_000)).toBe(true);
    breaker.record('failure', 1_000, 2_001);
    expect(breaker.state).toBe('halfOpen');
    breaker.record('success', 2_000, 2_002);
    expect(call(breaker, 'success', 2_003) && call(breaker, 'success', 2_004)).toBe(true);
    expect(breaker.state).toBe('closed');
    breaker.record('failure', 1_000, 2_005);
    expect(breaker.state).toBe('closed');
  });

  it('calls that started before it opened neither close it nor open it again', () => {
    const { breaker } = setup();
    for (let started = 0; started < 20; started++) expect(breaker.acquire(started)).toBe(true);
    for (let started = 0; started < 10; started++) breaker.record('failure', started, 50);
    expect(breaker.state).toBe('open');
    for (let started = 10; started < 14; started++) breaker.record('success', started, 60);
    expect(breaker.state).toBe('open');
    expect(breaker.acquire(1_050)).toBe(true);
    for (let started = 14; started < 17; started++) breaker.record('success', started, 1_051);
    expect(breaker.state).toBe('halfOpen');
    breaker.record('success', 1_050, 1_052);
    for (const nowMs of [1_053, 1_054]) call(breaker, 'success', nowMs);
    expect(breaker.state).toBe('closed');
    for (let i = 0; i < 9; i++) call(breaker, 'failure', 1_055);
    breaker.record('failure', 18, 1_056);
    expect(breaker.state).toBe('closed');
    call(breaker, 'failure', 1_057);
    expect(breaker.state).toBe('open');
  });

  it('stays open twice as long each time, and starts anew after closing', () => {
    for (const [chance, expected] of [
      [0, [500, 1_000, 2_000, 2_500, 500]],
      [1, [1_000, 2_000, 4_000, 5_000, 1_000]],
    ] as const) {
      const { breaker, changes } = setup(() => chance);
      open(breaker, 0);
      let nowMs = 0;
      for (let probe = 0; probe < 3; probe++) call(breaker, 'failure', (nowMs += 10_000));
      for (let probe = 0; probe < 3; probe++) call(breaker, 'success', (nowMs += 10_000));
      open(breaker, nowMs + 1);
      expect(changes.filter(({ state }) => state === 'open').map(({ forMs }) => forMs)).toEqual(expected);
    }
  });

  it('lets a call probe at once when there are new endpoints, and only while it is open', () => {
    const { breaker, states } = setup();
    breaker.probeSoon(0);
    expect(breaker.state).toBe('closed');
    open(breaker, 0);
    expect(breaker.acquire(10)).toBe(false);
    breaker.probeSoon(10);
    expect([breaker.acquire(10), breaker.acquire(10)]).toEqual([true, false]);
    breaker.probeSoon(11);
    breaker.record('failure', 10, 12);
    expect(breaker.acquire(13)).toBe(false);
    expect(states()).toBe('open halfOpen open');
  });

  it('isolated, it refuses until let go, and is then what it was', () => {
    const { breaker, states } = setup();
    const release = breaker.isolate();
    expect(breaker.acquire(0)).toBe(false);
    expect(breaker.state).toBe('isolated');
    release();
    release();
    expect(breaker.acquire(0)).toBe(true);
    open(breaker, 10);
    const first = breaker.isolate();
    const second = breaker.isolate();
    first();
    first();
    expect(breaker.state).toBe('isolated');
    second();
    expect(breaker.state).toBe('open');
    expect(breaker.acquire(20)).toBe(false);
    expect(breaker.acquire(1_010)).toBe(true);
    expect(states()).toBe('isolated closed open isolated open halfOpen');
  });

  it('does not say how long an isolation lasts', () => {
    const { breaker } = setup();
    open(breaker, 0);
    breaker.isolate();
    expect(breaker.retryAfterMs(1)).toBe(0);
  });
});

type Command =
  | { readonly kind: 'acquire' | 'isolate' | 'release' | 'reload' }
  | { readonly kind: 'record'; readonly which: number; readonly outcome: OutcomeKind }
  | { readonly kind: 'wait'; readonly ms: number };

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: 'acquire' } as const) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('record' as const),
        which: fc.nat(30),
        outcome: fc.constantFrom<OutcomeKind>('success', 'failure', 'failure', 'failure', 'ignored'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'isolate' } as const, { kind: 'release' } as const, { kind: 'reload' } as const) },
  ),
  { maxLength: 300 },
);

/** The breaker in plain words, with permits as objects instead of times. */
class Model {
  state: 'closed' | 'open' | 'halfOpen' = 'closed';
  isolated = 0;
  good = 0;
  bad = 0;
  openUntilMs = 0;
  openForMs = 0;
  successes = 0;
  epoch = 0;
  probe: { epoch: number; atMs: number } | null = null;

  acquire(nowMs: number): { epoch: number; atMs: number } | null {
    if (this.isolated > 0) return null;
    const permit = { epoch: this.epoch, atMs: nowMs };
    if (this.state === 'closed') return permit;
    if (this.state === 'open') {
      if (nowMs < this.openUntilMs) return null;
      this.state = 'halfOpen';
      this.successes = 0;
      this.probe = null;
    }
    if (this.probe !== null && nowMs - this.probe.atMs < this.openForMs) return null;
    this.probe = permit;
    return permit;
  }

  record(permit: { epoch: number; atMs: number }, kind: OutcomeKind): 'open' | 'close' | 'stay' {
    if (this.state === 'closed') {
      if (permit.epoch !== this.epoch || kind === 'ignored') return 'stay';
      if (kind === 'success') this.good++;
      else this.bad++;
      return kind === 'failure' && this.good + this.bad >= 4 && this.bad / (this.good + this.bad) >= 0.5 ? 'open' : 'stay';
    }
    if (this.state === 'open' || permit !== this.probe) return 'stay';
    this.probe = null;
    if (kind === 'failure') return 'open';
    return kind === 'success' && ++this.successes >= 2 ? 'close' : 'stay';
  }
}

describe('Breaker against a model', () => {
  // A window that outlives the run, so that the model needs none.
  const policy = { ...POLICY, windowMs: 1e9, callsMin: 4, failureRatio: 0.5, successesToClose: 2 };

  it('agrees after any commands, and is never wedged', () => {
    fc.assert(
      fc.property(commands, fc.nat(), (steps, seed) => {
        const model = new Model();
        let openForMs = 0;
        const onChange = (state: CircuitState, _reason: string, forMs: number): void => {
          if (state === 'open' && forMs > 0) openForMs = forMs;
        };
        const breaker = new Breaker(policy, loadTrip(policy) as Trip, { random: seededRandom(seed), onChange });
        const permits: { epoch: number; atMs: number }[] = [];
        const releases: (() => void)[] = [];
        let nowMs = 1;
        for (const step of steps) {
          nowMs += 0.25;
          if (step.kind === 'wait') nowMs += step.ms;
          else if (step.kind === 'acquire') {
            const permit = model.acquire(nowMs);
            expect(breaker.acquire(nowMs)).toBe(permit !== null);
            if (permit !== null) permits.push(permit);
          } else if (step.kind === 'record') {
            const [permit] = permits.splice(step.which % Math.max(1, permits.length), 1);
            if (permit === undefined) continue;
            const verdict = model.record(permit, step.outcome);
            breaker.record(step.outcome, permit.atMs, nowMs);
            if (verdict === 'open') {
              model.state = 'open';
              model.openForMs = openForMs;
              model.openUntilMs = nowMs + openForMs;
            } else if (verdict === 'close') {
              model.state = 'closed';
              model.epoch++;
              model.good = 0;
              model.bad = 0;
            }
          } else if (step.kind === 'isolate') {
            model.isolated++;
            releases.push(breaker.isolate());
          } else if (step.kind === 'release') {
            if (releases.length === 0) continue;
            model.isolated--;
            releases.pop()?.();
          } else {
            model.probe = null;
            breaker.update(policy, loadTrip(policy) as Trip);
          }
          expect(breaker.state).toBe(model.isolated > 0 ? 'isolated' : model.state);
        }
        for (const release of releases) release();
        // Whatever is still in flight never ends: two good probes must close it all the same.
        for (let probe = 0; probe < 2; probe++) {
          nowMs += 2 * policy.openMaxMs;
          expect(call(breaker, 'success', nowMs)).toBe(true);
        }
        expect(breaker.state).toBe('closed');
      }),
      { numRuns: 300 },
    );
  });
});
