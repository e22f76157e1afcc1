// Spans and metrics, with the OpenTelemetry SDK as you have it: the mesh finds the global API by itself. Spans need no
// line of code; the metrics are read by the reader of your choice through `mesh.metricProducer`.
import { createMesh } from 'inmesh';
import { startNodeSdk } from '@opentelemetry/sdk-node';
import { AggregationTemporality, InMemoryMetricExporter, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { status, text, tinyServer } from './tiny-server.ts';

const good = await tinyServer(text('hello'));
const broken = await tinyServer(status(503));
const spans = new InMemorySpanExporter();
const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);

// #region telemetry
const mesh = await createMesh({
  config: { services: { greeter: { endpoints: [good.address, broken.address], loadBalancer: 'roundRobin' } } },
});

const sdk = startNodeSdk({
  spanProcessors: [new SimpleSpanProcessor({ exporter: spans })], // yours: a BatchSpanProcessor with an OTLP exporter
  metricReaders: [new PeriodicExportingMetricReader({ exporter: metrics, metricProducers: [mesh.metricProducer] })],
  logRecordProcessors: [],
  resourceDetectors: [],
});
// #endregion

for (let i = 0; i < 4; i++) await (await mesh.fetch('http://greeter/hello')).text();

const finished = spans.getFinishedSpans();
const retried = finished.find((span) => Number(span.attributes['inmesh.attempts']) > 1);
print(retried, '');
for (const span of finished) if (span.parentSpanContext?.spanId === retried?.spanContext().spanId) print(span, '  ');

await sdk.shutdown(); // collects and exports a last time
for (const scope of metrics.getMetrics().at(-1)?.scopeMetrics ?? []) {
  for (const metric of scope.metrics)
    console.log(`${metric.descriptor.name} (${metric.descriptor.unit}): ${metric.dataPoints.length} series`);
}

await mesh.close();
good.close();
broken.close();

function print(span: ReadableSpan | undefined, indent: string): void {
  if (span === undefined) return;
  const milliseconds = span.duration[0] * 1e3 + span.duration[1] / 1e6;
  console.log(`${indent}${span.name} ${milliseconds.toFixed(1)} ms ${span.attributes['http.response.status_code'] ?? ''}`.trimEnd());
}
