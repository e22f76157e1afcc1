// Linkerd's failure accrual: a run of failures, or in unified mode a low success rate, shuts an endpoint; after the penalty
// one call probes, whatever its kind. It knows no peers and no limit: all may be out, and then calls are refused.
// Source: linkerd2-proxy breaker/unified.rs, breaker/success_rate.rs, exp-backoff; balancer.linkerd.io annotations.
import type { Call, Outcome } from '../core/call.ts';
import type { EjectionRule } from '../core/events.ts';
import type { LinkerdOutlierPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { OutlierDeps, OutlierDetector } from './outlier-detector.ts';
import { Probation } from './probation.ts';

/** Longest Retry-After that is honoured, ms. Source: linkerd2-proxy `DEFAULT_RETRY_AFTER_MAX_DURATION`. */
const PAUSE_MS_MAX = 300_000;

const TOO_MANY_REQUESTS = 429;

export class LinkerdOutlier implements OutlierDetector {
  readonly neverPanics: boolean = true;
  #policy: LinkerdOutlierPolicy;
  readonly #deps: OutlierDeps;
  readonly #probation: Probation;
  #isReleased = false;

  constructor(policy: LinkerdOutlierPolicy, deps: OutlierDeps) {
    this.#policy = policy;
    this.#deps = deps;
    this.#probation = new Probation(deps, true);
  }

  get version(): number {
    return this.#probation.version;
  }

  update(policy: LinkerdOutlierPolicy): void {
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
    const isUnified = this.#policy.successRate !== null;
    if (standing.state === 'in') {
      if (outcome.kind !== 'ignored' && attempt.startedAtMs >= standing.sinceMs) this.#count(endpoint, outcome);
    } else if (this.#probation.endProbe(standing, attempt)) {
      if (outcome.kind === 'ignored') this.#probation.changed();
      else if (outcome.kind === 'failure') this.#shut(endpoint, 'probe', 'the probe failed', outcome.endedAtMs);
      // An endpoint that still limits its callers has not recovered.
      else if (isUnified && outcome.status === TOO_MANY_REQUESTS) this.#shut(endpoint, 'probe', 'the probe was limited', outcome.endedAtMs);
      else this.#return(endpoint, outcome.endedAtMs);
    }
  }

  /** Honoured in unified mode, as a floor of the penalty. The latest hint counts: one that recovers may ask for less. */
  pushBack(endpoint: LiveEndpoint, forMs: number, nowMs: number): void {
    if (this.#isReleased || this.#policy.successRate === null) return;
    const { standing } = endpoint;
    standing.pausedUntilMs = nowMs + Math.min(forMs, PAUSE_MS_MAX);
    if (standing.state !== 'ejected' || standing.pausedUntilMs <= standing.untilMs) return;
    // The answer that shut it was recorded before its header was read.
    standing.untilMs = standing.pausedUntilMs;
    this.#probation.changed();
  }

  checked(): void {}

  #count(endpoint: LiveEndpoint, outcome: Outcome): void {
    const { standing } = endpoint;
    const { failuresMax, successRate } = this.#policy;
    const nowMs = outcome.endedAtMs;
    const isGood = outcome.kind === 'success';
    standing.run = isGood ? 0 : standing.run + 1;
    if (successRate !== null) standing.window(successRate.windowMs).add(isGood && outcome.status !== TOO_MANY_REQUESTS, nowMs);
    if (failuresMax > 0 && standing.run >= failuresMax) {
      this.#shut(endpoint, 'consecutive', `${standing.run} failures in a row`, nowMs);
      return;
    }
    if (successRate === null) return;
    const { good, bad } = standing.window(successRate.windowMs);
    const calls = good + bad;
    if (calls < successRate.callsMin || good / calls >= successRate.threshold) return;
    this.#shut(endpoint, 'success-rate', `${good} of its last ${calls} calls succeeded`, nowMs);
  }

  #shut(endpoint: LiveEndpoint, rule: EjectionRule, reason: string, nowMs: number): void {
    // A late result of an endpoint that the source has dropped.
    if (endpoint.removed) return;
    const { standing } = endpoint;
    const { penaltyMinMs, penaltyMaxMs, jitter } = this.#policy;
    // Every shutting starts anew; only failed probes double.
    if (standing.state === 'in') standing.ejections = 0;
    const baseMs = Math.min(penaltyMaxMs, penaltyMinMs * 2 ** Math.min(standing.ejections, 50));
    const ownMs = Math.min(penaltyMaxMs, baseMs * (1 + jitter * this.#deps.random()));
    const forMs = Math.max(ownMs, standing.pausedUntilMs - nowMs);
    this.#probation.eject(endpoint, { rule, reason, forMs, byConnection: false }, nowMs);
  }

  #return(endpoint: LiveEndpoint, nowMs: number): void {
    const { successRate } = this.#policy;
    if (successRate !== null) endpoint.standing.window(successRate.windowMs).reset();
    this.#probation.return(endpoint, nowMs);
  }
}
