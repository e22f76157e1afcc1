// All that a mesh counts. Layers and policies are handed their series when a stack is built; state of others (budget,
// circuit, limits, endpoints) is read when somebody collects; rare things come as events. Outlives reloads: counters only
// grow. Knows nothing of OpenTelemetry.
import type { Clock } from '../core/clock.ts';
import type { MeshEvent } from '../core/events.ts';
import { CallSeries } from './call-series.ts';
import { DestinationSeries } from './destination-series.ts';
import { Family, SERIES_MAX } from './family.ts';
import { type MeterSnapshot, meterSnapshot } from './meter-snapshot.ts';
import { type CounterName, type GaugeName, type HistogramName, METRICS, type MetricName } from './metrics.ts';
import { type ActionCounter, actionCounter } from './action-counter.ts';
import { GrpcClientSeries, type GrpcFamilies, GrpcServerSeries, type GrpcSink } from './grpc-series.ts';
import { rpcLabels, RpcSeries } from './rpc-series.ts';
import { MESH_POLICY, MESH_REASON, MESH_SERVICE, MESH_STATE } from './semconv.ts';
import { type Attributes, Counter, Gauge, Histogram } from './series.ts';
import { ServerSeries } from './server-series.ts';

export interface MeterOptions {
  readonly clock: Clock;
  /** Series per metric, overflow included. @default 2000 */
  readonly seriesMax?: number;
}

export class Meter {
  /** Unix time, ms; where all sums start. */
  readonly startedAtMs: number;
  /** Metric producers handed out: with one, nothing is observed through the global MeterProvider. */
  producers = 0;
  readonly families: ReadonlyMap<MetricName, Family<Histogram> | Family<Counter> | Family<Gauge>>;
  readonly #seriesMax: number;
  readonly #histograms: Map<string, Family<Histogram>> = new Map();
  readonly #counters: Map<string, Family<Counter>> = new Map();
  readonly #gauges: Map<string, Family<Gauge>> = new Map();
  readonly #services: Map<string, CallSeries> = new Map();
  readonly #rpcs: Map<string, RpcSeries> = new Map();
  readonly #destinations: Map<string, DestinationSeries> = new Map();
  #server: ServerSeries | null = null;
  readonly #grpcs: Map<string, GrpcClientSeries> = new Map();
  readonly #grpcFamilies: GrpcFamilies = { counter: (name) => this.#counter(name), histogram: (name) => this.#histogram(name) };
  #serverRpc: RpcSeries | null = null;
  #serverGrpc: GrpcServerSeries | null = null;
  #overflowCalls: CallSeries | null = null;
  #overflowDestination: DestinationSeries | null = null;

