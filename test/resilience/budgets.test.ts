// The rules of other meshes behind the one port, and what holds for every budget.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUDGET_DEFAULTS } from '../../src/model/destination.ts';
import {
  ENVOY_BUDGET_DEFAULTS,
  type EnvoyBudgetPolicy,
  GATEWAY_API_BUDGET_DEFAULTS,
  type GatewayApiBudgetPolicy,
  GRPC_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
  type LinkerdBudgetPolicy,
  type RetryBudgetPolicy,
} from '../../src/model/retry-budget.ts';
import { EnvoyBudget } from '../../src/resilience/envoy-budget.ts';
import { GatewayApiBudget } from '../../src/resilience/gateway-api-budget.ts';
import { GrpcBudget } from '../../src/resilience/grpc-budget.ts';
import { LinkerdBudget } from '../../src/resilience/linkerd-budget.ts';
import { makeBudget } from '../../src/resilience/make-budget.ts';
import type { RetryBudget } from '../../src/resilience/retry-budget.ts';

const RUNS = { numRuns: 1_000, seed: 1 };

/** How many of `times` withdrawals are granted. */
function granted(budget: RetryBudget, times: number, nowMs = 0): number {
  let count = 0;
  for (let i = 0; i < times; i++) if (budget.tryWithdraw(nowMs)) count++;
  return count;
}

function calls(budget: RetryBudget, times: number, nowMs = 0): void {
  for (let i = 0; i < times; i++) budget.onCall?.(nowMs);
}

describe('Envoy', () => {
  it.each([
    [0, 3],
    [2, 3],
    [15, 3],
    [19, 3],
    [20, 4],
    [25, 5],
    [100, 20],
  ])('%i attempts in flight allow %i retries', (requests, expected) => {
    const budget = new EnvoyBudget(ENVOY_BUDGET_DEFAULTS, { requests });
    expect(budget.balance(0)).toBe(expected);
    expect(granted(budget, 50)).toBe(expected);
    expect([budget.balance(0), budget.denied]).toEqual([0, 50 - expected]);
  });

  it('a retry that is over makes room for another', () => {
    const budget = new EnvoyBudget(ENVOY_BUDGET_DEFAULTS, { requests: 0 });
    expect(granted(budget, 4)).toBe(3);
    budget.onRetryEnded();
    expect(granted(budget, 2)).toBe(1);
  });

  it('when fewer attempts are in flight than before, none is given back and none granted', () => {
    const inFlight = { requests: 100 };
    const budget = new EnvoyBudget(ENVOY_BUDGET_DEFAULTS, inFlight);
    expect(granted(budget, 20)).toBe(20);
    inFlight.requests = 50;
    expect([budget.balance(0), granted(budget, 1)]).toEqual([0, 0]);
    for (let i = 0; i < 11; i++) budget.onRetryEnded();
    expect(granted(budget, 5)).toBe(1);
  });

  it('asks for calls only when there is an interval', () => {
    const policy: EnvoyBudgetPolicy = { ...ENVOY_BUDGET_DEFAULTS, intervalMs: 10_000 };
    const budget = new EnvoyBudget(ENVOY_BUDGET_DEFAULTS, { requests: 0 });
    expect(budget.onCall).toBeNull();
    budget.update(policy);
    expect(budget.onCall).not.toBeNull();
    budget.update(ENVOY_BUDGET_DEFAULTS);
    expect(budget.onCall).toBeNull();
  });

  it('with an interval counts what began in it, retries too, whatever is in flight', () => {
    const budget = new EnvoyBudget({ ...ENVOY_BUDGET_DEFAULTS, intervalMs: 10_000 }, { requests: 1_000 });
    expect(granted(budget, 5)).toBe(3);
    calls(budget, 97);
    expect(granted(budget, 100)).toBe(21);
    expect(budget.balance(15_000)).toBe(0);
    for (let i = 0; i < 24; i++) budget.onRetryEnded();
    expect(budget.balance(15_000)).toBe(3);
  });
});

