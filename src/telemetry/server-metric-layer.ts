// Counts the calls that servers of this process answer, and how long they took: `http.server.request.duration`, in buckets of
// our own. Passes through; what happens at the end is one listener, shared by all calls.
import type { Call, EndListener } from '../core/call.ts';
import type { Layer } from '../core/service.ts';
import { hasMeter } from './api.ts';
import type { RpcSeries } from './rpc-series.ts';
import type { Histogram } from './series.ts';
import type { ServerSeries } from './server-series.ts';

/** What only the server knows of a call. */
export interface ServerView {
  /** Template of the route that a framework matched; '' when none has said. Asked at the end of the call. */
  routeOf(call: Call): string;
  isHttp2(call: Call): boolean;
  /** Path of the method of a gRPC call; '' when the server has none such: then its name is the caller's, and no label. */
  methodPathOf(call: Call): string;
  /** Address of the caller, '' when it is unknown. */
  clientAddress(call: Call): string;
  /** What the caller was answered when the outcome does not say: by a layer of ours. */
  statusOf(call: Call): number;
}

/** Who is told of every single duration, when nobody collects from the meter. */
export interface ServerDurationSink {
  server(series: Histogram, durationMs: number): void;
  serverRpc(series: Histogram, durationMs: number): void;
}

/** Stands below the server span. */
export function serverMetricLayer(series: ServerSeries, rpcs: RpcSeries, view: ServerView, sink: ServerDurationSink | null): Layer {
  const onEnd: EndListener = (call, outcome) => {
    series.inFlight--;
    const durationMs = outcome.endedAtMs - call.startedAtMs;
    if (call.carrier !== null) {
      const ofMethod = rpcs.end(view.methodPathOf(call), outcome, durationMs);
      if (sink !== null && hasMeter()) sink.serverRpc(ofMethod, durationMs);
      return;
    }
    const histogram = series.end(view.routeOf(call), call.scheme, view.isHttp2(call), call.method, outcome, durationMs);
    if (sink !== null && hasMeter()) sink.server(histogram, durationMs);
  };
  return (next) => (call) => {
    series.inFlight++;
    call.onEnd(onEnd);
    return next(call);
  };
}
