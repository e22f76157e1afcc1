// Real OpenTelemetry in the processes of the inmesh lane: the official SDK, with an exporter that hands the finished
// spans to the parent process. In your application the exporter is OTLP, the server spans come from the instrumentation
// of node:http, and this file is three lines.
import type { RequestListener } from 'node:http';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { startNodeSdk } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { type SpanRecord, tell } from './messages.ts';

const KINDS: Readonly<Record<number, SpanRecord['kind']>> = {
  [SpanKind.INTERNAL]: 'internal',
  [SpanKind.SERVER]: 'server',
  [SpanKind.CLIENT]: 'client',
};

export function startTelemetry(): void {
  const processor = new BatchSpanProcessor({ exporter: toParent, scheduledDelayMillis: 300, maxQueueSize: 8_192 });
  startNodeSdk({ spanProcessors: [processor], metricReaders: [], logRecordProcessors: [], resourceDetectors: [], logLevel: 'error' });
}

/** The server span of a request, a child of the attempt that sent it. */
export function traced(listener: RequestListener): RequestListener {
  const tracer = trace.getTracer('bookinfo');
  return (request, response) => {
    const caller = propagation.extract(context.active(), request.headers);
    const attributes = { 'http.request.method': request.method, 'url.path': request.url };
    const span = tracer.startSpan(`${request.method} ${request.url}`, { kind: SpanKind.SERVER, attributes }, caller);
    response.once('close', () => {
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    context.with(trace.setSpan(caller, span), listener, undefined, request, response);
  };
}

const toParent: SpanExporter = {
  export(spans, done): void {
    tell({ type: 'spans', spans: spans.map(recordOf) });
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};

function recordOf(span: ReadableSpan): SpanRecord {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentId: span.parentSpanContext?.spanId ?? '',
    process: process.env['NAME'] ?? '',
    name: span.name,
    kind: KINDS[span.kind] ?? 'other',
    startMs: span.startTime[0] * 1e3 + span.startTime[1] / 1e6,
    durationMs: span.duration[0] * 1e3 + span.duration[1] / 1e6,
    isError: span.status.code === SpanStatusCode.ERROR,
    attributes: span.attributes,
  };
}
