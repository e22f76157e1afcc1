// Code in the docs is code that runs: a block after `<!-- snippet: examples/a.ts#region -->` is a copy of that region, and a
// block of TypeScript or YAML without such a line is a fault. Regions are marked `// #region name` … `// #endregion`.

const MARKER = /^<!-- snippet: (\S+?)(?:#(\S+))? -->$/;
const FENCE = /^(\s*)(`{3,}|~{3,})\s*(\w*)/;
/** Languages that must come from a file. */
const COPIED = /^(ts|typescript|js|javascript|mjs|yaml|yml)$/;

export interface SnippetResult {
  /** The page with its blocks brought up to date. */
  readonly text: string;
  readonly faults: readonly string[];
}

/** `read` gives the text of a file of the repository, or null. */
export function updateSnippets(path: string, page: string, read: (path: string) => string | null): SnippetResult {
  const lines = page.split('\n');
  const out: string[] = [];
  const faults: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const marker = MARKER.exec(line);
    const fence = FENCE.exec(line);
    if (marker !== null) {
      const [, file = '', region] = marker;
      const found = snippetOf(file, region, read);
      const block = blockBelow(lines, i, languageOf(file));
      out.push(line);
      if ('fault' in found) {
        faults.push(`${path}:${i + 1}: ${found.fault}`);
        out.push(...lines.slice(i + 1, block + 1));
      } else out.push(`\`\`\`${languageOf(file)}`, ...found.code, '```');
      i = block;
    } else if (fence !== null) {
      if (COPIED.test(fence[3] ?? ''))
        faults.push(
          `${path}:${i + 1}: this ${fence[3]} block is no copy. Move it to a file in examples/ and put <!-- snippet: examples/… --> above it.`,
        );
      const end = endOfBlock(lines, i);
      out.push(...lines.slice(i, end + 1));
      i = end;
    } else out.push(line);
  }
  return { text: out.join('\n'), faults };
}

/** Index of the last line of the block that belongs to the marker at `at`: `at` itself when there is none. A blank line may stand between. */
function blockBelow(lines: readonly string[], at: number, language: string): number {
  if (FENCE.test(lines[at + 1] ?? '')) return endOfBlock(lines, at + 1);
  const isBlank = lines[at + 1]?.trim() === '';
  return isBlank && FENCE.exec(lines[at + 2] ?? '')?.[3] === language ? endOfBlock(lines, at + 2) : at;
}

/** Index of the line that closes the block opened at `at`; the last line when nothing closes it. */
function endOfBlock(lines: readonly string[], at: number): number {
  const fence = FENCE.exec(lines[at] as string)?.[2] ?? '```';
  for (let i = at + 1; i < lines.length; i++) {
    const line = (lines[i] as string).trim();
    if (line.startsWith(fence) && line.replaceAll(fence[0] as string, '') === '') return i;
  }
  return lines.length - 1;
}

function languageOf(file: string): string {
  const extension = file.slice(file.lastIndexOf('.') + 1);
  return { mts: 'ts', mjs: 'js', yml: 'yaml' }[extension] ?? extension;
}

type Found = { readonly code: readonly string[] } | { readonly fault: string };

/** The lines of a region without its indentation and without markers; the whole file when no region is named. */
export function snippetOf(file: string, region: string | undefined, read: (path: string) => string | null): Found {
  if (!file.startsWith('examples/')) return { fault: `${file} is not in examples/, so nothing runs it.` };
  const text = read(file);
  if (text === null) return { fault: `${file} does not exist.` };
  const lines = text.trimEnd().split('\n');
  const isMarker = (line: string): boolean => /^\s*(\/\/|#) #(end)?region\b/.test(line);
  if (region === undefined) return { code: lines.filter((line) => !isMarker(line)) };
  const start = lines.findIndex((line) => /^\s*(?:\/\/|#) #region (\S+)\s*$/.exec(line)?.[1] === region);
  if (start === -1) return { fault: `${file} has no region ${region}.` };
  let depth = 0;
  for (let i = start; i < lines.length; i++) {
    if (/^\s*(\/\/|#) #region\b/.test(lines[i] as string)) depth++;
    if (/^\s*(\/\/|#) #endregion\b/.test(lines[i] as string) && --depth === 0)
      return { code: dedent(lines.slice(start + 1, i).filter((line) => !isMarker(line))) };
  }
  return { fault: `region ${region} of ${file} is not closed by #endregion.` };
}

function dedent(lines: readonly string[]): string[] {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents, Number.MAX_SAFE_INTEGER);
  return lines.map((line) => line.slice(indent));
}
