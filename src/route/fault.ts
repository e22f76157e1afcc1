// Which calls meet a fault, and how many have. Delay and abort are drawn independently, delay first; then four rails: whose
// headers, until when, how many at once, what share of all calls. Survives reloads: a call that was drawn keeps what it drew.
// Pure but for reading the time. Source: Istio HTTPFaultInjection, Envoy fault filter, gRFC A33; the rails but one are ours.
import type { Call } from '../core/call.ts';
import type { Clock, Random } from '../core/clock.ts';
import { RollingWindow } from '../core/window.ts';
import type { FaultPolicy } from '../model/traffic.ts';
import { type CallMatch, compileMatches } from './match.ts';
import type { TextMatch } from './simple-regex.ts';
import { DRAWS, drawsOf, NO_TRACE, traceDraw, traceHash } from './trace-draw.ts';

export interface FaultDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly regex: (pattern: string) => TextMatch;
  /** A fault was injected. @default nobody listens */
  readonly onAction?: ((action: 'fault.delay' | 'fault.abort') => void) | undefined;
}

/** What a call has drawn: one of these, or their sum. */
export const DELAY = 1;
export const ABORT = 2;

const BLAST_WINDOW_MS = 10_000;
const DELAY_SALT = 0x64656c79;
const ABORT_SALT = 0x61626f72;

export class Fault {
  readonly #deps: FaultDeps;
  #policy: FaultPolicy;
  #matches: CallMatch | null;
  #delayDraws = 0;
  #abortDraws = 0;
  /** Calls hit (bad) and not (good); null while every call may be hit. */
  #window: RollingWindow | null = null;
  #active = 0;
  #delays = 0;
  #aborts = 0;
  #spared = 0;

  constructor(policy: FaultPolicy, deps: FaultDeps) {
    this.#deps = deps;
    this.#policy = policy;
    this.#matches = null;
    this.update(policy, deps.regex);
  }

  get policy(): FaultPolicy {
    return this.#policy;
  }

  /** Delays injected so far. */
  get delays(): number {
    return this.#delays;
  }

  /** Aborts injected so far. */
  get aborts(): number {
    return this.#aborts;
  }

  /** Calls under way that were hit. */
  get active(): number {
    return this.#active;
  }

  /** Calls that had drawn a fault, and met none because of `activeMax`, `blastPercent` or `untilWallMs`. */
  get spared(): number {
    return this.#spared;
  }

  update(policy: FaultPolicy, regex: (pattern: string) => TextMatch): void {
    const { headers, delay, abort, blastPercent } = policy;
    this.#policy = policy;
    this.#matches = compileMatches([{ headers, queryParams: {} }], regex);
    this.#delayDraws = delay === undefined || delay.fixedMs <= 0 ? 0 : drawsOf(delay.percent);
    this.#abortDraws = abort === undefined ? 0 : drawsOf(abort.percent);
    if (blastPercent >= 100) this.#window = null;
    else this.#window ??= new RollingWindow(BLAST_WINDOW_MS);
  }

  /** What the call meets: 0, DELAY, ABORT, or both. A call that is hit is given back by one `release`. */
  draw(call: Call): number {
    const drawn = this.#matches === null || this.#matches(call) ? this.#drawn(call) : 0;
    const hit = drawn !== 0 && this.#mayHit() ? drawn : 0;
    this.#window?.add(hit === 0, this.#deps.clock.now());
    if (hit !== 0) this.#active++;
    else if (drawn !== 0) this.#spared++;
    return hit;
  }

  delayed(): void {
    this.#delays++;
    this.#deps.onAction?.('fault.delay');
  }

  aborted(): void {
    this.#aborts++;
    this.#deps.onAction?.('fault.abort');
  }

  /** A call that was hit has ended. */
  release(): void {
    this.#active--;
  }

  #drawn(call: Call): number {
    const { random } = this.#deps;
    const hash = this.#policy.by === 'trace' ? traceHash(call.headers) : NO_TRACE;
    let drawn = 0;
    if (this.#delayDraws > 0) {
      const draw = hash === NO_TRACE ? random() * DRAWS : traceDraw(hash, DELAY_SALT, call.attempt);
      if (draw < this.#delayDraws) drawn = DELAY;
    }
    if (this.#abortDraws > 0) {
      const draw = hash === NO_TRACE ? random() * DRAWS : traceDraw(hash, ABORT_SALT, call.attempt);
      if (draw < this.#abortDraws) drawn |= ABORT;
    }
    return drawn;
  }

  #mayHit(): boolean {
    const { activeMax, blastPercent, untilWallMs } = this.#policy;
    const { clock } = this.#deps;
    if (activeMax > 0 && this.#active >= activeMax) return false;
    if (untilWallMs !== Number.POSITIVE_INFINITY && clock.wall() >= untilWallMs) return false;
    const window = this.#window;
    if (window === null) return true;
    window.advance(clock.now());
    return (window.bad + 1) * 100 <= blastPercent * (window.good + window.bad + 1);
  }
}
