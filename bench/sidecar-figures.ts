// From samples to figures, and the bars that they are held to. Differences and ratios are taken within a round and generation, never
// between moments of the machine. Pure.
import { verdictOf, type Verdict } from './budgets.ts';
import type { Report } from './report.ts';
import type { OwnMemory } from './sidecar-memory.ts';
import { BARE, type Load, MESH, MESH_SECURE, ONE, PROXY_KINDS, PROXY_TITLES, securePair, TEN } from './sidecar-rows.ts';
import type { SidecarResult, SidecarSample } from './sidecar-run.ts';
import { median } from './statistics.ts';

export interface SidecarReport extends Pick<Report, 'date' | 'node' | 'platform' | 'cores' | 'cpuModel' | 'isQuick' | 'seconds'> {
  readonly sidecars: SidecarResult;
  readonly memory: OwnMemory | null;
}

type Figure = 'callsPerSecond' | 'p50Us' | 'p99Us';

function samplesOf(result: SidecarResult, row: string, load: Load): SidecarSample[] {
  return result.samples.filter((sample) => sample.row === row && sample.load === load.name);
}

export function figureOf(result: SidecarResult, row: string, load: Load, figure: Figure): number {
  return median(samplesOf(result, row, load).map((sample) => sample[figure]));
}

/** One figure per round: a row may be played several times in it. */
function byRound(samples: readonly SidecarSample[], figure: Figure): Map<string, number> {
  const groups = Map.groupBy(samples, ({ roundKey }) => roundKey);
  return new Map([...groups].map(([key, group]) => [key, group.reduce((sum, sample) => sum + sample[figure], 0) / group.length]));
}

/** What the row has over the base, µs: median over the rounds. NaN where one of the two was not played. */
export function addedUs(result: SidecarResult, row: string, base: string, load: Load, figure: 'p50Us' | 'p99Us'): number {
  const bases = byRound(samplesOf(result, base, load), figure);
  const own = byRound(samplesOf(result, row, load), figure);
  const added = [...own].map(([key, value]) => value - (bases.get(key) ?? Number.NaN));
  return median(added.filter((value) => !Number.isNaN(value)));
}

/** CPU of all processes per call, µs, over all rounds together: the system counts the time of others in steps of 10 ms. */
export function cpuPerCallUs(result: SidecarResult, row: string, load: Load): number {
  const samples = samplesOf(result, row, load);
  const calls = samples.reduce((sum, sample) => sum + sample.calls, 0);
  return calls === 0 ? Number.NaN : samples.reduce((sum, sample) => sum + sample.cpuUs, 0) / calls;
}

export function failuresOf(result: SidecarResult, row: string): number {
  return result.samples.reduce((sum, sample) => sum + (sample.row === row ? sample.failures : 0), 0);
}

/** Resident memory of the proxies of a row, bytes; NaN where it has none. */
export function proxyBytes(result: SidecarResult, row: string): number {
  return median(result.memory.filter((memory) => memory.row === row && memory.proxies > 0).map(({ proxies }) => proxies));
}

export interface SidecarBar {
  readonly item: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly unit: 'µs' | '×' | 'MB' | 'B';
  readonly measured: number;
  readonly verdict: Verdict;
}

/** By how much a call is to be ahead of two proxies with mTLS between them, µs. */
export const AHEAD_US = 200;

type OpenBar = Omit<SidecarBar, 'verdict'>;

function aheadOf(result: SidecarResult, kind: (typeof PROXY_KINDS)[number]): OpenBar[] {
  const pair = securePair(kind);
  const cpu = (load: Load): number => cpuPerCallUs(result, MESH_SECURE, load) / cpuPerCallUs(result, pair, load);
  const title = PROXY_TITLES[kind];
  return [
    {
      item: `p50 ahead of two ${title} with mTLS, 1 call at a time`,
      atLeast: AHEAD_US,
      unit: 'µs',
      measured: addedUs(result, pair, MESH_SECURE, ONE, 'p50Us'),
    },
    { item: `CPU of all processes, of two ${title} with mTLS, 1 call at a time`, atMost: 0.6, unit: '×', measured: cpu(ONE) },
    { item: `The same, 10 calls at once`, atMost: 0.6, unit: '×', measured: cpu(TEN) },
  ];
}

export function barsOf({ sidecars, memory, isQuick }: SidecarReport): SidecarBar[] {
  const bars: OpenBar[] = [
    {
      item: `p50 added to undici.request, 1 call at a time`,
      atMost: 10,
      unit: 'µs',
      measured: addedUs(sidecars, MESH, BARE, ONE, 'p50Us'),
    },
    {
      item: `p99 added to undici.request, 10 calls at once`,
      atMost: 100,
      unit: 'µs',
      measured: addedUs(sidecars, MESH, BARE, TEN, 'p99Us'),
    },
    ...PROXY_KINDS.flatMap((kind) => aheadOf(sidecars, kind)),
    {
      item: 'Heap of a process that calls 10 services, code included, over undici alone',
      atMost: 5,
      unit: 'MB',
      measured: (memory?.processHeapBytes ?? Number.NaN) / 1e6,
    },
    { item: 'Of that, what the 10 services take', atMost: 5, unit: 'MB', measured: (memory?.servicesHeapBytes ?? Number.NaN) / 1e6 },
    {
      item: 'Heap for each of 1,000 endpoints, all called, over undici alone',
      atMost: 2_048,
      unit: 'B',
      measured: memory?.endpointHeapBytes ?? Number.NaN,
    },
    { item: 'The same before they are called', atMost: 2_048, unit: 'B', measured: memory?.idleEndpointHeapBytes ?? Number.NaN },
  ];
  return bars.map((bar) => ({ ...bar, verdict: verdictOf({ ...bar, measured: () => bar.measured }, bar.measured, isQuick) }));
}
