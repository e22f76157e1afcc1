// Trials as a table for a terminal: two lines each, with the configuration and without any policy.
import { styleText } from 'node:util';
import { formatDuration } from '../model/duration.ts';
import type { Series } from '../sim/series.ts';
import type { Site } from '../sim/site.ts';
import type { Trial, TrialRun } from '../sim/trial.ts';
import { faint } from './paint.ts';

const HEAD = [
  'scenario',
  'good/s',
  'goodput',
  'p50',
  'p99',
  'p99.9',
  'attempts',
  'recovery',
  'worst',
  'verdict',
  'than plain',
  'goodput over time',
];
/** Columns that are text, from the left. */
const LEFT: ReadonlySet<number> = new Set([0, 9, 10, 11]);
const COLORS = { unharmed: 'green', slowed: 'yellow', hurt: 'yellow', down: 'red', better: 'green', same: 'dim', worse: 'red' } as const;
const BARS = '▁▂▃▄▅▆▇█';
const BARS_COUNT = 15;
const NONE = '–';

export function siteText({ service, endpoints, model, clients, rps, capacityRps, fromMs, untilMs, durationMs, seed }: Site): string {
  const used = Math.round((100 * rps) / capacityRps);
  return (
    `${styleText('bold', service)}: ${plural(endpoints.length, 'endpoint')} of ${plural(model.workers, 'worker')}, ` +
    `${plural(clients, 'client')}, ${plural(rps, 'call')} a second (${used} % of what the endpoints can serve); ` +
    `trouble from ${formatDuration(fromMs)} to ${formatDuration(untilMs)} of ${formatDuration(durationMs)}; seed ${seed}\n`
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `skipped`: scenarios that mean nothing here, and why. */
export function trialTable(trials: readonly Trial[], skipped: readonly { readonly scenario: string; readonly why: string }[]): string {
  const rows = trials.flatMap(({ pathology, inmesh, plain, comparedWithPlain }) => [
    [pathology, ...cells(inmesh), pathology === 'healthy' ? '' : comparedWithPlain, bars(inmesh.series)],
    ['  plain', ...cells(plain), '', bars(plain.series)],
  ]);
  const widths = HEAD.map((head, i) => Math.max(...[HEAD, ...rows].map((row) => (row[i] ?? head).length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => painted(cell, LEFT.has(i) ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd();
  const width = widths[0] as number;
  return [
    faint(line(HEAD)),
    ...rows.map(line),
    ...skipped.map(({ scenario, why }) => `${scenario.padEnd(width)}  ${faint(`left out: ${why}`)}`),
    '',
  ].join('\n');
}

function cells({ goodRps, goodput, p50Ms, p99Ms, p999Ms, amplification, recoveryMs, worstShare, verdict }: TrialRun): string[] {
  return [
    number(goodRps),
    percent(goodput),
    ...[p50Ms, p99Ms, p999Ms].map(time),
    amplification.toFixed(2),
    recoveryMs === Number.POSITIVE_INFINITY ? 'never' : time(recoveryMs),
    worstShare === null ? NONE : percent(worstShare),
    verdict,
  ];
}

function painted(word: string, text: string): string {
  return Object.hasOwn(COLORS, word) ? styleText(COLORS[word as keyof typeof COLORS], text) : text;
}

/** The share of the calls that went well, from the beginning to the end of the run. */
function bars({ calls, good }: Series): string {
  let line = '';
  for (let i = 0; i < BARS_COUNT; i++) {
    const [from, to] = [Math.floor((i * calls.length) / BARS_COUNT), Math.floor(((i + 1) * calls.length) / BARS_COUNT)];
    const all = sum(calls.slice(from, to));
    const share = all === 0 ? 0 : sum(good.slice(from, to)) / all;
    line += all === 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor(share * (BARS.length - 1) + 0.01))];
  }
  return line;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function number(value: number): string {
  return String(Math.round(value));
}

/** Never rounded up to all. */
function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(share === 1 || share === 0 ? 0 : 2)} %`;
}

function time(ms: number): string {
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${ms.toFixed(0)} ms`;
}
