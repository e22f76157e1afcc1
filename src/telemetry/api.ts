// The only place that knows `@opentelemetry/api`: an optional peer, loaded when a mesh is made. What the application
// registered is read from the registry that all copies of API 1.x share, because the facade of a newer copy refuses the
// registrations of an older one in silence. Uses nothing beyond API 1.9.
import type { ContextManager, MeterProvider, TextMapPropagator, Tracer, TracerProvider } from '@opentelemetry/api';
import { SCHEMA_URL, SCOPE_NAME } from './semconv.ts';

export type {
  BatchObservableCallback,
  Context,
  Histogram as OtelHistogram,
  Meter as OtelMeter,
  MeterProvider,
  Observable,
  Span,
  SpanOptions,
  TextMapGetter,
  TextMapPropagator,
  TextMapSetter,
  Tracer,
} from '@opentelemetry/api';

export type TelemetryApi = typeof import('@opentelemetry/api');

/** What the application has registered so far. */
export interface Registry {
  readonly trace?: TracerProvider;
  readonly metrics?: MeterProvider;
  readonly context?: ContextManager;
  readonly propagation?: TextMapPropagator;
}

const REGISTRY: unique symbol = Symbol.for('opentelemetry.js.api.1');
const globals = globalThis as { readonly [REGISTRY]?: Registry };

/** The API, or null when the optional peer `@opentelemetry/api` is not installed. */
export async function loadTelemetryApi(): Promise<TelemetryApi | null> {
  try {
    return await import('@opentelemetry/api');
  } catch {
    return null;
  }
}

/** Asked per call: allocates nothing, and notices a provider that is registered later. */
export function registry(): Registry | undefined {
  return globals[REGISTRY];
}

/** Whether a TracerProvider is registered now. */
export function hasTracer(): boolean {
  return globals[REGISTRY]?.trace !== undefined;
}

/** Whether a MeterProvider is registered now. */
export function hasMeter(): boolean {
  return globals[REGISTRY]?.metrics !== undefined;
}

/** Gives the tracer of a provider; asks the provider again only when it is another one. */
export function tracerSource(version: string): (provider: TracerProvider) => Tracer {
  let known: TracerProvider | null = null;
  let tracer: Tracer | null = null;
  return (provider) => {
    if (tracer === null || provider !== known) {
      tracer = provider.getTracer(SCOPE_NAME, version, { schemaUrl: SCHEMA_URL });
      known = provider;
    }
    return tracer;
  };
}
