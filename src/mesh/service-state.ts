// What lives as long as a service is configured, across reloads: endpoints with all that was learnt of them, budget,
// circuit, limits, ejections, pools. A reload prepares everything first and commits only when all of it can be had.
import { EndpointSet } from '../balance/endpoint-set.ts';
import type { HealthChecks, Probe } from '../balance/health-checks.ts';
import { reloadOwnOutlier } from '../balance/own-outlier.ts';
import type { LiveEndpoint } from '../balance/endpoint.ts';
import type { OutlierDetector } from '../balance/outlier-detector.ts';
import type { EndListener, Endpoint } from '../core/call.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import { type Layer, type Service, wrap } from '../core/service.ts';
import { type DnsResolver, type EndpointSource, loadSource, type MakeSource, type ParseEndpoints } from '../discovery/source.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { ServiceConfig } from '../model/config.ts';
import type { TlsPolicy } from '../model/destination.ts';
import { Breaker } from '../resilience/breaker.ts';
import { loadTrip, type Trip } from '../resilience/breaker-trip.ts';
import { amplification } from '../resilience/amplification.ts';
import { Limits } from '../resilience/limits.ts';
import { type BudgetDeps, plainBudget } from '../resilience/plain-budget.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';
import { RetryMargin } from '../resilience/retry-margin.ts';
import type { Throttle } from '../resilience/throttle.ts';
import { utilization } from '../resilience/utilization.ts';
import type { TokenBucket } from '../route/token-bucket.ts';
import { type EndpointTransport, endpointTransport, ServiceTransport } from '../transport/pool.ts';
import { loadTls } from '../transport/tls-room.ts';
import { needed, type Parts } from './parts.ts';

export interface ServiceStateDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly identity: IdentitySource | null;
  readonly parseEndpoints: ParseEndpoints;
  readonly resolver?: DnsResolver | undefined;
  /** Replaces the transport below every endpoint; for tests and simulation. */
  readonly leaf?: ((endpoint: Endpoint, service: string, tlsNow: () => TlsPolicy) => Service) | undefined;
  /** How health checks ask, where `leaf` replaces the transport. @default nobody asks */
  readonly probe?: Probe | undefined;
  /** Layers of the user around the transport. */
  readonly endpointLayers: readonly Layer[];
}

/** All that a commit needs and that may fail. */
export interface PreparedService {
  readonly config: ServiceConfig;
  readonly trip: Trip | null;
  readonly transport: ServiceTransport | null;
  readonly deps: ServiceStateDeps;
  readonly parts: Parts;
  readonly makeSource: MakeSource;
}

/** What a transport is made of. */
type TransportSource = Pick<PreparedService, 'config' | 'deps'>;

function sameTransport({ config: a, deps: aDeps }: TransportSource, { config: b, deps: bDeps }: TransportSource): boolean {
  const key = ({ protocol, tls, limits, connections }: ServiceConfig): string => JSON.stringify([protocol, tls, limits, connections]);
  return key(a) === key(b) && aDeps.identity === bDeps.identity && (a.limits.maxConnections === 0 || staticCount(a) === staticCount(b));
}

function staticCount({ endpoints }: ServiceConfig): number {
  return endpoints.kind === 'static' ? endpoints.endpoints.length : 1;
}

export class ServiceState {
  readonly name: string;
  budget: RetryBudget;
  readonly margin: RetryMargin;
  readonly limits: Limits = new Limits();
  /** null: no rate limit. */
  bucket: TokenBucket | null = null;
  throttle: Throttle | null = null;
  readonly set: EndpointSet;
  breaker: Breaker | null = null;
  outlier: OutlierDetector | null = null;
  #health: HealthChecks | null = null;
  /** Settles when the first set of endpoints is known, or could not be had. */
  readonly ready: Promise<void>;
  #config: ServiceConfig;
  #deps: ServiceStateDeps;
  #transport: ServiceTransport | null;
  #source: EndpointSource | null = null;
  /** What the source was made of. */
  #sourceOf: ServiceConfig['endpoints'] | null = null;
  #setReady: () => void = () => {};
  readonly #transports: Map<Endpoint, EndpointTransport> = new Map();

