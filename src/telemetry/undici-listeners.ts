// Who listens to undici's diagnostics channels: OpenTelemetry's own instrumentation would make a second span, a second
// traceparent and a second duration for every attempt of ours. Asking costs a few nanoseconds.
import { channel } from 'node:diagnostics_channel';

const created = channel('undici:request:create');
const trailed = channel('undici:request:trailers');

/** Whether somebody is told of requests when they are made, and may touch their headers. */
export function seesRequests(): boolean {
  return created.hasSubscribers;
}

/** Whether somebody follows requests to their end, as `@opentelemetry/instrumentation-undici` does to measure them. */
export function measuresRequests(): boolean {
  return created.hasSubscribers && trailed.hasSubscribers;
}

/** Whether `http.client.request.duration` is ours to report. `auto`: not when another instrumentation measures it. @default auto */
export type HttpMetricsOption = 'auto' | boolean;

export function reportsHttpMetrics(option: HttpMetricsOption): boolean {
  return option === 'auto' ? !measuresRequests() : option;
}
