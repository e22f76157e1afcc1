import { describe, expect, it } from 'vitest';
import type { MeshEvent } from '../../src/core/events.ts';
import { BUDGET_DEFAULTS, RETRY_DEFAULTS, type RetryPolicy } from '../../src/model/destination.ts';
import {
  ENVOY_BUDGET_DEFAULTS,
  GATEWAY_API_BUDGET_DEFAULTS,
  GRPC_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
  type RetryBudgetPolicy,
} from '../../src/model/retry-budget.ts';
import { amplification } from '../../src/resilience/amplification.ts';
import { makeBudget } from '../../src/resilience/make-budget.ts';
import { RetryMargin } from '../../src/resilience/retry-margin.ts';
import { utilization } from '../../src/resilience/utilization.ts';

const SECOND_TRY: RetryPolicy = { ...RETRY_DEFAULTS, perTryTimeoutMs: 1_000 };

describe('amplification', () => {
  it.each<[string, RetryBudgetPolicy, number, number]>([
    ['successes, 100 a second', BUDGET_DEFAULTS, 100, 1.001],
    ['successes, one in ten seconds', BUDGET_DEFAULTS, 0.1, 2],
    ['successes, one in an hour', BUDGET_DEFAULTS, 1 / 3_600, 3],
    ['none', { kind: 'none' }, 100, 3],
    ['gRPC', GRPC_BUDGET_DEFAULTS, 100, 1],
    ['Envoy, much traffic: the share', ENVOY_BUDGET_DEFAULTS, 1_000, 1.25],
    ['Envoy, little traffic: the floor', ENVOY_BUDGET_DEFAULTS, 6, 1.5],
    ['Envoy, hardly any traffic: all attempts', ENVOY_BUDGET_DEFAULTS, 0.1, 3],
    ['Envoy, calls of ten seconds count', { ...ENVOY_BUDGET_DEFAULTS, intervalMs: 10_000 }, 1_000, 3],
    ['Envoy, calls of two seconds count', { ...ENVOY_BUDGET_DEFAULTS, intervalMs: 2_000 }, 1_000, 1 + 0.4 / 0.6],
    ['Linkerd, much traffic', LINKERD_BUDGET_DEFAULTS, 1_000, 1.01],
    ['Linkerd, 20 a second', LINKERD_BUDGET_DEFAULTS, 20, 1.5],
    ['Linkerd, a ttl that is not whole', { ...LINKERD_BUDGET_DEFAULTS, ttlMs: 2_500 }, 16, 1.5],
    ['Gateway API, much traffic', GATEWAY_API_BUDGET_DEFAULTS, 1_000, 1.25],
    ['Gateway API, 20 a second', GATEWAY_API_BUDGET_DEFAULTS, 20, 1.5],
    ['Gateway API, all may be retries', { ...GATEWAY_API_BUDGET_DEFAULTS, percent: 100 }, 1_000, 3],
  ])('%s', (_name, budget, callsPerSecond, expected) => {
    expect(amplification(SECOND_TRY, budget, callsPerSecond)).toBeCloseTo(expected, 9);
  });

  it('is 1 without retries, and the floor of Envoy is nothing when attempts may hang for ever', () => {
    expect(amplification({ ...SECOND_TRY, attempts: 0 }, { kind: 'none' }, 100)).toBe(1);
    expect(amplification({ ...SECOND_TRY, perTryTimeoutMs: 0 }, ENVOY_BUDGET_DEFAULTS, 0.001)).toBeCloseTo(1.25, 9);
  });

  /** Every attempt fails after a second; the last of ten minutes are counted, when the reserves are gone. */
  function played(policy: RetryBudgetPolicy, callsPerSecond: number): number {
    const inFlight = { requests: 0 };
    const budget = makeBudget(policy, { nowMs: 0, inFlight });
    const due = new Map<number, { attempts: number; isRetry: boolean }[]>();
    const send = (atMs: number, attempts: number, isRetry: boolean): void => {
      inFlight.requests++;
      due.set(atMs + 1_000, [...(due.get(atMs + 1_000) ?? []), { attempts, isRetry }]);
    };
    let [calls, attempts] = [0, 0];
    const everyMs = Math.round(1_000 / callsPerSecond);
    for (let nowMs = 0; nowMs < 660_000; nowMs++) {
      for (const ended of due.get(nowMs) ?? []) {
        inFlight.requests--;
        if (ended.isRetry) budget.onRetryEnded?.();
        budget.onFailure?.();
        if (ended.attempts > SECOND_TRY.attempts || !budget.tryWithdraw(nowMs)) continue;
        if (nowMs >= 600_000) attempts++;
        send(nowMs, ended.attempts + 1, true);
      }
      due.delete(nowMs);
      if (nowMs % everyMs !== 0) continue;
      if (nowMs >= 600_000) {
        calls++;
        attempts++;
      }
      budget.onCall?.(nowMs);
      send(nowMs, 1, false);
    }
    return attempts / calls;
  }

  it.each<[RetryBudgetPolicy['kind'], RetryBudgetPolicy]>([
    ['successes', BUDGET_DEFAULTS],
    ['envoy', ENVOY_BUDGET_DEFAULTS],
    ['linkerd', LINKERD_BUDGET_DEFAULTS],
    ['gateway-api', GATEWAY_API_BUDGET_DEFAULTS],
    ['grpc', GRPC_BUDGET_DEFAULTS],
    ['none', { kind: 'none' }],
  ])('%s: what the budgets really come to, played', (_kind, policy) => {
    for (const callsPerSecond of [10, 100]) {
      const expected = amplification(SECOND_TRY, policy, callsPerSecond);
      expect(played(policy, callsPerSecond)).toBeGreaterThan(expected * 0.9);
      expect(played(policy, callsPerSecond)).toBeLessThan(expected * 1.1);
    }
  });
});

