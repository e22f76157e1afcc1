// The tables beside sidecars, and the sentences around them: the same for the terminal and for the docs page.
import type { Table } from './tables.ts';
import { addedUs, AHEAD_US, barsOf, cpuPerCallUs, failuresOf, figureOf, proxyBytes, type SidecarReport } from './sidecar-figures.ts';
import { BARE, type Load, LOADS, MESH_SECURE, ONE, PROXY_KINDS, PROXY_TITLES, securePair } from './sidecar-rows.ts';

function number(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

function signed(value: number): string {
  return Number.isFinite(value) ? `${value >= 0 ? '+' : '-'}${Math.abs(value).toFixed(0)}` : '-';
}

function loadTable({ sidecars }: SidecarReport, load: Load): Table {
  const cpuOfBare = cpuPerCallUs(sidecars, BARE, load);
  const rows = sidecars.rows.map(({ name }) => {
    const cpu = cpuPerCallUs(sidecars, name, load);
    return [
      name,
      number(figureOf(sidecars, name, load, 'p50Us')),
      name === BARE ? '-' : signed(addedUs(sidecars, name, BARE, load, 'p50Us')),
      number(figureOf(sidecars, name, load, 'p99Us')),
      name === BARE ? '-' : signed(addedUs(sidecars, name, BARE, load, 'p99Us')),
      number(figureOf(sidecars, name, load, 'callsPerSecond')),
      number(cpu),
      number(cpu / cpuOfBare, 2),
    ];
  });
  return {
    title: `Beside sidecars: ${load.name}, 1 KiB answers`,
    columns: ['between client and server', 'p50 µs', 'added', 'p99 µs', 'added', 'calls/s', 'CPU µs, all processes', '× CPU'],
    rows,
  };
}

const MIB = 1_048_576;

function memoryTable({ sidecars, memory }: SidecarReport): Table {
  const own = (memory?.processRssBytes ?? Number.NaN) / MIB;
  const rows = sidecars.rows
    .filter(({ name }) => name !== BARE)
    .map(({ name, proxy, server }) => {
      if (proxy !== null) return [name, number(proxyBytes(sidecars, name) / MIB)];
      return [name, number(server === 'mesh' ? 2 * own : own)];
    });
  return { title: 'Beside sidecars: memory, resident', columns: ['between client and server', 'MiB'], rows };
}

function barTable(report: SidecarReport): Table {
  const rows = barsOf(report).map(({ item, atMost, atLeast, unit, measured, verdict }) => [
    item,
    atMost === undefined ? `>= ${atLeast} ${unit}` : `<= ${atMost} ${unit}`,
    number(measured, unit === '×' ? 2 : unit === 'MB' ? 1 : 0),
    verdict,
  ]);
  return { title: 'Beside sidecars: bars', columns: ['item', 'bar', 'measured', 'verdict'], rows };
}

export function sidecarTables(report: SidecarReport): Table[] {
  const tables = LOADS.map((load) => loadTable(report, load));
  return [...tables, memoryTable(report), barTable(report)];
}

/** Nobody can be ahead by more than there is. */
function unreachable({ sidecars }: SidecarReport): string[] {
  return PROXY_KINDS.flatMap((kind) => {
    const added = addedUs(sidecars, securePair(kind), BARE, ONE, 'p50Us');
    if (!(added < AHEAD_US)) return [];
    return [`Two ${PROXY_TITLES[kind]} with mTLS add ${number(added)} µs here, so that nothing can be ${AHEAD_US} µs ahead of them.`];
  });
}

export function sidecarNotes(report: SidecarReport): string[] {
  const { sidecars } = report;
  const failed = sidecars.rows
    .map(({ name }) => [name, failuresOf(sidecars, name)] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} calls failed (${name}).`);
  const { date, node, platform, cores, cpuModel, isQuick, seconds } = report;
  const head = `${date}, Node ${node}, ${platform}, ${cores} cores (${cpuModel}), ${isQuick ? 'quick' : 'full'} run of ${Math.round(seconds)} s`;
  const foreign = Number.isNaN(sidecars.foreignCores) ? '' : `, other programs used ${sidecars.foreignCores.toFixed(2)} cores`;
  return [`${head}, ${sidecars.rounds} rounds${foreign}.`, ...sidecars.notes, ...unreachable(report), ...failed];
}

/** Two sentences for the README. */
export function summary(report: SidecarReport): string {
  const { sidecars, date } = report;
  const added = (row: string): string => signed(addedUs(sidecars, row, BARE, ONE, 'p50Us'));
  const cpu = (row: string): string => number(cpuPerCallUs(sidecars, row, ONE));
  const pairs = PROXY_KINDS.filter((kind) => sidecars.rows.some(({ name }) => name === securePair(kind)));
  const others = pairs.map((kind) => `${added(securePair(kind))} µs and ${cpu(securePair(kind))} µs through two ${PROXY_TITLES[kind]}`);
  return [
    `A call over mTLS, one at a time: ${added(MESH_SECURE)} µs at the median over bare undici without TLS, and ${cpu(MESH_SECURE)} µs of CPU in all processes, with inmesh at both ends;`,
    `${others.length === 0 ? 'no proxy was there to compare' : others.join('; ')} (${date}, ${report.cores} cores, [all figures](docs/performance.md#beside-sidecars)).`,
  ].join('\n');
}
