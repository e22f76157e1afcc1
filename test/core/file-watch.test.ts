import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { type FileWatch, watchFiles } from '../../src/core/file-watch.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// The one test that waits in real time: it asks the file system of this machine. Quiet is measured in multiples of the
// debounce; changes are awaited, not slept for.
const DEBOUNCE_MS = 20;
const QUIET_MS = 8 * DEBOUNCE_MS;
const open: { close(): void }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'inmesh-watch-'));
  open.push({ close: () => rmSync(path, { recursive: true, force: true }) });
  return path;
}

interface Probe extends FileWatch {
  count: number;
  next(): Promise<void>;
}

function probe(paths: string[]): Probe {
  let wake: (() => void) | null = null;
  let seen = 0;
  const onChange = (): void => {
    self.count++;
    wake?.();
  };
  const inner = watchFiles(paths, onChange, { clock: systemClock, debounceMs: DEBOUNCE_MS });
  const self: Probe = {
    count: 0,
    close: () => inner.close(),
    next: () => {
      const wanted = ++seen;
      return new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`change ${wanted} was not seen within 3 s`)), 3_000);
        wake = () => {
          if (self.count < wanted) return;
          clearTimeout(timer);
          resolve();
        };
        wake();
      });
    },
  };
  open.unshift(self);
  return self;
}

const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

