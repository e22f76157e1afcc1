// Envoy's outlier detection to the letter: runs act with each answer, everything else at sweeps. There is no timer:
// sweeps that are due are made up for, each as of its own time, before anything else is counted. No probe: who has
// served its time is back at the next sweep.
// Source: Envoy outlier_detection_impl.cc, router.cc (what is reported to it); gRFC A50 for `capCheck: before`.
import type { Call, Outcome } from '../core/call.ts';
import type { MeshError } from '../core/errors.ts';
import type { EjectionRule } from '../core/events.ts';
import type { EnvoyOutlierPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';
import { EnvoyCounters, type OriginCounts } from './envoy-counters.ts';
import type { OutlierDeps, OutlierDetector } from './outlier-detector.ts';

type Origin = 'external' | 'local';

export class EnvoyOutlier implements OutlierDetector {
  readonly neverPanics: boolean = false;
  #policy: EnvoyOutlierPolicy;
  readonly #deps: OutlierDeps;
  #version = 0;
  #sweptAtMs: number;
  #dueMs: number;
  #isReleased = false;

  constructor(policy: EnvoyOutlierPolicy, deps: OutlierDeps, nowMs: number) {
    this.#policy = policy;
    this.#deps = deps;
    this.#sweptAtMs = nowMs;
    this.#dueMs = nowMs + this.#intervalMs;
  }

  get version(): number {
    return this.#version;
  }

  update(policy: EnvoyOutlierPolicy): void {
    this.#policy = policy;
    this.#dueMs = this.#sweptAtMs + this.#intervalMs;
  }

  isIn(endpoint: LiveEndpoint): boolean {
    return endpoint.standing.state === 'in';
  }

  mayProbe(): boolean {
    return false;
  }

  beginProbe(): void {}

  pushBack(): void {}

  advance(nowMs: number): void {
    if (nowMs < this.#dueMs || this.#isReleased) return;
    const intervalMs = this.#intervalMs;
    while (this.#dueMs <= nowMs) {
      this.#sweep(this.#dueMs);
      this.#sweptAtMs = this.#dueMs;
      this.#dueMs += intervalMs;
      // A sweep empties the counts. With nobody out and nothing to forget the rest of a long pause changes nothing.
      if (this.#isSettled()) {
        this.#sweptAtMs += Math.floor((nowMs - this.#sweptAtMs) / intervalMs) * intervalMs;
        this.#dueMs = this.#sweptAtMs + intervalMs;
      }
    }
  }

  record(endpoint: LiveEndpoint, _attempt: Call, outcome: Outcome): void {
    if (this.#isReleased || endpoint.removed) return;
    const { status, error, kind, endedAtMs: nowMs } = outcome;
    this.advance(nowMs);
    const counters = (endpoint.standing.envoy ??= new EnvoyCounters());
    const isSplit = this.#policy.splitLocalOrigin;
    const failure = kind === 'failure' ? error : null;
    // A connection says that the endpoint is there, whatever comes of the call.
    if (isSplit && (status !== 0 || (failure !== null && hadConnection(failure)))) this.#localOrigin(endpoint, counters, true, nowMs);
    // The head counts even if the caller went away later.
    if (status !== 0) this.#answered(endpoint, counters, this.#codeOf(status), nowMs);
    if (failure === null) return;
    const code = codeOfError(failure);
    // The time of a call may end while its body comes: that is nobody's failure.
    if (code === 504 && status !== 0) return;
    if (!isSplit) this.#answered(endpoint, counters, code, nowMs);
    else if (code === 500) this.#answered(endpoint, counters, 503, nowMs);
    else this.#localOrigin(endpoint, counters, false, nowMs);
  }

  /** `successful_active_health_check_uneject_host`, on by default. */
  checked(endpoint: LiveEndpoint, isPassed: boolean, nowMs: number): void {
    if (isPassed && !this.#isReleased && endpoint.standing.state !== 'in') this.#return(endpoint, nowMs);
  }

  release(nowMs: number): void {
    for (const endpoint of this.#deps.set.all) {
      if (endpoint.standing.state !== 'in') this.#return(endpoint, nowMs);
      endpoint.standing.envoy = null;
    }
    this.#isReleased = true;
  }

  /** Never nothing: sweeps are made up for one by one. */
  get #intervalMs(): number {
    return Math.max(1, this.#policy.intervalMs);
  }

  /** The status that counts: with a set of our own, 500 for what is in it and 200 for the rest. */
  #codeOf(status: number): number {
    const { errorStatuses } = this.#policy;
    if (errorStatuses === null) return status;
    if (!errorStatuses.some(([from, to]) => status >= from && status <= to)) return 200;
    return is5xx(status) ? status : 500;
  }

  #answered(endpoint: LiveEndpoint, counters: EnvoyCounters, code: number, nowMs: number): void {
    const { consecutive5xx, consecutiveGatewayErrors } = this.#policy;
    counters.external.add(!is5xx(code));
    if (!is5xx(code)) {
      counters.run5xx = 0;
      counters.runGateway = 0;
      return;
    }
    if (isGateway(code)) {
      counters.runGateway++;
      if (this.#isDetected(endpoint, counters.runGateway, consecutiveGatewayErrors)) {
        this.#tryEject(endpoint, counters, 'gateway', `${counters.runGateway} gateway errors in a row`, nowMs);
        counters.runGateway = 0;
      }
    } else counters.runGateway = 0;
    counters.run5xx++;
    if (this.#isDetected(endpoint, counters.run5xx, consecutive5xx)) {
      this.#tryEject(endpoint, counters, 'consecutive', `${counters.run5xx} answers of 5xx in a row`, nowMs);
      counters.run5xx = 0;
    }
  }

  #localOrigin(endpoint: LiveEndpoint, counters: EnvoyCounters, isGood: boolean, nowMs: number): void {
    counters.local.add(isGood);
    if (isGood) {
      counters.runLocal = 0;
      return;
    }
    counters.runLocal++;
    if (this.#isDetected(endpoint, counters.runLocal, this.#policy.consecutiveLocalOriginErrors)) {
      this.#tryEject(endpoint, counters, 'local-origin', `${counters.runLocal} local errors in a row`, nowMs);
      counters.runLocal = 0;
    }
  }

  /** Of one that is out already nothing is detected, and its counters run on until it returns. */
  #isDetected(endpoint: LiveEndpoint, run: number, most: number): boolean {
    return most > 0 && run >= most && endpoint.standing.state === 'in';
  }

  #tryEject(endpoint: LiveEndpoint, counters: EnvoyCounters, rule: EjectionRule, reason: string, nowMs: number): void {
    if (!this.#fits()) return;
    const { standing } = endpoint;
    const { baseEjectionMs, jitterMs } = this.#policy;
    counters.ejectedAtMs = nowMs;
    counters.jitterMs = Math.floor(this.#deps.random() * (jitterMs + 1));
    if (counters.multiplier * baseEjectionMs < this.#longestMs() + baseEjectionMs) counters.multiplier++;
    const forMs = this.#ejectionMs(counters);
    standing.state = 'ejected';
    standing.sinceMs = nowMs;
    standing.ejectedForMs = forMs;
    this.#version++;
    this.#deps.emit({ type: 'endpointEjected', service: this.#deps.service, endpoint: endpoint.address, rule, reason, forMs });
  }

  /** Whether one more may be out. */
  #fits(): boolean {
    const { maxEjectionPercent, alwaysEjectOne, capCheck } = this.#policy;
    const { all } = this.#deps.set;
    let out = 0;
    for (const { standing } of all) if (standing.state !== 'in') out++;
    if (capCheck === 'before') return out === 0 || (100 * out) / all.length < maxEjectionPercent;
    return (alwaysEjectOne && out === 0) || (100 * (out + 1)) / all.length <= Math.min(100, maxEjectionPercent);
  }

  #longestMs(): number {
    return Math.max(this.#policy.maxEjectionMs, this.#policy.baseEjectionMs);
  }

  #ejectionMs(counters: EnvoyCounters): number {
    return Math.min(this.#policy.baseEjectionMs * counters.multiplier, this.#longestMs()) + counters.jitterMs;
  }

  #return(endpoint: LiveEndpoint, nowMs: number): void {
    const { standing } = endpoint;
    standing.state = 'in';
    standing.sinceMs = nowMs;
    const counters = (standing.envoy ??= new EnvoyCounters());
    counters.resetRuns();
    counters.returnedAtMs = nowMs;
    this.#version++;
    this.#deps.emit({ type: 'endpointReturned', service: this.#deps.service, endpoint: endpoint.address });
  }

  #sweep(nowMs: number): void {
    const { all } = this.#deps.set;
    for (const endpoint of all) {
      const counters = endpoint.standing.envoy;
      if (counters === null) continue;
      if (endpoint.standing.state !== 'in' && this.#ejectionMs(counters) <= nowMs - counters.ejectedAtMs) this.#return(endpoint, nowMs);
      counters.external.swap();
      counters.local.swap();
    }
    this.#compare('external', nowMs);
    this.#compare('local', nowMs);
    for (const { standing } of all) {
      const counters = standing.envoy;
      if (counters === null || standing.state !== 'in' || counters.multiplier === 0) continue;
      if (nowMs - counters.returnedAtMs >= this.#intervalMs) counters.multiplier--;
    }
  }

  /** Success rates and failure percentages of the last full interval. */
  #compare(origin: Origin, nowMs: number): void {
    const { successRate, failurePercentage } = this.#policy;
    if (successRate === null && failurePercentage === null) return;
    const inBefore = this.#deps.set.all.filter(({ standing }) => standing.state === 'in' && (standing.envoy?.[origin].lastTotal ?? 0) > 0);
    if (successRate !== null) {
      const enough = inBefore.filter((endpoint) => countsOf(endpoint, origin).lastTotal >= successRate.callsMin);
      if (enough.length > 0 && enough.length >= successRate.hostsMin) {
        const rates = enough.map((endpoint) => countsOf(endpoint, origin).successRate);
        const least = successRateThreshold(rates, successRate.factor);
        enough.forEach((endpoint, index) => {
          const rate = rates[index] as number;
          if (rate >= least) return;
          const reason = `${rate.toFixed(1)} % of its calls succeeded, below ${least.toFixed(1)} %`;
          this.#tryEject(endpoint, endpoint.standing.envoy as EnvoyCounters, 'success-rate', reason, nowMs);
        });
      }
    }
    if (failurePercentage === null) return;
    const enough = inBefore.filter((endpoint) => countsOf(endpoint, origin).lastTotal >= failurePercentage.callsMin);
    if (enough.length === 0 || enough.length < failurePercentage.hostsMin) return;
    for (const endpoint of enough) {
      const failed = 100 - countsOf(endpoint, origin).successRate;
      if (failed < failurePercentage.threshold || endpoint.standing.state !== 'in') continue;
      const reason = `${failed.toFixed(1)} % of its calls failed`;
      this.#tryEject(endpoint, endpoint.standing.envoy as EnvoyCounters, 'failure-percentage', reason, nowMs);
    }
  }

  #isSettled(): boolean {
    return this.#deps.set.all.every(
      ({ standing }) => standing.state === 'in' && (standing.envoy === null || standing.envoy.multiplier === 0),
    );
  }
}

/** Mean less `factor` population standard deviations. */
export function successRateThreshold(rates: readonly number[], factor: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - factor * Math.sqrt(variance);
}

function countsOf(endpoint: LiveEndpoint, origin: Origin): OriginCounts {
  return (endpoint.standing.envoy as EnvoyCounters)[origin];
}

function is5xx(code: number): boolean {
  return code >= 500 && code < 600;
}

function isGateway(code: number): boolean {
  return code === 502 || code === 503 || code === 504;
}

/** Envoy's router reports a connection that fails or breaks as one thing, and time that runs out before the head as another. */
function codeOfError({ code }: MeshError): 500 | 503 | 504 {
  switch (code) {
    case 'attempt_timeout':
    case 'deadline_exceeded':
      return 504;
    case 'connect_failed':
    case 'not_processed':
    case 'connection_lost':
    case 'protocol_error':
      return 503;
    default:
      return 500;
  }
}

function hadConnection({ code, sent }: MeshError): boolean {
  return code === 'not_processed' || (code !== 'connect_failed' && sent !== 'none');
}
