import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUDGET_DEFAULTS } from '../../src/model/destination.ts';
import { Budget } from '../../src/resilience/budget.ts';

const NO_TRICKLE = { ...BUDGET_DEFAULTS, tokensPerSecond: 0 };

function withdraw(budget: Budget, times: number, nowMs: number): number {
  let granted = 0;
  for (let i = 0; i < times; i++) if (budget.tryWithdraw(nowMs)) granted++;
  return granted;
}

describe('Budget', () => {
  it('starts full, and refuses when no whole token is left', () => {
    const budget = new Budget(NO_TRICKLE, 0);
    expect(withdraw(budget, 25, 0)).toBe(20);
    expect(budget.denied).toBe(5);
    expect(budget.balance(0)).toBe(0);
  });

  it('earns a retry with five successes', () => {
    const budget = new Budget(NO_TRICKLE, 0);
    withdraw(budget, 20, 0);
    for (let i = 0; i < 4; i++) budget.success();
    expect(budget.tryWithdraw(0)).toBe(false);
    budget.success();
    expect(budget.tryWithdraw(0)).toBe(true);
    expect(budget.tryWithdraw(0)).toBe(false);
  });

  it('does not grow beyond its capacity', () => {
    const budget = new Budget(BUDGET_DEFAULTS, 0);
    for (let i = 0; i < 1_000; i++) budget.success();
    expect(budget.balance(3_600_000)).toBe(20);
  });

  it('trickles, so that an idle process gets out', () => {
    const budget = new Budget(BUDGET_DEFAULTS, 0);
    withdraw(budget, 20, 0);
    expect(budget.tryWithdraw(9_999)).toBe(false);
    expect(budget.tryWithdraw(10_001)).toBe(true);
  });

  it('is not confused by a time that does not move or goes back', () => {
    const budget = new Budget(BUDGET_DEFAULTS, 1_000);
    withdraw(budget, 20, 1_000);
    expect(budget.balance(500)).toBe(0);
    expect(budget.balance(1_000)).toBe(0);
    expect(budget.balance(11_000)).toBeCloseTo(1, 9);
  });

  it('keeps its balance on a new policy, within the new capacity', () => {
    const budget = new Budget(NO_TRICKLE, 0);
    withdraw(budget, 15, 0);
    budget.update({ ...NO_TRICKLE, tokensMax: 100 }, 0);
    expect(budget.balance(0)).toBe(5);
    budget.update({ ...NO_TRICKLE, tokensMax: 3 }, 0);
    expect(budget.balance(0)).toBe(3);
  });

  it('trickles at the old rate until the new policy comes', () => {
    const budget = new Budget({ ...BUDGET_DEFAULTS, tokensPerSecond: 1 }, 0);
    withdraw(budget, 20, 0);
    budget.update({ ...BUDGET_DEFAULTS, tokensPerSecond: 0 }, 4_000);
    expect(budget.balance(60_000)).toBe(4);
  });

  it('under total failure allows no more retries than capacity and trickle', () => {
    const budget = new Budget(BUDGET_DEFAULTS, 0);
    let granted = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1) granted += withdraw(budget, 1, nowMs);
    expect(granted).toBeLessThanOrEqual(26);
    expect(granted).toBeGreaterThanOrEqual(25);
  });

  it('is never negative, never over capacity, and equals a ledger kept in order', () => {
    const command = fc.oneof(
      fc.constant({ kind: 'success' as const }),
      fc.constant({ kind: 'withdraw' as const }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30_000 }) }),
      fc.record({ kind: fc.constant('update' as const), tokensMax: fc.integer({ min: 0, max: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
        let policy = BUDGET_DEFAULTS;
        let nowMs = 0;
        let ledger = policy.tokensMax;
        const budget = new Budget(policy, nowMs);
        for (const step of commands) {
          if (step.kind === 'success') {
            budget.success();
            ledger = Math.min(policy.tokensMax, ledger + policy.tokensPerSuccess);
          } else if (step.kind === 'withdraw') {
            const granted = budget.tryWithdraw(nowMs);
            // Sums of tenths differ in the last bit with the order of the additions.
            if (Math.abs(ledger - 1) > 1e-9) expect(granted).toBe(ledger >= 1);
            if (granted) ledger -= 1;
          } else if (step.kind === 'wait') {
            nowMs += step.ms;
            ledger = Math.min(policy.tokensMax, ledger + (step.ms / 1_000) * policy.tokensPerSecond);
          } else {
            policy = { ...policy, tokensMax: step.tokensMax };
            budget.update(policy, nowMs);
            ledger = Math.min(ledger, policy.tokensMax);
          }
          const balance = budget.balance(nowMs);
          expect(balance).toBeGreaterThanOrEqual(0);
          expect(balance).toBeLessThanOrEqual(policy.tokensMax);
          expect(balance).toBeCloseTo(ledger, 6);
        }
      }),
    );
  });
});