  constructor(options: MeterOptions) {
    this.startedAtMs = options.clock.wall();
    const seriesMax = options.seriesMax ?? SERIES_MAX;
    this.#seriesMax = seriesMax;
    const families = new Map<MetricName, Family<Histogram> | Family<Counter> | Family<Gauge>>();
    for (const definition of METRICS) {
      const { name, kind } = definition;
      if (kind === 'histogram') {
        const make = (attributes: Attributes): Histogram => new Histogram(attributes, definition.buckets);
        this.#histograms.set(name, new Family(definition, make, seriesMax));
      } else if (kind === 'counter') this.#counters.set(name, new Family(definition, (attributes) => new Counter(attributes), seriesMax));
      else this.#gauges.set(name, new Family(definition, (attributes) => new Gauge(attributes), seriesMax));
      families.set(name, (this.#histograms.get(name) ?? this.#counters.get(name) ?? this.#gauges.get(name)) as Family<Histogram>);
    }
    this.families = families;
  }

  /** Calls to a service. */
  service(service: string): CallSeries {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    if (this.#services.size < this.#seriesMax - 1) {
      const series = this.#callSeries(service, { [MESH_SERVICE]: service });
      this.#services.set(service, series);
      return series;
    }
    this.#overflowCalls ??= this.#callSeries('', null);
    return this.#overflowCalls;
  }

  /** gRPC calls to a service. */
  rpc(service: string): RpcSeries {
    let series = this.#rpcs.get(service);
    if (series === undefined) {
      series = new RpcSeries(this.#histogram('rpc.client.call.duration'), rpcLabels(service));
      this.#rpcs.set(service, series);
    }
    return series;
  }

  /** gRPC calls that servers of this process answer. */
  serverRpc(): RpcSeries {
    this.#serverRpc ??= new RpcSeries(this.#histogram('rpc.server.call.duration'), rpcLabels(''));
    return this.#serverRpc;
  }

  /** gRPC calls to a service, under gRPC's own names. */
  grpc(service: string, sink: GrpcSink | null): GrpcClientSeries {
    let series = this.#grpcs.get(service);
    if (series === undefined) {
      series = new GrpcClientSeries(this.#grpcFamilies, service, sink);
      this.#grpcs.set(service, series);
    }
    return series;
  }

  /** gRPC calls that servers of this process answer, under gRPC's own names. */
  serverGrpc(sink: GrpcSink | null): GrpcServerSeries {
    this.#serverGrpc ??= new GrpcServerSeries(this.#grpcFamilies, sink);
    return this.#serverGrpc;
  }

  /** Attempts at a destination (`service` or `service/subset`) for one route of a service. */
  destination(service: string, destination: string, route: string): DestinationSeries {
    const key = JSON.stringify([service, destination, route]);
    const known = this.#destinations.get(key);
    if (known !== undefined) return known;
    const families = {
      duration: this.#histogram('http.client.request.duration'),
      retries: this.#counter('inmesh.retries'),
      denied: this.#counter('inmesh.retries.denied'),
    };
    if (this.#destinations.size < this.#seriesMax - 1) {
      const series = new DestinationSeries({ service, destination, route }, families);
      this.#destinations.set(key, series);
      this.#gauge('inmesh.active_attempts')
        .of(series.labels)
        .addReader(() => series.inFlight);
      return series;
    }
    if (this.#overflowDestination === null) {
      const series = new DestinationSeries(null, families);
      this.#gauge('inmesh.active_attempts')
        .overflow()
        .addReader(() => series.inFlight);
      this.#overflowDestination = series;
    }
    return this.#overflowDestination;
  }

  /** Calls that servers of this process answer. */
  server(): ServerSeries {
    if (this.#server === null) {
      const series = new ServerSeries(this.#histogram('http.server.request.duration'), this.#seriesMax);
      this.#gauge('http.server.active_requests')
        .of({})
        .addReader(() => series.inFlight);
      this.#server = series;
    }
    return this.#server;
  }

  /** Counts what a route does beside sending calls on. */
  actions(service: string, route: string): ActionCounter {
    return actionCounter(this.#counter('inmesh.route.actions'), service, route);
  }

  /** A counter; labels in the order of the table, their values from the configuration or a fixed list. */
  counter(name: CounterName, attributes: Attributes): Counter {
    return this.#counter(name).of(attributes);
  }

  /** Has `read` asked at every collection until the function returned is called. Readers of equal labels add up. */
  observe(name: GaugeName, attributes: Attributes, read: () => number): () => void {
    const family = this.#gauge(name);
    const gauge = family.of(attributes);
    const remove = gauge.addReader(read);
    return () => {
      remove();
      if (!gauge.isRead) family.remove(attributes);
    };
  }

  /** Counts what the mesh reports. Bound, so that it can be subscribed as it is. */
  readonly onEvent = (event: MeshEvent): void => {
    switch (event.type) {
      case 'configLoaded':
        return this.#count('inmesh.config.loads', { [MESH_STATE]: 'accepted' });
      case 'configRejected':
        return this.#count('inmesh.config.loads', { [MESH_STATE]: 'rejected' });
      case 'discoveryFailed':
        return this.#count('inmesh.discovery.failures', { [MESH_SERVICE]: event.service });
      case 'endpointEjected':
        return this.#count('inmesh.ejections', { [MESH_SERVICE]: event.service, [MESH_REASON]: event.rule });
      case 'circuitOpened':
        return this.#count('inmesh.circuit.transitions', { [MESH_SERVICE]: event.service, [MESH_STATE]: 'open' });
      case 'circuitHalfOpened':
        return this.#count('inmesh.circuit.transitions', { [MESH_SERVICE]: event.service, [MESH_STATE]: 'half-open' });
      case 'circuitClosed':
        return this.#count('inmesh.circuit.transitions', { [MESH_SERVICE]: event.service, [MESH_STATE]: 'closed' });
      case 'peerUntrusted':
        return this.#count('inmesh.peers.untrusted', { [MESH_SERVICE]: event.service });
      case 'certificateRefused':
        return this.#count('inmesh.certificates.refused', { [MESH_SERVICE]: event.service });
      case 'callDenied':
        return this.#count('inmesh.inbound.denied', { [MESH_POLICY]: event.policy, [MESH_REASON]: event.reason });
      case 'peerRefused':
        return this.#count('inmesh.inbound.refused', { [MESH_REASON]: event.code });
      case 'identityRotated':
        return this.#count('inmesh.identity.rotations', {});
      case 'identityFailed':
        return this.#count('inmesh.identity.failures', event.service === '' ? {} : { [MESH_SERVICE]: event.service });
      case 'eventLoopStalled':
        this.#count('inmesh.event_loop.stalls', {});
        return this.#counter('inmesh.event_loop.stalled')
          .of({})
          .add(event.forMs / 1_000);
      default:
        return undefined;
    }
  };

  /** Plain JSON of what was counted so far. */
  snapshot(): MeterSnapshot {
    return meterSnapshot(
      this.startedAtMs,
      this.#services.values(),
      this.#destinations.values(),
      this.#gauges.values(),
      this.#counters.values(),
    );
  }

  #count(name: CounterName, attributes: Attributes): void {
    this.#counter(name).of(attributes).add(1);
  }

  #callSeries(service: string, labels: Attributes | null): CallSeries {
    const series = new CallSeries(service, this.#histogram('inmesh.call.duration'), this.#seriesMax);
    this.#gauge('inmesh.active_calls')
      .of(labels)
      .addReader(() => series.inFlight);
    return series;
  }

  #histogram(name: HistogramName): Family<Histogram> {
    return this.#histograms.get(name) as Family<Histogram>;
  }

  #counter(name: CounterName): Family<Counter> {
    return this.#counters.get(name) as Family<Counter>;
  }

  #gauge(name: GaugeName): Family<Gauge> {
    return this.#gauges.get(name) as Family<Gauge>;
  }
}
