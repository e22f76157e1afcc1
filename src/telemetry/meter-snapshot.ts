// The meter as plain JSON, for `mesh.snapshot()` and the command line. Durations in ms, quantiles estimated from buckets.
import type { CallSeries, Tally } from './call-series.ts';
import type { DestinationSeries } from './destination-series.ts';
import type { Family } from './family.ts';
import { type Attributes, type Counter, type Gauge, Histogram } from './series.ts';

export interface DurationSnapshot {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface DestinationSnapshot extends DurationSnapshot {
  /** `service` or `service/subset`. */
  readonly destination: string;
  readonly route: string;
  readonly attempts: number;
  readonly successes: number;
  readonly failures: number;
  /** Ended by the caller, or refused here. */
  readonly ignored: number;
  readonly inFlight: number;
  /** By the condition that allowed them. */
  readonly retries: Readonly<Record<string, number>>;
  /** By the reason. */
  readonly retriesDenied: Readonly<Record<string, number>>;
}

export interface ServiceSnapshot extends DurationSnapshot {
  readonly service: string;
  readonly calls: number;
  readonly successes: number;
  readonly failures: number;
  readonly ignored: number;
  readonly inFlight: number;
  readonly destinations: readonly DestinationSnapshot[];
}

/** A counter or gauge as it stands. */
export interface ValueSnapshot {
  readonly name: string;
  readonly attributes: Attributes;
  readonly value: number;
}

export interface MeterSnapshot {
  /** Unix time since when is counted, ms. */
  readonly startedAtMs: number;
  readonly services: readonly ServiceSnapshot[];
  readonly values: readonly ValueSnapshot[];
}

function durations(histograms: readonly Histogram[]): DurationSnapshot {
  const all = new Histogram({});
  for (const histogram of histograms) all.merge(histogram);
  return { p50Ms: rounded(all.quantile(0.5)), p99Ms: rounded(all.quantile(0.99)) };
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function endings(tally: Tally): { successes: number; failures: number; ignored: number } {
  return { successes: tally.success, failures: tally.failure, ignored: tally.ignored };
}

/** Without a prototype: reasons are words of the policies, but a map is a map. */
function byReason(counters: ReadonlyMap<string, Counter>): Record<string, number> {
  const out: Record<string, number> = Object.create(null);
  for (const [reason, counter] of counters) out[reason] = counter.value;
  return out;
}

function destinationSnapshot(series: DestinationSeries): DestinationSnapshot {
  return {
    destination: series.names?.destination ?? '',
    route: series.names?.route ?? '',
    attempts: series.tally.total,
    ...endings(series.tally),
    inFlight: series.inFlight,
    retries: byReason(series.retriesByReason),
    retriesDenied: byReason(series.deniedByReason),
    ...durations(series.histograms()),
  };
}

function values(families: Iterable<Family<Gauge> | Family<Counter>>): ValueSnapshot[] {
  const out: ValueSnapshot[] = [];
  for (const family of families) {
    for (const { attributes, value } of family) out.push({ name: family.definition.name, attributes, value });
  }
  return out;
}

export function meterSnapshot(
  startedAtMs: number,
  services: Iterable<CallSeries>,
  destinations: Iterable<DestinationSeries>,
  gauges: Iterable<Family<Gauge>>,
  counters: Iterable<Family<Counter>>,
): MeterSnapshot {
  const byService = new Map<string, DestinationSeries[]>();
  for (const series of destinations) {
    const service = series.names?.service ?? '';
    const list = byService.get(service);
    if (list === undefined) byService.set(service, [series]);
    else list.push(series);
  }
  return {
    startedAtMs,
    services: Array.from(services, (series) => ({
      service: series.service,
      calls: series.tally.total,
      ...endings(series.tally),
      inFlight: series.inFlight,
      ...durations(series.histograms()),
      destinations: (byService.get(series.service) ?? []).map(destinationSnapshot),
    })),
    values: [...values(gauges), ...values(counters)],
  };
}
