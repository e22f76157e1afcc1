import { context, propagation, trace } from '@opentelemetry/api';
import { AlwaysOnSampler, AlwaysOffSampler, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { Call } from '../../src/core/call.ts';
import { registry } from '../../src/telemetry/api.ts';
import { injectContext } from '../../src/telemetry/inject.ts';
import { registerContext, w3c } from './otel.ts';
trace.setGlobalTracerProvider(new TracerProvider({ sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) }));
registerContext(); propagation.setGlobalPropagator(w3c());
const parentCtx = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 };
const ctx = trace.setSpanContext(context.active(), parentCtx);
const headers = ['accept', '*/*', 'user-agent', 'x', 'content-type', 'application/json', 'x-a', 'b'];
let sink: unknown;
function bench(name: string, f: () => unknown) {
  const l: number[] = [];
  for (let r = 0; r < 30; r++) { const t = performance.now(); for (let i = 0; i < 20000; i++) sink = f(); l.push((performance.now() - t) * 50); }
  l.sort((a, b) => a - b); console.log(name.padEnd(30), 'median', l[15]!.toFixed(0), 'best', l[0]!.toFixed(0));
}
context.with(ctx, () => {
  const manager = registry()!.context!; const prop = registry()!.propagation!;
  bench('active', () => manager.active());
  const a = manager.active();
  bench('getValue suppress', () => a.getValue(Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')));
  const span = trace.getSpan(a)!;
  bench('getSpan', () => trace.getSpan(a));
  bench('isRecording+spanContext', () => span.isRecording() || span.spanContext());
  bench('isSpanContextValid', () => trace.isSpanContextValid(parentCtx));
  bench('setSpan', () => trace.setSpan(a, span));
  bench('injectContext', () => injectContext(headers, a, prop, true));
  const set = { set(c: string[], k: string, v: string) { c.push(k, v); } };
  bench('raw inject', () => { const c: string[] = []; prop.inject(a, c, set); return c; });
  bench('slice+push', () => { const c = headers.slice(); c.push('traceparent', 'x'); return c; });
  bench('spread', () => [...headers, 'traceparent', 'x']);
  bench('toLowerCase x4', () => { let n = 0; for (let i = 0; i < 8; i += 2) n += headers[i]!.toLowerCase().length; return n; });
  const t = trace.getTracer('x');
  bench('startSpan unsampled', () => t.startSpan('GET', { kind: 2 }, a));
  const root = trace.deleteSpan(a);
  bench('startSpan root off', () => t.startSpan('GET', { kind: 2 }, root));
  bench('startSpan root off + attr', () => t.startSpan('GET', { kind: 2, attributes: { a: 'b' } }, root));
  bench('new Call', () => new Call({ scheme: 'http', authority: 'a', method: 'GET', path: '/', headers, body: null }, 1));
});
void AlwaysOnSampler; void sink;
