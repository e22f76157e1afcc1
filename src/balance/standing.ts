// What this process knows of the health of one endpoint: outlier detection, health checks, the limit that overload
// taught. It lives on the endpoint, so that it survives reloads with it and no map has to be asked per call.
import { RollingWindow } from '../core/window.ts';
import type { AdaptiveLimit } from './adaptive-limit.ts';
import type { EnvoyCounters } from './envoy-counters.ts';

/** in: takes calls. ejected: takes none. probation: takes one at a time, as a probe. */
export type StandingState = 'in' | 'ejected' | 'probation';

export const NO_PROBE = -1;

export class Standing {
  state: StandingState = 'in';
  /** Failures in a row, of the kinds that the rule counts. */
  run = 0;
  /** Whether every failure of the run was a failed connection. Means nothing while there is no run. */
  isConnectRun = false;
  /** Since when the state holds, monotonic ms. Calls that started earlier say nothing about it. */
  sinceMs: number = Number.NEGATIVE_INFINITY;
  /** End of the ejection; in probation, until when only a repeatable call or a health check may be the probe. */
  untilMs = 0;
  /** In probation: nobody probed for a whole ejection time, so any call may. */
  takesAnyProbe = false;
  /** In probation: a health check was asked for, calls are spared. */
  isChecked = false;
  /** Whether the last ejection came of failed connections alone. */
  byConnection = false;
  /** Length of the last ejection, ms. */
  ejectedForMs = 0;
  /** The exponent of the next ejection: grows with each, shrinks with healthy time, stays on return. */
  ejections = 0;
  /** Start of the probe in flight. A start names its call: a later one in the same millisecond is refused. */
  probeAtMs: number = NO_PROBE;
  /** Until when the endpoint asked to be spared, monotonic ms. Linkerd's rule only. */
  pausedUntilMs = 0;
  /** Envoy's rule only; made with the first result. */
  envoy: EnvoyCounters | null = null;
  /** Health checks failed: takes no calls, whatever `state` says. Written by health-checks.ts alone. */
  unhealthy = false;
  /** When an attempt last told something of the endpoint, monotonic ms. Kept by outcome-listener.ts, while there are health checks. */
  usedAtMs: number = Number.NEGATIVE_INFINITY;
  /** null: none. Made by `adaptiveLimitOf`. */
  limit: AdaptiveLimit | null = null;
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
