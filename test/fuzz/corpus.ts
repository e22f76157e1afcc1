// The committed inputs of each target: what reached a block first, and every find, made small. One file for each, a list of
// JSON texts, so that control characters and half surrogate pairs survive.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

function fileOf(name: string): string {
  return fileURLToPath(new URL(`corpus/${name}.json`, import.meta.url));
}

export function readCorpus(name: string): string[] {
  const file = fileOf(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
}

/** Sorted, so that two runs that found the same write the same. */
export function writeCorpus(name: string, inputs: readonly string[]): void {
  const sorted = [...new Set(inputs)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const lines = sorted.map((input) => `  ${escaped(input)}`);
  writeFileSync(fileOf(name), lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`);
}

/** Nothing that an editor would hide or change. */
function escaped(input: string): string {
  return JSON.stringify(input).replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
