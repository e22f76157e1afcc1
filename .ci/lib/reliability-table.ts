// The fault matrix as Markdown: what is promised for a fault beside what was observed on each Node. Equal observations stand once.
import type { CellResult } from '../../test/interop/faults/run-rows.ts';
import type { FaultRow } from '../../test/interop/faults/row.ts';

export interface NodeResults {
  readonly major: number;
  readonly version: string;
  readonly results: readonly CellResult[];
}

type Protocol = CellResult['protocol'];

const PROTOCOLS: readonly (readonly [Protocol, string])[] = [
  ['http1', 'HTTP/1.1'],
  ['http2', 'HTTP/2'],
  ['grpc', 'gRPC'],
];

function cellText({ observed, isKept, skipped }: CellResult): string {
  if (skipped !== undefined) return `not run: ${skipped}`;
  const text = observed.replaceAll('|', '\\|').replaceAll('; ', '<br>');
  return isKept ? text : `**not as promised:** ${text}`;
}

function observedOf(row: FaultRow, protocol: Protocol, nodes: readonly NodeResults[]): string {
  if (row.cells[protocol] === undefined) return row.notFor?.[protocol] ?? '–';
  const byText = new Map<string, number[]>();
  for (const { major, results } of nodes) {
    const found = results.find((one) => one.id === row.id && one.protocol === protocol);
    const text = found === undefined ? 'not run' : cellText(found);
    byText.set(text, [...(byText.get(text) ?? []), major]);
  }
  if (byText.size === 1) return [...byText.keys()][0] as string;
  return [...byText].map(([text, majors]) => `Node ${majors.join(', ')}: ${text}`).join('<br>');
}

export function reliabilityTable(rows: readonly FaultRow[], nodes: readonly NodeResults[]): string {
  const cells = nodes.flatMap(({ results }) => results);
  const kept = cells.filter(({ isKept, skipped }) => isKept && skipped === undefined).length;
  const head = [
    `${kept} of ${cells.length} cells as promised, on Node ${nodes.map(({ version }) => version).join(', ')}.`,
    '',
    `| fault | class | promised | ${PROTOCOLS.map(([, name]) => `observed, ${name}`).join(' | ')} |`,
    `| --- | --- | --- | ${PROTOCOLS.map(() => '---').join(' | ')} |`,
  ];
  const lines = rows.map((row) => {
    const observed = PROTOCOLS.map(([protocol]) => observedOf(row, protocol, nodes));
    return `| ${row.fault} | ${row.class} | ${row.promise} | ${observed.join(' | ')} |`;
  });
  return [...head, ...lines].join('\n');
}
