import { context, propagation, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
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
const sampler = { on: new AlwaysOnSampler(), off: new AlwaysOffSampler(), ratio: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }), unsampled: new ParentBasedSampler({ root: new AlwaysOnSampler() }) }[process.argv[2]!]!;
trace.setGlobalTracerProvider(new TracerProvider({ sampler, spanProcessors: [new BatchSpanProcessor({ exporter: exporter as any })] }));
registerContext(); propagation.setGlobalPropagator(w3c());
const deps = { api, service: 'reviews', version: '1' };
const bareService = wrap(leaf, [fork]);
const spanService = wrap(leaf, [callSpanLayer(deps), fork, attemptSpanLayer(deps)]);
const parent = trace.setSpanContext(context.active(), { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 });
const un = process.argv[2] === 'unsampled';
const turn = () => new Promise((res) => setImmediate(res));
const cases: [string, () => void][] = [['bare', () => { for (let i = 0; i < 40; i++) once(bareService); }], ['spans ' + process.argv[2], () => { for (let i = 0; i < 40; i++) once(spanService); }]];
const sums = new Map<string, number[]>();
for (let r = 0; r < 60; r++) for (const [name, f] of cases) {
  for (let i = 0; i < 10; i++) await turn();
  const w = process.cpuUsage();
  for (let k = 0; k < 100; k++) { if (un) context.with(parent, f); else f(); await turn(); }
  const u = process.cpuUsage(w); const d = (u.user + u.system) / 1000;
  if (r >= 20) { const l = sums.get(name) ?? []; l.push(d * 250); sums.set(name, l); }
}
for (const [name, l] of sums) { l.sort((a, b) => a - b); console.log(name.padEnd(30), 'median', l[20]!.toFixed(0).padStart(7), 'p10', l[4]!.toFixed(0).padStart(7)); }
process.exit(0);
