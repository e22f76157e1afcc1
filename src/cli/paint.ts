// Signs and colours of the output. Colours only on a terminal that wants them: util.styleText reads NO_COLOR,
// FORCE_COLOR and whether standard output is a terminal.
import { styleText } from 'node:util';

export type Status = 'ok' | 'warning' | 'error';

const SIGNS: Readonly<Record<Status, string>> = { ok: '√', warning: '‼', error: '×' };
const COLORS: Readonly<Record<Status, 'green' | 'yellow' | 'red'>> = { ok: 'green', warning: 'yellow', error: 'red' };

export function sign(status: Status): string {
  return styleText(COLORS[status], SIGNS[status]);
}

export function heading(text: string): string {
  return `${styleText('bold', text)}\n${'-'.repeat(text.length)}`;
}

export function faint(text: string): string {
  return styleText('dim', text);
}
