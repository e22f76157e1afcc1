// OpenTelemetry as an application sets it up, with exporters that throw everything away: context manager, tracer provider
// with a batch processor, meter provider with a periodic reader. The same for inmesh and for its peers.
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AggregationTemporality, MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { propagation } from '@opentelemetry/api';

/** `off`: no SDK at all. `1 %`: a ratio sampler. `on`: every call is sampled. */
export type Tracing = 'off' | '1 %' | 'on';

const SUCCESS = { code: 0 };

const spanExporter: SpanExporter = {
  export: (_spans, done) => done(SUCCESS),
  shutdown: async () => {},
};

const metricExporter: PushMetricExporter = {
  export: (_metrics, done) => done(SUCCESS),
  forceFlush: async () => {},
  shutdown: async () => {},
  selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
};

/** Registers the global providers. */
export function startTracing(tracing: Exclude<Tracing, 'off'>): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const root = tracing === 'on' ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(0.01);
  trace.setGlobalTracerProvider(
    new TracerProvider({
      sampler: new ParentBasedSampler({ root }),
      spanProcessors: [new BatchSpanProcessor({ exporter: spanExporter })],
    }),
  );
}

export function startMetrics(): void {
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 10_000, exportTimeoutMillis: 5_000 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
}
