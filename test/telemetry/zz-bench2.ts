import { context, propagation, trace, ROOT_CONTEXT } from '@opentelemetry/api';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Call, type Outcome, type Reply } from '../../src/core/call.ts';
import { type Layer, type Service, wrap } from '../../src/core/service.ts';
import { loadTelemetryApi } from '../../src/telemetry/api.ts';
import { attemptSpanLayer, callSpanLayer } from '../../src/telemetry/span-layer.ts';
import { registerContext, w3c } from './otel.ts';
const api = (await loadTelemetryApi())!;
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
const exporter = { export(_s: unknown, cb: (r: any) => void) { cb({ code: 0 }); }, shutdown: () => Promise.resolve(), forceFlush: () => Promise.resolve() };
trace.setGlobalTracerProvider(new TracerProvider({ sampler: new AlwaysOnSampler(), spanProcessors: [new BatchSpanProcessor({ exporter: exporter as any })] }));
registerContext(); propagation.setGlobalPropagator(w3c());
const deps = { api, service: 'reviews', version: '1' };
const bareService = wrap(leaf, [fork]);
const spanService = wrap(leaf, [callSpanLayer(deps), fork, attemptSpanLayer(deps)]);
const tracer = trace.getTracer('inmesh');
const cases: [string, () => void][] = [
  ['bare', () => once(bareService)],
  ['spans', () => once(spanService)],
  ['one raw span, root', () => { once(bareService); tracer.startSpan('x', {}, ROOT_CONTEXT).end(); }],
  ['two raw spans, child', () => { once(bareService); const a = tracer.startSpan('x', {}, ROOT_CONTEXT); const b = tracer.startSpan('y', {}, trace.setSpan(ROOT_CONTEXT, a)); b.end(); a.end(); }],
  ['call span layer only', () => once(callOnly)],
];
const callOnly = wrap(leaf, [callSpanLayer(deps), fork]);
const turn = () => new Promise((res) => setImmediate(res));
const sums = new Map<string, number[]>();
for (let r = 0; r < 40; r++) for (const [name, f] of cases) {
  for (let i = 0; i < 10; i++) await turn();
  const t = process.cpuUsage();
  const w = performance.now();
  for (let k = 0; k < 25; k++) { for (let i = 0; i < 40; i++) f(); await turn(); }
  const d = performance.now() - w; void t;
  if (r >= 10) { const l = sums.get(name) ?? []; l.push(d * 1e6 / 1000); sums.set(name, l); }
}
for (const [name, l] of sums) { l.sort((a, b) => a - b); console.log(name.padEnd(30), l[15]!.toFixed(0).padStart(7), l[3]!.toFixed(0).padStart(7)); }
process.exit(0);
