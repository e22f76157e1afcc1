import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeshErrorCode } from '../../src/core/errors.ts';
import { THROTTLE_DEFAULTS, type ThrottlePolicy } from '../../src/model/destination.ts';
import { isOverload, Throttle } from '../../src/resilience/throttle.ts';
import { testError } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';

const CRITICAL = 2;
const NOW_MS = 100_000;

function record(throttle: Throttle, accepted: number, overloaded: number, level = CRITICAL, nowMs = NOW_MS): void {
  for (let i = 0; i < accepted; i++) throttle.record(level, true, nowMs);
  for (let i = 0; i < overloaded; i++) throttle.record(level, false, nowMs);
}

describe('isOverload', () => {
  const outcome = { kind: 'failure', status: 0, error: null, endedAtMs: 0 } as const;

  it.each([
    [429, true],
    [503, true],
    [200, false],
    [404, false],
    [500, false],
    [502, false],
    [504, false],
  ])('status %i: %s', (status, expected) => {
    expect(isOverload({ ...outcome, status })).toBe(expected);
  });

  it.each<[MeshErrorCode, boolean]>([
    ['attempt_timeout', true],
    ['deadline_exceeded', true],
    ['connect_failed', false],
    ['connection_lost', false],
    ['protocol_error', false],
  ])('%s: %s', (code, expected) => {
    expect(isOverload({ ...outcome, error: testError(code) })).toBe(expected);
    // The head came, the body took too long.
    expect(isOverload({ ...outcome, status: 200, error: testError(code) })).toBe(expected);
  });
});

describe('Throttle', () => {
  it.each([
    // accepted, overloaded, expected: (requests − 2 · accepts) ÷ (requests + 1), at most 0.9.
    [100, 0, 0],
    [100, 100, 0],
    [100, 101, 1 / 202],
    [100, 200, 100 / 301],
    [100, 300, 200 / 401],
    [10, 190, 180 / 201],
    [1, 199, 0.9],
    [0, 200, 0.9],
  ])('%i accepted and %i not: %f', (accepted, overloaded, expected) => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    record(throttle, accepted, overloaded);
    expect(throttle.probability(NOW_MS)).toBeCloseTo(expected, 10);
    expect([throttle.accepts(NOW_MS), throttle.requests(NOW_MS)]).toEqual([accepted, accepted + overloaded]);
  });

  it('refuses nothing below the least rate: ten calls a second over ten seconds are a hundred', () => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    record(throttle, 0, 99);
    expect(throttle.probability(NOW_MS)).toBe(0);
    record(throttle, 0, 1);
    expect(throttle.probability(NOW_MS)).toBe(0.9);
  });

  it('forgets with the window', () => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    record(throttle, 0, 200);
    expect(throttle.probability(NOW_MS + 8_000)).toBe(0.9);
    expect(throttle.probability(NOW_MS + 10_000)).toBe(0);
    expect(throttle.refuses(CRITICAL, NOW_MS + 10_000, () => 0)).toBe(false);
  });

  it('counts what it refuses as a request, so that it does not let go by itself', () => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    record(throttle, 100, 200);
    const before = throttle.probability(NOW_MS);
    expect(throttle.refuses(CRITICAL, NOW_MS, () => 0)).toBe(true);
    expect(throttle.requests(NOW_MS)).toBe(301);
    expect(throttle.probability(NOW_MS)).toBeGreaterThan(before);
    expect(throttle.refuses(CRITICAL, NOW_MS, () => 0.999)).toBe(false);
    expect(throttle.requests(NOW_MS)).toBe(301);
  });

  it('refuses the least critical first, and the next only when those are refused altogether', () => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    // 400 requests, 100 accepted: 200 of 401 are to be refused.
    record(throttle, 25, 75, 0);
    record(throttle, 25, 75, 1);
    record(throttle, 25, 75, 2);
    record(throttle, 25, 75, 3);
    const shares = [0, 1, 2, 3].map((level) => throttle.share(level, NOW_MS));
    expect(shares[0]).toBe(1);
    expect(shares[1]).toBeCloseTo((400 * 200) / 401 / 100 - 1, 10);
    expect(shares[2]).toBe(0);
    expect(shares[3]).toBe(0);
  });

  it('keeps what it counted when the policy changes, unless the window does', () => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    record(throttle, 0, 200);
    throttle.update({ ...THROTTLE_DEFAULTS, rejectMax: 0.5 });
    expect(throttle.probability(NOW_MS)).toBe(0.5);
    throttle.update({ ...THROTTLE_DEFAULTS, windowMs: 5_000 });
    expect(throttle.probability(NOW_MS)).toBe(0);
  });

  it('settles where the service gets about K calls for each one it takes', () => {
    const throttle = new Throttle(THROTTLE_DEFAULTS);
    const random = seededRandom(1);
    const [capacity, load] = [50, 400];
    let [sent, taken, calls] = [0, 0, 0];
    for (let second = 0; second < 120; second++) {
      let room = capacity;
      for (let i = 0; i < load; i++) {
        const nowMs = NOW_MS + second * 1_000 + (i * 1_000) / load;
        calls += second >= 60 ? 1 : 0;
        if (throttle.refuses(CRITICAL, nowMs, random)) continue;
        const isTaken = room-- > 0;
        throttle.record(CRITICAL, isTaken, nowMs);
        if (second < 60) continue;
        sent++;
        taken += isTaken ? 1 : 0;
      }
    }
    expect(taken / 60).toBeCloseTo(capacity, 0);
    expect(sent / taken).toBeGreaterThan(1.8);
    expect(sent / taken).toBeLessThan(2.2);
    expect(sent / calls).toBeLessThan(0.3);
  });
});