  constructor(prepared: PreparedService) {
    const { config, deps } = prepared;
    this.name = config.name;
    this.#config = config;
    this.#deps = deps;
    this.#transport = prepared.transport;
    this.budget = budgetOf(prepared, { nowMs: deps.clock.now(), inFlight: this.limits });
    this.margin = this.#newMargin();
    this.set = new EndpointSet(config.loadBalancer, this.#setDeps());
    this.ready = new Promise((resolve) => {
      this.#setReady = resolve;
    });
    this.commit(prepared);
  }

  /** Reads certificates, loads the breaker's rule. Rejects with a plain sentence; nothing is changed. */
  static async prepare(
    config: ServiceConfig,
    before: ServiceState | undefined,
    deps: ServiceStateDeps,
    parts: Parts,
  ): Promise<PreparedService> {
    const trip = config.circuitBreaker === null ? null : await loadTrip(config.circuitBreaker);
    if (config.tls.mode !== 'disable') await loadTls();
    const isKept =
      before !== undefined &&
      before.#transport !== null &&
      deps.leaf === undefined &&
      sameTransport({ config: before.#config, deps: before.#deps }, { config, deps });
    const transport = isKept ? before.#transport : deps.leaf === undefined ? newTransport(config, deps) : null;
    return { config, trip, transport, deps, parts, makeSource: await loadSource(config.endpoints) };
  }

  get config(): ServiceConfig {
    return this.#config;
  }

  /** Takes over what was prepared. Cannot fail. */
  commit(prepared: PreparedService): void {
    const { config, trip, transport, deps, parts, makeSource } = prepared;
    const isNewTransport = transport !== this.#transport;
    const isNewBalancer = JSON.stringify(config.loadBalancer) !== JSON.stringify(this.#config.loadBalancer);
    const before = this.#transport;
    const old = isNewTransport ? [...this.#transports.values()] : [];
    if (transport !== null) this.#listen(transport);
    this.#config = config;
    this.#deps = { ...deps, endpointLayers: this.#deps.endpointLayers };
    this.#transport = transport;
    this.budget = budgetOf(prepared, { nowMs: deps.clock.now(), inFlight: this.limits, before: this.budget });
    this.#commitBreaker(trip);
    this.#commitBucket(parts);
    this.#commitThrottle(parts);
    this.#commitOutlier(parts);
    this.#commitHealth(parts);
    if (isNewTransport) this.#transports.clear();
    if (isNewTransport || isNewBalancer) this.set.configure(config.loadBalancer, this.#setDeps());
    this.#startSource(makeSource);
    for (const transport of old) transport.close();
    if (isNewTransport) before?.close();
    transport?.start();
  }

  /** Other layers of the user around the transport; pools stay. */
  useLayers(endpointLayers: readonly Layer[]): void {
    const known = this.#deps.endpointLayers;
    if (known.length === endpointLayers.length && known.every((layer, index) => layer === endpointLayers[index])) return;
    this.#deps = { ...this.#deps, endpointLayers };
    this.set.configure(this.#config.loadBalancer, this.#setDeps());
  }

  fastestMs(): number {
    return this.set.fastestMs;
  }

  /** Calls in flight finish; sockets close when idle. */
  close(): void {
    this.#source?.close();
    this.#source = null;
    this.#health?.close();
    this.#setReady();
    for (const transport of this.#transports.values()) transport.close();
    this.#transports.clear();
    this.#transport?.close();
  }

  #newMargin(): RetryMargin {
    return new RetryMargin({
      service: this.name,
      calls: () => this.limits.admitted,
      utilization: () => utilization(this.set.all),
      amplification: (callsPerSecond) => amplification(this.#config.retries, this.#config.retryBudget, callsPerSecond),
      emit: this.#deps.emit,
    });
  }

  #setDeps(): ConstructorParameters<typeof EndpointSet>[1] {
    return { leaf: (endpoint) => this.#leaf(endpoint), onDrained: (endpoint) => this.#drop(endpoint) };
  }

  #leaf(endpoint: Endpoint): Service {
    const { leaf, endpointLayers } = this.#deps;
    if (leaf !== undefined) return wrap(this.#watched(leaf(endpoint, this.name, () => this.#config.tls)), endpointLayers);
    const known = this.#transports.get(endpoint);
    const transport = known ?? endpointTransport(endpoint, this.#transport as ServiceTransport);
    this.#transports.set(endpoint, transport);
    return wrap(transport.service, endpointLayers);
  }

  /** A transport that was handed in does not know the source; one that looks names up wants to hear of failed connections all the same. */
  #watched(leaf: Service): Service {
    if (this.#config.endpoints.kind !== 'dns') return leaf;
    return (attempt) => {
      attempt.onEnd(this.#onLeafEnd);
      return leaf(attempt);
    };
  }

  readonly #onLeafEnd: EndListener = (_attempt, { error }) => {
    if (error !== null && error.code === 'connect_failed') this.#source?.refresh();
  };

  #drop(endpoint: Endpoint): void {
    this.#transports.get(endpoint)?.close();
    this.#transports.delete(endpoint);
  }

  #commitBreaker(trip: Trip | null): void {
    const { circuitBreaker } = this.#config;
    if (circuitBreaker === null || trip === null) {
      this.breaker = null;
      return;
    }
    if (this.breaker !== null) {
      this.breaker.update(circuitBreaker, trip);
      return;
    }
    const { random, emit } = this.#deps;
    const service = this.name;
    this.breaker = new Breaker(circuitBreaker, trip, {
      random,
      onChange(state, reason, forMs) {
        if (state === 'open' || state === 'isolated') emit({ type: 'circuitOpened', service, reason, forMs });
        else if (state === 'halfOpen') emit({ type: 'circuitHalfOpened', service });
        else emit({ type: 'circuitClosed', service });
      },
    });
  }

  #commitBucket({ rateLimit: part }: Parts): void {
    const { rateLimit } = this.#config;
    const nowMs = this.#deps.clock.now();
    if (rateLimit === undefined) this.bucket = null;
    else if (this.bucket === null) this.bucket = new (needed(part).TokenBucket)(rateLimit, nowMs);
    else this.bucket.update(rateLimit, nowMs);
  }

  #commitThrottle({ throttle: part }: Parts): void {
    const { throttle } = this.#config;
    if (throttle === null) this.throttle = null;
    else if (this.throttle === null) this.throttle = new (needed(part).Throttle)(throttle);
    else this.throttle.update(throttle);
  }

  #listen(transport: ServiceTransport): void {
    transport.onConnectFailure = () => this.#source?.refresh();
    transport.onPeerUntrusted = ({ address }, message) =>
      this.#deps.emit({ type: 'peerUntrusted', service: this.name, endpoint: address, message });
    transport.onBodyUnread = ({ address: endpoint }, forMs) => this.#deps.emit({ type: 'bodyUnread', service: this.name, endpoint, forMs });
    transport.onCertificateRefused = ({ address }, message) =>
      this.#deps.emit({ type: 'certificateRefused', service: this.name, endpoint: address, message });
    transport.onIdentityFailed = (message) => this.#deps.emit({ type: 'identityFailed', service: this.name, message });
  }

  #commitOutlier({ outlier: part }: Parts): void {
    const { clock, random, emit } = this.#deps;
    const deps = {
      service: this.name,
      set: this.set,
      random,
      emit,
      askCheck: (endpoint: LiveEndpoint) => this.#health?.ask(endpoint) === true,
    };
    const { outlierDetection: policy } = this.#config;
    const nowMs = clock.now();
    if (policy === null || policy.kind === 'inmesh') this.outlier = reloadOwnOutlier(this.outlier, policy, deps, nowMs);
    else this.outlier = needed(part).reloadOutlier(this.outlier, policy, deps, nowMs);
  }

  #commitHealth({ health: part }: Parts): void {
    const { healthCheck } = this.#config;
    const { clock, random, emit, leaf, probe } = this.#deps;
    // What replaces the transport answers no checks, unless it says how.
    if (healthCheck === null || (leaf !== undefined && probe === undefined)) {
      this.#health?.release();
      this.#health = null;
    } else if (this.#health === null) {
      const { HealthChecks, endpointProbe } = needed(part);
      const ask = leaf === undefined ? endpointProbe(() => this.#transport as ServiceTransport) : (probe as Probe);
      this.#health = new HealthChecks(healthCheck, {
        service: this.name,
        set: this.set,
        clock,
        random,
        emit,
        probe: ask,
        outlier: () => this.outlier,
      });
    } else this.#health.update(healthCheck);
  }

  #startSource(make: MakeSource): void {
    const { endpoints } = this.#config;
    const before = this.#sourceOf;
    this.#sourceOf = endpoints;
    if (before !== null && JSON.stringify(endpoints) === JSON.stringify(before)) return;
    const old = this.#source;
    const { clock, random, emit, parseEndpoints, resolver } = this.#deps;
    const source = make({
      clock,
      random,
      parseEndpoints,
      ...(resolver === undefined ? {} : { resolver }),
    });
    this.#source = source;
    source.start(
      (endpoints) => {
        const { added, removed } = this.set.update(endpoints, clock.now());
        this.#setReady();
        if (added.length > 0) this.breaker?.probeSoon(clock.now());
        if (added.length + removed.length > 0) emit({ type: 'endpointsChanged', service: this.name, added, removed });
      },
      (message) => {
        this.#setReady();
        emit({ type: 'discoveryFailed', service: this.name, message });
      },
    );
    old?.close();
  }
}

function budgetOf({ config: { retryBudget }, parts }: PreparedService, deps: BudgetDeps): RetryBudget {
  return plainBudget(retryBudget, deps) ?? needed(parts.budget).makeBudget(retryBudget, deps);
}

function newTransport(config: ServiceConfig, deps: ServiceStateDeps): ServiceTransport {
  const { name: service, protocol, tls, limits, connections } = config;
  return new ServiceTransport(
    { service, protocol, tls, limits, connections, endpoints: staticCount(config) },
    { clock: deps.clock, identity: deps.identity, random: deps.random },
  );
}
