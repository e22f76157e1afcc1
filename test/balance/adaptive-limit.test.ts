import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveLimit, adaptiveLimitOf } from '../../src/balance/adaptive-limit.ts';
import { Standing } from '../../src/balance/standing.ts';
import type { Outcome } from '../../src/core/call.ts';
import type { MeshErrorCode } from '../../src/core/errors.ts';
import { ADAPTIVE_LIMIT_DEFAULTS, type AdaptiveLimitPolicy } from '../../src/model/destination.ts';
import { testCall, testError } from '../support/fake-service.ts';

const POLICY: AdaptiveLimitPolicy = { initial: 10, min: 2, max: 12, decrease: 0.5 };

function answered(status: number, endedAtMs: number): Outcome {
  return { kind: status >= 500 ? 'failure' : 'success', status, error: null, endedAtMs };
}

function failed(code: MeshErrorCode, endedAtMs: number, kind: Outcome['kind'] = 'failure'): Outcome {
  return { kind, status: 0, error: testError(code), endedAtMs };
}

class Rig {
  nowMs = 1_000;
  readonly limit: AdaptiveLimit;

  constructor(policy: Partial<AdaptiveLimitPolicy> = {}) {
    this.limit = new AdaptiveLimit({ ...POLICY, ...policy });
  }

  /** Successes of 1 ms, while so many are in flight. */
  succeed(times: number, inFlight: number): void {
    for (let i = 0; i < times; i++) {
      const call = testCall({ startedAtMs: this.nowMs });
      this.nowMs += 1;
      this.limit.record(call, answered(200, this.nowMs), inFlight);
    }
  }

  end(outcome: (endedAtMs: number) => Outcome, startedAtMs: number = this.nowMs): void {
    this.nowMs += 1;
    this.limit.record(testCall({ startedAtMs }), outcome(this.nowMs), 10);
  }
}

describe('the adaptive limit', () => {
  it('has room below it', () => {
    const { limit } = new Rig();
    expect([0, 9, 10, 11].map((inFlight) => limit.hasRoom(inFlight))).toEqual([true, true, false, false]);
  });

  it.each([
    ['nine successes', 9, 10, 10],
    ['ten: one window', 10, 10, 11],
    ['ten and eleven: two windows', 21, 10, 12],
    ['no further than the most', 1_000, 10, 12],
    ['half of the limit in flight is use enough', 10, 5, 11],
    ['less is none: the limit was not tried', 1_000, 4, 10],
  ])('grows with %s', (_, times, inFlight, expected) => {
    const rig = new Rig();
    rig.succeed(times, inFlight);
    expect(rig.limit.limit).toBe(expected);
  });

  it.each<[string, (endedAtMs: number) => Outcome, number]>([
    ['429', (ms) => answered(429, ms), 5],
    ['503', (ms) => answered(503, ms), 5],
    ['a late attempt', (ms) => failed('attempt_timeout', ms), 5],
    ['a deadline', (ms) => failed('deadline_exceeded', ms), 5],
    ['500', (ms) => answered(500, ms), 10],
    ['502', (ms) => answered(502, ms), 10],
    ['404', (ms) => answered(404, ms), 10],
    ['no connection', (ms) => failed('connect_failed', ms), 10],
    ['a caller who left', (ms) => failed('canceled', ms, 'ignored'), 10],
    ['a refusal of ours', (ms) => failed('overloaded', ms, 'ignored'), 10],
  ])('after %s', (_, outcome, expected) => {
    const rig = new Rig();
    rig.end(outcome);
    expect(rig.limit.limit).toBe(expected);
  });

  it('falls once in a round trip: what was under way under the old limit says nothing new', () => {
    const rig = new Rig();
    const before = rig.nowMs;
    for (let i = 0; i < 8; i++) rig.end((ms) => answered(503, ms), before);
    expect(rig.limit.limit).toBe(5);
    rig.end((ms) => answered(503, ms));
    expect(rig.limit.limit).toBe(2);
  });

  it('falls no further than the least', () => {
    const rig = new Rig({ min: 3 });
    for (let i = 0; i < 9; i++) rig.end((ms) => answered(503, ms));
    expect(rig.limit.limit).toBe(3);
  });

  it('counts a new window after a fall', () => {
    const rig = new Rig();
    rig.succeed(9, 10);
    rig.end((ms) => answered(503, ms));
    rig.succeed(4, 10);
    expect(rig.limit.limit).toBe(5);
    rig.succeed(1, 10);
    expect(rig.limit.limit).toBe(6);
  });

  it('finds the capacity of a server, and stays near it', () => {
    // Sixty callers who never wait; a server that takes forty. Each round is a round trip.
    const rig = new Rig({ ...ADAPTIVE_LIMIT_DEFAULTS });
    const limits: number[] = [];
    for (let round = 0; round < 400; round++) {
      const startedAtMs = rig.nowMs;
      rig.nowMs += 20;
      const sent = Math.min(60, rig.limit.limit);
      for (let i = 0; i < sent; i++) rig.limit.record(testCall({ startedAtMs }), answered(i < 40 ? 200 : 503, rig.nowMs), sent);
      if (round >= 50) limits.push(rig.limit.limit);
    }
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(36);
    expect(Math.max(...limits)).toBeLessThanOrEqual(42);
  });
});

