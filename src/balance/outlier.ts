// Who is left out, and how they come back: our own rule. An endpoint is ejected after a run of gateway or local errors
// that chance does not explain, or when it is significantly worse than its peers; after the ejection it takes one call at
// a time as a probe, and one success brings it back. Pure: no timer, the balancer says what time it is. Results of calls
// that began before a change of state are not counted in the new one.
// Source: Envoy outlier detection, gRFC A50. The comparison with the peers and the single probe are ours.
import type { Call, Outcome } from '../core/call.ts';
import { isGatewayOrLocal } from '../core/classify.ts';
import type { EjectionRule } from '../core/events.ts';
import type { OutlierPolicy } from '../model/destination.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { OutlierDeps, OutlierDetector } from './outlier-detector.ts';
import { Probation } from './probation.ts';

/** Healthy time that takes one doubling back, ms. Source: Envoy, one per healthy sweep of 10 s. */
const HEALTHY_STEP_MS = 10_000;

/** z of the bound on the peers' side. Their rate is a guess too: taken at its face value, few peers eject one of their own by chance. */
const PEERS_Z = 1;

/**
 * A run ejects when calls that fail as often as those of the peers would make it once in 100 000 times: then an endpoint
 * at 20 calls a second with 30 % of background errors is ejected by chance less than once an hour, instead of 70 times.
 */
const RUN_SURPRISE_MIN: number = Math.log(1e5);

export class Outlier implements OutlierDetector {
  readonly neverPanics: boolean = false;
  #policy: OutlierPolicy;
  readonly #deps: OutlierDeps;
  readonly #probation: Probation;
  #isReleased = false;
  /** Of the last question for the peers. */
  #peersGood = 0;
  #peersBad = 0;

  constructor(policy: OutlierPolicy, deps: OutlierDeps) {
    this.#policy = policy;
    this.#deps = deps;
    this.#probation = new Probation(deps, false);
  }

  get version(): number {
    return this.#probation.version;
  }

  update(policy: OutlierPolicy): void {
    this.#policy = policy;
    this.#probation.changed();
  }

