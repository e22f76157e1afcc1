// Nobody waits any more: a call whose deadline has passed before its work begins is answered 504 at once. Only a share of
// the calls is treated so: if most seem expired, it is rather a clock or a caller that is wrong than all of them.
// Source: Finagle DeadlineFilter (at most 20 % in 10 s).
import { refuse } from '../core/refuse.ts';
import type { Layer } from '../core/service.ts';
import { RollingWindow } from '../core/window.ts';
import type { Clock } from '../core/clock.ts';

const WINDOW_MS = 10_000;
const SHARE_MAX = 0.2;

/** Calls shed and not shed for their deadline. Survives reloads. */
export class ExpiredCalls {
  readonly #window: RollingWindow = new RollingWindow(WINDOW_MS);
  #shed = 0;

  /** Shed so far. */
  get shed(): number {
    return this.#shed;
  }

  served(nowMs: number): void {
    this.#window.add(true, nowMs);
  }

  /** Whether one more may be shed; counts it as what becomes of it. */
  mayShed(nowMs: number): boolean {
    const window = this.#window;
    window.advance(nowMs);
    const isAllowed = window.bad + 1 <= SHARE_MAX * (window.bad + 1 + window.good);
    window.add(!isAllowed, nowMs);
    if (isAllowed) this.#shed++;
    return isAllowed;
  }
}

export function inboundDeadlineLayer(expired: ExpiredCalls, clock: Clock): Layer {
  return (next) => (call) => {
    const { deadlineMs } = call;
    // A call without a deadline neither expires nor says that deadlines are sound.
    if (deadlineMs === Number.POSITIVE_INFINITY) return next(call);
    const nowMs = clock.now();
    if (nowMs < deadlineMs) {
      expired.served(nowMs);
      return next(call);
    }
    if (!expired.mayShed(nowMs)) return next(call);
    return refuse(call, nowMs, {
      code: 'deadline_exceeded',
      message: 'the caller waits no longer: its time was over before the work began',
    });
  };
}
