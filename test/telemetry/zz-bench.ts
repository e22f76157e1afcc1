import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { MeterProvider, PeriodicExportingMetricReader, InMemoryMetricExporter } from '@opentelemetry/sdk-metrics';
import { channel } from 'node:diagnostics_channel';
import { Call, type Outcome, type Reply } from '../../src/core/call.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Layer, type Service, wrap } from '../../src/core/service.ts';
import { loadTelemetryApi } from '../../src/telemetry/api.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { attemptMetricLayer, callMetricLayer } from '../../src/telemetry/metric-layer.ts';
import { attemptSpanLayer, callSpanLayer } from '../../src/telemetry/span-layer.ts';
import { observeMeter } from '../../src/telemetry/observe.ts';
import { registerContext, w3c } from './otel.ts';
const api = (await loadTelemetryApi())!;
const gc = (globalThis as any).gc;
const outcome: Outcome = { kind: 'success', status: 200, error: null, endedAtMs: 12 };
const answer = Promise.resolve({ status: 200 } as Reply);
const endpoint = { host: '10.0.0.7', port: 9001 } as any;
const leaf: Service = (call) => { call.endpoint = endpoint; call.end(outcome); return answer; };
const fork: Layer = (next) => (call) => { const a = call.fork(1, 0); a.commit(); return next(a); };
const route = { name: 'default', service: 'reviews', timeoutMs: 1 };
const destination = { service: 'reviews', subset: '', name: 'reviews' };
const init = { scheme: 'http', authority: 'reviews.prod:8080', method: 'GET', path: '/api/1?page=3', headers: [] as string[], body: null };
const baseHeaders = ['accept', '*/*', 'user-agent', 'x', 'content-type', 'application/json', 'x-a', 'b'];
function once(service: Service) { const call = new Call({ ...init, headers: baseHeaders }, 10); call.route = route; call.destination = destination; void service(call); }
async function bench(name: string, service: Service, n = 200_000) {
  for (let i = 0; i < 50_000; i++) once(service);
  const ns: number[] = []; let heap = 0;
  for (let r = 0; r < 7; r++) {
    await new Promise((res) => setTimeout(res, 20));
    gc(); const h = process.memoryUsage().heapUsed;
    const c0 = process.cpuUsage(); const t = performance.now();
    for (let i = 0; i < n / 10; i++) once(service);
    ns.push(((performance.now() - t) * 1e6) / (n / 10));
    heap = (process.memoryUsage().heapUsed - h) / (n / 10);
  }
  ns.sort((a, b) => a - b);
  console.log(name.padEnd(44), ns[3]!.toFixed(0).padStart(6), 'ns median', ns[0]!.toFixed(0).padStart(6), 'best', heap.toFixed(0).padStart(6), 'B');
  return ns[3]!;
}
const deps = { api, service: 'reviews', version: '1' };
const spans = () => wrap(leaf, [callSpanLayer(deps), fork, attemptSpanLayer(deps)]);
const bare = wrap(leaf, [fork]);
const meter = new Meter({ clock: systemClock });
const metricsOf = (sink: any) => wrap(leaf, [callMetricLayer(meter.service('reviews'), sink), fork, attemptMetricLayer(meter.destination('reviews', 'reviews', 'default'), sink)]);
await bench('bare (call + fork)', bare);
await bench('bare (call + fork)', bare);
await bench('span layers, no provider', spans());
await bench('metric layers, no provider', metricsOf(null));
await bench('metric layers, sink, no provider', metricsOf(observeMeter(meter, 'auto', { version: '1' })));
const s = meter.destination('reviews', 'reviews', 'default'); const cs = meter.service('reviews');
for (const [nm, f] of [['recordAttempt', () => s.recordAttempt('GET', outcome, 12)], ['recordAttempt POST 180ms', () => s.recordAttempt('POST', outcome, 180)], ['call end', () => cs.end('default', outcome, 12)]] as const) {
  for (let k = 0; k < 2; k++) { const t = performance.now(); for (let i = 0; i < 5e6; i++) f(); console.log(nm, ((performance.now() - t) / 5).toFixed(1), 'ns'); }
}
async function withSampler(name: string, sampler: Sampler, propagate = true, run?: (f: () => Promise<unknown>) => Promise<unknown>) {
  const exporter = { export(_s: unknown, cb: (r: any) => void) { cb({ code: 0 }); }, shutdown: () => Promise.resolve(), forceFlush: () => Promise.resolve() };
  trace.setGlobalTracerProvider(new TracerProvider({ sampler, spanProcessors: [new BatchSpanProcessor({ exporter: exporter as any })] }));
  registerContext(); if (propagate) propagation.setGlobalPropagator(w3c());
  const f = () => bench(name, spans());
  await (run ? run(f) : f());
  trace.disable(); context.disable(); propagation.disable();
}
const mode = process.argv[2];
if (mode === 'on') await withSampler('AlwaysOn + batch', new AlwaysOnSampler());
if (mode === 'on-noprop') await withSampler('AlwaysOn + batch, no propagator', new AlwaysOnSampler(), false);
if (mode === 'off') await withSampler('AlwaysOff', new AlwaysOffSampler());
if (mode === 'ratio') await withSampler('parent-based ratio 1 %', new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }));
if (mode === 'unsampled') await withSampler('unsampled parent', new ParentBasedSampler({ root: new AlwaysOnSampler() }), true, (f) => context.with(trace.setSpanContext(context.active(), { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 }), f));
if (mode === 'sub') { channel('undici:request:create').subscribe(() => {}); await withSampler('AlwaysOn + batch, beside instrumentation', new AlwaysOnSampler()); }
if (mode === 'meter') {
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: new InMemoryMetricExporter(1), exportIntervalMillis: 1e6, exportTimeoutMillis: 1e5 })] }));
  await bench('metric layers, sink, MeterProvider', metricsOf(observeMeter(meter, 'auto', { version: '1' })));
}
if (mode === 'mem') {
  const m = new Meter({ clock: systemClock }); gc(); gc();
  const h = process.memoryUsage(); 
  for (let i = 0; i < 1000; i++) { m.destination('s' + i, 's' + i, 'r').recordAttempt('GET', outcome, 1); }
  gc(); const h2 = process.memoryUsage();
  console.log('per destination series with 1 histogram', (h2.heapUsed - h.heapUsed) / 1000, 'B heap', (h2.arrayBuffers - h.arrayBuffers) / 1000, 'B buffers');
  const st = [1,2,3].length; for (let i = 0; i < 1000; i++) m.service('s' + i).end('r', outcome, 1);
  gc(); const h3 = process.memoryUsage(); console.log('per service series', (h3.heapUsed - h2.heapUsed) / 1000, (h3.arrayBuffers - h2.arrayBuffers) / 1000);
  console.log(m.snapshot().services.length, st);
}
process.exit(0);