/** Lays a volume out as the kubelet does, and swaps it the same way. */
function configMap(root: string): { file: string; swap(version: string, text: string): void } {
  let current = '';
  const swap = (version: string, text: string): void => {
    const folderName = `..${version}`;
    mkdirSync(join(root, folderName));
    writeFileSync(join(root, folderName, 'mesh.yaml'), text);
    symlinkSync(folderName, join(root, '..data_tmp'));
    renameSync(join(root, '..data_tmp'), join(root, '..data'));
    if (current !== '') rmSync(join(root, current), { recursive: true });
    current = folderName;
  };
  swap('v0', 'zero');
  symlinkSync(join('..data', 'mesh.yaml'), join(root, 'mesh.yaml'));
  return { file: join(root, 'mesh.yaml'), swap };
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

describe('watchFiles', () => {
  it.each(['the file', 'the folder'])('sees ConfigMap swaps again and again, watching %s', async (what) => {
    const volume = configMap(folder());
    const watch = probe([what === 'the file' ? volume.file : dirname(volume.file)]);
    for (const version of ['v1', 'v2', 'v3']) {
      volume.swap(version, version);
      await watch.next();
      expect(readFileSync(volume.file, 'utf8')).toBe(version);
    }
    volume.swap('v4', 'v3');
    await quiet();
    expect(watch.count).toBe(3);
  });

  it('sees atomic renames again and again', async () => {
    const file = join(folder(), 'mesh.yaml');
    writeFileSync(file, 'zero');
    const watch = probe([file]);
    for (const text of ['one', 'two', 'three']) {
      replace(file, text);
      await watch.next();
    }
    expect(watch.count).toBe(3);
  });

  it('sees plain writes, joins a burst, and is silent when the bytes are the same or another file changed', async () => {
    const root = folder();
    const file = join(root, 'mesh.yaml');
    writeFileSync(file, 'zero');
    const watch = probe([file]);
    writeFileSync(file, '');
    writeFileSync(file, 'o');
    writeFileSync(file, 'one');
    await watch.next();
    await quiet();
    expect(watch.count).toBe(1);
    writeFileSync(file, 'one');
    replace(file, 'one');
    writeFileSync(join(root, 'other.yaml'), 'x');
    await quiet();
    expect(watch.count).toBe(1);
    writeFileSync(file, 'two');
    await watch.next();
  });

  it('sees files come, change and go in a folder, dot files left out', async () => {
    const root = folder();
    const watch = probe([root]);
    writeFileSync(join(root, 'a.yaml'), 'a');
    await watch.next();
    writeFileSync(join(root, 'a.yaml'), 'b');
    await watch.next();
    writeFileSync(join(root, '.a.yaml.swp'), 'c');
    await quiet();
    expect(watch.count).toBe(2);
    rmSync(join(root, 'a.yaml'));
    await watch.next();
  });

  it('waits for a path that is not there yet', async () => {
    const root = folder();
    const file = join(root, 'a', 'b', 'mesh.yaml');
    const watch = probe([file]);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'one');
    await watch.next();
    writeFileSync(file, 'two');
    await watch.next();
  });

  it('survives a folder that is deleted and made again', async () => {
    const root = join(folder(), 'conf');
    const file = join(root, 'mesh.yaml');
    mkdirSync(root);
    writeFileSync(file, 'one');
    const watch = probe([file]);
    for (const text of ['two', 'three']) {
      rmSync(root, { recursive: true });
      await watch.next();
      mkdirSync(root);
      writeFileSync(file, text);
      await watch.next();
      writeFileSync(file, `${text}!`);
      await watch.next();
    }
  });

  it('survives a folder that is deleted and made again at once', async () => {
    const root = join(folder(), 'conf');
    const file = join(root, 'mesh.yaml');
    mkdirSync(root);
    writeFileSync(file, 'one');
    const watch = probe([file]);
    for (const text of ['two', 'three']) {
      rmSync(root, { recursive: true });
      mkdirSync(root);
      writeFileSync(file, text);
      await watch.next();
      writeFileSync(file, `${text}!`);
      await watch.next();
    }
  });

  it('sees a file change that a folder only links to', async () => {
    const target = join(folder(), 'shared.yaml');
    writeFileSync(target, 'zero');
    const root = folder();
    symlinkSync(target, join(root, 'mesh.yaml'));
    const watch = probe([root]);
    writeFileSync(target, 'one');
    await watch.next();
  });

  it('follows a link to a file beside its folder', async () => {
    const parent = folder();
    for (const name of ['links', 'files']) mkdirSync(join(parent, name));
    const target = join(parent, 'files', 'shared.yaml');
    writeFileSync(target, 'zero');
    symlinkSync(join('..', 'files', 'shared.yaml'), join(parent, 'links', 'mesh.yaml'));
    const watch = probe([join(parent, 'links', 'mesh.yaml')]);
    replace(target, 'one');
    await watch.next();
  });

  it('survives a folder that is replaced by another', async () => {
    const parent = folder();
    const root = join(parent, 'conf');
    const file = join(root, 'mesh.yaml');
    mkdirSync(root);
    writeFileSync(file, 'one');
    const watch = probe([file]);
    mkdirSync(join(parent, 'next'));
    writeFileSync(join(parent, 'next', 'mesh.yaml'), 'two');
    renameSync(root, join(parent, 'old'));
    renameSync(join(parent, 'next'), root);
    await watch.next();
    writeFileSync(file, 'three');
    await watch.next();
  });

  it('follows a symlink anywhere on the way', async () => {
    const root = folder();
    for (const release of ['1', '2']) {
      mkdirSync(join(root, 'releases', release), { recursive: true });
      writeFileSync(join(root, 'releases', release, 'mesh.yaml'), release);
    }
    symlinkSync(join('releases', '1'), join(root, 'current'));
    const watch = probe([join(root, 'current', 'mesh.yaml')]);
    writeFileSync(join(root, 'releases', '1', 'mesh.yaml'), 'edited in place');
    await watch.next();
    symlinkSync(join('releases', '2'), join(root, 'next'));
    renameSync(join(root, 'next'), join(root, 'current'));
    await watch.next();
  });

  it('is silent after close', async () => {
    const file = join(folder(), 'mesh.yaml');
    writeFileSync(file, 'zero');
    const watch = probe([file]);
    writeFileSync(file, 'one');
    watch.close();
    await quiet();
    expect(watch.count).toBe(0);
  });

  // No turn of the event loop passes, so no event can come.
  it('polls when asked, until closed', () => {
    const file = join(folder(), 'mesh.yaml');
    writeFileSync(file, 'zero');
    const clock = new VirtualClock();
    let count = 0;
    const watch = watchFiles([file], () => count++, { clock, pollMs: 1_000 });
    for (const [text, expected] of [
      ['one', 1],
      ['two', 2],
      ['two', 2],
    ] as const) {
      const before = count;
      writeFileSync(file, text);
      clock.advance(999);
      expect(count).toBe(before);
      clock.advance(1);
      expect(count).toBe(expected);
    }
    watch.close();
    expect(clock.armed).toBe(0);
  });

  it('does not keep the process alive', async () => {
    const file = join(folder(), 'mesh.yaml');
    writeFileSync(file, 'zero');
    const source = new URL('../../src/core/', import.meta.url);
    const script = `
      import { systemClock } from '${new URL('clock.ts', source)}';
      import { watchFiles } from '${new URL('file-watch.ts', source)}';
      watchFiles([${JSON.stringify(file)}], () => {}, { clock: systemClock, pollMs: 50 });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const code = await new Promise((resolve) => child.on('exit', resolve));
    clearTimeout(killer);
    expect(code).toBe(0);
  });
});
