// What pays for retries and hedges: the port behind which our own bucket and the rules of other meshes stand. One per
// process and service. What a rule has no use for is null, and is looked at when a stack is built: it costs no call a thing.
// Time is handed in; knows nothing of calls.
import type { RetryBudgetPolicy } from '../model/retry-budget.ts';

/** Attempts in flight to the service; `Limits` is one. */
export interface InFlight {
  /** Retries and hedges included. */
  readonly requests: number;
}

export interface RetryBudget {
  /**
   * Whether even the retry of what provably never reached the service is paid for. Our own rule and gRPC's make these
   * transparent, as nobody is loaded by them; Envoy, Linkerd and Gateway API count every retry.
   */
  readonly coversUnprocessed: boolean;
  /** Withdrawals refused so far. */
  readonly denied: number;
  /** How many retries could be paid for now, not always whole; Infinity when there is no end to them. */
  balance(nowMs: number): number;
  /** Pays for one retry or hedge, if it can be paid for. */
  tryWithdraw(nowMs: number): boolean;
  /** A call got an answer that stands. */
  success(nowMs: number): void;
  /** A call begins, retries apart. null: nobody asks. */
  readonly onCall: ((nowMs: number) => void) | null;
  /** An attempt ended in a way that the policy repeats, whether it is repeated or not. null: nobody asks. */
  readonly onFailure: (() => void) | null;
  /** What `tryWithdraw` paid for has its head, has failed, or was never sent: once for each. null: nobody asks. */
  readonly onRetryEnded: (() => void) | null;
  /** Takes over a new policy and keeps what it knows; false when the policy is of another kind. */
  update(policy: RetryBudgetPolicy, nowMs: number): boolean;
}
