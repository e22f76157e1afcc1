// Hands what the meter has counted to a metric reader of the OpenTelemetry SDK: `new PeriodicExportingMetricReader({
// metricProducers: [metricProducer(…)] })`. Costs nothing per call. Shaped after MetricProducer of `@opentelemetry/sdk-metrics`
// 3, which is not imported: loading it takes 100 ms. Sums are cumulative, whatever the reader prefers.
import type { Clock } from '../core/clock.ts';
import type { Family } from './family.ts';
import type { Meter } from './meter.ts';
import { SCHEMA_URL, SCOPE_NAME } from './semconv.ts';
import { type Attributes, Counter, Gauge, Histogram } from './series.ts';
import { type HttpMetricsOption, reportsHttpMetrics } from './undici-listeners.ts';

/** Seconds and nanoseconds since 1970. */
export type HrTime = [number, number];

const CUMULATIVE = 1;
const HISTOGRAM = 0;
const GAUGE = 2;
const SUM = 3;
const DOUBLE = 1;

export interface DataPoint<T> {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: Record<string, string | number | boolean>;
  readonly value: T;
}

export interface HistogramValue {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] };
}

interface BaseMetric {
  readonly descriptor: { readonly name: string; readonly description: string; readonly unit: string; readonly valueType: typeof DOUBLE };
  readonly aggregationTemporality: typeof CUMULATIVE;
}

export type Metric = BaseMetric &
  (
    | { readonly dataPointType: typeof HISTOGRAM; readonly dataPoints: DataPoint<HistogramValue>[] }
    | { readonly dataPointType: typeof GAUGE; readonly dataPoints: DataPoint<number>[] }
    | { readonly dataPointType: typeof SUM; readonly isMonotonic: boolean; readonly dataPoints: DataPoint<number>[] }
  );

/** A resource without attributes: the reader takes that of its own provider. */
export interface EmptyResource {
  readonly attributes: Record<string, never>;
  merge(other: unknown): never;
  getRawAttributes(): [];
}

export interface Collection {
  readonly resourceMetrics: {
    readonly resource: EmptyResource;
    readonly scopeMetrics: {
      readonly scope: { readonly name: string; readonly version: string; readonly schemaUrl: string };
      readonly metrics: Metric[];
    }[];
  };
  readonly errors: unknown[];
}

/** Accepted where the OpenTelemetry SDK wants a MetricProducer. */
export interface MeshMetricProducer {
  collect(): Promise<Collection>;
}

export interface MetricProducerOptions {
  /** Version of this package, for the instrumentation scope. */
  readonly version: string;
  /** @default auto */
  readonly httpMetrics?: HttpMetricsOption;
}

const RESOURCE: EmptyResource = Object.freeze({
  attributes: Object.freeze({}),
  merge: (other: unknown) => other as never,
  getRawAttributes: (): [] => [],
});

/** From now on nothing of this meter is reported through the global MeterProvider. */
export function metricProducer(meter: Meter, clock: Clock, options: MetricProducerOptions): MeshMetricProducer {
  meter.producers++;
  const scope = { name: SCOPE_NAME, version: options.version, schemaUrl: SCHEMA_URL };
  const startTime = hrTime(meter.startedAtMs);
  return {
    collect() {
      const metrics: Metric[] = [];
      const errors: unknown[] = [];
      const endTime = hrTime(clock.wall());
      const reportsHttp = reportsHttpMetrics(options.httpMetrics ?? 'auto');
      for (const family of meter.families.values()) {
        if (family.size === 0 || (family.definition.name === 'http.client.request.duration' && !reportsHttp)) continue;
        try {
          metrics.push(metricOf(family, startTime, endTime));
        } catch (error) {
          errors.push(error);
        }
      }
      return Promise.resolve({ resourceMetrics: { resource: RESOURCE, scopeMetrics: [{ scope, metrics }] }, errors });
    },
  };
}

export function hrTime(wallMs: number): HrTime {
  return [Math.trunc(wallMs / 1_000), Math.round((wallMs % 1_000) * 1e6)];
}

function metricOf(family: Family<Histogram> | Family<Counter> | Family<Gauge>, startTime: HrTime, endTime: HrTime): Metric {
  const { name, description, unit, kind } = family.definition;
  const base: BaseMetric = { descriptor: { name, description, unit, valueType: DOUBLE }, aggregationTemporality: CUMULATIVE };
  const point = <T>(attributes: Attributes, value: T): DataPoint<T> => ({ startTime, endTime, attributes: { ...attributes }, value });
  const histograms: DataPoint<HistogramValue>[] = [];
  const numbers: DataPoint<number>[] = [];
  for (const series of family) {
    if (series instanceof Histogram) histograms.push(point(series.attributes, histogramValue(series)));
    else numbers.push(point(series.attributes, series.value));
  }
  if (kind === 'histogram') return { ...base, dataPointType: HISTOGRAM, dataPoints: histograms };
  if (kind === 'gauge') return { ...base, dataPointType: GAUGE, dataPoints: numbers };
  return { ...base, dataPointType: SUM, isMonotonic: kind === 'counter', dataPoints: numbers };
}

function histogramValue(series: Histogram): HistogramValue {
  const { bounds, scale } = series.buckets;
  return {
    min: series.least / scale,
    max: series.most / scale,
    sum: series.sum / scale,
    count: series.count,
    buckets: { boundaries: [...bounds], counts: series.counts },
  };
}
