// The circuit of one service in this process. Closed admits all and counts; open refuses for a short, jittered, doubling
// time, so that a backlog can drain; half-open admits one probe at a time. A permit is the time of its admission, which
// tells a probe from every call that started before the circuit opened. Pure: time and chance are handed in.
import type { OutcomeKind } from '../core/call.ts';
import type { Random } from '../core/clock.ts';
import type { BreakerPolicy } from '../model/destination.ts';
import { doubledMs, jitteredMs } from './backoff.ts';
import { isSameTrip, type Trip, tripReason } from './breaker-trip.ts';

/** `open` refuses. `isolated` refuses until the one who isolated it lets go. */
export type CircuitState = 'closed' | 'open' | 'halfOpen' | 'isolated';

export interface BreakerDeps {
  readonly random: Random;
  /** `forMs` is the open time, 0 for other states. */
  readonly onChange: (state: CircuitState, reason: string, forMs: number) => void;
}

const NO_PROBE = -1;

export class Breaker {
  #policy: BreakerPolicy;
  #trip: Trip;
  readonly #deps: BreakerDeps;
  #state: 'closed' | 'open' | 'halfOpen' = 'closed';
  #isolations = 0;
  /** When the circuit last closed: older calls say nothing about the service of today. */
  #closedAtMs = Number.NEGATIVE_INFINITY;
  #openUntilMs = 0;
  #openForMs = 0;
  /** Times opened since the circuit was last closed. */
  #opened = 0;
  /** Admission time of the probe in flight. */
  #probeAtMs: number = NO_PROBE;
  #probeSuccesses = 0;

  constructor(policy: BreakerPolicy, trip: Trip, deps: BreakerDeps) {
    this.#policy = policy;
    this.#trip = trip;
    this.#deps = deps;
  }

  get state(): CircuitState {
    return this.#isolations > 0 ? 'isolated' : this.#state;
  }

  /** Whether a call may go. An admitted call is given back by one `record` with the same time. */
  acquire(nowMs: number): boolean {
    if (this.#isolations > 0) return false;
    return this.#state === 'closed' || this.#acquireProbe(nowMs);
  }

  /** How a call ended that `acquire` admitted at `admittedAtMs`. */
  record(kind: OutcomeKind, admittedAtMs: number, nowMs: number): void {
    if (this.#state === 'closed') {
      if (kind === 'ignored' || admittedAtMs < this.#closedAtMs) return;
      if (this.#trip.add(kind === 'success', nowMs)) this.#open(tripReason(this.#policy), nowMs);
    } else if (admittedAtMs === this.#probeAtMs) {
      this.#probeAtMs = NO_PROBE;
      if (kind === 'failure') this.#open('the probe failed', nowMs);
      else if (kind === 'success' && ++this.#probeSuccesses >= this.#policy.successesToClose) this.#close(nowMs);
    }
  }

  /** How long callers had better stay away, ms; 0 when that is not known. */
  retryAfterMs(nowMs: number): number {
    return this.#isolations === 0 ? Math.max(0, this.#openUntilMs - nowMs) : 0;
  }

  /** There are endpoints now of which the failures know nothing: an open circuit lets the next call probe, and not only when its time is up. */
  probeSoon(nowMs: number): void {
    this.#openUntilMs = Math.min(this.#openUntilMs, nowMs);
  }

  /**
   * Refuses everything until the function returned is called. The circuit below goes on as it was: what was open is
   * open again afterwards, unless its time is up.
   */
  isolate(reason = 'isolated by hand'): () => void {
    let held = true;
    if (++this.#isolations === 1) this.#deps.onChange('isolated', reason, 0);
    return () => {
      if (!held) return;
      held = false;
      if (--this.#isolations > 0) return;
      this.#deps.onChange(this.#state, 'no longer isolated', this.#state === 'open' ? this.#openForMs : 0);
    };
  }

  /** A new policy. State and counts stay; `trip` replaces the counts only when it counts differently. A probe in flight loses its permit. */
  update(policy: BreakerPolicy, trip: Trip): void {
    if (!isSameTrip(this.#policy, policy)) this.#trip = trip;
    this.#policy = policy;
    this.#probeAtMs = NO_PROBE;
  }

  #acquireProbe(nowMs: number): boolean {
    if (this.#state === 'open') {
      if (nowMs < this.#openUntilMs) return false;
      this.#state = 'halfOpen';
      this.#probeSuccesses = 0;
      this.#probeAtMs = NO_PROBE;
      this.#deps.onChange('halfOpen', 'the open time is over', 0);
    }
    // A probe that hangs must not keep the circuit shut for ever: after the open time another takes its permit.
    if (this.#probeAtMs !== NO_PROBE && nowMs - this.#probeAtMs < this.#openForMs) return false;
    this.#probeAtMs = nowMs;
    return true;
  }

  /**
   * The n-th open in a row lasts uniformly `[cap / 2, cap)`, cap = min(openMaxMs, openBaseMs · 2ⁿ⁻¹). Jitter keeps the
   * callers of one service from probing in step; with less than the half of it many of them would hammer one that is down
   * (200 callers: 6.4 % of what it can do instead of 4.9 %).
   */
  #open(reason: string, nowMs: number): void {
    const { openBaseMs, openMaxMs } = this.#policy;
    const capMs = Math.min(openMaxMs, doubledMs(openBaseMs, this.#opened));
    this.#openForMs = jitteredMs(capMs / 2, capMs, openMaxMs, this.#deps.random);
    this.#opened++;
    this.#openUntilMs = nowMs + this.#openForMs;
    this.#state = 'open';
    this.#deps.onChange('open', reason, this.#openForMs);
  }

  #close(nowMs: number): void {
    this.#state = 'closed';
    this.#closedAtMs = nowMs;
    this.#opened = 0;
    this.#trip.reset();
    this.#deps.onChange('closed', `${this.#policy.successesToClose} probes succeeded`, 0);
  }
}
