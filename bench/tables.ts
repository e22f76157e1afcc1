// A report as tables: the same rows for the terminal and for the docs page.
import { BUDGETS, verdictOf } from './budgets.ts';
import { BASELINE, FETCH, GRPC_BASELINE } from './cases.ts';
import { medianOf, ratioOf, type Report } from './report.ts';
import type { SocketResult } from './sockets.ts';
import { type IsolatedResult, VARIANTS } from './isolated.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function number(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

function socketTable(result: SocketResult, concurrency: number): Table {
  const rows = result.cases.map(({ name }) => [
    name,
    number(medianOf(result, name, concurrency, 'callsPerSecond')),
    number(ratioOf(result, name, BASELINE, concurrency, 'callsPerSecond'), 2),
    number(medianOf(result, name, concurrency, 'cpuUs')),
    number(ratioOf(result, name, BASELINE, concurrency, 'cpuUs'), 2),
    number(ratioOf(result, name, FETCH, concurrency, 'cpuUs'), 2),
    number(medianOf(result, name, concurrency, 'cpuAllUs')),
    number(medianOf(result, name, concurrency, 'p50Us')),
    number(medianOf(result, name, concurrency, 'p99Us')),
    number((result.heapBytes[name] ?? Number.NaN) / 1_024, 1),
  ]);
  return {
    title: `Over sockets, ${concurrency} ${concurrency === 1 ? 'call at a time' : 'calls at once'}, 1 KiB answers`,
    columns: ['case', 'calls/s', '× calls/s', 'CPU µs', '× CPU', '× CPU of fetch', 'CPU µs, all processes', 'p50 µs', 'p99 µs', 'heap KiB'],
    rows,
  };
}

function grpcTable(result: SocketResult): Table {
  const rows = [...new Set(result.samples.map(({ concurrency }) => concurrency))]
    .sort((a, b) => a - b)
    .flatMap((concurrency) =>
      result.cases.map(({ name }) => [
        `${name}, ${concurrency} at once`,
        number(medianOf(result, name, concurrency, 'callsPerSecond')),
        number(ratioOf(result, name, GRPC_BASELINE, concurrency, 'callsPerSecond'), 2),
        number(medianOf(result, name, concurrency, 'cpuUs')),
        number(ratioOf(result, name, GRPC_BASELINE, concurrency, 'cpuUs'), 2),
        number(medianOf(result, name, concurrency, 'cpuAllUs')),
        number(medianOf(result, name, concurrency, 'p50Us')),
        number((result.heapBytes[name] ?? Number.NaN) / 1_024, 1),
      ]),
    );
  return {
    title: 'gRPC, 1 KiB there and back',
    columns: ['case', 'calls/s', '× calls/s', 'CPU µs', '× CPU', 'CPU µs, all processes', 'p50 µs', 'heap KiB'],
    rows,
  };
}

function isolatedTable(result: IsolatedResult): Table {
  const row = (name: string, { nsMedian, nsBest, bytes }: { nsMedian: number; nsBest: number; bytes: number }): string[] => [
    name,
    number(nsMedian),
    number(nsBest),
    number(bytes),
  ];
  return {
    title: 'Without a network, per call',
    columns: ['what', 'ns, median', 'ns, best decile', 'heap bytes'],
    rows: [
      row('the bare leaf', result.off.bare),
      ...(result.on.span === null ? [] : [row("one span of OpenTelemetry's SDK, six attributes, sampled", result.on.span)]),
      ...VARIANTS.map(({ name, title }) => row(`the whole stack over it, ${title}`, result[name].over)),
    ],
  };
}

function importTable(result: NonNullable<Report['import']>): Table {
  const { cost, unwanted } = result;
  return {
    title: `Import, CPU ms, median of ${cost.repetitions} fresh processes`,
    columns: ['what', 'CPU ms'],
    rows: [
      ["import('undici')", number(cost.undiciMs, 1)],
      ["import('undici') and import('inmesh')", number(cost.inmeshMs, 1)],
      ['the difference, pair by pair', number(cost.beyondMs, 1)],
      ["the difference, import('inmesh') and createMesh({ config: {…} })", number(cost.createdBeyondMs, 1)],
      ['modules loaded that must not be', unwanted.length === 0 ? 'none' : unwanted.join(', ')],
    ],
  };
}

function budgetTable(report: Report): Table {
  const rows = BUDGETS.map((budget) => {
    const measured = budget.measured(report);
    const bar = budget.atMost === undefined ? `>= ${budget.atLeast}` : `<= ${budget.atMost}`;
    return [
      budget.item,
      `${bar} ${budget.unit}`,
      number(measured, budget.unit === '×' ? 2 : 0),
      verdictOf(budget, measured, report.isQuick),
    ];
  });
  return { title: 'Budgets', columns: ['item', 'budget', 'measured', 'verdict'], rows };
}

/** All tables of a report, the verdicts last. */
export function tablesOf(report: Report): Table[] {
  const tables: Table[] = [];
  const { sockets, isolated, grpc } = report;
  if (sockets !== null) {
    const concurrencies = [...new Set(sockets.samples.map(({ concurrency }) => concurrency))].sort((a, b) => a - b);
    for (const concurrency of concurrencies) tables.push(socketTable(sockets, concurrency));
  }
  if (grpc !== null) tables.push(grpcTable(grpc));
  if (isolated !== null) tables.push(isolatedTable(isolated));
  if (report.import !== null) tables.push(importTable(report.import));
  tables.push(budgetTable(report));
  return tables;
}

export function headline(report: Report): string {
  const { date, node, platform, cores, cpuModel, isQuick, seconds, sockets } = report;
  const foreign =
    sockets === null || Number.isNaN(sockets.foreignCores) ? '' : `, other programs used ${sockets.foreignCores.toFixed(2)} cores`;
  return `${date}, Node ${node}, ${platform}, ${cores} cores (${cpuModel}), ${isQuick ? 'quick' : 'full'} run of ${Math.round(seconds)} s${foreign}`;
}

export function asText({ title, columns, rows }: Table): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd();
  return [title, line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

export function asMarkdown({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  return [`### ${title}`, '', line(columns), line(rule), ...rows.map(line)].join('\n');
}
