// How many calls to refuse here because the service refuses them there. Requests and accepts over a rolling window; what we
// refuse counts as a request, so the share settles where the service gets about K calls for each one it takes. Pure: time is
// handed in. Source: Google SRE, "Handling overload", client-side throttling; with the lowest criticality refused first.
import type { Outcome } from '../core/call.ts';
import { RollingWindow } from '../core/window.ts';
import type { ThrottlePolicy } from '../model/destination.ts';
import { CRITICALITIES } from '../model/traffic.ts';

/** Whether an ending says that the service has too much to do. What failed otherwise is the breaker's business. */
export function isOverload({ status, error }: Outcome): boolean {
  if (error !== null) return error.code === 'attempt_timeout' || error.code === 'deadline_exceeded';
  return status === 429 || status === 503;
}

/** State of one service in this process; survives reloads. `level` is an index into CRITICALITIES. */
export class Throttle {
  #policy: ThrottlePolicy;
  /** By level: good is accepted; bad is answered with overload, or refused here. */
  #levels: readonly RollingWindow[];
  /** Totals as of the last look. */
  #accepts = 0;
  #requests = 0;

  constructor(policy: ThrottlePolicy) {
    this.#policy = policy;
    this.#levels = windows(policy);
  }

  /** A new policy. Counts stay as long as the window does. */
  update(policy: ThrottlePolicy): void {
    if (policy.windowMs !== this.#policy.windowMs) this.#levels = windows(policy);
    this.#policy = policy;
  }

  get policy(): ThrottlePolicy {
    return this.#policy;
  }

  /** A call ended that was let through. An ending that counts for nobody must not come here. */
  record(level: number, isAccepted: boolean, nowMs: number): void {
    (this.#levels[level] as RollingWindow).add(isAccepted, nowMs);
  }

  /** Whether this call goes no further; then it is counted. `draw` is a random number in [0, 1). */
  refuses(level: number, nowMs: number, draw: () => number): boolean {
    const share = this.share(level, nowMs);
    if (share === 0 || draw() >= share) return false;
    (this.#levels[level] as RollingWindow).add(false, nowMs);
    return true;
  }

  /** Share of all calls that is refused now, 0 to `rejectMax`: (requests − k · accepts) ÷ (requests + 1). */
  probability(nowMs: number): number {
    const { k, windowMs, rpsMin, rejectMax } = this.#policy;
    this.#count(nowMs);
    const requests = this.#requests;
    const tooMany = requests - k * this.#accepts;
    return tooMany > 0 && requests * 1_000 >= rpsMin * windowMs ? Math.min(rejectMax, tooMany / (requests + 1)) : 0;
  }

  /**
   * Share of the calls of one level that is refused, 0 to 1. All refusals together are `probability` of all calls; the
   * lowest level pays first, the next only when that one is refused altogether.
   */
  share(level: number, nowMs: number): number {
    const probability = this.probability(nowMs);
    if (probability === 0) return 0;
    let left = probability * this.#requests;
    for (let i = 0; i < level; i++) left -= this.#of(i);
    return Math.min(1, Math.max(0, left / Math.max(1, this.#of(level))));
  }

  /** Calls of the window that the service took. */
  accepts(nowMs: number): number {
    this.#count(nowMs);
    return this.#accepts;
  }

  /** Calls of the window, with those refused here. */
  requests(nowMs: number): number {
    this.#count(nowMs);
    return this.#requests;
  }

  #count(nowMs: number): void {
    this.#accepts = 0;
    this.#requests = 0;
    for (let i = 0; i < this.#levels.length; i++) {
      const window = this.#levels[i] as RollingWindow;
      window.advance(nowMs);
      this.#accepts += window.good;
      this.#requests += window.good + window.bad;
    }
  }

  #of(level: number): number {
    const window = this.#levels[level] as RollingWindow;
    return window.good + window.bad;
  }
}

function windows({ windowMs }: ThrottlePolicy): readonly RollingWindow[] {
  return CRITICALITIES.map(() => new RollingWindow(windowMs));
}
