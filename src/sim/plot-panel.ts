// One panel of a picture: a frame with round numbers, lines over time, and the stretch when something was wrong. Gives SVG
// text; equal input gives equal bytes. Colours are classes, which the picture defines.
import type { Axis } from './plot-scale.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Line {
  /** Class of its colour and stroke. */
  readonly look: string;
  /** One for each step; null leaves a gap. */
  readonly values: readonly (number | null)[];
}

export interface Panel {
  readonly heading: string;
  readonly box: Box;
  readonly axis: Axis;
  readonly label: (tick: number) => string;
  /** The last one lies on top. */
  readonly lines: readonly Line[];
  readonly durationMs: number;
  readonly timeTicksMs: readonly number[];
  /** Whether the seconds stand below. */
  readonly hasTimes: boolean;
  readonly spanMs?: readonly [fromMs: number, untilMs: number];
}

/** Most numbers that stand beside a panel. */
const LABELS_MAX = 6;

export function drawPanel(panel: Panel): string {
  const { box, heading } = panel;
  return [
    text(box.x, box.y - 8, 'h', heading),
    ...shade(panel),
    ...grid(panel),
    ...panel.lines.map((line) => `<path class="l ${line.look}" d="${linePath(line.values, panel)}"/>`),
  ].join('\n');
}

/** `M x y L x y …`, every point within the box. A value alone between gaps is a short dash, so that it is seen. */
export function linePath(values: Line['values'], { box, axis }: Pick<Panel, 'box' | 'axis'>): string {
  const width = box.width / Math.max(1, values.length);
  const at = (i: number): number => box.x + (i + 0.5) * width;
  let path = '';
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    const y = number(box.y + (1 - axis.place(value)) * box.height);
    const isFirst = (values[i - 1] ?? null) === null;
    const isAlone = isFirst && (values[i + 1] ?? null) === null;
    if (isAlone) path += `M${number(at(i) - width / 2)} ${y}H${number(at(i) + width / 2)}`;
    else path += `${isFirst ? 'M' : 'L'}${number(at(i))} ${y}`;
  }
  return path;
}

function shade({ box, durationMs, spanMs }: Panel): string[] {
  if (spanMs === undefined) return [];
  const [from, until] = spanMs.map((ms) => Math.min(1, Math.max(0, ms / durationMs)) * box.width) as [number, number];
  return [`<rect class="s" x="${number(box.x + from)}" y="${box.y}" width="${number(until - from)}" height="${box.height}"/>`];
}

function grid({ box, axis, label, durationMs, timeTicksMs, hasTimes }: Panel): string[] {
  const marks: string[] = [];
  // From the top down: the greatest number is the one that people look for.
  const every = Math.ceil(axis.ticks.length / LABELS_MAX);
  for (const [i, tick] of axis.ticks.entries()) {
    const y = number(box.y + (1 - axis.place(tick)) * box.height);
    marks.push(`<path class="${i === 0 ? 'b' : 'g'}" d="M${box.x} ${y}H${number(box.x + box.width)}"/>`);
    if ((axis.ticks.length - 1 - i) % every === 0) marks.push(text(box.x - 7, Number(y) + 4, 't e', label(tick)));
  }
  if (!hasTimes) return marks;
  for (const ms of timeTicksMs) {
    const x = number(box.x + (ms / durationMs) * box.width);
    const bottom = box.y + box.height;
    marks.push(`<path class="b" d="M${x} ${bottom}v4"/>`, text(Number(x), bottom + 17, 't m', `${ms / 1_000} s`));
  }
  return marks;
}

export function text(x: number, y: number, look: string, content: string): string {
  return `<text class="${look}" x="${number(x)}" y="${number(y)}">${escaped(content)}</text>`;
}

/** A tenth of a pixel is enough, and keeps files small. */
export function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
