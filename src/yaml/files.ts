// The files of a configuration: one, several, or all of a folder. Reads bytes, knows nothing of what is in them.
import { readFile, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { ConfigIssue } from '../model/issue.ts';

export interface FileText {
  /** Absolute. */
  readonly path: string;
  /** As people know it: relative to the working directory when it lies below. */
  readonly name: string;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface ReadFiles {
  readonly files: readonly FileText[];
  readonly issues: readonly ConfigIssue[];
}

export type ReadFile = (path: string) => Promise<Uint8Array | string>;

const FILES_MAX = 1_000;
const CONFIG_FILE = /^[^.].*\.(?:ya?ml|json)$/;

/** Never rejects: what cannot be read is an issue. */
export async function readFiles(source: string | readonly string[], cwd: string, read: ReadFile = readFile): Promise<ReadFiles> {
  const issues: ConfigIssue[] = [];
  const paths = new Set<string>();
  for (const one of typeof source === 'string' ? [source] : source) {
    const path = resolve(cwd, one);
    for (const found of read === readFile ? await expand(path, cwd, issues) : [path]) paths.add(found);
  }
  if (paths.size > FILES_MAX) return { files: [], issues: [unreadable(`more than ${FILES_MAX} configuration files`)] };
  const files: FileText[] = [];
  for (const path of paths) {
    const name = displayName(path, cwd);
    try {
      const content = await read(path);
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      files.push({ path, name, bytes, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) });
    } catch (error) {
      issues.push(unreadable(`cannot read ${name}: ${reasonOf(error)}`));
    }
  }
  return { files, issues };
}

/** A folder stands for its YAML and JSON files, sorted, without those below it. */
async function expand(path: string, cwd: string, issues: ConfigIssue[]): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => CONFIG_FILE.test(name)).sort();
    if (names.length === 0) issues.push(unreadable(`the folder ${displayName(path, cwd)} has no .yaml, .yml or .json file`));
    return names.map((name) => join(path, name));
  } catch {
    // Reading it says why.
    return [path];
  }
}

export function displayName(path: string, cwd: string): string {
  const short = relative(cwd, path);
  if (short === '') return '.';
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

function unreadable(message: string): ConfigIssue {
  return { severity: 'error', path: [], message };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; give its path, or set INMESH_CONFIG',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
