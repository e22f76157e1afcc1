// The budget of our own policy, or of none. Across reloads it is the same object while its kind stays; another kind starts anew, and only
// the count of denials goes on. The budgets of other meshes are in make-budget.ts, which knows all.
import type { NoBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';
import { Budget } from './budget.ts';
import type { InFlight, RetryBudget } from './retry-budget.ts';

export interface BudgetDeps {
  readonly nowMs: number;
  readonly inFlight: InFlight;
  /** The budget of the policy before. @default none */
  readonly before?: RetryBudget | undefined;
}

/** Calls that began with `before` go on with it; their stacks and those of the new policy share it while the kind stays. null: the policy is that of another mesh. */
export function plainBudget(policy: RetryBudgetPolicy, { nowMs, before }: BudgetDeps): RetryBudget | null {
  if (before?.update(policy, nowMs) === true) return before;
  const denied = before?.denied ?? 0;
  if (policy.kind === 'successes') return new Budget(policy, nowMs, denied);
  return policy.kind === 'none' ? noBudget(policy, denied) : null;
}

/** Pays for everything. */
function noBudget({ kind }: NoBudgetPolicy, denied: number): RetryBudget {
  return {
    coversUnprocessed: false,
    denied,
    balance: () => Number.POSITIVE_INFINITY,
    tryWithdraw: () => true,
    success() {},
    onCall: null,
    onFailure: null,
    onRetryEnded: null,
    update: (policy) => policy.kind === kind,
  };
}
