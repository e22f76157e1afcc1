// Who is left out, and how they come back. An endpoint is ejected after a run of gateway or local errors, or when it is
// significantly worse than its peers; after the ejection it takes one call at a time as a probe, and one success brings
// it back. Pure: no timer, the balancer says what time it is. Results of calls that began before a change of state are
// not counted in the new one.
// Source: Envoy outlier detection, gRFC A50. The comparison with the peers and the single probe are ours.
import type { Call, Outcome } from '../core/call.ts';
import { isGatewayOrLocal } from '../core/classify.ts';
import type { Random } from '../core/clock.ts';
import type { EjectionRule, Emit } from '../core/events.ts';
import type { OutlierPolicy } from '../model/destination.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet } from './endpoint-set.ts';
import { NO_PROBE, type Standing, type StandingState } from './standing.ts';

/** Healthy time that takes one doubling back, ms. Source: Envoy, one per healthy sweep of 10 s. */
const HEALTHY_STEP_MS = 10_000;

/** z of the bound on the peers' side. Their rate is a guess too: taken at its face value, few peers eject one of their own by chance. */
const PEERS_Z = 1;

export interface OutlierDeps {
  /** Name of the service, for events. */
  readonly service: string;
  readonly set: EndpointSet;
  readonly random: Random;
  readonly emit: Emit;
}

export class Outlier {
  #policy: OutlierPolicy;
  readonly #deps: OutlierDeps;
  #version = 0;
  #dueMs: number = Number.POSITIVE_INFINITY;

  constructor(policy: OutlierPolicy, deps: OutlierDeps) {
    this.#policy = policy;
    this.#deps = deps;
  }

  /** Changes whenever `isIn` or `mayProbe` of an endpoint may have changed. */
  get version(): number {
    return this.#version;
  }

  update(policy: OutlierPolicy): void {
    this.#policy = policy;
    this.#changed();
  }

  /** Ejection is switched off: whoever is out comes back. */
  release(nowMs: number): void {
    for (const endpoint of this.#deps.set.all) if (endpoint.standing.state !== 'in') this.#return(endpoint, nowMs);
  }

  isIn(endpoint: LiveEndpoint): boolean {
    return endpoint.standing.state === 'in';
  }

  /** Whether the endpoint waits for a probe: a call that could be repeated, unless none such came for a whole ejection time. */
  mayProbe(endpoint: LiveEndpoint, isRepeatable: boolean): boolean {
    const { state, probeAtMs, takesAnyProbe } = endpoint.standing;
    return state === 'probation' && probeAtMs === NO_PROBE && (isRepeatable || takesAnyProbe);
  }

  /** Lets due ejections end. One comparison while nothing is due. */
  advance(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    for (const { standing } of this.#deps.set.all) {
      if (nowMs < dueOf(standing)) continue;
      if (standing.state === 'ejected') {
        enter(standing, 'probation', nowMs);
        standing.untilMs = nowMs + standing.ejectedForMs;
      } else if (standing.probeAtMs !== NO_PROBE) {
        // A probe that hangs must not keep the endpoint out for ever: another call takes its permit.
        standing.probeAtMs = NO_PROBE;
      } else {
        standing.takesAnyProbe = true;
      }
    }
    this.#changed();
  }

  /** The attempt goes to an endpoint that `mayProbe`: it is the probe. */
  beginProbe(endpoint: LiveEndpoint, attempt: Call): void {
    endpoint.standing.probeAtMs = attempt.startedAtMs;
    this.#changed();
  }

  /** How an attempt at the endpoint ended. */
  record(endpoint: LiveEndpoint, attempt: Call, outcome: Outcome): void {
    const { standing } = endpoint;
    if (standing.state === 'in') {
      if (outcome.kind !== 'ignored' && attempt.startedAtMs >= standing.sinceMs) this.#count(endpoint, outcome);
    } else if (standing.state === 'probation' && standing.probeAtMs === attempt.startedAtMs) {
      standing.probeAtMs = NO_PROBE;
      if (outcome.kind === 'success') this.#return(endpoint, outcome.endedAtMs);
      else if (outcome.kind === 'failure') this.#eject(endpoint, 'probe', 'the probe failed', outcome.endedAtMs);
      else this.#changed();
    }
  }

  #count(endpoint: LiveEndpoint, outcome: Outcome): void {
    const { standing } = endpoint;
    const { consecutiveErrors, windowMs } = this.#policy;
    const nowMs = outcome.endedAtMs;
    const isGood = outcome.kind === 'success';
    if (windowMs > 0) standing.window(windowMs).add(isGood, nowMs);
    standing.run = isGatewayOrLocal(outcome) ? standing.run + 1 : 0;
    if (isGood) return;
    if (consecutiveErrors > 0 && standing.run >= consecutiveErrors) {
      this.#tryEject(endpoint, 'consecutive', `${standing.run} gateway or local errors in a row`, nowMs);
    } else if (windowMs > 0 && this.#isWorse(endpoint, nowMs)) {
      this.#tryEject(endpoint, 'peers', 'significantly more failures than its peers', nowMs);
    }
  }

