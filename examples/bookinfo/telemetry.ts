// Real OpenTelemetry in the processes of the inmesh lane: the official SDK, with an exporter that hands the finished
// spans to the parent process. In your application the exporter is OTLP, and this file is two lines: the spans of calls that
// go out and come in are inmesh's.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
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
