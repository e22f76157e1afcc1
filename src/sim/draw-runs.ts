// Pictures of runs as SVG: goodput, attempts per call and p99 over time, one above the other, several runs in one picture,
// several pictures side by side. Readable on light and dark ground. Equal input gives equal bytes.
import { type Box, drawPanel, escaped, number, type Panel, text } from './plot-panel.ts';
import { type Axis, linearAxis, logAxis } from './plot-scale.ts';
import type { Series } from './series.ts';

/** One to four runs of the same length. */
export interface Picture {
  readonly title: string;
  /** @default none */
  readonly subtitle?: string;
  /** The first one lies on top. */
  readonly runs: readonly { readonly name: string; readonly series: Series }[];
  /** When something was wrong, ms since the start: shaded. @default never */
  readonly spanMs?: readonly [fromMs: number, untilMs: number];
}

/** Sizes in pixels: one picture alone, or one of several. */
interface Format {
  readonly width: number;
  readonly panelHeight: number;
}

const ALONE: Format = { width: 760, panelHeight: 110 };
const ONE_OF_MANY: Format = { width: 460, panelHeight: 84 };
const COLUMNS_MAX = 3;
const PAD = 18;
const LEFT = 50;
const HEAD = 98;
const PANEL_GAP = 36;
const FOOT = 26;
const RUNS_MAX = 4;
/** p99 over more than this many times its least needs a logarithmic scale. */
const LOG_FROM = 12;

const LIGHT = ['#fff', '#1f2328', '#59636e', '#d1d9e0', '#0969da', '#bc4c00', '#1a7f37', '#8250df', '#cf222e'] as const;
const DARK = ['#0d1117', '#f0f6fc', '#9198a1', '#3d444d', '#4493f8', '#f0883e', '#3fb950', '#ab7df8', '#f85149'] as const;

/** Throws a RangeError for a picture without runs, or with more than four. */
export function drawRuns(pictures: Picture | readonly Picture[]): string {
  const all: readonly Picture[] = 'runs' in pictures ? [pictures] : pictures;
  const format = all.length === 1 ? ALONE : ONE_OF_MANY;
  const columns = Math.min(COLUMNS_MAX, all.length);
  const height = HEAD + 3 * format.panelHeight + 2 * PANEL_GAP + FOOT;
  const size: Box = { x: 0, y: 0, width: columns * format.width, height: Math.ceil(all.length / columns) * height };
  const name = all.map(({ title }) => title).join(', ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(name)}">`,
    `<title>${escaped(name)}</title>`,
    style(),
    `<rect class="bg" width="${size.width}" height="${size.height}"/>`,
    ...all.map((picture, i) => drawPicture(picture, (i % columns) * format.width, Math.floor(i / columns) * height, format)),
    '</svg>\n',
  ].join('\n');
}

function drawPicture(picture: Picture, x: number, y: number, format: Format): string {
  const { title, subtitle = '', runs, spanMs } = picture;
  if (runs.length < 1 || runs.length > RUNS_MAX) throw new RangeError(`a picture shows 1 to ${RUNS_MAX} runs, not ${runs.length}`);
  const left = x + PAD + LEFT;
  const width = format.width - 2 * PAD - LEFT;
  const box = (row: number): Box => ({ x: left, y: y + HEAD + row * (format.panelHeight + PANEL_GAP), width, height: format.panelHeight });
  const { stepMs, calls } = (runs[0] as Picture['runs'][number]).series;
  const durationMs = stepMs * calls.length;
  const common = { durationMs, timeTicksMs: timeTicks(durationMs), ...(spanMs === undefined ? {} : { spanMs }) };
  const panels: Panel[] = [
    { ...goodput(runs), ...common, box: box(0), hasTimes: false },
    { ...attempts(runs), ...common, box: box(1), hasTimes: false },
    { ...latency(runs), ...common, box: box(2), hasTimes: true },
  ];
  return [
    text(x + PAD, y + 27, 'h1', shortened(title, format.width - 2 * PAD, TITLE_LETTER)),
    text(x + PAD, y + 45, 'h2', shortened(subtitle, format.width - 2 * PAD, LETTER)),
    legend(picture, x + PAD, y + 66),
    ...panels.map(drawPanel),
  ].join('\n');
}

type Drawn = Pick<Panel, 'heading' | 'axis' | 'label' | 'lines'>;
type Runs = Picture['runs'];