describe('Envoy, reloaded', () => {
  it('keeps its count while the interval stays, and what an old stack says later is no fault', () => {
    const policy = { ...ENVOY_BUDGET_DEFAULTS, intervalMs: 10_000 };
    const budget = new EnvoyBudget(policy, { requests: 0 });
    const onCall = budget.onCall;
    calls(budget, 100);
    budget.update({ ...policy, percent: 50 });
    expect(budget.balance(0)).toBe(50);
    budget.update(ENVOY_BUDGET_DEFAULTS);
    onCall?.(0);
    expect(budget.balance(0)).toBe(3);
  });
});

describe('Linkerd', () => {
  const bare: LinkerdBudgetPolicy = { ...LINKERD_BUDGET_DEFAULTS, retriesPerSecondMin: 0 };

  it('starts with a reserve for the whole ttl', () => {
    const budget = new LinkerdBudget(LINKERD_BUDGET_DEFAULTS);
    expect(budget.balance(0)).toBe(100);
    expect(granted(budget, 200)).toBe(100);
    expect(budget.denied).toBe(100);
  });

  it('the reserve comes back after the ttl', () => {
    const budget = new LinkerdBudget(LINKERD_BUDGET_DEFAULTS);
    granted(budget, 100);
    expect([budget.balance(8_999), budget.balance(10_000)]).toEqual([0, 100]);
  });

  it.each([
    [0.2, 4, 0],
    [0.2, 5, 1],
    [0.3, 3, 1],
    [0.5, 10, 5],
    [1, 7, 7],
    [2, 3, 6],
    [3, 1, 3],
    [1_000, 1, 1_000],
    [0, 100, 0],
  ])('ratio %d: %i answers pay for %i retries', (ratio, answers, expected) => {
    const budget = new LinkerdBudget({ ...bare, ratio });
    for (let i = 0; i < answers; i++) budget.success(0);
    expect(granted(budget, 2_000)).toBe(expected);
  });

  it('what was paid in expires', () => {
    const budget = new LinkerdBudget(bare);
    for (let i = 0; i < 5; i++) budget.success(0);
    for (let i = 0; i < 5; i++) budget.success(5_000);
    expect(budget.balance(9_999)).toBe(2);
    expect(budget.balance(10_000)).toBe(1);
    expect(budget.balance(15_000)).toBe(0);
  });

  it('a withdrawal may outlive the deposits that it was made against', () => {
    const budget = new LinkerdBudget(bare);
    for (let i = 0; i < 5; i++) budget.success(0);
    expect(budget.tryWithdraw(9_500)).toBe(true);
    for (let i = 0; i < 9; i++) budget.success(10_500);
    expect([budget.balance(10_500), budget.tryWithdraw(10_500)]).toEqual([0.8, false]);
    expect(budget.balance(19_500)).toBe(1.8);
  });

  it('another ratio keeps what was paid in, another ttl does not', () => {
    const budget = new LinkerdBudget(bare);
    for (let i = 0; i < 10; i++) budget.success(0);
    budget.update({ ...bare, ratio: 0.5 });
    expect(budget.balance(0)).toBe(5);
    budget.update({ ...bare, ttlMs: 5_000 });
    expect(budget.balance(0)).toBe(0);
  });
});

describe('Gateway API', () => {
  const bare: GatewayApiBudgetPolicy = { ...GATEWAY_API_BUDGET_DEFAULTS, rateMinCount: 0 };

  it('ten retries a second are always allowed', () => {
    const budget = new GatewayApiBudget(GATEWAY_API_BUDGET_DEFAULTS);
    expect([granted(budget, 20, 0), granted(budget, 20, 500), granted(budget, 20, 1_000)]).toEqual([10, 0, 10]);
    expect(budget.denied).toBe(40);
  });

  it.each([
    [4, 0],
    [5, 1],
    [8, 1],
    [9, 2],
    [100, 24],
  ])('of %i calls and their retries a fifth may be retries: %i', (count, expected) => {
    const budget = new GatewayApiBudget(bare);
    calls(budget, count);
    expect(granted(budget, 400)).toBe(expected);
  });

  it('calls count for the interval', () => {
    const budget = new GatewayApiBudget(bare);
    calls(budget, 100);
    expect([budget.balance(9_999), budget.balance(10_000)]).toEqual([20, 0]);
  });

  it('100 percent sets no bound', () => {
    const budget = new GatewayApiBudget({ ...bare, percent: 100 });
    calls(budget, 1);
    expect(granted(budget, 1_000)).toBe(1_000);
  });

  it('another interval starts a new count', () => {
    const budget = new GatewayApiBudget(bare);
    calls(budget, 100);
    budget.update({ ...bare, percent: 10 });
    expect(budget.balance(0)).toBe(10);
    budget.update({ ...bare, intervalMs: 5_000, rateMinCount: 2, rateMinIntervalMs: 500 });
    expect(budget.balance(0)).toBe(2);
  });
});

