// Those that are out, and how they come back: ejected for a time, then on probation, where one call at a time probes. What
// ejects, for how long, and what counts as good is the rule's affair. Pure: no timer, the rule says what time it is.
import type { Call } from '../core/call.ts';
import type { EjectionRule } from '../core/events.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { OutlierDeps } from './outlier-detector.ts';
import { NO_PROBE, type Standing, type StandingState } from './standing.ts';

export interface Ejection {
  readonly rule: EjectionRule;
  /** For people. */
  readonly reason: string;
  readonly forMs: number;
  /** It came of failed connections alone, so that a health check may end it. */
  readonly byConnection: boolean;
}

export class Probation {
  readonly #deps: OutlierDeps;
  /** Whether any call may be the probe at once, not only one that could be repeated. */
  readonly #takesAny: boolean;
  #version = 0;
  #dueMs: number = Number.POSITIVE_INFINITY;

  constructor(deps: OutlierDeps, takesAny: boolean) {
    this.#deps = deps;
    this.#takesAny = takesAny;
  }

  /** Changes with the standing of any endpoint. */
  get version(): number {
    return this.#version;
  }

  mayProbe(standing: Standing, isRepeatable: boolean): boolean {
    if (standing.state !== 'probation' || standing.probeAtMs !== NO_PROBE) return false;
    return standing.takesAnyProbe || (isRepeatable && !standing.isChecked);
  }

  /** Lets due ejections end. One comparison while nothing is due. */
  advance(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    for (const endpoint of this.#deps.set.all) {
      const { standing } = endpoint;
      if (nowMs < dueOf(standing)) continue;
      if (standing.state === 'ejected') {
        enter(standing, 'probation', nowMs);
        standing.untilMs = nowMs + standing.ejectedForMs;
        standing.takesAnyProbe = this.#takesAny;
        // Where no connection could be made, a check finds out at nobody's expense.
        standing.isChecked = standing.byConnection && this.#deps.askCheck?.(endpoint) === true;
      } else if (standing.probeAtMs !== NO_PROBE) {
        // A probe that hangs must not keep the endpoint out for ever: another call takes its permit.
        standing.probeAtMs = NO_PROBE;
      } else {
        standing.takesAnyProbe = true;
      }
    }
    this.changed();
  }

  beginProbe(standing: Standing, attempt: Call): void {
    standing.probeAtMs = attempt.startedAtMs;
    this.changed();
  }

  /** Whether the attempt was the probe; its permit is given back. */
  endProbe(standing: Standing, attempt: Call): boolean {
    if (standing.state !== 'probation' || standing.probeAtMs !== attempt.startedAtMs) return false;
    standing.probeAtMs = NO_PROBE;
    return true;
  }

  eject(endpoint: LiveEndpoint, { rule, reason, forMs, byConnection }: Ejection, nowMs: number): void {
    const { standing } = endpoint;
    standing.ejections++;
    standing.ejectedForMs = forMs;
    standing.byConnection = byConnection;
    standing.untilMs = nowMs + forMs;
    enter(standing, 'ejected', nowMs);
    this.changed();
    this.#deps.emit({ type: 'endpointEjected', service: this.#deps.service, endpoint: endpoint.address, rule, reason, forMs });
  }

  /** The exponent of the next ejection stays. */
  return(endpoint: LiveEndpoint, nowMs: number): void {
    endpoint.standing.run = 0;
    enter(endpoint.standing, 'in', nowMs);
    this.changed();
    this.#deps.emit({ type: 'endpointReturned', service: this.#deps.service, endpoint: endpoint.address });
  }

  /** Finds when time alone will next change something. Rare, so the set is simply walked. */
  changed(): void {
    this.#version++;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const { standing } of this.#deps.set.all) dueMs = Math.min(dueMs, dueOf(standing));
    this.#dueMs = dueMs;
  }
}

function enter(standing: Standing, state: StandingState, nowMs: number): void {
  standing.state = state;
  standing.sinceMs = nowMs;
  standing.probeAtMs = NO_PROBE;
  standing.takesAnyProbe = false;
}

/** When time alone changes the standing; Infinity when it does not. */
function dueOf(standing: Standing): number {
  if (standing.state === 'ejected') return standing.untilMs;
  if (standing.state === 'in') return Number.POSITIVE_INFINITY;
  if (standing.probeAtMs !== NO_PROBE) return standing.probeAtMs + standing.ejectedForMs;
  return standing.takesAnyProbe ? Number.POSITIVE_INFINITY : standing.untilMs;
}
