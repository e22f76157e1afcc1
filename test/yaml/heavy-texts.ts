// Texts of one kind from end to end, each hard on another part of a parser; and the time they take.
import { expect } from 'vitest';
import { documentParser } from '../../src/yaml/document.ts';
import { sourceText } from '../../src/yaml/frame.ts';

const parser = await documentParser();

/** How long the parser takes, ms: of the processor, where others have that too. It must not drown its reader in issues either. */
export function parseMs(text: string): number {
  const start = performance.now();
  const before = process.cpuUsage();
  const { documents, issues } = parser(sourceText('f', text));
  const { user, system } = process.cpuUsage(before);
  const ms = Math.min(performance.now() - start, (user + system) / 1_000);
  expect(documents.length + issues.length).toBeLessThanOrEqual(10);
  return ms;
}

/** Each as long as is asked for, bytes. */
export function heavyTexts(bytes: number): readonly (readonly [name: string, text: string])[] {
  const fill = (part: string): string => part.repeat(Math.floor(bytes / part.length));
  const texts: [string, string][] = [
    ['many keys', Array.from({ length: Math.floor(bytes / 11.6) }, (_, i) => `k${i}: 1`).join('\n')],
    ['commas', `[${fill(',')}`],
    ['brackets', fill(']')],
    ['anchors', fill('&a ')],
    ['aliases', `a: &a 1\nb:\n${fill(' - *a\n').slice(100)}`],
    ['directives', fill('%a\n')],
    ['line ends', fill('\n')],
    ['an open quote', `"${fill('a\n').slice(1)}`],
    ['stars', fill('* ')],
    ['separators', fill('\u001f')],
  ];
  return texts.map(([name, text]) => [name, text.slice(0, bytes)]);
}
