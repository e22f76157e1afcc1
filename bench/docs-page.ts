// Puts the tables of a run into docs/performance.md, between its markers.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './library.ts';
import type { Report } from './report.ts';
import { asMarkdown, headline, tablesOf } from './tables.ts';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** The page with the part between its markers replaced. */
export function withTables(page: string, report: Report): string {
  const from = page.indexOf(START);
  const to = page.indexOf(END);
  if (from === -1 || to < from)
    throw new Error(`docs/performance.md has lost its markers ${START} and ${END}. Put them back where the tables belong.`);
  const notes = report.sockets?.notes ?? [];
  const parts = [`${headline(report)}.`, ...notes, ...tablesOf(report).map(asMarkdown)];
  return `${page.slice(0, from + START.length)}\n${parts.join('\n\n')}\n${page.slice(to)}`;
}

export function writePage(report: Report): void {
  const path = join(ROOT, 'docs', 'performance.md');
  writeFileSync(path, withTables(readFileSync(path, 'utf8'), report));
}
