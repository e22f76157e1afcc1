// What is counted of gRPC calls under gRPC's own names, for dashboards that other gRPC stacks fill, too. Made only where it is
// asked for. Sizes of messages are not counted: grpc-js compresses below us, and nobody tells how long a message was on the wire.
// Source: gRFC A66 (attempts, calls, servers), A96 (retries).
import type { Call, Outcome } from '../core/call.ts';
import { GRPC_STATUSES } from '../model/grpc-status.ts';
import type { Family } from './family.ts';
import { ByMethod, ByStatus } from './rpc-series.ts';
import type { HistogramName } from './metrics.ts';
import * as name from './semconv.ts';
import type { Attributes, Counter, Histogram } from './series.ts';

/** What gRPC calls a method that is none of the application's. */
const OTHER_METHOD = 'other';

export interface GrpcFamilies {
  counter(name: 'grpc.client.attempt.started' | 'grpc.server.call.started'): Family<Counter>;
  histogram(name: GrpcHistogramName): Family<Histogram>;
}

export type GrpcHistogramName = Extract<HistogramName, `grpc.${string}`>;

/** Who is told of every single record, when nobody collects from the meter. */
export type GrpcSink = (name: GrpcHistogramName, series: Histogram, recorded: number) => void;

/** How often one call was repeated; made at the first time. */
class Tally {
  retries = 0;
  transparent = 0;
  hedges = 0;
  pausedMs = 0;
}

class ClientMethod {
  readonly started: Counter;
  readonly attempts: ByStatus;
  readonly calls: ByStatus;
  readonly #families: GrpcFamilies;
  readonly #labels: Attributes;

  constructor(families: GrpcFamilies, labels: Attributes) {
    this.#families = families;
    this.#labels = labels;
    this.started = families.counter('grpc.client.attempt.started').of(labels);
    this.attempts = byStatus(families.histogram('grpc.client.attempt.duration'), labels);
    this.calls = byStatus(families.histogram('grpc.client.call.duration'), labels);
  }

  /** What did not happen is not counted. Source: gRFC A96. */
  repeated({ retries, transparent, hedges, pausedMs }: Tally, sink: GrpcSink | null): void {
    this.#record('grpc.client.call.retries', retries, sink);
    this.#record('grpc.client.call.transparent_retries', transparent, sink);
    this.#record('grpc.client.call.hedges', hedges, sink);
    this.#record('grpc.client.call.retry_delay', pausedMs, sink);
  }

  #record(metric: GrpcHistogramName, recorded: number, sink: GrpcSink | null): void {
    if (recorded === 0) return;
    const histogram = this.#families.histogram(metric).of(this.#labels);
    histogram.record(recorded);
    sink?.(metric, histogram, recorded);
  }
}

/** Calls to one service, which is their target. Made by the meter. Told of repetitions by the retries. */
export class GrpcClientSeries {
  readonly #methods: ByMethod<ClientMethod>;
  readonly #sink: GrpcSink | null;
  /** Only calls that were repeated are in it. */
  readonly #tallies: WeakMap<Call, Tally> = new WeakMap();

  constructor(families: GrpcFamilies, service: string, sink: GrpcSink | null) {
    this.#methods = new ByMethod((method) => {
      const labels = { [name.GRPC_METHOD]: method ?? OTHER_METHOD, [name.GRPC_TARGET]: service };
      return new ClientMethod(families, labels);
    });
    this.#sink = sink;
  }

  attemptStarted({ path }: Call): void {
    this.#methods.of(path).started.value++;
  }

  attemptEnded({ path, startedAtMs }: Call, outcome: Outcome): void {
    const durationMs = outcome.endedAtMs - startedAtMs;
    const histogram = this.#methods.of(path).attempts.end(outcome, durationMs);
    this.#sink?.('grpc.client.attempt.duration', histogram, durationMs);
  }

  callEnded(call: Call, outcome: Outcome): void {
    const method = this.#methods.of(call.path);
    const durationMs = outcome.endedAtMs - call.startedAtMs;
    const histogram = method.calls.end(outcome, durationMs);
    this.#sink?.('grpc.client.call.duration', histogram, durationMs);
    const tally = this.#tallies.get(call);
    if (tally !== undefined) method.repeated(tally, this.#sink);
  }

  retried(call: Call, isTransparent: boolean): void {
    const tally = this.#tallyOf(call);
    if (isTransparent) tally.transparent++;
    else tally.retries++;
  }

  hedged(call: Call): void {
    this.#tallyOf(call).hedges++;
  }

  paused(call: Call, forMs: number): void {
    this.#tallyOf(call).pausedMs += forMs;
  }

  #tallyOf(repeated: Call): Tally {
    let call = repeated;
    while (call.parent !== null) call = call.parent;
    let tally = this.#tallies.get(call);
    if (tally === undefined) {
      tally = new Tally();
      this.#tallies.set(call, tally);
    }
    return tally;
  }
}

/** Calls that servers of this process answer. Made by the meter. */
export class GrpcServerSeries {
  readonly #methods: ByMethod<{ readonly started: Counter; readonly calls: ByStatus }>;
  readonly #sink: GrpcSink | null;

  constructor(families: GrpcFamilies, sink: GrpcSink | null) {
    this.#methods = new ByMethod((method) => {
      const labels = { [name.GRPC_METHOD]: method ?? OTHER_METHOD };
      const started = families.counter('grpc.server.call.started').of(labels);
      return { started, calls: byStatus(families.histogram('grpc.server.call.duration'), labels) };
    });
    this.#sink = sink;
  }

  /** `path` is '' for a method that the server does not have. */
  started(path: string): void {
    this.#methods.of(path).started.value++;
  }

  ended(path: string, outcome: Outcome, durationMs: number): void {
    const histogram = this.#methods.of(path).calls.end(outcome, durationMs);
    this.#sink?.('grpc.server.call.duration', histogram, durationMs);
  }
}

function byStatus(family: Family<Histogram>, labels: Attributes): ByStatus {
  return new ByStatus((code) => family.of({ ...labels, [name.GRPC_STATUS]: GRPC_STATUSES[code] as string }));
}