describe('the limit of an endpoint', () => {
  it('is made when first asked for, survives reloads within the new bounds, and goes with its policy', () => {
    const standing = new Standing();
    expect(adaptiveLimitOf(standing, null)).toBeNull();
    const limit = adaptiveLimitOf(standing, POLICY);
    expect(adaptiveLimitOf(standing, { ...POLICY, max: 7 })).toBe(limit);
    expect(standing.limit?.limit).toBe(7);
    expect(adaptiveLimitOf(standing, { ...POLICY, min: 9, max: 50 })?.limit).toBe(9);
    adaptiveLimitOf(standing, null);
    expect(standing.limit).toBeNull();
  });
});

describe('whatever happens', () => {
  const policies = fc.record({
    initial: fc.integer({ min: 1, max: 2_000 }),
    min: fc.integer({ min: 1, max: 50 }),
    max: fc.integer({ min: 50, max: 1_000 }),
    decrease: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const steps = fc.array(
    fc.record({ status: fc.constantFrom(200, 200, 200, 404, 429, 500, 503), tookMs: fc.nat(50), inFlight: fc.nat(1_500) }),
    { maxLength: 300 },
  );

  it('stays whole, within its bounds, grows by one at a time, and falls once in a round trip', () => {
    fc.assert(
      fc.property(policies, policies, steps, fc.nat(300), (policy, later, all, reloadAt) => {
        const limit = new AdaptiveLimit(policy);
        let bounds = policy;
        let nowMs = 1_000;
        let fellAtMs = 0;
        all.forEach(({ status, tookMs, inFlight }, index) => {
          if (index === reloadAt) {
            limit.update(later);
            bounds = later;
          }
          const before = limit.limit;
          nowMs += 1;
          limit.record(testCall({ startedAtMs: nowMs - tookMs }), answered(status, nowMs), inFlight);
          const after = limit.limit;
          expect(Number.isInteger(after)).toBe(true);
          expect(after).toBeGreaterThanOrEqual(bounds.min);
          expect(after).toBeLessThanOrEqual(bounds.max);
          expect(after - before).toBeLessThanOrEqual(1);
          if (after > before) expect([200, 404]).toContain(status);
          if (after < before) {
            expect([429, 503]).toContain(status);
            expect(nowMs - tookMs).toBeGreaterThanOrEqual(fellAtMs);
            fellAtMs = nowMs;
          }
          expect(limit.hasRoom(after)).toBe(false);
          expect(limit.hasRoom(after - 1)).toBe(true);
        });
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
