// A hedged destination over a leaf played by hand: retries and hedges above admission, with all that is counted in reach.
import type { Call, Endpoint, Reply } from '../../src/core/call.ts';
import { type Service, wrap } from '../../src/core/service.ts';
import { BUDGET_DEFAULTS, LIMITS_DEFAULTS, type LimitsPolicy, RETRY_DEFAULTS, type RetryPolicy } from '../../src/model/destination.ts';
import type { RetryBudgetPolicy } from '../../src/model/retry-budget.ts';
import { HEDGE_DEFAULTS, type HedgePolicy } from '../../src/model/traffic.ts';
import { admissionLayer } from '../../src/resilience/admission-layer.ts';
import type { Breaker } from '../../src/resilience/breaker.ts';
import { Hedging } from '../../src/resilience/hedging.ts';
import { Limits } from '../../src/resilience/limits.ts';
import { makeBudget } from '../../src/resilience/make-budget.ts';
import type { RetryBudget } from '../../src/resilience/retry-budget.ts';
import { type RetryDeps, retryLayer } from '../../src/resilience/retry-layer.ts';
import { type FakeServer, pair, type Seen, type TestCallInit, testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface HedgeRigInit {
  readonly policy?: Partial<RetryPolicy>;
  readonly hedge?: Partial<HedgePolicy>;
  readonly budget?: RetryBudgetPolicy;
  readonly limits?: Partial<LimitsPolicy>;
  readonly breaker?: Breaker;
  readonly deps?: Partial<RetryDeps>;
  /** Hedges that can be paid for from the beginning. @default 5 */
  readonly tokens?: number;
  /** Told of every attempt that reaches the leaf. */
  readonly onAttempt?: () => void;
}

export interface SentCall {
  readonly call: Call;
  readonly answer: Promise<Reply>;
  /** Ends of the logical call. */
  readonly ends: string[];
  /** `200` or `connection_lost`; '' while it is under way. */
  settled: string;
}

export interface HedgeRig {
  readonly clock: VirtualClock;
  readonly budget: RetryBudget;
  readonly limits: Limits;
  readonly hedging: Hedging;
  readonly server: FakeServer;
  readonly log: string[];
  /** The n-th attempt as the server sees it, from 1. */
  attempt(number: number): Seen;
  send(init?: TestCallInit & { readonly upgrade?: string }): SentCall;
}

export function hedgeRig(init: HedgeRigInit = {}): HedgeRig {
  const clock = new VirtualClock();
  const limits = new Limits();
  const budget = makeBudget(init.budget ?? { ...BUDGET_DEFAULTS, tokensPerSecond: 0 }, { nowMs: clock.now(), inFlight: limits });
  const policy = { ...RETRY_DEFAULTS, ...init.policy };
  const hedging = new Hedging({ ...HEDGE_DEFAULTS, extraLoad: 0.05, ...init.hedge }, policy.perTryTimeoutMs);
  for (let i = 0; i < 10 * (init.tokens ?? 5); i++) hedging.answered();
  const [leaf, server] = pair({ clock });
  const log: string[] = [];
  const limitsPolicy = { ...LIMITS_DEFAULTS, ...init.limits };
  const deps: RetryDeps = {
    clock,
    random: () => 0,
    budget,
    fastestMs: () => 0,
    mayRetry: () => limits.mayRetry(limitsPolicy),
    onRetry: (condition) => log.push(`retry ${condition}`),
    onDenied: (reason) => log.push(`denied ${reason}`),
    ...init.deps,
  };
  let endpoints = 0;
  const balanced: Service = (attempt) => {
    init.onAttempt?.();
    attempt.endpoint = { address: `e${++endpoints}` } as unknown as Endpoint;
    return leaf(attempt);
  };
  const service = wrap(balanced, [
    retryLayer(policy, deps, { hedging, onHedge: (action) => log.push(action) }),
    admissionLayer({ breaker: init.breaker ?? null, limits, policy: limitsPolicy, clock, name: 'reviews' }),
  ]);
  const send: HedgeRig['send'] = ({ upgrade = '', ...callInit } = {}) => {
    const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 30_000, ...callInit });
    call.upgrade = upgrade;
    const ends: string[] = [];
    call.onEnd((_call, outcome) => ends.push(`${outcome.kind} ${outcome.error?.code ?? outcome.status}`));
    const answer = service(call);
    const sent: SentCall = { call, answer, ends, settled: '' };
    answer.then(
      (reply) => {
        sent.settled = String(reply.status);
      },
      (error) => {
        sent.settled = error.code;
      },
    );
    return sent;
  };
  return { clock, budget, limits, hedging, server, log, attempt: (number) => server.seen[number - 1] as Seen, send };
}
