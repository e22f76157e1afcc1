// The retry layer over a leaf played by hand, with everything that it tells written down.
import type { Call, Reply } from '../../src/core/call.ts';
import { wrap } from '../../src/core/service.ts';
import { BUDGET_DEFAULTS, RETRY_DEFAULTS, type RetryPolicy } from '../../src/model/destination.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { type RetryDeps, retryLayer } from '../../src/resilience/retry-layer.ts';
import { type FakeServer, pair, type TestCallInit, testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface RetryRig {
  readonly clock: VirtualClock;
  readonly budget: Budget;
  readonly server: FakeServer;
  readonly log: string[];
  send(init?: TestCallInit): { call: Call; answer: Promise<Reply>; ends: string[] };
}

export function retryRig(policy: Partial<RetryPolicy> = {}, deps: Partial<RetryDeps> = {}): RetryRig {
  const clock = new VirtualClock();
  const budget = new Budget({ ...BUDGET_DEFAULTS, tokensPerSecond: 0 }, clock.now());
  const [leaf, server] = pair({ clock });
  const log: string[] = [];
  const service = wrap(leaf, [
    retryLayer(
      { ...RETRY_DEFAULTS, ...policy },
      {
        clock,
        random: () => 0,
        budget,
        fastestMs: () => 0,
        onRetry: (condition) => log.push(`retry ${condition}`),
        onDenied: (reason) => log.push(`denied ${reason}`),
        ...deps,
      },
    ),
  ]);
  const send = (init: TestCallInit = {}): { call: Call; answer: Promise<Reply>; ends: string[] } => {
    const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 30_000, ...init });
    const ends: string[] = [];
    call.onEnd((_call, outcome) => ends.push(`${outcome.kind} ${outcome.error?.code ?? outcome.status}`));
    const answer = service(call);
    answer.catch(() => {});
    return { call, answer, ends };
  };
  return { clock, budget, server, log, send };
}