function lines(runs: Runs, valuesOf: (series: Series) => (number | null)[]): Panel['lines'] {
  return runs.map(({ series }, i) => ({ look: `r${i}`, values: valuesOf(series) })).reverse();
}

function goodput(runs: Runs): Drawn {
  const perSecond = (counts: readonly number[], stepMs: number): number[] => counts.map((count) => (count * 1_000) / stepMs);
  const { calls, stepMs } = (runs[0] as Runs[number]).series;
  const offered = { look: 'o', values: perSecond(calls, stepMs) };
  const drawn = [offered, ...lines(runs, (series) => perSecond(series.good, series.stepMs))];
  return { heading: 'goodput, calls a second', axis: linearAxis(numbers(drawn)), label: count, lines: drawn };
}

function attempts(runs: Runs): Drawn {
  const drawn = lines(runs, (series) => series.calls.map((calls, i) => (calls === 0 ? null : (series.attempts[i] as number) / calls)));
  return { heading: 'attempts per call', axis: linearAxis([1, ...numbers(drawn)], 3), label: count, lines: drawn };
}

function latency(runs: Runs): Drawn {
  const drawn = lines(runs, (series) => [...series.p99Ms]);
  const values = numbers(drawn);
  const least = Math.min(...values.filter((value) => value > 0));
  const axis: Axis = Math.max(...values) > LOG_FROM * least ? logAxis(values) : linearAxis(values);
  return { heading: 'p99; a failed call counts with all the time it had', axis, label: time, lines: drawn };
}

function numbers(drawn: Panel['lines']): number[] {
  return drawn.flatMap(({ values }) => values.filter((value) => value !== null));
}

function count(value: number): string {
  return Math.abs(value) >= 10_000 ? `${value / 1_000}k` : String(value);
}

function time(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}

/** Whole seconds, at most seven of them. */
function timeTicks(durationMs: number): number[] {
  const { ticks } = linearAxis([durationMs], 6);
  return ticks.filter((ms) => ms <= durationMs);
}

/** Widths of a letter: which font will be there is not known, so they are guessed, rather too wide. */
const TITLE_LETTER = 10;
const LETTER = 6.6;

function shortened(content: string, width: number, letter: number): string {
  const most = Math.floor(width / letter);
  return content.length <= most ? content : `${content.slice(0, most - 1).trimEnd()}…`;
}

function legend({ runs, spanMs }: Picture, x: number, y: number): string {
  const parts: string[] = [];
  let at = x;
  const entry = (swatch: string, name: string): void => {
    parts.push(swatch, text(at + 24, y, 't', name));
    at += 24 + name.length * LETTER + 14;
  };
  for (const [i, { name }] of runs.entries()) entry(`<path class="l r${i}" d="M${number(at)} ${y - 4}h18"/>`, name);
  entry(`<path class="l o" d="M${number(at)} ${y - 4}h18"/>`, 'calls made');
  if (spanMs !== undefined) entry(`<rect class="s" x="${number(at)}" y="${y - 10}" width="18" height="12"/>`, 'trouble');
  return parts.join('\n');
}

function style(): string {
  const font = 'system-ui,-apple-system,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif';
  return `<style>
text{font:12px ${font}}
.h1{font-size:16px;font-weight:600}.h2,.h{font-size:12px}.h{font-weight:600}.t{font-size:11px}.e{text-anchor:end}.m{text-anchor:middle}
path{fill:none}.g,.b{stroke-width:1}.g{stroke-opacity:.6}.l{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.r1,.r2,.r3{stroke-width:3.5;stroke-opacity:.7}.o{stroke-width:1.5;stroke-dasharray:2 3.5}.s{fill-opacity:.12}
${colours(LIGHT)}
@media (prefers-color-scheme:dark){
${colours(DARK)}
}
</style>`;
}

function colours([ground, ink, pale, grid, first, second, third, fourth, shade]: typeof LIGHT | typeof DARK): string {
  return `.bg{fill:${ground}}.h1,.h{fill:${ink}}.h2,.t{fill:${pale}}.g{stroke:${grid}}.b,.o{stroke:${pale}}.s{fill:${shade}}
.r0{stroke:${first}}.r1{stroke:${second}}.r2{stroke:${third}}.r3{stroke:${fourth}}`;
}
