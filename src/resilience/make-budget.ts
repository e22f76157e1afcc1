// The budget of a policy. Across reloads it is the same object while its kind stays; another kind starts anew, and only
// the count of denials goes on.
import type { NoBudgetPolicy, RetryBudgetPolicy } from '../model/retry-budget.ts';
import { Budget } from './budget.ts';
import { EnvoyBudget } from './envoy-budget.ts';
import { GatewayApiBudget } from './gateway-api-budget.ts';
import { GrpcBudget } from './grpc-budget.ts';
import { LinkerdBudget } from './linkerd-budget.ts';
import type { InFlight, RetryBudget } from './retry-budget.ts';

export interface BudgetDeps {
  readonly nowMs: number;
  readonly inFlight: InFlight;
  /** The budget of the policy before. @default none */
  readonly before?: RetryBudget | undefined;
}

/** Calls that began with `before` go on with it; their stacks and those of the new policy share it while the kind stays. */
export function makeBudget(policy: RetryBudgetPolicy, deps: BudgetDeps): RetryBudget {
  const { nowMs, inFlight, before } = deps;
  if (before?.update(policy, nowMs) === true) return before;
  const denied = before?.denied ?? 0;
  switch (policy.kind) {
    case 'successes':
      return new Budget(policy, nowMs, denied);
    case 'envoy':
      return new EnvoyBudget(policy, inFlight, denied);
    case 'linkerd':
      return new LinkerdBudget(policy, denied);
    case 'gateway-api':
      return new GatewayApiBudget(policy, denied);
    case 'grpc':
      return new GrpcBudget(policy, denied);
    case 'none':
      return noBudget(policy, denied);
  }
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
