// Counts gRPC calls and attempts under gRPC's own names, beside the layers that count all calls. There only where it is asked
// for; calls that are no gRPC pass through.
import type { EndListener } from '../core/call.ts';
import type { Layer } from '../core/service.ts';
import type { GrpcClientSeries, GrpcServerSeries } from './grpc-series.ts';
import type { ServerView } from './server-metric-layer.ts';

/** Stands below the call metrics. */
export function grpcCallMetricLayer(series: GrpcClientSeries): Layer {
  const onEnd: EndListener = (call, outcome) => series.callEnded(call, outcome);
  return (next) => (call) => {
    if (call.carrier !== null) call.onEnd(onEnd);
    return next(call);
  };
}

/** Stands below the attempt metrics. */
export function grpcAttemptMetricLayer(series: GrpcClientSeries): Layer {
  const onEnd: EndListener = (attempt, outcome) => series.attemptEnded(attempt, outcome);
  return (next) => (attempt) => {
    if (attempt.carrier !== null) {
      series.attemptStarted(attempt);
      attempt.onEnd(onEnd);
    }
    return next(attempt);
  };
}

/** Stands below the server metrics. */
export function grpcServerMetricLayer(series: GrpcServerSeries, view: ServerView): Layer {
  const onEnd: EndListener = (call, outcome) => series.ended(view.methodPathOf(call), outcome, outcome.endedAtMs - call.startedAtMs);
  return (next) => (call) => {
    if (call.carrier !== null) {
      series.started(view.methodPathOf(call));
      call.onEnd(onEnd);
    }
    return next(call);
  };
}