describe('Gateway API, reloaded', () => {
  const free = { ...GATEWAY_API_BUDGET_DEFAULTS, percent: 0, rateMinCount: 5 };

  it('the count of the free rate stays with its time, and starts anew with another', () => {
    const budget = new GatewayApiBudget(free);
    expect(granted(budget, 3)).toBe(3);
    budget.update({ ...free, intervalMs: 7_000 });
    expect(budget.balance(0)).toBe(2);
    budget.update({ ...free, intervalMs: 7_000, rateMinIntervalMs: 2_000 });
    expect(budget.balance(0)).toBe(5);
  });
});

describe('gRPC', () => {
  it('retries go on while more than half is left; they cost nothing, failures do', () => {
    const budget = new GrpcBudget(GRPC_BUDGET_DEFAULTS);
    expect(granted(budget, 100)).toBe(100);
    for (let i = 0; i < 4; i++) budget.onFailure();
    expect([budget.balance(), budget.tryWithdraw()]).toEqual([1, true]);
    budget.onFailure();
    expect([budget.balance(), budget.tryWithdraw(), budget.denied]).toEqual([0, false, 1]);
    budget.success();
    expect(budget.tryWithdraw()).toBe(true);
  });

  it('never falls below none: the way back is the same after a long outage', () => {
    const budget = new GrpcBudget(GRPC_BUDGET_DEFAULTS);
    for (let i = 0; i < 1_000; i++) budget.onFailure();
    for (let i = 0; i < 50; i++) budget.success();
    expect(budget.tryWithdraw()).toBe(false);
    budget.success();
    expect(budget.tryWithdraw()).toBe(true);
  });

  it('another capacity keeps the share that is left', () => {
    const budget = new GrpcBudget(GRPC_BUDGET_DEFAULTS);
    for (let i = 0; i < 4; i++) budget.onFailure();
    budget.update({ ...GRPC_BUDGET_DEFAULTS, tokensMax: 100 });
    expect(budget.balance()).toBe(10);
  });
});

const POLICIES: readonly RetryBudgetPolicy[] = [
  BUDGET_DEFAULTS,
  ENVOY_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
  GATEWAY_API_BUDGET_DEFAULTS,
  GRPC_BUDGET_DEFAULTS,
  { kind: 'none' },
];

