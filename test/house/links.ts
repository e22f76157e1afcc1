// Links between pages of the repository: the file must exist, and so must the heading.
import { posix } from 'node:path';
import { type FileMap, filesOf } from './tree.ts';

/** `exists` says whether a path from the root is a file or folder. */
export function linkFaults(files: FileMap, exists: (path: string) => boolean): string[] {
  const faults: string[] = [];
  for (const [path, text] of filesOf(files, /^(docs\/.*|examples\/.*|README|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/)) {
    withoutCode(text)
      .split('\n')
      .forEach((line, i) => {
        for (const [, target = ''] of line.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)) {
          const fault = /^[a-z]+:/i.test(target) ? null : targetFault(path, target, files, exists);
          if (fault !== null) faults.push(`${path}:${i + 1}: ${fault}`);
        }
      });
  }
  return faults;
}

function targetFault(path: string, target: string, files: FileMap, exists: (path: string) => boolean): string | null {
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? path : posix.join(posix.dirname(path), file);
  if (!exists(to)) return `the link ${target} leads to ${to}, which does not exist.`;
  const page = files.get(to);
  if (anchor === undefined || page === undefined || !to.endsWith('.md')) return null;
  return anchorsOf(page).has(anchor) ? null : `the link ${target} leads to a heading that ${to} does not have.`;
}

/** As GitHub makes them: lower case, spaces to hyphens, punctuation gone, a number for the second of its name. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(page).matchAll(/^#{1,6} +(.+?)\s*$/gm)) {
    const plain = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = plain;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${plain}-${i}`;
    anchors.add(anchor);
  }
  for (const [, id = ''] of page.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** Blocks of code emptied, their lines kept, so that line numbers hold. */
function withoutCode(text: string): string {
  return text.replace(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\s*$/gm, (block) => block.replace(/[^\n]/g, ''));
}
