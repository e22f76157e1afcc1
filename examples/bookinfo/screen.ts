// What the run looks like while it goes on: a table redrawn in place on a terminal, a line every three seconds elsewhere.
import { styleText } from 'node:util';
import type { Edge } from './facts.ts';
import { type Lane, LANES, type RpcCounts } from './messages.ts';
import type { Stats } from './tally.ts';

export interface View {
  readonly elapsedS: number;
  readonly totalS: number;
  readonly story: string;
  readonly phase: string;
  readonly now: Readonly<Record<Lane, Stats>>;
  readonly total: Readonly<Record<Lane, Stats>>;
  readonly ejections: { readonly now: number; readonly total: number };
  /** gRPC calls from reviews to ratings. */
  readonly rpcs: Readonly<Record<'now' | 'total', Readonly<Record<Lane, RpcCounts>>>>;
  /** Who called whom in the inmesh lane, by certificate. */
  readonly edges: readonly Edge[];
  /** What inmesh did lately, newest last. */
  readonly news: readonly string[];
}

export interface Screen {
  draw(view: View): void;
}

const COLUMN = 12;
const WIDTH_MIN = 62;

export function liveScreen(out: NodeJS.WriteStream): Screen {
  let height = 0;
  return {
    draw(view): void {
      const lines = tableLines(view, Math.max(WIDTH_MIN, (out.columns || 80) - 1));
      const up = height === 0 ? '' : `\x1b[${height}A`;
      out.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
      height = lines.length;
    },
  };
}

export function plainScreen(out: NodeJS.WriteStream): Screen {
  let story = '';
  let nextS = 0;
  return {
    draw(view): void {
      if (view.story !== story) {
        story = view.story;
        out.write(`\n${view.phase}: ${story}\n`);
        nextS = view.elapsedS + 1.5;
      }
      if (view.elapsedS < nextS) return;
      nextS = view.elapsedS + 3;
      const { plain, inmesh } = view.now;
      const { plain: plainRpcs, inmesh: ourRpcs } = view.rpcs.now;
      out.write(
        `  ${view.elapsedS.toFixed(0).padStart(3)} s  plain ${rate(plain)}, p99 ${ms(plain.p99Ms)}; inmesh ${rate(inmesh)}, p99 ${ms(inmesh.p99Ms)}, ${inmesh.retries} retries, ${view.ejections.now} ejections; gRPC failed ${plainRpcs.failed} of ${plainRpcs.calls}, ${ourRpcs.failed} of ${ourRpcs.calls}\n`,
      );
    },
  };
}

export const silentScreen: Screen = { draw: () => {} };

/** Always the same number of lines, none wider than `width`: what is redrawn must cover what was drawn. */
function tableLines(view: View, width: number): string[] {
  const { now, total, ejections, rpcs } = view;
  const head = `${' '.repeat(12)}${'plain fetch'.padStart(COLUMN * 2)}${'inmesh'.padStart(COLUMN * 2)}`;
  const sub = `${' '.repeat(12)}${LANES.map(() => 'now'.padStart(COLUMN) + 'so far'.padStart(COLUMN)).join('')}`;
  const row = (name: string, cell: (stats: Stats) => string): string =>
    name.padEnd(12) + LANES.map((lane) => cell(now[lane]).padStart(COLUMN) + cell(total[lane]).padStart(COLUMN)).join('');
  const ours = (name: string, nowCount: number, totalCount: number): string =>
    `${name.padEnd(12)}${'–'.padStart(COLUMN)}${'–'.padStart(COLUMN)}${String(nowCount).padStart(COLUMN)}${String(totalCount).padStart(COLUMN)}`;
  const rpc = (name: string, cell: (counts: RpcCounts) => number): string =>
    name.padEnd(12) +
    LANES.map((lane) => String(cell(rpcs.now[lane])).padStart(COLUMN) + String(cell(rpcs.total[lane])).padStart(COLUMN)).join('');
  const news = view.news.slice(-NEWS_LINES);
  return [
    styleText('bold', `${view.phase}   ${view.elapsedS.toFixed(0)} s of ${view.totalS.toFixed(0)} s`),
    ...wrap(view.story, width, STORY_LINES),
    '',
    styleText('bold', head),
    styleText('dim', sub),
    row('pages', (stats) => String(stats.calls)),
    coloured(row('answered', rate), now),
    row('p50', (stats) => ms(stats.p50Ms)),
    row('p99', (stats) => ms(stats.p99Ms)),
    row('v1/v2/v3 %', splitText),
    ours('retries', now.inmesh.retries, total.inmesh.retries),
    ours('ejections', ejections.now, ejections.total),
    rpc('gRPC calls', ({ calls }) => calls),
    rpc('  streamed', ({ messages }) => messages),
    rpc('  failed', ({ failed }) => failed),
    '',
    `mTLS  ${view.edges.map(({ caller, called, calls }) => `${caller} → ${called} ${calls}`).join('   ')}`.slice(0, width),
    ...Array.from({ length: NEWS_LINES }, (_, index) => styleText('dim', (news[index] ?? '').slice(0, width))),
  ];
}

const STORY_LINES = 3;
const NEWS_LINES = 3;

function wrap(text: string, width: number, lineCount: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return Array.from({ length: lineCount }, (_, index) => lines[index] ?? '');
}

/** Red as soon as the plain lane loses pages. */
function coloured(line: string, now: View['now']): string {
  const cut = 12 + COLUMN;
  const plain = line.slice(0, cut);
  return (now.plain.lost > 0 ? styleText('red', plain) : plain) + line.slice(cut);
}

export function rate(stats: Stats): string {
  return `${stats.answered.toFixed(1)} %`;
}

export function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function splitText({ drawn }: Stats): string {
  return [drawn.v1, drawn.v2, drawn.v3].map((share) => share.toFixed(0)).join('/');
}
