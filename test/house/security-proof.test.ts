// docs/security.md names for each rule and attack the test that proves it. What is named must be there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

const PAGE = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
const PROOF = /`([^`]+\.ts)` › ((?:(?!<br>| \|).)+)/g;

interface Row {
  readonly heading: string;
  readonly line: string;
  /** Of its last cell. */
  readonly proof: string;
}

/** Rows of the tables whose last column is the proof. */
function rowsOf(page: string): Row[] {
  const rows: Row[] = [];
  let heading = '';
  let isProof = false;
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) heading = line.slice(3);
    if (!line.startsWith('|')) isProof = false;
    else if (/\| proof \|$/.test(line)) isProof = true;
    else if (isProof && !line.startsWith('| ---')) rows.push({ heading, line, proof: line.split(' | ').at(-1) as string });
  }
  return rows;
}

const sources = new Map<string, string>();

/** null: there; else what is wrong. The name is that of a test, a suite, or a row of a table, as the file has it. */
function fault(file: string, name: string): string | null {
  const path = join(ROOT, file);
  if (!sources.has(path)) sources.set(path, existsSync(path) ? readFileSync(path, 'utf8') : '');
  const text = sources.get(path) as string;
  if (text === '') return `${file} is not there`;
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // The whole of a text, or its beginning.
  const quoted = new RegExp(`['"\`]${literal}`);
  return quoted.test(text) ? null : `${file} has no ${name}`;
}

const rows = rowsOf(PAGE);

const ROWS = {
  'The rules of verification': 20,
  'TLS that fails': 14,
  Attacks: 23,
  'Ways to write a path': 9,
  'Bulletins, and the input that each suggests': 33,
  'The three things that were doubtful': 15,
};

describe('docs/security.md', () => {
  it('has a row for every rule, failure, attack, target and bulletin', () => {
    const counts: Record<string, number> = {};
    for (const { heading } of rows) counts[heading] = (counts[heading] ?? 0) + 1;
    expect(counts).toEqual(ROWS);
  });

  it('names for each a test that is there, or says why there is none', () => {
    const faults: string[] = [];
    for (const { line, proof } of rows) {
      const named = [...proof.matchAll(PROOF)];
      if (named.length === 0 && !proof.startsWith('– ')) faults.push(`no proof: ${line}`);
      for (const [, file = '', name = ''] of named) {
        const wrong = fault(file, name.trim());
        if (wrong !== null) faults.push(wrong);
      }
    }
    expect(faults).toEqual([]);
  });

  it('would be found out', () => {
    expect(fault('test/house/none.test.ts', 'x')).toBe('test/house/none.test.ts is not there');
    expect(fault('test/house/links.test.ts', 'no such test as this')).toBe('test/house/links.test.ts has no no such test as this');
    expect(rowsOf('## a\n\n| b | proof |\n| --- | --- |\n| c | d |\n\n| e | f |\n| --- | --- |\n| g | h |\n')).toEqual([
      { heading: 'a', line: '| c | d |', proof: 'd |' },
    ]);
  });
});
