// The bars that inmesh sets itself, and how a report measures up to them. Those that repeat well are gates of the test suite
// (test/bench/gates.test.ts); those over sockets are reported only, as they move with the machine.
import { ASSEMBLED, BASELINE, DRAWN, FETCH, FETCH_OVER_AGENT, GRPC_BASELINE, GRPC_MESHED } from './cases.ts';
import { medianOf, type Metric, ratioOf, type Report } from './report.ts';

export interface Budget {
  readonly item: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly unit: string;
  /** NaN when the run did not measure it. */
  readonly measured: (report: Report) => number;
}

/** Isolated budgets, shared with the gates. */
export const STACK_NS = 1_000;
export const STACK_BYTES = 2_048;
export const TRACED_STACK_NS = 5_000;
/** On a machine where that is more: as many spans of OpenTelemetry's SDK, made by hand, may a traced call cost. */
export const TRACED_STACK_SPANS = 4.5;
export const IMPORT_MS = 25;
/** On a machine that takes longer than this to import undici, the import budget grows in proportion. */
export const UNDICI_IMPORT_MS = 75;

function ratio(
  name: string,
  base: string,
  metric: Metric,
  worst: 'min' | 'max',
  concurrencies: readonly number[] = [10, 100],
): Budget['measured'] {
  return ({ sockets }) =>
    sockets === null ? Number.NaN : Math[worst](...concurrencies.map((c) => ratioOf(sockets, name, base, c, metric)));
}

function grpcRatio(metric: Metric, worst: 'min' | 'max'): Budget['measured'] {
  return ({ grpc }) =>
    grpc === null ? Number.NaN : Math[worst](...[10, 100].map((c) => ratioOf(grpc, GRPC_MESHED, GRPC_BASELINE, c, metric)));
}

const REQUEST = 'undici.request, mesh.dispatcher';

export const BUDGETS: readonly Budget[] = [
  {
    item: 'Whole stack over a bare call, no network, no OpenTelemetry: time',
    atMost: STACK_NS,
    unit: 'ns',
    measured: ({ isolated }) => isolated?.off.over.nsMedian ?? Number.NaN,
  },
  {
    item: 'The same: heap',
    atMost: STACK_BYTES,
    unit: 'B',
    measured: ({ isolated }) => isolated?.off.over.bytes ?? Number.NaN,
  },
  {
    item: 'The same with every call sampled (batch processor, exporter that drops): time',
    atMost: TRACED_STACK_NS,
    unit: 'ns',
    measured: ({ isolated }) => isolated?.on.over.nsMedian ?? Number.NaN,
  },
  {
    item: 'import of inmesh beyond undici',
    atMost: IMPORT_MS,
    unit: 'ms CPU',
    measured: (report) => report.import?.cost.beyondMs ?? Number.NaN,
  },
  {
    item: 'Calls per second of undici.request through the mesh, of bare undici.request (the worse of 10 and 100 at once)',
    atLeast: 0.95,
    unit: '×',
    measured: ratio(REQUEST, BASELINE, 'callsPerSecond', 'min'),
  },
  {
    item: 'The same, of bare undici.request over the same two endpoints',
    atLeast: 0.95,
    unit: '×',
    measured: ratio(REQUEST, DRAWN, 'callsPerSecond', 'min'),
  },
  {
    item: 'Calls per second of undici.request through the mesh with every call sampled, of bare undici.request',
    atLeast: 0.8,
    unit: '×',
    measured: ratio(`${REQUEST}, all sampled`, BASELINE, 'callsPerSecond', 'min'),
  },
  {
    item: "The same, with one span a call (`spans: 'attempts'`), as instrumentations make it",
    atLeast: 0.8,
    unit: '×',
    measured: ratio(`${REQUEST}, all sampled, spans: 'attempts'`, BASELINE, 'callsPerSecond', 'min'),
  },
  {
    item: 'CPU of built-in fetch through the mesh, of bare built-in fetch',
    atMost: 1.05,
    unit: '×',
    measured: ratio('fetch, mesh.dispatcher', FETCH, 'cpuUs', 'max'),
  },
  {
    item: 'The same, of built-in fetch over an Agent of the undici that the mesh uses',
    atMost: 1.05,
    unit: '×',
    measured: ratio('fetch, mesh.dispatcher', FETCH_OVER_AGENT, 'cpuUs', 'max'),
  },
  {
    item: 'CPU of mesh.fetch with every call sampled, of bare built-in fetch',
    atMost: 0.5,
    unit: '×',
    measured: ratio('mesh.fetch, all sampled', FETCH, 'cpuUs', 'max'),
  },
  {
    item: 'CPU of mesh.fetch with every call sampled, of fetch + cockatiel + instrumentation',
    atMost: 0.3,
    unit: '×',
    measured: ratio('mesh.fetch, all sampled', ASSEMBLED, 'cpuUs', 'max'),
  },
  {
    item: "The same, with one span a call (`spans: 'attempts'`), as that assembly has",
    atMost: 0.3,
    unit: '×',
    measured: ratio("mesh.fetch, all sampled, spans: 'attempts'", ASSEMBLED, 'cpuUs', 'max'),
  },
  {
    item: 'CPU of undici.request through the mesh with every call sampled, of fetch + cockatiel + instrumentation',
    atMost: 0.3,
    unit: '×',
    measured: ratio(`${REQUEST}, all sampled`, ASSEMBLED, 'cpuUs', 'max'),
  },
  {
    item: 'Median latency added to undici.request, one call at a time',
    atMost: 10,
    unit: 'µs',
    measured: ({ sockets }) =>
      sockets === null ? Number.NaN : (ratioOf(sockets, REQUEST, BASELINE, 1, 'p50Us') - 1) * medianOf(sockets, BASELINE, 1, 'p50Us'),
  },
  {
    item: 'CPU of a unary gRPC call through the mesh, of one of bare grpc-js (the worse of 10 and 100 at once)',
    atMost: 1.1,
    unit: '×',
    measured: grpcRatio('cpuUs', 'max'),
  },
  {
    item: 'Unary gRPC calls per second through the mesh, of bare grpc-js (the worse of 10 and 100 at once)',
    atLeast: 0.95,
    unit: '×',
    measured: grpcRatio('callsPerSecond', 'min'),
  },
];

export type Verdict = 'kept' | 'missed' | 'not measured' | 'run too short';

/** `isQuick`: too few rounds for a verdict on what goes over sockets, whose units are ratios and µs. */
export function verdictOf(budget: Budget, measured: number, isQuick: boolean): Verdict {
  if (Number.isNaN(measured)) return 'not measured';
  if (isQuick && (budget.unit === '×' || budget.unit === 'µs')) return 'run too short';
  return measured <= (budget.atMost ?? Number.POSITIVE_INFINITY) && measured >= (budget.atLeast ?? Number.NEGATIVE_INFINITY)
    ? 'kept'
    : 'missed';
}
