// Counts calls and attempts and how long they took. Both layers pass through; what happens at the end is one listener per
// layer, shared by all its calls.
import type { EndListener } from '../core/call.ts';
import type { Layer } from '../core/service.ts';
import { hasMeter } from './api.ts';
import type { CallSeries } from './call-series.ts';
import type { DestinationSeries } from './destination-series.ts';
import type { RpcSeries } from './rpc-series.ts';
import type { Histogram } from './series.ts';
import { isHttp } from './span-start.ts';

/** Who is told of every single duration, when nobody collects from the meter. */
export interface DurationSink {
  call(series: Histogram, durationMs: number): void;
  attempt(series: Histogram, durationMs: number): void;
  rpc(series: Histogram, durationMs: number): void;
}

/** Stands below the call span, above the router. */
export function callMetricLayer(series: CallSeries, sink: DurationSink | null, rpcs: RpcSeries | null = null): Layer {
  const onEnd: EndListener = (call, outcome) => {
    series.inFlight--;
    const durationMs = outcome.endedAtMs - call.startedAtMs;
    const histogram = series.end(call.route === null ? '' : call.route.name, outcome, durationMs);
    const rpc = call.carrier === null || rpcs === null ? null : rpcs.end(call.path, outcome, durationMs);
    if (sink === null || !hasMeter()) return;
    sink.call(histogram, durationMs);
    if (rpc !== null) sink.rpc(rpc, durationMs);
  };
  return (next) => (call) => {
    series.inFlight++;
    call.onEnd(onEnd);
    return next(call);
  };
}

/** Stands below retry and hedging: once per attempt. */
export function attemptMetricLayer(series: DestinationSeries, sink: DurationSink | null): Layer {
  const onEnd: EndListener = (attempt, outcome) => {
    series.inFlight--;
    if (attempt.carrier !== null || !isHttp(attempt.scheme)) {
      series.recordRun(outcome);
      return;
    }
    const durationMs = outcome.endedAtMs - attempt.startedAtMs;
    const histogram = series.recordAttempt(attempt.method, outcome, durationMs);
    if (sink !== null && hasMeter()) sink.attempt(histogram, durationMs);
  };
  return (next) => (attempt) => {
    series.inFlight++;
    attempt.onEnd(onEnd);
    return next(attempt);
  };
}
