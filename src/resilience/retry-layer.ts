// Tries again, one attempt after the other, and with a hedge policy once beside a first attempt that is late; decides
// which of them answers for the call. Must stand above admission and balancer, which see each attempt, and below the
// deadline. It acts after `next`, so it is async; a good answer pays for one fork and one await.
import type { Call, EndListener, Reply } from '../core/call.ts';
import { isIdempotent } from '../core/classify.ts';
import type { Layer, Service } from '../core/service.ts';
import type { RetryPolicy } from '../model/destination.ts';
import { type HedgeDeps, HedgeRace } from './hedge-race.ts';
import { forkAttempt, Repetition, type RetryDeps } from './repetition.ts';
import { retryRules } from './retry-rules.ts';

export type { HedgeAction, HedgeDeps } from './hedge-race.ts';
export type { RetryDeps } from './repetition.ts';

/** At most `policy.attempts` retries, and up to three more after failures that provably never reached the service. */
export function retryLayer(policy: RetryPolicy, deps: RetryDeps, hedge: HedgeDeps | null = null): Layer {
  const plain = policy.attempts === 0 ? singleAttemptLayer(policy, deps) : repeatingLayer(policy, deps);
  const layer = hedge === null ? plain : hedgingLayer(policy, deps, hedge, plain);
  const { onCall } = deps.budget;
  return onCall === null ? layer : countingLayer(onCall, layer);
}

function repeatingLayer(policy: RetryPolicy, deps: RetryDeps): Layer {
  const { goodBelow, ofReply } = retryRules(policy);
  const { budget } = deps;
  return (next) => async (call) => {
    const attempt = forkAttempt(call, 1, call.startedAtMs, policy);
    let reply: Reply;
    try {
      reply = await next(attempt);
    } catch (error) {
      return new Repetition(call, next, policy, deps).run({ attempt, reply: null, error });
    }
    if (reply.status >= goodBelow && ofReply(reply.status, reply.headers) !== null) {
      return new Repetition(call, next, policy, deps).run({ attempt, reply, error: null });
    }
    attempt.commit();
    if (reply.status < 500) budget.success(attempt.headAtMs);
    return reply;
  };
}

/** Retries switched off: nothing to decide after `next`, so nothing to await. How it went still counts in the budget, which others share. */
function singleAttemptLayer(policy: RetryPolicy, deps: RetryDeps): Layer {
  const { budget } = deps;
  const { onFailure } = budget;
  const onEnd: EndListener = (_attempt, outcome) => {
    if (outcome.kind === 'success') budget.success(outcome.endedAtMs);
    else if (onFailure !== null && outcome.kind === 'failure') onFailure();
  };
  const { lastWithoutTimeout } = retryRules(policy);
  return (next) => (call) => {
    const attempt = forkAttempt(call, 1, call.startedAtMs, policy);
    if (lastWithoutTimeout) attempt.attemptDeadlineMs = call.deadlineMs;
    attempt.onEnd(onEnd);
    attempt.commit();
    return next(attempt);
  };
}

/** Calls that must not, or cannot, be under way twice go the plain way. */
function hedgingLayer(policy: RetryPolicy, deps: RetryDeps, hedge: HedgeDeps, plain: Layer): Layer {
  return (next) => {
    const once = plain(next);
    return (call) => (mayBeTwice(call, policy) ? hedged(call, next, policy, deps, hedge) : once(call));
  };
}

async function hedged(call: Call, next: Service, policy: RetryPolicy, deps: RetryDeps, hedge: HedgeDeps): Promise<Reply> {
  const race = new HedgeRace(call, next, policy, deps, hedge);
  const ending = await race.run();
  const { attempt, reply } = ending;
  if (reply === null || retryRules(policy).ofReply(reply.status, reply.headers) !== null) {
    return new Repetition(call, next, policy, deps, race.attempts).run(ending);
  }
  attempt.commit();
  if (reply.status < 500) deps.budget.success(attempt.headAtMs);
  return reply;
}

function mayBeTwice(call: Call, policy: RetryPolicy): boolean {
  const { body } = call;
  if (call.upgrade !== '' || (body !== null && !(body.replayable && body.shareable === true))) return false;
  return retryRules(policy).anyMethod || isIdempotent(call, policy);
}

/** For budgets that want to know of every call. */
function countingLayer(onCall: (nowMs: number) => void, layer: Layer): Layer {
  return (next) => {
    const service = layer(next);
    return (call) => {
      onCall(call.startedAtMs);
      return service(call);
    };
  };
}
