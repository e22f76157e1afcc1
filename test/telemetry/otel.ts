// Registers a real OpenTelemetry SDK for one test, and takes it away again.
import { context, metrics, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, type ReadableSpan, type Sampler, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { CallInit } from '../../src/core/call.ts';
import { Call } from '../../src/core/call.ts';
import type { Layer, Service } from '../../src/core/service.ts';
import { wrap } from '../../src/core/service.ts';
import { type TelemetryApi, telemetryApi } from '../../src/telemetry/api.ts';
import { attemptSpanLayer, callSpanLayer, type SpansOption } from '../../src/telemetry/span-layer.ts';

export interface Otel {
  spans(): ReadableSpan[];
  /** Finished spans by name, in order. */
  named(name: string): ReadableSpan[];
}

export interface OtelOptions {
  readonly sampler?: Sampler;
  readonly propagator?: TextMapPropagator | null;
}

export function w3c(): TextMapPropagator {
  return new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] });
}

export function registerContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

export function register(options: OtelOptions = {}): Otel {
  const exporter = new InMemorySpanExporter();
  const sampler = options.sampler === undefined ? {} : { sampler: options.sampler };
  trace.setGlobalTracerProvider(new TracerProvider({ ...sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  registerContext();
  const propagator = options.propagator === undefined ? w3c() : options.propagator;
  if (propagator !== null) propagation.setGlobalPropagator(propagator);
  return {
    spans: () => exporter.getFinishedSpans(),
    named: (name) => exporter.getFinishedSpans().filter((span) => span.name === name),
  };
}

export function unregister(): void {
  trace.disable();
  context.disable();
  propagation.disable();
  metrics.disable();
}

export const api: TelemetryApi = telemetryApi;

/** As retry does it: forks until an answer below 500, at most `attempts` times; the last one answers for the call. */
export function forkLayer(attempts: number): Layer {
  return (next) => async (call) => {
    for (let number = 1; ; number++) {
      const attempt = call.fork(number, call.startedAtMs);
      const isLast = number === attempts;
      try {
        const reply = await next(attempt);
        if (isLast || reply.status < 500) {
          attempt.commit();
          return reply;
        }
        reply.discard();
      } catch (error) {
        if (isLast || call.canceled) {
          attempt.commit();
          throw error;
        }
      }
    }
  };
}

export interface StackOptions {
  readonly attempts?: number;
  readonly spans?: SpansOption;
  readonly protocolVersion?: '1.1' | '2';
}

/** Call span, retries, attempt span, leaf. `attempts` 0: nothing forks. */
export function spanStack(leaf: Service, options: StackOptions = {}): Service {
  const deps = { api, service: 'reviews', version: '1.2.3', ...(options.spans === undefined ? {} : { spans: options.spans }) };
  const protocol = options.protocolVersion === undefined ? {} : { protocolVersion: options.protocolVersion };
  const attempts = options.attempts ?? 1;
  const layers = [callSpanLayer(deps), ...(attempts === 0 ? [] : [forkLayer(attempts)]), attemptSpanLayer({ ...deps, ...protocol })];
  return wrap(leaf, layers);
}

export function newCall(init: Partial<CallInit> = {}): Call {
  const call = new Call(
    { scheme: 'http', authority: 'reviews.prod:8080', method: 'GET', path: '/api/1', headers: [], body: null, ...init },
    1_000,
  );
  call.route = { name: 'mobile', service: 'reviews', timeoutMs: 1_000 };
  call.destination = { service: 'reviews', subset: 'v2', name: 'reviews/v2' };
  return call;
}

/** Values of a header in flat pairs. */
export function valuesOf(headers: readonly string[], name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && (headers[i - 1] as string).toLowerCase() === name);
}
