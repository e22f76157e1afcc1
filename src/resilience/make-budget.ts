// The budget of a policy, whatever its kind.
import type { RetryBudgetPolicy } from '../model/retry-budget.ts';
import { EnvoyBudget } from './envoy-budget.ts';
import { GatewayApiBudget } from './gateway-api-budget.ts';
import { GrpcBudget } from './grpc-budget.ts';
import { LinkerdBudget } from './linkerd-budget.ts';
import { type BudgetDeps, plainBudget } from './plain-budget.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Calls that began with `before` go on with it; their stacks and those of the new policy share it while the kind stays. */
export function makeBudget(policy: RetryBudgetPolicy, deps: BudgetDeps): RetryBudget {
  const plain = plainBudget(policy, deps);
  if (plain !== null) return plain;
  const { inFlight, before } = deps;
  const denied = before?.denied ?? 0;
  switch (policy.kind) {
    case 'envoy':
      return new EnvoyBudget(policy, inFlight, denied);
    case 'linkerd':
      return new LinkerdBudget(policy, denied);
    case 'gateway-api':
      return new GatewayApiBudget(policy, denied);
    case 'grpc':
      return new GrpcBudget(policy, denied);
    default:
      throw new Error(`no budget of the kind ${policy.kind}`);
  }
}
