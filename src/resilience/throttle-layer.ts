// Refuses a share of the attempts while the service refuses most of them. Passes through; one listener shared by all
// attempts counts. Must stand below admission: what the circuit refuses is no answer of the service, and must not be counted.
import type { Call, EndListener } from '../core/call.ts';
import type { Clock, Random } from '../core/clock.ts';
import { refuse } from '../core/refuse.ts';
import type { Layer } from '../core/service.ts';
import { CRITICALITY_DEFAULT } from '../model/traffic.ts';
import type { Breaker } from './breaker.ts';
import { isOverload, type Throttle } from './throttle.ts';

export interface ThrottleDeps {
  /** null: no circuit breaker. */
  readonly breaker: Breaker | null;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of the service, for messages. */
  readonly name: string;
}

/** A repetition matters less than what nobody has tried yet: one level down. Source: resilience notes §1.12. */
function levelOf(attempt: Call): number {
  const level = attempt.criticality < 0 ? CRITICALITY_DEFAULT : attempt.criticality;
  return attempt.attempt > 1 && level > 0 ? level - 1 : level;
}

/** Refuses with `throttled`; a refusal counts for nobody but the throttle itself. */
export function throttleLayer(throttle: Throttle, deps: ThrottleDeps): Layer {
  const { breaker, clock, random, name } = deps;
  const onEnd: EndListener = (attempt, outcome) => {
    if (outcome.kind !== 'ignored') throttle.record(levelOf(attempt), !isOverload(outcome), outcome.endedAtMs);
  };
  return (next) => (attempt) => {
    // In a half-open circuit the attempt that got here is the probe: what the service said before it opened is old news.
    const isProbe = breaker !== null && breaker.state === 'halfOpen';
    if (!isProbe && throttle.refuses(levelOf(attempt), attempt.startedAtMs, random)) {
      const nowMs = clock.now();
      return refuse(attempt, nowMs, { code: 'throttled', message: messageOf(throttle, name, nowMs) });
    }
    attempt.onEnd(onEnd);
    return next(attempt);
  };
}

function messageOf(throttle: Throttle, name: string, nowMs: number): string {
  const percent = Math.round(throttle.probability(nowMs) * 100);
  const took = `${throttle.accepts(nowMs)} of the last ${throttle.requests(nowMs)} calls`;
  return `${name} took ${took} (${throttle.policy.windowMs} ms), so ${percent} % are refused here, the least critical first`;
}