describe('makeBudget', () => {
  const inFlight = { requests: 0 };

  it.each(POLICIES.map((policy) => [policy.kind, policy] as const))('%s: the same object while the kind stays', (_kind, policy) => {
    const before = makeBudget(policy, { nowMs: 0, inFlight });
    expect(makeBudget({ ...policy }, { nowMs: 0, inFlight, before })).toBe(before);
    for (const other of POLICIES) {
      if (other.kind !== policy.kind) expect(makeBudget(other, { nowMs: 0, inFlight, before })).not.toBe(before);
    }
  });

  it('the count of denials outlives the kind', () => {
    let budget = makeBudget({ ...BUDGET_DEFAULTS, tokensMax: 0 }, { nowMs: 0, inFlight });
    granted(budget, 3);
    for (const policy of [...POLICIES.slice(1), BUDGET_DEFAULTS]) {
      budget = makeBudget(policy, { nowMs: 0, inFlight, before: budget });
      expect(budget.denied).toBe(3);
    }
  });

  it.each([
    ['successes', false],
    ['envoy', true],
    ['linkerd', true],
    ['gateway-api', true],
    ['grpc', false],
    ['none', false],
  ] as const)('%s: whether it pays for what the service never saw: %s', (kind, expected) => {
    const policy = POLICIES.find((one) => one.kind === kind) as RetryBudgetPolicy;
    expect(makeBudget(policy, { nowMs: 0, inFlight }).coversUnprocessed).toBe(expected);
  });

  it('ours asks for nothing but successes', () => {
    const { onCall, onFailure, onRetryEnded, coversUnprocessed } = makeBudget(BUDGET_DEFAULTS, { nowMs: 0, inFlight });
    expect([onCall, onFailure, onRetryEnded, coversUnprocessed]).toEqual([null, null, null, false]);
  });

  it('none pays for everything', () => {
    const budget = makeBudget({ kind: 'none' }, { nowMs: 0, inFlight });
    expect([granted(budget, 1_000), budget.balance(0), budget.denied]).toEqual([1_000, Number.POSITIVE_INFINITY, 0]);
  });
});

type Step = 'call' | 'success' | 'failure' | 'withdraw' | 'end' | number;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Step>('call', 'success', 'failure', 'withdraw', 'withdraw', 'end') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4_000 }) },
);

interface Played {
  readonly calls: number;
  readonly successes: number;
  readonly retries: number;
  /** Retries that are not over. */
  readonly open: number;
  readonly elapsedMs: number;
}

/** Plays the steps as the layers do: every grant is ended at most once, calls are in flight until they succeed or fail. */
function play(
  budget: RetryBudget,
  inFlight: { requests: number },
  steps: readonly Step[],
  check: (now: Played, wasGranted: boolean) => void,
): void {
  let [nowMs, open, begun, successes, retries] = [1_000, 0, 0, 0, 0];
  for (const one of steps) {
    let wasGranted = false;
    if (typeof one === 'number') nowMs += one;
    else if (one === 'call') {
      begun++;
      inFlight.requests++;
      budget.onCall?.(nowMs);
    } else if (one === 'withdraw') {
      wasGranted = budget.tryWithdraw(nowMs);
      if (wasGranted) {
        open++;
        retries++;
        inFlight.requests++;
      }
    } else if (one === 'end') {
      if (open > 0) {
        open--;
        inFlight.requests--;
        budget.onRetryEnded?.();
      }
    } else if (one === 'success') {
      if (inFlight.requests > open) inFlight.requests--;
      successes++;
      budget.success(nowMs);
    } else budget.onFailure?.();
    const balance = budget.balance(nowMs);
    expect(balance).toBeGreaterThanOrEqual(0);
    expect(Number.isNaN(balance)).toBe(false);
    check({ calls: begun, successes, retries, open, elapsedMs: nowMs - 1_000 }, wasGranted);
  }
}

const steps = fc.array(step, { maxLength: 150 });

