// The repository's own text files, for the house tests: a path from the root, with slashes, and the text.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeTokensOf, type Token } from '../../.ci/lib/lexer.ts';

/** Path → text. Checkers take it, so that a test can hand in a small bad tree. */
export type FileMap = ReadonlyMap<string, string>;

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

const SKIPPED = /(^|\/)(node_modules|dist|coverage|\.git|\.cache)(\/|$)/;
const TEXT =
  /(^|\/)(LICENSE|run|\.editorconfig|\.gitignore|\.npmrc)$|\.(ts|mts|js|mjs|cjs|json|jsonc|md|ya?ml|txt|proto|sh|svg|html|css|toml)$/;

let whole: FileMap | null = null;

/** What git would keep, ignored files left out; without git, all but the usual folders. */
export function repository(): FileMap {
  whole ??= new Map(
    paths()
      .filter((path) => TEXT.test(path) && !SKIPPED.test(path))
      .sort()
      .flatMap(readIfThere),
  );
  return whole;
}

/** Files whose path matches. */
export function filesOf(files: FileMap, pattern: RegExp): [path: string, text: string][] {
  return [...files].filter(([path]) => pattern.test(path));
}

const tokenCache = new Map<string, readonly Token[]>();

/** Tokens without comments; an unreadable file is an error that names it. */
export function tokensIn(path: string, text: string): readonly Token[] {
  const cached = tokenCache.get(text);
  if (cached !== undefined) return cached;
  try {
    const tokens = codeTokensOf(text);
    tokenCache.set(text, tokens);
    return tokens;
  } catch (error) {
    throw new Error(`${path}, ${(error as Error).message}`, { cause: error });
  }
}

function paths(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return listed.split('\0').filter((path) => path !== '');
  } catch {
    return readdirSync(ROOT, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll('\\', '/'));
  }
}

/** A file that git still knows but that is gone is no file. */
function readIfThere(path: string): [string, string][] {
  try {
    return [[path, readFileSync(join(ROOT, path), 'utf8')]];
  } catch {
    return [];
  }
}