  release(nowMs: number): void {
    for (const endpoint of this.#deps.set.all) if (endpoint.standing.state !== 'in') this.#return(endpoint, nowMs);
    this.#isReleased = true;
  }

  isIn(endpoint: LiveEndpoint): boolean {
    return endpoint.standing.state === 'in';
  }

  mayProbe(endpoint: LiveEndpoint, isRepeatable: boolean): boolean {
    return this.#probation.mayProbe(endpoint.standing, isRepeatable);
  }

  advance(nowMs: number): void {
    this.#probation.advance(nowMs);
  }

  beginProbe(endpoint: LiveEndpoint, attempt: Call): void {
    if (!this.#isReleased) this.#probation.beginProbe(endpoint.standing, attempt);
  }

  record(endpoint: LiveEndpoint, attempt: Call, outcome: Outcome): void {
    if (this.#isReleased) return;
    const { standing } = endpoint;
    if (standing.state === 'in') {
      if (outcome.kind !== 'ignored' && attempt.startedAtMs >= standing.sinceMs) this.#count(endpoint, outcome);
    } else if (this.#probation.endProbe(standing, attempt)) {
      if (outcome.kind === 'success') this.#return(endpoint, outcome.endedAtMs);
      else if (outcome.kind === 'ignored') this.#probation.changed();
      else this.#eject(endpoint, 'probe', 'the probe failed', isConnectFailure(outcome), outcome.endedAtMs);
    }
  }

  /** The balancer heeds it already: a pause counts as latency. */
  pushBack(): void {}

  /** Only a check that was asked for counts: it brings back, or keeps out, whom failed connections put out. */
  checked(endpoint: LiveEndpoint, isPassed: boolean, nowMs: number): void {
    const { standing } = endpoint;
    if (this.#isReleased || standing.state !== 'probation' || !standing.isChecked) return;
    if (isPassed) this.#return(endpoint, nowMs);
    else this.#eject(endpoint, 'health-check', 'the health check failed', true, nowMs);
  }

  #count(endpoint: LiveEndpoint, outcome: Outcome): void {
    const { standing } = endpoint;
    const { consecutiveErrors, windowMs } = this.#policy;
    const nowMs = outcome.endedAtMs;
    const isGood = outcome.kind === 'success';
    if (windowMs > 0) standing.window(windowMs).add(isGood, nowMs);
    if (!isGatewayOrLocal(outcome)) standing.run = 0;
    else {
      standing.isConnectRun = (standing.run === 0 || standing.isConnectRun) && isConnectFailure(outcome);
      standing.run++;
    }
    if (isGood) return;
    if (consecutiveErrors > 0 && standing.run >= consecutiveErrors && this.#isSurprising(endpoint, nowMs)) {
      this.#tryEject(endpoint, 'consecutive', `${standing.run} gateway or local errors in a row`, nowMs);
    } else if (windowMs > 0 && this.#isWorse(endpoint, nowMs)) {
      this.#tryEject(endpoint, 'peers', 'significantly more failures than its peers', nowMs);
    }
  }

  /** Whether calls that fail as often as those of the peers would seldom make such a run. Without peers to ask every run is. */
  #isSurprising(endpoint: LiveEndpoint, nowMs: number): boolean {
    if (this.#policy.windowMs === 0 || this.#askPeers(endpoint, nowMs) < this.#policy.callsMin) return true;
    const share = this.#peersBad / (this.#peersGood + this.#peersBad);
    return endpoint.standing.run * -Math.log(share) >= RUN_SURPRISE_MIN;
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
    const peersCalls = this.#askPeers(endpoint, nowMs);
    if (peersCalls < callsMin) return false;
    const peersLower = 1 - wilsonUpperBound(this.#peersBad, peersCalls, PEERS_Z);
    return upper < peersLower - margin;
  }

  /** Sums up how the others that are in fared in the window, and gives the number of their calls. */
  #askPeers(endpoint: LiveEndpoint, nowMs: number): number {
    const { windowMs } = this.#policy;
    this.#peersGood = 0;
    this.#peersBad = 0;
    for (const peer of this.#deps.set.all) {
      if (peer === endpoint || peer.standing.state !== 'in') continue;
      const window = peer.standing.window(windowMs);
      window.advance(nowMs);
      this.#peersGood += window.good;
      this.#peersBad += window.bad;
    }
    return this.#peersGood + this.#peersBad;
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
    const { run, isConnectRun } = endpoint.standing;
    this.#eject(endpoint, rule, reason, isConnectRun && run >= Math.max(1, this.#policy.consecutiveErrors), nowMs);
  }

  #eject(endpoint: LiveEndpoint, rule: EjectionRule, reason: string, byConnection: boolean, nowMs: number): void {
    const { standing } = endpoint;
    const { baseEjectionMs, maxEjectionMs, jitter } = this.#policy;
    if (standing.state === 'in' && standing.ejections > 0) {
      standing.ejections = Math.max(0, standing.ejections - Math.floor((nowMs - standing.sinceMs) / HEALTHY_STEP_MS));
    }
    const forMs = Math.min(maxEjectionMs, baseEjectionMs * 2 ** Math.min(standing.ejections, 50)) * (1 + jitter * this.#deps.random());
    this.#probation.eject(endpoint, { rule, reason, forMs, byConnection }, nowMs);
  }

  /** The counters start anew; the exponent of the next ejection stays. */
  #return(endpoint: LiveEndpoint, nowMs: number): void {
    if (this.#policy.windowMs > 0) endpoint.standing.window(this.#policy.windowMs).reset();
    this.#probation.return(endpoint, nowMs);
  }
}

function isConnectFailure({ error }: Outcome): boolean {
  return error !== null && error.code === 'connect_failed';
}

/** Upper end of the Wilson score interval for `good` of `calls`. */
export function wilsonUpperBound(good: number, calls: number, z: number): number {
  const rate = good / calls;
  const z2 = z * z;
  const spread = z * Math.sqrt((rate * (1 - rate)) / calls + z2 / (4 * calls * calls));
  return (rate + z2 / (2 * calls) + spread) / (1 + z2 / calls);
}
