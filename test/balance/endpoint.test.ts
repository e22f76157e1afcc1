import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveEndpoint } from '../../src/balance/endpoint.ts';
import { BALANCER_DEFAULTS } from '../../src/model/destination.ts';
import { testCall } from '../support/fake-service.ts';

const TAU = BALANCER_DEFAULTS.tauMs;

function endpoint(latencyMs = 30, weight = 1, address = '10.0.0.1:8080'): LiveEndpoint {
  const config = { address, labels: {}, locality: '', weight };
  return new LiveEndpoint(config, () => Promise.reject(new Error('no leaf')), BALANCER_DEFAULTS, latencyMs, 0);
}

describe('address', () => {
  it.each([
    ['10.0.0.1:8080', '10.0.0.1', 8080],
    ['reviews.internal:80', 'reviews.internal', 80],
    ['[::1]:9001', '::1', 9001],
  ])('%s', (address, host, port) => {
    expect(endpoint(30, 1, address)).toMatchObject({ address, host, port });
  });
});

describe('peak EWMA', () => {
  it('decays with tau', () => {
    const one = endpoint(100);
    expect(one.latencyMs(0)).toBe(100);
    expect(one.latencyMs(TAU)).toBeCloseTo(100 / Math.E, 9);
    expect(one.latencyMs(3 * TAU)).toBeCloseTo(100 / Math.E ** 3, 9);
  });

  it('believes a peak at once and a better value slowly', () => {
    const one = endpoint(30);
    one.observe(200, 1_000);
    expect(one.latencyMs(1_000)).toBe(200);
    one.observe(20, 2_000);
    const w = Math.exp(-1_000 / TAU);
    expect(one.latencyMs(2_000)).toBeCloseTo(200 * w + 20 * (1 - w), 9);
  });

  it('follows the closed form on irregular samples, whatever was read in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 30_000 }), rttMs: fc.integer({ min: 1, max: 5_000 }), read: fc.boolean() })),
        (samples) => {
          const one = endpoint(30);
          let value = 30;
          let nowMs = 0;
          for (const { waitMs, rttMs, read } of samples) {
            if (read) one.latencyMs(nowMs + waitMs / 2);
            nowMs += waitMs;
            const w = Math.exp(-waitMs / TAU);
            value = rttMs > value * w ? rttMs : value * w + rttMs * (1 - w);
            one.observe(rttMs, nowMs);
            expect(one.latencyMs(nowMs)).toBeCloseTo(value, 6);
          }
        },
      ),
    );
  });

  it('a read between decays is at most a thousandth too high', () => {
    const one = endpoint(100);
    for (let nowMs = 0; nowMs < 40_000; nowMs += 0.7) {
      const exact = 100 * Math.exp(-nowMs / TAU);
      const read = one.latencyMs(nowMs);
      expect(read).toBeGreaterThanOrEqual(exact * 0.999999);
      expect(read).toBeLessThanOrEqual(exact * 1.001);
    }
  });

  it('does not grow when time goes back', () => {
    const one = endpoint(100);
    one.observe(50, 5_000);
    expect(one.latencyMs(4_000)).toBeLessThanOrEqual(100);
    one.observe(10, 4_000);
    expect(one.latencyMs(4_000)).toBeLessThanOrEqual(100);
  });
});

describe('failures and hints', () => {
  it.each([
    ['a quick failure counts as the penalty', 30, 1, 1_000],
    ['a slow failure as long as it took', 30, 4_000, 4_000],
    ['a failure of one that is slower still changes nothing', 7_000, 1, 7_000],
  ])('%s', (_name, before, elapsedMs, expected) => {
    const one = endpoint(before);
    one.penalize(elapsedMs, 0);
    expect(one.latencyMs(0)).toBe(expected);
  });

  it.each([
    ['counts as latency', 30, 3_000, 3_000],
    ['counts as ten penalties at most', 30, 300_000, 10_000],
    ['never shortens', 5_000, 1_000, 5_000],
  ])('Retry-After %s', (_name, before, hintMs, expected) => {
    const one = endpoint(before);
    one.pushBack(hintMs, 0);
    expect(one.latencyMs(0)).toBe(expected);
  });

  it('what was given up is a lower bound', () => {
    const one = endpoint(30);
    one.atLeast(20, 0);
    expect(one.latencyMs(0)).toBe(30);
    one.atLeast(80, 0);
    expect(one.latencyMs(0)).toBe(80);
  });

  it('none of it makes the average a measured one', () => {
    const one = endpoint();
    one.penalize(1, 0);
    one.pushBack(1, 0);
    one.atLeast(1, 0);
    expect(one.measured).toBe(false);
    one.observe(1, 0);
    expect(one.measured).toBe(true);
  });
});

describe('cost', () => {
  it('is latency times calls in flight with the new one, by weight', () => {
    const one = endpoint(10, 4);
    expect(one.cost(0)).toBe(2.5);
    one.begin(testCall({ startedAtMs: 0 }));
    one.begin(testCall({ startedAtMs: 0 }));
    expect(one.cost(0)).toBe(7.5);
  });

  it('sees a black hole by the age of what is in flight', () => {
    const one = endpoint(10);
    one.begin(testCall({ startedAtMs: 0 }));
    expect(one.cost(5)).toBeCloseTo(2 * 10, 1);
    expect(one.cost(400)).toBe(2 * 400);
  });

  it('watches the older of two, and the next one when the watched has its head', () => {
    const one = endpoint(10);
    const first = testCall({ startedAtMs: 0 });
    one.begin(first);
    one.begin(testCall({ startedAtMs: 300 }));
    expect(one.cost(400)).toBe(3 * 400);
    first.headAtMs = 350;
    one.begin(testCall({ startedAtMs: 400 }));
    expect(one.cost(600)).toBe(4 * 200);
  });

  it('a head ends the age; a long body is not slowness', () => {
    const one = endpoint(10);
    const call = testCall({ startedAtMs: 0 });
    one.begin(call);
    call.headAtMs = 5;
    expect(one.cost(5_000)).toBeLessThan(20);
  });

  it('when the watched call ends, the newest is watched', () => {
    const one = endpoint(10);
    const [first, second, third] = [0, 100, 200].map((startedAtMs) => testCall({ startedAtMs }));
    for (const call of [first, second, third]) one.begin(call as never);
    one.finish(first as never);
    expect(one.cost(1_200)).toBe(3 * 1_000);
    one.finish(third as never);
    expect(one.cost(1_200)).toBeLessThan(3 * 10);
    one.begin(testCall({ startedAtMs: 1_200 }));
    expect(one.cost(1_500)).toBe(3 * 300);
  });

  it('idle endpoints become equal in the end, and calls in flight still count', () => {
    const [fast, slow] = [endpoint(1), endpoint(20)];
    expect(fast.cost(200_000)).toBe(slow.cost(200_000));
    const call = testCall({ startedAtMs: 200_000 });
    fast.begin(call);
    expect(fast.cost(200_000)).toBeGreaterThan(slow.cost(200_000));
  });
});
