// Tries again: forks one attempt after the other, and decides which of them answers for the call. Must stand above
// admission and balancer, which see each attempt, and below the deadline. It acts after `next`, so it is async; a good
// answer pays for one fork and one await.
import type { EndListener, Reply } from '../core/call.ts';
import { conditionOfStatus } from '../core/classify.ts';
import type { Layer } from '../core/service.ts';
import type { RetryPolicy } from '../model/destination.ts';
import { forkAttempt, Repetition, type RetryDeps } from './repetition.ts';

export type { RetryDeps } from './repetition.ts';

/** At most `policy.attempts` retries, and up to three more after failures that provably never reached the service. */
export function retryLayer(policy: RetryPolicy, deps: RetryDeps): Layer {
  const { retryOn } = policy;
  const { budget } = deps;
  if (policy.attempts === 0) return singleAttemptLayer(policy, deps);
  return (next) => async (call) => {
    const attempt = forkAttempt(call, 1, call.startedAtMs, policy);
    let reply: Reply;
    try {
      reply = await next(attempt);
    } catch (error) {
      return new Repetition(call, next, policy, deps).run({ attempt, reply: null, error });
    }
    if (conditionOfStatus(reply.status, retryOn) !== null) {
      return new Repetition(call, next, policy, deps).run({ attempt, reply, error: null });
    }
    attempt.commit();
    if (reply.status < 500) budget.success();
    return reply;
  };
}

/** Retries switched off: nothing to decide after `next`, so nothing to await. Successes still fill the bucket, which others share. */
function singleAttemptLayer(policy: RetryPolicy, deps: RetryDeps): Layer {
  const { budget } = deps;
  const onEnd: EndListener = (_attempt, outcome) => {
    if (outcome.kind === 'success') budget.success();
  };
  return (next) => (call) => {
    const attempt = forkAttempt(call, 1, call.startedAtMs, policy);
    attempt.onEnd(onEnd);
    attempt.commit();
    return next(attempt);
  };
}
