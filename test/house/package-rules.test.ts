import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockFaults, manifestFaults } from './package-rules.ts';
import { ROOT } from './tree.ts';

type Manifest = Parameters<typeof manifestFaults>[0];
type Lockfile = Parameters<typeof lockFaults>[1];

const json = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const manifest = json('package.json') as Manifest;
const lock = json('package-lock.json') as Lockfile;

describe('the package', () => {
  it('has the dependencies that were decided on, and runs nothing on installation', () => {
    expect(manifestFaults(manifest)).toEqual([]);
  });

  it('has a lockfile for every platform', () => {
    expect(lockFaults(manifest, lock)).toEqual([]);
  });
});

describe('the checker of the manifest', () => {
  it.each<[string, Manifest, string]>([
    ['one more dependency', { ...manifest, dependencies: { ...manifest.dependencies, lodash: '4.0.0' } }, 'lodash'],
    ['one less', { ...manifest, dependencies: {} }, 'dependencies are none'],
    ['an optional dependency', { ...manifest, optionalDependencies: { x: '1.0.0' } }, 'optionalDependencies'],
    ['an install script', { ...manifest, scripts: { postinstall: 'x' } }, 'no postinstall'],
    ['a blocked node', { ...manifest, allowScripts: {} }, 'allowScripts'],
    ['a range for a tool', { ...manifest, devDependencies: { vitest: '^5.0.0' } }, 'pin vitest'],
  ])('finds %s', (_, bad, message) => {
    expect(manifestFaults(bad).join('\n')).toContain(message);
  });
});

describe('the checker of the lockfile', () => {
  const without = (pattern: RegExp): Lockfile => ({
    ...lock,
    packages: Object.fromEntries(Object.entries(lock.packages).filter(([path]) => !pattern.test(path))),
  });
  const withPackage = (path: string, entry: Lockfile['packages'][string]): Lockfile => ({
    ...lock,
    packages: { ...lock.packages, [path]: entry },
  });

  it.each<[string, Lockfile, string]>([
    ['no binaries for Windows', without(/rolldown.*win32/), '@rolldown/binding for win32'],
    ['no binaries for macOS', without(/oxlint.*darwin/), '@oxlint/binding for darwin'],
    ['another version', { ...lock, version: '0.0.1' }, 'its version'],
    ['other dependencies', withPackage('', {}), 'dependencies are not those'],
    [
      'a host that packages come from',
      withPackage('node_modules/x', { resolved: 'https://example.com/x.tgz' }),
      'bound to https://example.com',
    ],
    ['an install script nobody decided on', withPackage('node_modules/y', { hasInstallScript: true }), 'y has an install script'],
  ])('finds %s', (_, bad, message) => {
    expect(lockFaults(manifest, bad).join('\n')).toContain(message);
  });
});
