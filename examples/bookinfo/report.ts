// What is said before and after the run.
import { styleText } from 'node:util';
import { type Lane, LANES } from './messages.ts';
import { access, routing } from './mesh-file.ts';
import { SPLIT } from './phases.ts';
import { ms, rate } from './screen.ts';
import type { Stats } from './tally.ts';
import type { Summary } from './verdict.ts';

export function intro(): string {
  return [
    styleText('bold', 'inmesh demo: a book page made of four services, each a process of its own'),
    '',
    '  users → productpage ─→ details',
    '                      └→ reviews (v1 ×3, v2 ×2, v3 ×1) ─gRPC→ ratings',
    '',
    'The page runs twice. One calls with plain fetch: an address drawn at random, a timeout of 1 s. The other calls',
    'with inmesh: a name, the rest stands in mesh.yaml. Both serve the same users and call the same processes.',
    'Users with a mobile phone get reviews v2, of the others 80 % v1 and 20 % v2. Then things go wrong.',
    'Through inmesh both sides of every call between services show a certificate, and who has none is cut off.',
    '',
    'What mesh.yaml says about reviews, beside the addresses:',
    ...[...routing(SPLIT), ...access('reviews')].map((line) => styleText('dim', line)),
    '',
    'Starting ten processes …',
  ].join('\n');
}

export function printSummary(print: (text: string) => void, summary: Summary, trace: readonly string[], ejections: number): void {
  const cells = (stats: Stats): string => rate(stats).padStart(9) + ms(stats.p50Ms).padStart(9) + ms(stats.p99Ms).padStart(9);
  const row = (name: string, stats: Readonly<Record<Lane, Stats>>): string =>
    `${name.padEnd(16)}${LANES.map((lane) => cells(stats[lane])).join('  ')}${String(stats.inmesh.retries).padStart(9)}`;
  print('');
  print(styleText('bold', `${''.padEnd(16)}${'plain fetch'.padStart(27)}  ${'inmesh'.padStart(27)}`));
  print(styleText('dim', `${''.padEnd(16)}${LANES.map(() => '  answered      p50      p99'.slice(1)).join('  ')}  retries`));
  for (const phase of summary.phases) print(row(phase.name, phase));
  print(styleText('bold', row('in total', summary.total)));
  print(`inmesh left out a sick process ${ejections} times.`);
  printDoors(print, summary);
  print('');
  for (const { holds, text } of summary.checks) print(`${holds ? styleText('green', '✓') : styleText('red', '✗')} ${text}`);
  if (summary.isBusy)
    print('! This machine was busy with other things: calls were slow before anything went wrong. Run it again when it is not.');
  if (trace.length > 0) {
    print('');
    print(styleText('bold', 'One of the calls that inmesh saved, as OpenTelemetry saw it:'));
    for (const line of trace) print(`  ${line}`);
  }
  print('');
  print(summary.holds ? 'All of it holds. Next: examples/01-quickstart.ts.' : 'Something above does not hold.');
}

/** gRPC calls, and who called whom by certificate. */
function printDoors(print: (text: string) => void, { rpcs, edges }: Summary): void {
  print('');
  print(styleText('bold', 'gRPC, reviews → ratings     calls  streamed    failed'));
  for (const lane of LANES) {
    const { calls, messages, failed } = rpcs[lane];
    print(`${lane.padEnd(22)}${[calls, messages, failed].map((count, i) => String(count).padStart(i === 0 ? 11 : 10)).join('')}`);
  }
  print('');
  print(styleText('bold', 'Who called whom through inmesh, by certificate'.padEnd(58) + 'calls  with a new one'));
  for (const { spiffeId, called, calls, renewed } of edges)
    print(`${`${spiffeId} → ${called}`.padEnd(56)}${String(calls).padStart(7)}${String(renewed).padStart(16)}`);
}