describe('utilization', () => {
  it('is the mean of those that report, and unknown when nobody does', () => {
    expect(utilization([{ load: 0.2 }, { load: Number.NaN }, { load: 0.6 }])).toBeCloseTo(0.4, 9);
    expect([utilization([]), utilization([{ load: Number.NaN }])]).toEqual([null, null]);
  });
});

class Rig {
  load: number | null = 0.5;
  attempts = 2;
  callsPerSecond = 10;
  nowMs = 0;
  readonly events: MeshEvent[] = [];
  rates: number[] = [];
  #calls = 0;
  readonly margin = new RetryMargin({
    service: 'reviews',
    calls: () => this.#calls,
    utilization: () => this.load,
    amplification: (callsPerSecond) => {
      this.rates.push(callsPerSecond);
      return this.attempts;
    },
    emit: (event) => this.events.push(event),
  });

  /** Looks every half second. */
  run(ms: number): number | null {
    for (let i = 0; i < ms; i += 500) {
      this.nowMs += 500;
      this.#calls += this.callsPerSecond / 2;
      this.margin.product(this.nowMs);
    }
    return this.margin.product(this.nowMs);
  }
}

describe('RetryMargin', () => {
  it('is load times attempts, at the rate since the last look, a second ago at least', () => {
    const one = new Rig();
    expect(one.run(500)).toBeNull();
    expect(one.run(500)).toBeNull();
    expect(one.run(500)).toBe(1);
    one.load = 0.3;
    expect(one.run(500)).toBe(1);
    expect(one.run(500)).toBe(0.6);
    expect(new Set(one.rates)).toEqual(new Set([10]));
  });

  it('is unknown while nobody reports, or nothing is called', () => {
    const one = new Rig();
    one.run(2_000);
    one.load = null;
    expect(one.run(2_000)).toBeNull();
    one.load = 0.5;
    expect(one.run(2_000)).toBe(1);
    one.callsPerSecond = 0;
    expect(one.run(2_000)).toBeNull();
  });

  it('warns once after five seconds above 0.8, and again only after it was below 0.7', () => {
    const one = new Rig();
    one.run(6_000);
    expect(one.events).toEqual([]);
    one.run(1_000);
    expect(one.events).toEqual([{ type: 'retryMarginLow', service: 'reviews', product: 1, utilization: 0.5, amplification: 2 }]);
    one.run(60_000);
    one.load = 0.36;
    one.run(10_000);
    one.load = 0.5;
    one.run(60_000);
    expect(one.events).toHaveLength(1);
    one.load = 0.34;
    one.run(2_000);
    one.load = 0.5;
    one.run(10_000);
    expect(one.events).toHaveLength(2);
  });

  it.each([
    ['at 0.8', 0.4],
    ['unknown', null],
  ])('a moment %s starts the five seconds anew', (_name, load) => {
    const one = new Rig();
    one.run(4_500);
    one.load = load;
    one.run(1_000);
    one.load = 0.5;
    one.run(4_500);
    expect(one.events).toHaveLength(0);
    one.run(2_000);
    expect(one.events).toHaveLength(1);
  });
});
