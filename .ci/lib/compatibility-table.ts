// The compatibility matrix as rows of text, for a terminal and for docs/compatibility.md. Knows nothing of how it was measured.
import type { CaseResult } from '../../compat/cases.ts';
import type { RuntimeResult } from '../../compat/runtimes.ts';
import { type MatrixResults, matrixRows } from '../../test/interop/matrix-run.ts';
import { NODE_VERSIONS, type NodeMajor } from '../../test/interop/nodes.ts';

export type Rows = readonly (readonly string[])[];

export function nodeRows(results: MatrixResults, majors: readonly NodeMajor[]): Rows {
  const [, ...clients] = matrixRows(results, majors);
  return [['client', ...majors.map((major) => `Node ${NODE_VERSIONS[major]}`)], ...clients];
}

const NOT_RUN = 'left out';

function share(cases: readonly CaseResult[] | null, none: string): string {
  if (cases === null) return none;
  const held = cases.filter(({ reason }) => reason === null).length;
  return cases.length === 0 ? NOT_RUN : `${held} of ${cases.length}`;
}

/** What a runtime cannot do is said in its cell. */
function word({ more, leftOut }: RuntimeResult, name: string): string {
  const found = more.find((one) => one.name === name);
  if (leftOut !== undefined) return NOT_RUN;
  if (found === undefined) return more.length === 0 ? NOT_RUN : 'no: it needs sockets of undici or Node';
  return found.reason === null ? 'yes' : `no: ${found.reason}`;
}

export function runtimeRows(results: readonly RuntimeResult[]): Rows {
  const names = [...new Set(results.flatMap(({ more }) => more.map(({ name }) => name)))].filter((name) => name !== 'undici');
  const undici = (one: RuntimeResult): string => share(one.undici, one.leftOut === undefined ? word(one, 'undici') : NOT_RUN);
  return [
    ['', ...results.map(({ runtime, version }) => `${runtime} ${version}`.trim())],
    ['core, over undici', ...results.map(undici)],
    ['core, over its own fetch (`inmesh/fetch`)', ...results.map((one) => share(one.fetch, NOT_RUN))],
    ...names.map((name) => [name, ...results.map((one) => word(one, name))]),
  ];
}

/** What of the core does not hold, one line each; a runtime that could not be had, too. */
export function runtimeFaults(results: readonly RuntimeResult[]): string[] {
  const failed = (runtime: string, how: string, cases: readonly CaseResult[] | null): string[] =>
    (cases ?? []).flatMap(({ name, reason }) => (reason === null ? [] : [`${runtime}, over ${how}, ${name}: ${reason}`]));
  return results.flatMap(({ runtime, undici, fetch }) => [
    ...failed(runtime, 'undici', undici),
    ...failed(runtime, 'its own fetch', fetch),
  ]);
}

export function textTable(rows: Rows): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string => row.map((entry, column) => entry.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

export function markdownTable([head = [], ...rows]: Rows): string {
  const line = (row: readonly string[]): string => `| ${row.map((entry) => entry.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
