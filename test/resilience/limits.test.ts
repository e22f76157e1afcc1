import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS_DEFAULTS } from '../../src/model/destination.ts';
import { Limits } from '../../src/resilience/limits.ts';

function policy(maxRequests: number, maxRetries: number): typeof LIMITS_DEFAULTS {
  return { ...LIMITS_DEFAULTS, maxRequests, maxRetries };
}

describe('Limits', () => {
  it.each([
    ['calls up to the limit', policy(2, 0), [false, false], ''],
    ['one call more', policy(2, 0), [false, false, false], 'maxRequests'],
    ['retries up to their limit', policy(0, 2), [true, true], ''],
    ['one retry more', policy(0, 2), [true, true, true], 'maxRetries'],
    ['a first attempt beside the retries', policy(0, 1), [true, false], ''],
    ['a retry that is one call too many', policy(1, 5), [false, true], 'maxRequests'],
    ['no limits', policy(0, 0), [true, true, false, false], ''],
  ] as const)('%s', (_name, limits, attempts, expected) => {
    const state = new Limits();
    const answers = attempts.map((isRetry) => state.tryAcquire(limits, isRetry));
    expect(answers.at(-1)).toBe(expected);
    expect(answers.slice(0, -1).every((answer) => answer === '')).toBe(true);
  });

  it('counts the first attempts that it ever admitted, without retries and refusals', () => {
    const state = new Limits();
    for (const isRetry of [false, true, false, false]) state.tryAcquire(policy(3, 0), isRetry);
    state.release(false);
    expect([state.admitted, state.requests, state.retries]).toEqual([2, 2, 1]);
  });

  it('admits again after a release', () => {
    const state = new Limits();
    state.tryAcquire(policy(1, 1), true);
    expect(state.mayRetry(policy(1, 1))).toBe(false);
    state.release(true);
    expect(state.mayRetry(policy(1, 1))).toBe(true);
    expect(state.tryAcquire(policy(1, 1), true)).toBe('');
  });

  it('counts exactly what is in flight, whatever the order, and takes nothing for a refusal', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ acquire: fc.boolean(), isRetry: fc.boolean() }), { maxLength: 200 }), (steps) => {
        const state = new Limits();
        const limits = policy(6, 3);
        const held = { first: 0, retry: 0 };
        for (const { acquire, isRetry } of steps) {
          const key = isRetry ? 'retry' : 'first';
          if (acquire) {
            if (state.tryAcquire(limits, isRetry) === '') held[key]++;
          } else if (held[key] > 0) {
            held[key]--;
            state.release(isRetry);
          }
          expect(state.requests).toBe(held.first + held.retry);
          expect(state.retries).toBe(held.retry);
          expect(state.requests).toBeLessThanOrEqual(6);
          expect(state.retries).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});
