// Asks endpoints whether they live when no call tells it: idle ones, unhealthy ones, ejected ones. Says when and whom; how
// to ask is the probe's affair. An unhealthy endpoint takes no calls; nobody is unhealthy before a check has failed.
// Source: Envoy HealthCheck; the rule of asking only where no call tells, and the wide jitter, are ours.
import type { Endpoint } from '../core/call.ts';
import { type Clock, type Random, Timer } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import type { HealthCheckPolicy } from '../model/balancing.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet } from './endpoint-set.ts';
import { HealthRecord } from './health-record.ts';
import type { OutlierDetector } from './outlier-detector.ts';

export interface ProbeResult {
  readonly ok: boolean;
  /** Why not, for people. */
  readonly reason: string;
}

/** Asks one endpoint once, within `policy.timeoutMs`. Never rejects, and leaves no socket behind. */
export type Probe = (endpoint: Endpoint, policy: HealthCheckPolicy) => Promise<ProbeResult>;

export interface HealthChecksDeps {
  /** Name of the service, for events. */
  readonly service: string;
  readonly set: EndpointSet;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly probe: Probe;
  /** Whoever ejects now: told how the checks of those who are out ended. */
  readonly outlier: () => OutlierDetector | null;
}

/** Each pause is drawn from the interval times 1 ± this. */
const JITTER = 0.5;

/** The checks of one endpoint: waiting for the next, or under way. */
class EndpointChecks extends Timer {
  readonly endpoint: LiveEndpoint;
  readonly record: HealthRecord = new HealthRecord();
  isUnderWay = false;
  readonly #due: (checks: EndpointChecks) => void;

  constructor(endpoint: LiveEndpoint, due: (checks: EndpointChecks) => void) {
    super();
    this.endpoint = endpoint;
    this.#due = due;
  }

  fire(): void {
    this.#due(this);
  }
}

export class HealthChecks {
  #policy: HealthCheckPolicy;
  readonly #deps: HealthChecksDeps;
  readonly #checks: Map<LiveEndpoint, EndpointChecks> = new Map();
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(policy: HealthCheckPolicy, deps: HealthChecksDeps) {
    this.#policy = policy;
    this.#deps = deps;
    this.#stopListening = deps.set.onChange(() => this.#follow());
    this.#follow();
  }

  /** A reload: who is unhealthy stays so until checks by the new policy say otherwise. */
  update(policy: HealthCheckPolicy): void {
    const { kind, intervalMs } = this.#policy;
    this.#policy = policy;
    for (const checks of this.#checks.values()) {
      if (policy.kind !== kind) checks.record.startOver();
      if (policy.intervalMs !== intervalMs && !checks.isUnderWay) this.#wait(checks);
    }
  }

  /** A check now, whatever the interval says. False when there will be none, or one of another port: that proves nothing of this one. */
  ask(endpoint: LiveEndpoint): boolean {
    const checks = this.#checks.get(endpoint);
    if (checks === undefined || this.#policy.port !== 0) return false;
    if (!checks.isUnderWay) this.#deps.clock.arm(checks, this.#deps.clock.now());
    return true;
  }

  /** Nobody asks any more: who was unhealthy takes calls again. */
  release(): void {
    this.close();
    for (const endpoint of this.#deps.set.all) if (endpoint.standing.unhealthy) this.#set(endpoint, true, '');
  }

  /** Ends with the service: nothing is armed any more, and a check under way has no effect. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    for (const checks of this.#checks.values()) this.#deps.clock.disarm(checks);
    this.#checks.clear();
  }

  /** Newcomers are checked from now on, the removed no more. */
  #follow(): void {
    const all = new Set(this.#deps.set.all);
    for (const [endpoint, checks] of this.#checks) {
      if (all.has(endpoint)) continue;
      this.#deps.clock.disarm(checks);
      this.#checks.delete(endpoint);
    }
    for (const endpoint of all) {
      if (this.#checks.has(endpoint)) continue;
      const checks = new EndpointChecks(endpoint, this.#due);
      checks.record.isHealthy = !endpoint.standing.unhealthy;
      this.#checks.set(endpoint, checks);
      this.#wait(checks);
    }
  }

  #wait(checks: EndpointChecks): void {
    const { clock, random } = this.#deps;
    clock.arm(checks, clock.now() + this.#policy.intervalMs * (1 - JITTER + 2 * JITTER * random()));
  }

  readonly #due = (checks: EndpointChecks): void => {
    const { clock, probe } = this.#deps;
    if (!this.#isWanted(checks.endpoint, clock.now())) {
      this.#wait(checks);
      return;
    }
    checks.isUnderWay = true;
    probe(checks.endpoint, this.#policy).then(
      (result) => this.#ended(checks, result),
      (error: unknown) => this.#ended(checks, { ok: false, reason: error instanceof Error ? error.message : String(error) }),
    );
  };

  /** Calls tell more than checks do: who has had one in the last interval is not asked. */
  #isWanted({ standing }: LiveEndpoint, nowMs: number): boolean {
    const { always, intervalMs } = this.#policy;
    return always || standing.unhealthy || standing.state !== 'in' || nowMs - standing.usedAtMs >= intervalMs;
  }

  #ended(checks: EndpointChecks, { ok, reason }: ProbeResult): void {
    const { endpoint, record } = checks;
    checks.isUnderWay = false;
    if (this.#isClosed || this.#checks.get(endpoint) !== checks) return;
    this.#wait(checks);
    if (record.record(ok, this.#policy)) this.#set(endpoint, ok, reason);
    if (endpoint.standing.state !== 'in') this.#deps.outlier()?.checked(endpoint, ok, this.#deps.clock.now());
  }

  #set(endpoint: LiveEndpoint, isHealthy: boolean, reason: string): void {
    const { service, set, emit, clock } = this.#deps;
    endpoint.standing.unhealthy = !isHealthy;
    // A replica that was away may be cold.
    if (isHealthy) endpoint.upSinceMs = clock.now();
    set.standingChanged();
    emit(
      isHealthy
        ? { type: 'endpointHealthy', service, endpoint: endpoint.address }
        : { type: 'endpointUnhealthy', service, endpoint: endpoint.address, reason },
    );
  }
}
