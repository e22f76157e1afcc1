// The way out for metrics when the application has a MeterProvider but no producer of ours: what can be counted is observed
// when the SDK collects; each duration is recorded one by one, which costs about 2.3 µs, because the API takes no finished
// histogram. Attaches itself when a provider appears. Silent once a producer was handed out.
import type { BatchObservableCallback, MeterProvider, Observable, OtelHistogram, OtelMeter } from './api.ts';
import { registry } from './api.ts';
import type { Meter } from './meter.ts';
import type { DurationSink } from './metric-layer.ts';
import type { ServerDurationSink } from './server-metric-layer.ts';
import type { MetricDefinition, MetricName } from './metrics.ts';
import { SCHEMA_URL, SCOPE_NAME } from './semconv.ts';
import type { GrpcSink } from './grpc-series.ts';
import { DURATIONS, Histogram } from './series.ts';
import { type HttpMetricsOption, reportsHttpMetrics } from './undici-listeners.ts';

/** `auto`: through a producer if there is one, else through the global MeterProvider if there is one. `producer`: only so. @default auto */
export type MetricsOption = 'auto' | 'producer' | 'off';

export interface ObserveOptions {
  /** Version of this package, for the instrumentation scope. */
  readonly version: string;
  /** @default auto */
  readonly httpMetrics?: HttpMetricsOption;
}

export interface MeterObserver extends DurationSink, ServerDurationSink {
  /** Attaches to the global MeterProvider if there is one; otherwise the first call after it appears does. */
  attach(): void;
  detach(): void;
  /** Told of what is counted under gRPC's own names. */
  readonly grpc: GrpcSink;
}

interface Attachment {
  readonly provider: MeterProvider;
  readonly histograms: ReadonlyMap<string, OtelHistogram>;
  readonly detach: () => void;
}

/** Gives null when nothing is to be observed: then the metric layers take no sink. */
export function observeMeter(meter: Meter, metrics: MetricsOption, options: ObserveOptions): MeterObserver | null {
  if (metrics !== 'auto') return null;
  let attachment: Attachment | null = null;
  const attached = (): Attachment | null => {
    const provider = registry()?.metrics;
    if (provider !== attachment?.provider) {
      attachment?.detach();
      attachment = provider === undefined ? null : attachTo(provider, meter, options);
    }
    return attachment;
  };
  const record = (name: MetricName, series: Histogram, recorded: number): void => {
    if (meter.producers > 0) return;
    try {
      attached()
        ?.histograms.get(name)
        ?.record(recorded / series.buckets.scale, series.attributes);
    } catch {
      // A processor of the application that throws must not break a call.
    }
  };
  return {
    attach: () => void attached(),
    detach() {
      attachment?.detach();
      attachment = null;
    },
    call: (series, durationMs) => record('inmesh.call.duration', series, durationMs),
    rpc: (series, durationMs) => record('rpc.client.call.duration', series, durationMs),
    server: (series, durationMs) => record('http.server.request.duration', series, durationMs),
    grpc: record,
    serverRpc: (series, durationMs) => record('rpc.server.call.duration', series, durationMs),
    attempt(series, durationMs) {
      if (reportsHttpMetrics(options.httpMetrics ?? 'auto')) record('http.client.request.duration', series, durationMs);
    },
  };
}

function attachTo(provider: MeterProvider, meter: Meter, options: ObserveOptions): Attachment {
  const otel = provider.getMeter(SCOPE_NAME, options.version, { schemaUrl: SCHEMA_URL });
  const histograms = new Map<string, OtelHistogram>();
  const observables = new Map<MetricName, Observable>();
  for (const { definition } of meter.families.values()) {
    const { name, unit, description, buckets = DURATIONS } = definition;
    if (definition.kind === 'histogram') {
      const advice = { explicitBucketBoundaries: [...buckets.bounds] };
      histograms.set(name, otel.createHistogram(name, { unit, description, advice }));
    } else {
      observables.set(name, createObservable(otel, definition));
    }
  }
  const callback: BatchObservableCallback = (result) => {
    if (meter.producers > 0) return;
    for (const [name, observable] of observables) {
      for (const series of meter.families.get(name) ?? []) {
        if (!(series instanceof Histogram)) result.observe(observable, series.value, series.attributes);
      }
    }
  };
  const all = [...observables.values()];
  otel.addBatchObservableCallback(callback, all);
  return { provider, histograms, detach: () => otel.removeBatchObservableCallback(callback, all) };
}

function createObservable(otel: OtelMeter, { name, unit, description, kind }: MetricDefinition): Observable {
  if (kind === 'counter') return otel.createObservableCounter(name, { unit, description });
  if (kind === 'upDown') return otel.createObservableUpDownCounter(name, { unit, description });
  return otel.createObservableGauge(name, { unit, description });
}
