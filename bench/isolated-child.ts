// Measures the whole stack of a mesh, from the router to the balancer, over a leaf that answers at once; and that leaf alone. Calls
// are made as an edge makes them: a new Call, the head awaited, the body taken to its end.
import type { Call, Outcome, Reply, ReplyHeaders, Sink } from '../src/core/call.ts';
import type { Clock } from '../src/core/clock.ts';
import type { Layer, Service } from '../src/core/service.ts';
import { meshConfig } from './callers.ts';
import type { Handicap, IsolatedOrder, VariantName } from './isolated.ts';
import { loadLibrary } from './library.ts';
import { type Batch, measure } from './measure.ts';

const CHUNK = Buffer.alloc(1_024);
const HEADERS: ReplyHeaders = { 'content-type': 'text/plain', 'content-length': '1024' };
const NO_TRAILERS: Record<string, string> = {};

/** An answer whose body has arrived already. */
class FakeReply implements Reply {
  readonly status: number = 200;
  readonly statusText: string = 'OK';
  readonly intact: boolean = true;
  headers: ReplyHeaders = HEADERS;
  rawHeaders: unknown = null;
  readonly #call: Call;
  readonly #clock: Clock;

  constructor(call: Call, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
  }

  attach(sink: Sink): void {
    sink.onData(CHUNK);
    const outcome: Outcome = { kind: 'success', status: 200, error: null, endedAtMs: this.#clock.now() };
    this.#call.end(outcome);
    sink.onEnd(NO_TRAILERS);
  }

  pause(): void {}
  resume(): void {}
  discard(): void {}
  hold(): void {}
}

class CountingSink implements Sink {
  bytes = 0;
  ends = 0;
  onData(chunk: Uint8Array): boolean {
    this.bytes += chunk.byteLength;
    return true;
  }
  onEnd(): void {
    this.ends++;
  }
  onError(error: unknown): void {
    throw error;
  }
}

function leafOn(clock: Clock): Service {
  return (call) => {
    call.headAtMs = clock.now();
    return Promise.resolve(new FakeReply(call, clock));
  };
}

type CallClass = typeof import('../src/core/call.ts').Call;

function batchOf(service: Service, clock: Clock, CallOfBuild: CallClass): Batch {
  return async (calls) => {
    const sink = new CountingSink();
    for (let i = 0; i < calls; i++) {
      const headers = ['accept', '*/*', 'user-agent', 'bench'];
      const init = { scheme: 'http', authority: 'items', method: 'GET', path: '/item?id=1', headers, body: null };
      const reply = await service(new CallOfBuild(init, clock.now()));
      reply.attach(sink);
    }
    if (sink.ends !== calls || sink.bytes !== calls * CHUNK.byteLength)
      throw new Error(`${sink.ends} of ${calls} bodies came to their end`);
  };
}

async function spanBatch(): Promise<Batch> {
  const { ROOT_CONTEXT, trace } = await import('@opentelemetry/api');
  const tracer = trace.getTracer('bench');
  const attributes = { 'http.request.method': 'GET', 'server.address': 'items', 'server.port': 80, 'url.full': 'http://items/item?id=1' };
  return async (calls) => {
    for (let i = 0; i < calls; i++) {
      const span = tracer.startSpan('GET', { kind: 2, attributes }, ROOT_CONTEXT);
      span.setAttribute('network.peer.port', 8_080);
      span.setAttribute('http.response.status_code', 200);
      span.end();
    }
  };
}

const kept: unknown[] = new Array(64);
let turn = 0;

const HANDICAPS: Record<Handicap, Layer> = {
  none: (next) => next,
  slow: (next) => (call) => {
    const start = process.hrtime.bigint();
    while (process.hrtime.bigint() - start < 1_500n);
    return next(call);
  },
  hungry: (next) => (call) => {
    // Kept for a moment, lest the compiler finds that nobody needs it.
    kept[turn++ % kept.length] = new Array(384).fill(0);
    return next(call);
  },
};

async function startTelemetry(variant: VariantName): Promise<void> {
  if (variant === 'off') return;
  const { startMetrics, startTracing } = await import('./telemetry.ts');
  startTracing(variant === 'ratio' ? '1 %' : 'on');
  if (variant === 'metrics') startMetrics();
}

async function main({ variant, plan, handicap }: IsolatedOrder): Promise<unknown> {
  await startTelemetry(variant);
  const { createMesh } = await loadLibrary();
  // The classes of the build itself, as the mesh makes them.
  const { Call: CallOfBuild } = (await import(new URL('../dist/core/call.js', import.meta.url).href)) as { Call: CallClass };
  const { systemClock } = (await import(new URL('../dist/core/clock.js', import.meta.url).href)) as { systemClock: Clock };
  const leaf = leafOn(systemClock);
  const mesh = await createMesh({ config: meshConfig({ ports: [1, 2, 3] }), transport: () => leaf });
  const origin = mesh.origin('http://items');
  if (origin === null) throw new Error('the mesh does not know its own service');
  const stack = HANDICAPS[handicap](origin.service);
  const subjects = { bare: batchOf(leaf, systemClock, CallOfBuild), stack: batchOf(stack, systemClock, CallOfBuild) };
  return variant === 'off' ? measure(subjects, plan) : measure({ ...subjects, span: await spanBatch() }, plan);
}

process.on('disconnect', () => process.exit());
try {
  process.send?.(await main(JSON.parse(process.argv[2] as string) as IsolatedOrder));
} catch (error) {
  process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
