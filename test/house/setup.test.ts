import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

/** Stands in for npm: notes its arguments, then does what the test says. */
const NPM = `
const { appendFileSync, mkdirSync, symlinkSync } = require('node:fs');
appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
process.stderr.write(process.env.SAYS || '');
if (process.env.INSTALLS) { mkdirSync('node_modules/node/bin', { recursive: true }); symlinkSync(process.execPath, 'node_modules/node/bin/node'); }
process.exit(Number(process.env.CODE || 0));
`;

describe.skipIf(process.platform === 'win32')('the set-up step', () => {
  let root = '';
  const path = (name: string): string => join(root, name);
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  };
  const run = (env: Record<string, string> = {}): { code: number | null; said: string; npm: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path('.ci/setup.mjs')], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], npm_execpath: path('npm-cli.js'), npm_node_execpath: process.execPath, CI: 'true', ...env },
    });
    const npm = existsSync(path('npm.log')) ? readFileSync(path('npm.log'), 'utf8') : '';
    rmSync(path('npm.log'), { force: true });
    return { code: status, said: stdout + stderr, npm };
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'inmesh-setup-'));
    mkdirSync(path('.ci'));
    copyFileSync(join(ROOT, '.ci/setup.mjs'), path('.ci/setup.mjs'));
    write('npm-cli.js', NPM);
    write('package.json', '{}');
    write(
      'package-lock.json',
      JSON.stringify({
        packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } },
      }),
    );
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('installs once, quietly, and again when the lockfile changes', () => {
    const first = run({ INSTALLS: '1', SAYS: 'npm warn EBADENGINE' });
    expect(first).toEqual({ code: 0, said: '', npm: 'ci --no-audit --no-fund --loglevel=error --include=dev\n' });
    expect(run()).toEqual({ code: 0, said: '', npm: '' });
    write('package-lock.json', '{"packages":{"node_modules/c":{"version":"3.0.0"}}}');
    expect(run().npm).toContain('ci ');
  });

  it('believes what npm noted when somebody installed by hand', () => {
    write('node_modules/a/package.json', '{}');
    write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
    mkdirSync(path('node_modules/node/bin'), { recursive: true });
    symlinkSync(process.execPath, path('node_modules/node/bin/node'));
    expect(run()).toEqual({ code: 0, said: '', npm: '' });
    rmSync(path('node_modules/.inmesh-setup'));
    write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"0.9.0"}}}');
    expect(run().npm).toContain('ci ');
  });

  it.each([
    [
      'npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync',
      'npm run relock',
    ],
    ['npm error code ENOTFOUND', 'registry cannot be reached'],
    ['npm error code E403', 'refused access'],
    ['npm error nospc ENOSPC: no space left on device', 'disk is full'],
    ['npm error something new', 'npm ci ended with code 7'],
  ])('says what went wrong: %s', (says, message) => {
    const { code, said } = run({ CODE: '7', SAYS: says });
    expect(code).toBe(1);
    expect(said).toContain(says.split('\n')[0]);
    expect(said).toContain(message);
    expect(existsSync(path('node_modules/.inmesh-setup'))).toBe(false);
  });

  it('goes on with a recent Node when the package "node" could not install its binary', () => {
    const { code, said } = run();
    expect(code).toBe(0);
    expect(said).toContain(`going on with yours, ${process.versions.node}`);
  });
});
