// Counts and percentiles over visits.
import type { Visit } from './load.ts';

export interface Stats {
  readonly calls: number;
  readonly lost: number;
  /** Percent. */
  readonly answered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly retries: number;
  /** Share of each version in what the split drew for users without a mobile phone, percent. */
  readonly drawn: Readonly<Record<'v1' | 'v2' | 'v3', number>>;
}

export function statsOf(visits: readonly Visit[]): Stats {
  const latencies = Float64Array.from(visits, (visit) => visit.latencyMs).sort();
  const at = (share: number): number => latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? 0;
  const lost = visits.filter((visit) => !visit.isAnswered).length;
  const others = visits.filter((visit) => !visit.isMobile && visit.drawn !== '');
  const share = (version: string): number => percent(others.filter((visit) => visit.drawn === version).length, others.length);
  return {
    calls: visits.length,
    lost,
    answered: visits.length === 0 ? 100 : percent(visits.length - lost, visits.length),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    retries: visits.reduce((sum, visit) => sum + visit.retries, 0),
    drawn: { v1: share('v1'), v2: share('v2'), v3: share('v3') },
  };
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
