// What is recorded of calls, as far as a configuration says so. Pure data; telemetry/ obeys it. Source: Istio Telemetry.
import type { SourcePosition } from './route.ts';

/** Calls that this process makes, or those that it answers. */
export type TelemetrySide = 'client' | 'server';

/** Where the value of a span attribute comes from. A missing variable or header gives `defaultValue`, or no attribute. */
export type SpanTag =
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'environment'; readonly name: string; readonly defaultValue?: string }
  /** Request header, lower case. */
  | { readonly kind: 'header'; readonly name: string; readonly defaultValue?: string }
  /** Envoy's access log notation. */
  | { readonly kind: 'formatter'; readonly value: string };

export interface TracingPolicy {
  /** Share of traces that begin here and are recorded, percent. Absent: the sampler's own. Source: Istio, 1 in the mesh's default. */
  readonly samplingPercent?: number;
  /** Further attributes, by name. */
  readonly tags: Readonly<Record<string, SpanTag>>;
  /** Whether spans are recorded. @default true */
  readonly report: boolean;
  /** Whether trace headers are sent on. @default true */
  readonly propagate: boolean;
  /** Whether `x-request-id` carries the decision. @default true */
  readonly byRequestId: boolean;
}

/** `remove`, or the expression (CEL) that gives the value. */
export type MetricTag = { readonly remove: true } | { readonly value: string };

export interface MetricOverride {
  /** Istio's name without `istio_`, in capitals, such as REQUEST_COUNT, or that of a metric of the user's; ALL_METRICS: every one. */
  readonly metric: string;
  /** @default false */
  readonly disabled: boolean;
  readonly tags: Readonly<Record<string, MetricTag>>;
}

export interface AccessLogPolicy {
  readonly disabled: boolean;
  /** Only calls for which it holds. CEL; absent: all. */
  readonly filter?: string;
}

/** All that holds for one side; later entries of lists come first in rank. */
export interface SideTelemetry {
  readonly tracing: TracingPolicy;
  readonly metrics: readonly MetricOverride[];
  /** null: nobody has said anything. */
  readonly accessLog: AccessLogPolicy | null;
}

export interface TelemetryConfig {
  readonly client: SideTelemetry;
  readonly server: SideTelemetry;
  /** The documents it was put together from, the most general first. */
  readonly sources: readonly SourcePosition[];
}

export const TRACING_DEFAULTS: TracingPolicy = Object.freeze({ tags: Object.freeze({}), report: true, propagate: true, byRequestId: true });
