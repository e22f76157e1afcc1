// Whether an attempt may go at all: the limits of the service in this process, and its circuit. Passes through; what was
// taken is given back by one listener shared by all calls. Must stand below retry, so that each attempt asks and counts.
import type { EndListener } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { Layer } from '../core/service.ts';
import type { LimitsPolicy } from '../model/destination.ts';
import type { Breaker } from './breaker.ts';
import type { Limits } from './limits.ts';
import { refuse } from '../core/refuse.ts';

export interface AdmissionDeps {
  /** null: no circuit breaker. */
  readonly breaker: Breaker | null;
  readonly limits: Limits;
  readonly policy: LimitsPolicy;
  readonly clock: Clock;
  /** Name of the service, for messages. */
  readonly name: string;
}

/** Refuses with `overloaded` or `circuit_open`; a refusal counts for nobody. */
export function admissionLayer(deps: AdmissionDeps): Layer {
  const { breaker, limits, policy, clock, name } = deps;
  // The permit of the breaker is the start of the attempt, so nothing has to be kept per call.
  const onEnd: EndListener = (attempt, outcome) => {
    limits.release(attempt.attempt > 1);
    // A server that sheds is alive, and knows better than we do whose calls to drop: an open circuit would drop the critical ones too.
    if (breaker !== null) breaker.record(outcome.isShed === true ? 'ignored' : outcome.kind, attempt.startedAtMs, outcome.endedAtMs);
  };
  return (next) => (attempt) => {
    const isRetry = attempt.attempt > 1;
    const limit = limits.tryAcquire(policy, isRetry);
    if (limit !== '') {
      const message = `${name} has ${limits.requests} calls in flight here, ${limits.retries} of them retries; ${limit} is ${policy[limit]}`;
      return refuse(attempt, clock.now(), { code: 'overloaded', message });
    }
    if (breaker !== null && !breaker.acquire(attempt.startedAtMs)) {
      limits.release(isRetry);
      return refuse(attempt, clock.now(), circuitOpen(name, breaker, attempt.startedAtMs));
    }
    attempt.onEnd(onEnd);
    return next(attempt);
  };
}

function circuitOpen(name: string, breaker: Breaker, nowMs: number): Parameters<typeof refuse>[2] {
  const retryAfterMs = breaker.retryAfterMs(nowMs);
  if (breaker.state === 'isolated') return { code: 'circuit_open', message: `${name} is isolated in this process`, retryAfterMs };
  const when = retryAfterMs > 0 ? `calls are let through again in ${Math.ceil(retryAfterMs)} ms` : 'a probe is under way';
  return { code: 'circuit_open', message: `the circuit of ${name} is open; ${when}`, retryAfterMs };
}
