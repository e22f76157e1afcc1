// Binds telemetry/ to one mesh: which layer counts into which series, and whose state is read when somebody collects.
import type { Clock } from '../core/clock.ts';
import type { MeshEvent } from '../core/events.ts';
import type { Layer } from '../core/service.ts';
import type { ActionCounter } from '../telemetry/action-counter.ts';
import { hasTracer, telemetryApi, type TelemetryApi } from '../telemetry/api.ts';
import { grpcAttemptMetricLayer, grpcCallMetricLayer, grpcServerMetricLayer } from '../telemetry/grpc-metric-layer.ts';
import type { GrpcClientSeries } from '../telemetry/grpc-series.ts';
import { Meter } from '../telemetry/meter.ts';
import type { MeterSnapshot } from '../telemetry/meter-snapshot.ts';
import { attemptMetricLayer, callMetricLayer } from '../telemetry/metric-layer.ts';
import { metricProducer, type MeshMetricProducer } from '../telemetry/metric-producer.ts';
import { type MeterObserver, type MetricsOption, observeMeter } from '../telemetry/observe.ts';
import { MESH_LIMIT, MESH_SERVICE, MESH_STATE } from '../telemetry/semconv.ts';
import { serverMetricLayer, type ServerView } from '../telemetry/server-metric-layer.ts';
import { serverSpanLayer } from '../telemetry/server-span-layer.ts';
import { attemptSpanLayer, callSpanLayer, type SpansOption } from '../telemetry/span-layer.ts';
import type { HttpMetricsOption } from '../telemetry/undici-listeners.ts';
import type { ServiceState } from './service-state.ts';
import { VERSION } from './version.ts';

export interface TelemetryOptions {
  /** @default own */
  readonly spans?: SpansOption;
  /** @default auto */
  readonly metrics?: MetricsOption;
  /** Whether `http.client.request.duration` is reported. @default auto: not beside another instrumentation that does */
  readonly httpMetrics?: HttpMetricsOption;
  /** Whether gRPC calls are counted under gRPC's own names (gRFC A66, A96), too. @default what the configuration says: false */
  readonly grpcMetrics?: boolean;
}

export interface Telemetry {
  callSpan(service: string): Layer | null;
  /** `grpcMetrics` here and below: what the configuration says of gRPC's own names. */
  callMetrics(service: string, grpcMetrics?: boolean): Layer | null;
  attemptSpan(service: string, protocol: 'http1' | 'http2'): Layer | null;
  attemptMetrics(service: string, destination: string, route: string, grpcMetrics?: boolean): Layer | null;
  serverSpan(view: ServerView): Layer | null;
  serverMetrics(view: ServerView, grpcMetrics?: boolean): Layer | null;
  /** Who is told of repetitions of single calls; undefined: nobody wants to know. */
  repetitions(service: string, grpcMetrics?: boolean): GrpcClientSeries | undefined;
  /** Counts what a route does beside sending calls on. */
  actions(service: string, route: string): ActionCounter;
  retryCounters(service: string, destination: string, route: string): { onRetry(reason: string): void; onDenied(reason: string): void };
  /** Reads the state of these services from now on, and of no others. */
  observe(states: ReadonlyMap<string, ServiceState>): void;
  onEvent(event: MeshEvent): void;
  isTraced(): boolean;
  snapshot(): MeterSnapshot;
  readonly metricProducer: MeshMetricProducer;
  close(): void;
}

/** Values of `inmesh.circuit.state`. */
const CIRCUIT_VALUES = { closed: 0, halfOpen: 1, open: 2, isolated: 3 } as const;

class BoundTelemetry implements Telemetry {
  readonly #options: TelemetryOptions;
  readonly #api: TelemetryApi | null;
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #observer: MeterObserver | null;
  #readers: (() => void)[] = [];
  #expiryMs = 0;
  #stopExpiry: (() => void) | null = null;
  #producer: MeshMetricProducer | null = null;

  constructor(options: TelemetryOptions, api: TelemetryApi | null, clock: Clock) {
    this.#options = options;
    this.#api = api;
    this.#clock = clock;
    this.#meter = new Meter({ clock });
    this.#observer = observeMeter(this.#meter, options.metrics ?? 'auto', this.#metricOptions());
    this.#observer?.attach();
  }

  callSpan(service: string): Layer | null {
    const { spans = 'own' } = this.#options;
    return this.#api === null || spans === 'off' ? null : callSpanLayer({ api: this.#api, service, version: VERSION, spans });
  }

