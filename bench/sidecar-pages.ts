// Puts a run into the repository: the picture, the tables of docs/performance.md and the summary of the README, between their marks.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSection } from '../.ci/lib/markdown-section.ts';
import { ROOT } from './library.ts';
import type { SidecarReport } from './sidecar-figures.ts';
import { drawSidecars } from './sidecar-picture.ts';
import { sidecarNotes, sidecarTables, summary } from './sidecar-tables.ts';
import { asMarkdown } from './tables.ts';

const SECTION = 'sidecars';
const ALT = 'What inmesh, nginx, HAProxy and Envoy add to a call';

function rewrite(path: string, text: string): void {
  const file = join(ROOT, path);
  writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), SECTION, text));
}

export function figuresText(report: SidecarReport): string {
  return [`![${ALT}](pictures/sidecar.svg)`, ...sidecarNotes(report), ...sidecarTables(report).map(asMarkdown)].join('\n\n');
}

export function summaryText(report: SidecarReport): string {
  return `![${ALT}](docs/pictures/sidecar.svg)\n\n${summary(report)}`;
}

export function writeSidecarPages(report: SidecarReport): void {
  writeFileSync(join(ROOT, 'docs', 'pictures', 'sidecar.svg'), drawSidecars(report));
  rewrite('docs/performance.md', figuresText(report));
  rewrite('README.md', summaryText(report));
}