  /** Whether even the upper bound of its success rate lies `margin` below a lower bound of that of the peers. */
  #isWorse(endpoint: LiveEndpoint, nowMs: number): boolean {
    const { windowMs, callsMin, margin, z } = this.#policy;
    const own = endpoint.standing.window(windowMs);
    const calls = own.good + own.bad;
    if (calls < callsMin) return false;
    const upper = wilsonUpperBound(own.good, calls, z);
    // Even peers without a failure would not make it worse: spare the sum.
    if (upper >= 1 - margin) return false;
    let peersGood = 0;
    let peersBad = 0;
    for (const peer of this.#deps.set.all) {
      if (peer === endpoint || peer.standing.state !== 'in') continue;
      const window = peer.standing.window(windowMs);
      window.advance(nowMs);
      peersGood += window.good;
      peersBad += window.bad;
    }
    const peersCalls = peersGood + peersBad;
    if (peersCalls < callsMin) return false;
    const peersLower = 1 - wilsonUpperBound(peersBad, peersCalls, PEERS_Z);
    return upper < peersLower - margin;
  }

  /** Ejects within the limit: at most `maxEjectionPercent`, but one always may, and the last one in never. */
  #tryEject(endpoint: LiveEndpoint, rule: EjectionRule, reason: string, nowMs: number): void {
    // A late result of an endpoint that the source has dropped.
    if (endpoint.removed) return;
    const { all } = this.#deps.set;
    let out = 0;
    for (const one of all) if (one.standing.state !== 'in') out++;
    const outMax = Math.max(1, Math.floor((all.length * this.#policy.maxEjectionPercent) / 100));
    if (out >= outMax || all.length - out <= 1) return;
    this.#eject(endpoint, rule, reason, nowMs);
  }

  #eject(endpoint: LiveEndpoint, rule: EjectionRule, reason: string, nowMs: number): void {
    const { standing } = endpoint;
    const { baseEjectionMs, maxEjectionMs, jitter } = this.#policy;
    if (standing.state === 'in' && standing.ejections > 0) {
      standing.ejections = Math.max(0, standing.ejections - Math.floor((nowMs - standing.sinceMs) / HEALTHY_STEP_MS));
    }
    const forMs = Math.min(maxEjectionMs, baseEjectionMs * 2 ** Math.min(standing.ejections, 50)) * (1 + jitter * this.#deps.random());
    standing.ejections++;
    standing.ejectedForMs = forMs;
    standing.untilMs = nowMs + forMs;
    enter(standing, 'ejected', nowMs);
    this.#changed();
    this.#deps.emit({ type: 'endpointEjected', service: this.#deps.service, endpoint: endpoint.address, rule, reason, forMs });
  }

  /** The counters start anew; the exponent of the next ejection stays. */
  #return(endpoint: LiveEndpoint, nowMs: number): void {
    const { standing } = endpoint;
    standing.run = 0;
    if (this.#policy.windowMs > 0) standing.window(this.#policy.windowMs).reset();
    enter(standing, 'in', nowMs);
    this.#changed();
    this.#deps.emit({ type: 'endpointReturned', service: this.#deps.service, endpoint: endpoint.address });
  }

  /** Finds when time alone will next change something. Rare, so the set is simply walked. */
  #changed(): void {
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

/** Upper end of the Wilson score interval for `good` of `calls`. */
export function wilsonUpperBound(good: number, calls: number, z: number): number {
  const rate = good / calls;
  const z2 = z * z;
  const spread = z * Math.sqrt((rate * (1 - rate)) / calls + z2 / (4 * calls * calls));
  return (rate + z2 / (2 * calls) + spread) / (1 + z2 / calls);
}
