// Everything that one run found, and the machine it was found on. What `--json` prints.
import { cpus } from 'node:os';
import type { ImportCost } from './import-cost.ts';
import type { IsolatedResult } from './isolated.ts';
import type { Sample, SocketResult } from './sockets.ts';
import { median } from './statistics.ts';

export interface ImportResult {
  readonly cost: ImportCost;
  /** Modules that were loaded and must not be; empty is right. */
  readonly unwanted: readonly string[];
}

export interface Report {
  readonly date: string;
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly cpuModel: string;
  readonly isQuick: boolean;
  readonly seconds: number;
  readonly sockets: SocketResult | null;
  readonly isolated: IsolatedResult | null;
  readonly import: ImportResult | null;
  readonly grpc: SocketResult | null;
}

export function describeMachine(): Pick<Report, 'date' | 'node' | 'platform' | 'cores' | 'cpuModel'> {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: cpus().length,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown processor',
  };
}

export type Metric = 'callsPerSecond' | 'cpuUs' | 'cpuAllUs' | 'p50Us' | 'p99Us';

function samplesOf(result: SocketResult, name: string, concurrency: number): Sample[] {
  return result.samples.filter((sample) => sample.name === name && sample.concurrency === concurrency);
}

export function medianOf(result: SocketResult, name: string, concurrency: number, metric: Metric): number {
  return median(samplesOf(result, name, concurrency).map((sample) => sample[metric]));
}

/** One figure per round: a case may be played several times in it. */
function byRound(samples: readonly Sample[], metric: Metric): Map<string, number> {
  const groups = Map.groupBy(samples, ({ roundKey }) => roundKey);
  return new Map([...groups].map(([key, group]) => [key, group.reduce((sum, sample) => sum + sample[metric], 0) / group.length]));
}

/** Median of the ratios taken round by round. NaN when one of the two was not run. */
export function ratioOf(result: SocketResult, name: string, base: string, concurrency: number, metric: Metric): number {
  const bases = byRound(samplesOf(result, base, concurrency), metric);
  const own = byRound(samplesOf(result, name, concurrency), metric);
  const ratios = [...own].map(([key, value]) => value / (bases.get(key) ?? Number.NaN));
  return median(ratios.filter((ratio) => !Number.isNaN(ratio)));
}