describe('whatever happens', () => {
  it('the bucket: retries stay within capacity, a fifth of the successes, and the trickle; the balance within capacity', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const inFlight = { requests: 0 };
        const budget = makeBudget(BUDGET_DEFAULTS, { nowMs: 1_000, inFlight });
        const { tokensMax, tokensPerSuccess, tokensPerSecond } = BUDGET_DEFAULTS;
        play(budget, inFlight, script, ({ successes, retries, elapsedMs }) => {
          expect(retries).toBeLessThanOrEqual(tokensMax + tokensPerSuccess * successes + (tokensPerSecond * elapsedMs) / 1_000 + 1e-6);
          expect(budget.balance(1_000 + elapsedMs)).toBeLessThanOrEqual(tokensMax);
        });
      }),
      RUNS,
    );
  });

  it('Envoy: a grant never takes the retries in flight above the share or the floor', () => {
    const policy = fc.record({ percent: fc.integer({ min: 0, max: 100 }), concurrencyMin: fc.integer({ min: 0, max: 10 }) });
    fc.assert(
      fc.property(steps, policy, (script, limits) => {
        const inFlight = { requests: 0 };
        const budget = makeBudget({ ...ENVOY_BUDGET_DEFAULTS, ...limits }, { nowMs: 1_000, inFlight });
        play(budget, inFlight, script, ({ open, elapsedMs }, wasGranted) => {
          const before = inFlight.requests - (wasGranted ? 1 : 0);
          const allowed = Math.max(Math.floor((limits.percent * before) / 100), limits.concurrencyMin);
          if (wasGranted) expect(open).toBeLessThanOrEqual(allowed);
          else expect(budget.balance(1_000 + elapsedMs)).toBe(Math.max(0, allowed - open));
        });
      }),
      RUNS,
    );
  });

  it('Linkerd: retries stay within the reserve of the time that passed and the ratio of the answers', () => {
    const policy = fc.record({ ratio: fc.constantFrom(0, 0.1, 0.2, 0.5, 1, 2), retriesPerSecondMin: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(steps, policy, (script, limits) => {
        const inFlight = { requests: 0 };
        const budget = makeBudget({ ...LINKERD_BUDGET_DEFAULTS, ...limits }, { nowMs: 1_000, inFlight });
        const reserve = limits.retriesPerSecondMin * 10;
        play(budget, inFlight, script, ({ successes, retries, elapsedMs }) => {
          // A withdrawal is forgotten after nine to ten seconds, and the reserve can then be taken again.
          const reserves = 1 + Math.floor(elapsedMs / 9_000);
          expect(retries).toBeLessThanOrEqual(reserves * reserve + limits.ratio * successes + 1e-6);
          expect(budget.balance(1_000 + elapsedMs)).toBeLessThanOrEqual(reserve + limits.ratio * successes + 1e-6);
        });
      }),
      RUNS,
    );
  });

  it('Gateway API: each grant is within the share of its interval or within the free rate', () => {
    const policy = fc.record({ percent: fc.integer({ min: 0, max: 50 }), rateMinCount: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(steps, policy, (script, limits) => {
        const inFlight = { requests: 0 };
        const budget = makeBudget({ ...GATEWAY_API_BUDGET_DEFAULTS, ...limits }, { nowMs: 1_000, inFlight });
        const grants: number[] = [];
        const begun: number[] = [];
        play(budget, inFlight, script, ({ calls: count, elapsedMs }, wasGranted) => {
          if (count > begun.length) begun.push(elapsedMs);
          if (!wasGranted) return;
          grants.push(elapsedMs);
          const inLast = (times: readonly number[], ms: number): number => times.filter((time) => elapsedMs - time < ms).length;
          // The windows have ten slots, so they hold between nine tenths of the time and all of it.
          const isInShare = inLast(grants, 9_000) <= (limits.percent * (inLast(begun, 10_000) + inLast(grants, 10_000))) / 100;
          expect(isInShare || inLast(grants, 900) <= limits.rateMinCount).toBe(true);
        });
      }),
      RUNS,
    );
  });

  it('gRPC: equals a ledger; above half every retry is allowed, below none', () => {
    const policy = fc.record({ tokensMax: fc.integer({ min: 1, max: 40 }), tokenRatio: fc.constantFrom(0.1, 0.5, 1) });
    fc.assert(
      fc.property(steps, policy, (script, limits) => {
        const budget = makeBudget({ ...GRPC_BUDGET_DEFAULTS, ...limits }, { nowMs: 0, inFlight: { requests: 0 } });
        let ledger = limits.tokensMax;
        for (const one of script) {
          if (one === 'failure') {
            budget.onFailure?.();
            ledger = Math.max(0, ledger - 1);
          } else if (one === 'success') {
            budget.success(0);
            ledger = Math.min(limits.tokensMax, ledger + limits.tokenRatio);
          }
          const above = ledger - limits.tokensMax / 2;
          expect(budget.balance(0)).toBeCloseTo(Math.max(0, above), 9);
          if (Math.abs(above) > 1e-9) expect(budget.tryWithdraw(0)).toBe(above > 0);
        }
      }),
      RUNS,
    );
  });
});
