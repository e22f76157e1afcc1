// Offsets to lines and columns, and the piece of the text that an error points at. The frame shows what the file says,
// so nothing that came from the environment can be in it.
import type { SourcePosition } from '../model/route.ts';

const WIDTH_MAX = 120;

/** A text and where its lines begin. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

export function sourceText(file: string, text: string): SourceText {
  const lineStarts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) lineStarts.push(i + 1);
  return { file, text, lineStarts };
}

/** Line and column count from 1, columns in UTF-16 units, as editors do. */
export function positionAt({ file, text, lineStarts }: SourceText, offset: number): SourcePosition {
  const at = Math.min(Math.max(offset, 0), text.length);
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] as number) <= at) low = middle;
    else high = middle - 1;
  }
  return { file, line: low + 1, column: at - (lineStarts[low] as number) + 1 };
}

/** The line before, the line, and a line with a caret. */
export function frameAt(source: SourceText, { line, column }: Pick<SourcePosition, 'line' | 'column'>): string {
  const gutter = String(line).length;
  const from = column <= WIDTH_MAX ? 0 : column - 1 - WIDTH_MAX / 2;
  const rows: string[] = [];
  if (line > 1) rows.push(`${String(line - 1).padStart(gutter)} | ${cut(lineOf(source, line - 1), from)}`);
  const shown = cut(lineOf(source, line), from);
  rows.push(`${line} | ${shown}`);
  rows.push(`${' '.repeat(gutter)} | ${shown.slice(0, column - 1 - from).replace(/[^\t]/g, ' ')}^`);
  return rows.map((row) => row.trimEnd()).join('\n');
}

function lineOf({ text, lineStarts }: SourceText, line: number): string {
  const start = lineStarts[line - 1] ?? text.length;
  return text.slice(start, lineStarts[line] ?? text.length).replace(/\r?\n$/, '');
}

function cut(line: string, from: number): string {
  return printable(line.slice(from, from + WIDTH_MAX));
}

/** Terminals act on control characters; a configuration must not write to them. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to replace.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
