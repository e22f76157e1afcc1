// Refuses what goes beyond a rate, in this process. A call pays once, however often it is repeated. Must stand above
// whatever works for a call, and knows nothing of how many are in flight: that is the business of the limits.
import type { Clock } from '../core/clock.ts';
import { refuse } from '../core/refuse.ts';
import type { Layer } from '../core/service.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface RateLimitDeps {
  readonly clock: Clock;
  /** Whose limit it is, for messages: `route reviews/search`, `service reviews`. */
  readonly name: string;
}

/** Refuses with `rate_limited`; a refusal counts for nobody, and says when to come again. */
export function rateLimitLayer(bucket: TokenBucket, deps: RateLimitDeps): Layer {
  const { clock, name } = deps;
  return (next) => (call) => {
    // The start of the call is now, unless a layer further out has kept it waiting: then the clock has the last word.
    if (bucket.take(call.startedAtMs)) return next(call);
    const nowMs = clock.now();
    if (bucket.take(nowMs)) return next(call);
    const retryAfterMs = bucket.retryAfterMs(nowMs);
    const { tokensMax, tokensPerFill, fillMs } = bucket.policy;
    const message = `${name} lets ${tokensPerFill} per ${fillMs} ms through here, ${tokensMax} at once; the next in ${Math.ceil(retryAfterMs)} ms`;
    return refuse(call, nowMs, { code: 'rate_limited', message, retryAfterMs });
  };
}
