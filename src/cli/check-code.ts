// `inmesh check --explain CODE`: what a code means and what to do, from the table that the docs pages are made of.
import { nearest } from '../model/nearest.ts';
import type { CodeEntry } from '../yaml/analyze/code.ts';
import { CODES, isCodeName } from '../yaml/analyze/codes.ts';
import { UsageError } from './command.ts';

const WIDTH = 100;

/** `list`: one line for each code. */
export function explainCode(text: string): string {
  if (text === 'list')
    return Object.entries<CodeEntry>(CODES)
      .map(([code, { severity, title }]) => `${code}  ${severity.padEnd(7)}  ${title}\n`)
      .join('');
  const code = text.toUpperCase();
  if (!isCodeName(code)) {
    const near = nearest(code, Object.keys(CODES));
    throw new UsageError(
      `there is no code ${JSON.stringify(text)}; ${near === undefined ? '' : `did you mean ${near}? `}--explain list names all`,
    );
  }
  const { title, severity, group, meaning, fix, source } = CODES[code];
  const lines = [
    `${code}: ${title}`,
    '',
    ...wrapped(meaning),
    '',
    ...wrapped(`What to do: ${fix}`),
    '',
    `Severity: ${severity}. Group: ${group}.${source === undefined ? '' : ` From: ${source}.`}`,
    `With examples: docs/codes/${code.toLowerCase()}.md`,
  ];
  return `${lines.join('\n')}\n`;
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
