import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import { ROOT } from './tree.ts';

// A program of somebody else: the package as npm packs it, its runtime dependencies, and nothing of ours beside them.
const home = mkdtempSync(join(tmpdir(), 'inmesh-bare-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
}

const packages = lock.packages as Readonly<Record<string, Locked>>;

/** Runtime dependencies, with theirs. */
function runtime(names: readonly string[], found: Set<string> = new Set()): Set<string> {
  for (const name of names) {
    if (found.has(name)) continue;
    found.add(name);
    runtime(Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}), found);
  }
  return found;
}

const needed = [...runtime(Object.keys(manifest.dependencies))];

function install(): void {
  const modules = join(home, 'node_modules');
  mkdirSync(modules);
  execFileSync('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', home], { cwd: ROOT, stdio: 'ignore' });
  const [tarball = ''] = readdirSync(home).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', tarball], { cwd: home });
  symlinkSync(join(home, 'package'), join(modules, 'inmesh'));
  for (const name of needed) {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
}

const PROGRAM = `
import { createServer } from 'node:http';
import { createMesh } from 'inmesh';
const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const mesh = await createMesh({ config: { services: { greeter: { endpoints: ['127.0.0.1:' + server.address().port], retries: { attempts: 1 } } } } });
const answer = await mesh.fetch('http://greeter/');
console.log(answer.status, await answer.text());
await mesh.close();
server.close();
`;

describe('the package alone, installed without any script', () => {
  it('needs nothing that is made by a script', () => {
    expect(needed.length).toBeGreaterThanOrEqual(Object.keys(manifest.dependencies).length);
    expect(needed.filter((name) => packages[`node_modules/${name}`]?.hasInstallScript === true)).toEqual([]);
  });

  it('calls a server', () => {
    install();
    writeFileSync(join(home, 'program.mjs'), PROGRAM);
    expect(execFileSync(process.execPath, ['program.mjs'], { cwd: home, encoding: 'utf8' })).toBe('200 hello\n');
  });

  it('has a command', () => {
    const main = join(home, 'node_modules/inmesh', manifest.bin.inmesh);
    expect(execFileSync(process.execPath, [main, '--help'], { cwd: home, encoding: 'utf8' })).toContain('Usage: inmesh');
  });
});
