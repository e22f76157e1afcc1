import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packedLines, packedPaths } from './packed-files.ts';
import { ROOT, tokensIn } from './tree.ts';

const LISTED = join(ROOT, 'test/house/packed-files.txt');

describe('what is published', () => {
  const paths = packedPaths();

  it('is the list that was looked at (update it with `vitest run --update`)', async () => {
    await expect(`${packedLines(paths).join('\n')}\n`).toMatchFileSnapshot(LISTED);
  });

  it('has a source for each built module, and the other way round', () => {
    const lines = packedLines(paths);
    const modules = (folder: string, ending: RegExp): string[] =>
      lines.filter((line) => line.startsWith(folder)).map((line) => line.slice(folder.length).replace(ending, ''));
    expect(modules('dist/', /$/).sort()).toEqual(modules('src/', /\.ts$/).sort());
  });
});

describe('a module that is published', () => {
  const FORBIDDEN = /^(?:eval|Function|execSync|execFileSync|spawnSync)$/;
  const MODULES = /^(?:node:)?(?:child_process|vm|repl|inspector|cluster)(?:\/|$)/;

  function faultsOf(path: string, text: string): string[] {
    const tokens = tokensIn(path, text);
    return tokens.flatMap(({ kind, text: token, line }, i) => {
      const isCalled = kind === 'name' && FORBIDDEN.test(token) && tokens[i + 1]?.text === '(' && tokens[i - 1]?.text !== '.';
      return isCalled || (kind === 'string' && MODULES.test(token)) ? [`${path}:${line}: ${token}`] : [];
    });
  }

  it('makes no code of texts and starts no process', () => {
    const dist = join(ROOT, 'dist');
    const scripts = (readdirSync(dist, { recursive: true }) as string[]).filter((path) => path.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(300);
    expect(scripts.flatMap((path) => faultsOf(path, readFileSync(join(dist, path), 'utf8')))).toEqual([]);
  });

  it.each(['eval("1")', 'const f = new Function("a", "b");', 'import "node:child_process";', "await import('node:vm')"])(
    'would be found with %s',
    (text) => expect(faultsOf('bad.js', text)).toHaveLength(1),
  );
});
