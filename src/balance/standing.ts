// What outlier detection knows of one endpoint. Written by outlier.ts alone; it lives on the endpoint, so that it
// survives reloads with it and no map has to be asked per call.
import { RollingWindow } from '../core/window.ts';

/** in: takes calls. ejected: takes none. probation: takes one at a time, as a probe. */
export type StandingState = 'in' | 'ejected' | 'probation';

export const NO_PROBE = -1;

export class Standing {
  state: StandingState = 'in';
  /** Gateway and local errors in a row. */
  run = 0;
  /** Since when the state holds, monotonic ms. Calls that started earlier say nothing about it. */
  sinceMs: number = Number.NEGATIVE_INFINITY;
  /** End of the ejection; in probation, until when only a repeatable call may be the probe. */
  untilMs = 0;
  /** In probation: no repeatable call came for a whole ejection time, so any call may be the probe. */
  takesAnyProbe = false;
  /** Length of the last ejection, ms. */
  ejectedForMs = 0;
  /** The exponent of the next ejection: grows with each, shrinks with healthy time, stays on return. */
  ejections = 0;
  /** Start of the probe in flight. A start names its call: a later one in the same millisecond is refused. */
  probeAtMs: number = NO_PROBE;
  #window: RollingWindow | null = null;
  #windowMs = 0;

  /** Good and bad endings of the last `windowMs`. */
  window(windowMs: number): RollingWindow {
    if (this.#window === null || this.#windowMs !== windowMs) {
      this.#window = new RollingWindow(windowMs);
      this.#windowMs = windowMs;
    }
    return this.#window;
  }
}