describe('Throttle, whatever happens', () => {
  const policy: fc.Arbitrary<ThrottlePolicy> = fc.record({
    k: fc.double({ min: 1, max: 4, noNaN: true }),
    windowMs: fc.integer({ min: 100, max: 60_000 }),
    rpsMin: fc.integer({ min: 0, max: 20 }),
    rejectMax: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });
  const event = fc.record({
    level: fc.nat(3),
    act: fc.constantFrom('accept', 'overload', 'overload', 'ask', 'wait'),
    waitMs: fc.nat(3_000),
  });

  it('keeps the share between 0 and the most, and all levels together at the probability', () => {
    fc.assert(
      fc.property(policy, fc.array(event, { maxLength: 200 }), fc.integer(), (given, events, seed) => {
        const throttle = new Throttle(given);
        const random = seededRandom(seed);
        let nowMs = NOW_MS;
        // Written out, and counted slot by slot from the events themselves.
        const log: { level: number; isAccepted: boolean; slot: number }[] = [];
        const slotMs = given.windowMs / 10;
        const note = (level: number, isAccepted: boolean): void => {
          log.push({ level, isAccepted, slot: Math.floor(nowMs / slotMs) });
        };
        for (const { level, act, waitMs } of events) {
          if (act === 'wait') nowMs += waitMs;
          else if (act === 'ask') {
            if (throttle.refuses(level, nowMs, random)) note(level, false);
          } else {
            throttle.record(level, act === 'accept', nowMs);
            note(level, act === 'accept');
          }
          const live = log.filter(({ slot }) => slot > Math.floor(nowMs / slotMs) - 10);
          const accepts = live.filter(({ isAccepted }) => isAccepted).length;
          const raw = (live.length - given.k * accepts) / (live.length + 1);
          const isBusy = live.length * 1_000 >= given.rpsMin * given.windowMs;
          const expected = isBusy ? Math.min(given.rejectMax, Math.max(0, raw)) : 0;
          const probability = throttle.probability(nowMs);
          expect(probability).toBeCloseTo(expected, 9);
          expect(probability).toBeLessThanOrEqual(given.rejectMax);
          if (accepts === live.length) expect(probability).toBe(0);
          const shares = [0, 1, 2, 3].map((one) => throttle.share(one, nowMs));
          const counts = [0, 1, 2, 3].map((one) => live.filter((call) => call.level === one).length);
          const refused = shares.reduce((sum, share, one) => sum + share * (counts[one] as number), 0);
          expect(refused).toBeCloseTo(probability * live.length, 6);
          for (const [one, share] of shares.entries()) {
            expect(share).toBeGreaterThanOrEqual(0);
            expect(share).toBeLessThanOrEqual(1);
            // A higher level pays only when all below it are refused altogether.
            if (share > 0) for (let lower = 0; lower < one; lower++) if (counts[lower] !== 0) expect(shares[lower]).toBe(1);
          }
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('refuses nothing while everything is accepted, however the calls come', () => {
    fc.assert(
      fc.property(policy, fc.array(fc.record({ level: fc.nat(3), waitMs: fc.nat(2_000) }), { maxLength: 300 }), (given, calls) => {
        const throttle = new Throttle({ ...given, rpsMin: 0 });
        let nowMs = NOW_MS;
        for (const { level, waitMs } of calls) {
          nowMs += waitMs;
          expect(throttle.refuses(level, nowMs, () => 0)).toBe(false);
          throttle.record(level, true, nowMs);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
