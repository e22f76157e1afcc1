import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/route/token-bucket.ts';

/** At a time: take so many, of which so many are granted; then so many are left. */
type Step = readonly [atMs: number, asked: number, granted: number, left: number];

function takeAll(bucket: TokenBucket, asked: number, nowMs: number): number {
  let granted = 0;
  for (let i = 0; i < asked; i++) if (bucket.take(nowMs)) granted++;
  return granted;
}

describe('TokenBucket', () => {
  it.each<[string, number, number, number, readonly Step[]]>([
    ['starts full and refuses when empty', 1, 1, 200, [[0, 2, 1, 0]]],
    [
      'fills all at once when the interval is over, not before',
      2,
      2,
      200,
      [
        [0, 3, 2, 0],
        [199, 1, 0, 0],
        [200, 3, 2, 0],
      ],
    ],
    [
      'adds one fill for each interval gone by',
      10,
      1,
      50,
      [
        [0, 10, 10, 0],
        [149, 5, 2, 0],
        [150, 5, 1, 0],
        [349, 0, 0, 3],
      ],
    ],
    [
      'never holds more than its capacity',
      2,
      1,
      50,
      [
        [0, 1, 1, 1],
        [1_000, 0, 0, 2],
        [1_000, 5, 2, 0],
      ],
    ],
    [
      'a fill above the capacity is cut',
      1,
      2,
      50,
      [
        [0, 1, 1, 0],
        [50, 2, 1, 0],
        [100, 2, 1, 0],
      ],
    ],
    [
      'keeps the beat of its start, whenever it is looked at',
      1,
      1,
      100,
      [
        [0, 1, 1, 0],
        [150, 1, 1, 0],
        [199, 1, 0, 0],
        [200, 1, 1, 0],
      ],
    ],
    [
      'idle intervals do not shift the beat',
      5,
      5,
      100,
      [
        [0, 5, 5, 0],
        [730, 5, 5, 0],
        [799, 1, 0, 0],
        [800, 5, 5, 0],
      ],
    ],
    [
      'time that goes back gives and takes nothing',
      2,
      1,
      100,
      [
        [100, 2, 2, 0],
        [50, 1, 0, 0],
        [100, 1, 0, 0],
        [200, 1, 1, 0],
      ],
    ],
  ])('%s', (_name, tokensMax, tokensPerFill, fillMs, steps) => {
    const bucket = new TokenBucket({ tokensMax, tokensPerFill, fillMs }, 0);
    for (const [atMs, asked, granted, left] of steps) {
      expect([atMs, takeAll(bucket, asked, atMs), bucket.balance(atMs)]).toEqual([atMs, granted, left]);
    }
  });

  it.each([
    [{ tokensMax: 1, tokensPerFill: 1, fillMs: 200 }, 30, 170],
    [{ tokensMax: 1, tokensPerFill: 1, fillMs: 200 }, 200, 0],
    [{ tokensMax: 1, tokensPerFill: 0.25, fillMs: 100 }, 30, 370],
    [{ tokensMax: 1, tokensPerFill: 0.25, fillMs: 100 }, 130, 270],
  ])('%j, emptied at 0: at %i the next token comes in %i ms', (policy, nowMs, expected) => {
    const bucket = new TokenBucket(policy, 0);
    bucket.take(0);
    expect(bucket.retryAfterMs(nowMs)).toBe(expected);
    if (expected === 0) return;
    expect(bucket.take(nowMs + expected - 1)).toBe(false);
    expect(bucket.take(nowMs + expected)).toBe(true);
  });

  it('a new policy keeps the balance, within the new capacity', () => {
    const bucket = new TokenBucket({ tokensMax: 10, tokensPerFill: 1, fillMs: 100 }, 0);
    takeAll(bucket, 3, 0);
    bucket.update({ tokensMax: 5, tokensPerFill: 2, fillMs: 100 }, 50);
    expect([bucket.balance(50), bucket.policy.tokensPerFill]).toEqual([5, 2]);
    takeAll(bucket, 5, 50);
    bucket.update({ tokensMax: 100, tokensPerFill: 2, fillMs: 100 }, 60);
    expect([bucket.balance(99), bucket.balance(100)]).toEqual([0, 2]);
  });

  it('a shorter interval turns no time of before into tokens', () => {
    const bucket = new TokenBucket({ tokensMax: 100, tokensPerFill: 1, fillMs: 60_000 }, 0);
    takeAll(bucket, 100, 0);
    bucket.update({ tokensMax: 100, tokensPerFill: 1, fillMs: 1_000 }, 59_000);
    expect([bucket.balance(59_999), bucket.balance(60_000)]).toEqual([0, 1]);
  });

  const policies = fc.record({
    tokensMax: fc.integer({ min: 1, max: 50 }),
    tokensPerFill: fc.integer({ min: 1, max: 50 }),
    fillMs: fc.integer({ min: 50, max: 2_000 }),
  });
  const bursts = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 30 })), { maxLength: 30 });

  it('property: is never above its capacity, and grants in no window more than capacity and the fills in it', () => {
    fc.assert(
      fc.property(policies, bursts, (policy, steps) => {
        const bucket = new TokenBucket(policy, 0);
        const grants: { atMs: number; count: number }[] = [];
        let nowMs = 0;
        for (const [pauseMs, asked] of steps) {
          nowMs += pauseMs;
          expect(bucket.balance(nowMs)).toBeLessThanOrEqual(policy.tokensMax);
          grants.push({ atMs: nowMs, count: takeAll(bucket, asked, nowMs) });
          expect(bucket.balance(nowMs)).toBeGreaterThanOrEqual(0);
        }
        for (let from = 0; from < grants.length; from++) {
          let granted = 0;
          for (const { atMs, count } of grants.slice(from)) {
            granted += count;
            const fills = Math.floor(atMs / policy.fillMs) - Math.floor((grants[from]?.atMs as number) / policy.fillMs);
            expect(granted).toBeLessThanOrEqual(policy.tokensMax + fills * policy.tokensPerFill);
          }
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('property: does what a timer that fires every interval would do', () => {
    fc.assert(
      fc.property(policies, bursts, (policy, steps) => {
        const bucket = new TokenBucket(policy, 0);
        let [nowMs, tokens, fillAtMs] = [0, policy.tokensMax, policy.fillMs];
        for (const [pauseMs, asked] of steps) {
          nowMs += pauseMs;
          for (; fillAtMs <= nowMs; fillAtMs += policy.fillMs) tokens = Math.min(policy.tokensMax, tokens + policy.tokensPerFill);
          const expected = Math.min(tokens, asked);
          tokens -= expected;
          expect(takeAll(bucket, asked, nowMs)).toBe(expected);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
