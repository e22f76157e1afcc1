// Prints, as JSON, the bytes of heap that 100 000 calls through each layer cost beyond a call without it. Started with
// --expose-gc, in a process in which no provider is registered.
import type { Call, Reply } from '../../src/core/call.ts';
import type { Layer, Service } from '../../src/core/service.ts';
import { hasTracer, telemetryApi } from '../../src/telemetry/api.ts';
import { attemptSpanLayer, callSpanLayer } from '../../src/telemetry/span-layer.ts';
import { newCall } from './otel.ts';

const CALLS = 100_000;
const collectGarbage = (globalThis as unknown as { gc: () => void }).gc;
const deps = { api: telemetryApi, service: 'reviews', version: '1' };
const answer = Promise.resolve({} as Reply);
const leaf: Service = () => answer;
const attempt: Call = newCall().fork(1, 0);

function bytesOf(service: Service): number {
  const run = (): void => {
    for (let i = 0; i < CALLS; i++) void service(attempt);
  };
  run();
  run();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    run();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

/** What the test compares with: one small object per call. */
const allocating: Layer = (next) => (call) => {
  kept = { call };
  return next(call);
};
let kept: unknown = null;

const bare = bytesOf(leaf);
const result = {
  hasTracer: hasTracer(),
  callSpan: bytesOf(callSpanLayer(deps)(leaf)) - bare,
  attemptSpan: bytesOf(attemptSpanLayer(deps)(leaf)) - bare,
  allocating: bytesOf(allocating(leaf)) - bare,
};
process.stdout.write(JSON.stringify({ ...result, kept: kept !== null }));
