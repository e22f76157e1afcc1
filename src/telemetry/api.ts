// The only place that knows `@opentelemetry/api`, an optional peer, and by its types alone: nothing of it is loaded. What the
// application registered is read from the registry that all copies of API 1.x share, because the facade of a newer copy refuses
// the registrations of an older one in silence; contexts keep their values under keys that all copies share, too. Uses nothing
// beyond API 1.9.
import type { Context, ContextManager, MeterProvider, Span, TextMapPropagator, TraceAPI, Tracer, TracerProvider } from '@opentelemetry/api';
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

export interface TelemetryApi {
  readonly ROOT_CONTEXT: Context;
  readonly INVALID_TRACEID: string;
  readonly trace: Pick<TraceAPI, 'getSpan' | 'setSpan'>;
}

/** What the application has registered so far. */
export interface Registry {
  readonly trace?: TracerProvider;
  readonly metrics?: MeterProvider;
  readonly context?: ContextManager;
  readonly propagation?: TextMapPropagator;
}

const REGISTRY: unique symbol = Symbol.for('opentelemetry.js.api.1');
const globals = globalThis as { readonly [REGISTRY]?: Registry };

/** A context without a parent. */
class OwnContext implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown>) {
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return this.#values.get(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new OwnContext(new Map(this.#values).set(key, value));
  }

  deleteValue(key: symbol): Context {
    const values = new Map(this.#values);
    values.delete(key);
    return new OwnContext(values);
  }
}

/** Where every copy of the API keeps the span of a context. */
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');

/** What of the API is needed to make spans with the providers of the application. */
export const telemetryApi: TelemetryApi = Object.freeze({
  ROOT_CONTEXT: new OwnContext(new Map()),
  INVALID_TRACEID: '0'.repeat(32),
  trace: {
    getSpan: (context: Context): Span | undefined => context.getValue(SPAN_KEY) as Span | undefined,
    setSpan: (context: Context, span: Span): Context => context.setValue(SPAN_KEY, span),
  },
});

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