  attemptSpan(service: string, protocol: 'http1' | 'http2'): Layer | null {
    const { spans = 'own' } = this.#options;
    if (this.#api === null || spans === 'off') return null;
    return attemptSpanLayer({ api: this.#api, service, version: VERSION, spans, protocolVersion: protocol === 'http2' ? '2' : '1.1' });
  }

  callMetrics(service: string, grpcMetrics = false): Layer | null {
    if (this.#options.metrics === 'off') return null;
    const layer = callMetricLayer(this.#meter.service(service), this.#observer, this.#meter.rpc(service));
    const grpc = this.repetitions(service, grpcMetrics);
    return grpc === undefined ? layer : both(layer, grpcCallMetricLayer(grpc));
  }

  attemptMetrics(service: string, destination: string, route: string, grpcMetrics = false): Layer | null {
    if (this.#options.metrics === 'off') return null;
    const layer = attemptMetricLayer(this.#meter.destination(service, destination, route), this.#observer);
    const grpc = this.repetitions(service, grpcMetrics);
    return grpc === undefined ? layer : both(layer, grpcAttemptMetricLayer(grpc));
  }

  repetitions(service: string, grpcMetrics = false): GrpcClientSeries | undefined {
    return this.#countsGrpc(grpcMetrics) ? this.#meter.grpc(service, this.#observer?.grpc ?? null) : undefined;
  }

  serverSpan(view: ServerView): Layer | null {
    return serverSpanLayer({ api: this.#api, version: VERSION, spans: this.#options.spans ?? 'own', view });
  }

  serverMetrics(view: ServerView, grpcMetrics = false): Layer | null {
    if (this.#options.metrics === 'off') return null;
    const layer = serverMetricLayer(this.#meter.server(), this.#meter.serverRpc(), view, this.#observer);
    if (!this.#countsGrpc(grpcMetrics)) return layer;
    return both(layer, grpcServerMetricLayer(this.#meter.serverGrpc(this.#observer?.grpc ?? null), view));
  }

  #countsGrpc(isConfigured: boolean): boolean {
    return this.#options.metrics !== 'off' && (this.#options.grpcMetrics ?? isConfigured);
  }

  retryCounters(service: string, destination: string, route: string): ReturnType<Telemetry['retryCounters']> {
    const series = this.#meter.destination(service, destination, route);
    return { onRetry: series.retried, onDenied: series.retryDenied };
  }

  actions(service: string, route: string): ActionCounter {
    return this.#meter.actions(service, route);
  }

  observe(states: ReadonlyMap<string, ServiceState>): void {
    for (const remove of this.#readers) remove();
    this.#readers = [];
    for (const state of states.values()) this.#observeService(state);
  }

  onEvent(event: MeshEvent): void {
    this.#meter.onEvent(event);
    if (event.type !== 'identityRotated') return;
    this.#expiryMs = event.notAfterMs;
    this.#stopExpiry ??= this.#meter.observe('inmesh.identity.expiry', {}, () => this.#expiryMs / 1_000);
  }

  isTraced(): boolean {
    return this.#api !== null && this.#options.spans !== 'off' && hasTracer();
  }

  snapshot(): MeterSnapshot {
    return this.#meter.snapshot();
  }

  get metricProducer(): MeshMetricProducer {
    this.#producer ??= metricProducer(this.#meter, this.#clock, this.#metricOptions());
    return this.#producer;
  }

  close(): void {
    this.#observer?.detach();
    this.#stopExpiry?.();
    for (const remove of this.#readers) remove();
    this.#readers = [];
  }

  #metricOptions(): { version: string; httpMetrics?: HttpMetricsOption } {
    const { httpMetrics } = this.#options;
    return httpMetrics === undefined ? { version: VERSION } : { version: VERSION, httpMetrics };
  }

  #observeService(state: ServiceState): void {
    const meter = this.#meter;
    const service = { [MESH_SERVICE]: state.name };
    const read = (name: Parameters<Meter['observe']>[0], labels: Record<string, string>, value: () => number): void => {
      this.#readers.push(meter.observe(name, { ...service, ...labels }, value));
    };
    read('inmesh.retry.budget.tokens', {}, () => finite(state.budget.balance(this.#clock.now())));
    read('inmesh.retry.margin', {}, () => state.margin.product(this.#clock.now()) ?? 0);
    read('inmesh.circuit.state', {}, () => (state.breaker === null ? 0 : CIRCUIT_VALUES[state.breaker.state]));
    read('inmesh.throttle.probability', {}, () => state.throttle?.probability(this.#clock.now()) ?? 0);
    for (const standing of ['in', 'ejected', 'probation'] as const) {
      read(
        'inmesh.endpoints',
        { [MESH_STATE]: standing },
        () => state.set.all.filter((endpoint) => !endpoint.standing.unhealthy && endpoint.standing.state === standing).length,
      );
    }
    read('inmesh.endpoints', { [MESH_STATE]: 'unhealthy' }, () => state.set.all.filter((endpoint) => endpoint.standing.unhealthy).length);
    read('inmesh.limit.used', { [MESH_LIMIT]: 'maxRequests' }, () => state.limits.requests);
    read('inmesh.limit.used', { [MESH_LIMIT]: 'maxRetries' }, () => state.limits.retries);
    read('inmesh.limit.max', { [MESH_LIMIT]: 'maxRequests' }, () => state.config.limits.maxRequests);
    read('inmesh.limit.max', { [MESH_LIMIT]: 'maxRetries' }, () => state.config.limits.maxRetries);
  }
}

function both(outer: Layer, inner: Layer): Layer {
  return (next) => outer(inner(next));
}

/** A budget without an end has no balance that a backend could draw. */
function finite(balance: number): number {
  return Number.isFinite(balance) ? balance : Number.MAX_SAFE_INTEGER;
}

/** Sees what the application has registered with OpenTelemetry, now or later. */
export function makeTelemetry(options: TelemetryOptions, clock: Clock): Telemetry {
  const isOff = options.spans === 'off' && options.metrics === 'off';
  return new BoundTelemetry(options, isOff ? null : telemetryApi, clock);
}
