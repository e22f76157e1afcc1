import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { loadSource } from '../../src/discovery/source.ts';
import type { DnsResolver } from '../../src/discovery/source.ts';
import type { EndpointConfig } from '../../src/model/destination.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const endpoint = (address: string): EndpointConfig => ({ address, labels: {}, locality: '', weight: 1 });

/** Addresses parted by blanks; `!` is a mistake. */
function parseEndpoints(text: string, file: string): EndpointConfig[] {
  if (text.includes('!')) throw new Error(`${file}:1:${text.indexOf('!') + 1}: "!" is no address`);
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map(endpoint);
}

describe('static', () => {
  it('gives its endpoints at once, and nothing more', async () => {
    const endpoints = [endpoint('10.0.0.1:80')];
    const sets: unknown[] = [];
    const clock = new VirtualClock();
    const make = await loadSource({ kind: 'static', endpoints });
    const source = make({ clock, random: seededRandom(1), parseEndpoints });
    source.start(
      (set) => sets.push(set),
      () => expect.fail(),
    );
    source.refresh();
    source.close();
    expect(sets).toEqual([endpoints]);
    expect(clock.armed).toBe(0);
  });
});

describe('dns', () => {
  it('uses the resolver that is handed in', async () => {
    const resolver: DnsResolver = {
      resolve4: async () => [{ address: '10.0.0.1', ttl: 60 }],
      resolve6: async () => [],
      resolveSrv: async () => [],
      lookup: async () => [],
    };
    const clock = new VirtualClock();
    const sets: unknown[] = [];
    const config = { kind: 'dns', host: 'reviews', port: 80, record: 'any' } as const;
    const make = await loadSource(config);
    const source = make({ clock, random: seededRandom(1), parseEndpoints, resolver });
    source.start(
      (set) => sets.push(set),
      (message) => expect.fail(message),
    );
    await clock.run(0);
    source.close();
    expect(sets).toEqual([[endpoint('10.0.0.1:80')]]);
  });
});

describe('file', () => {
  async function setUp(clock: VirtualClock | typeof systemClock) {
    const folder = mkdtempSync(join(tmpdir(), 'inmesh-source-'));
    const file = join(folder, 'endpoints.yaml');
    const make = await loadSource({ kind: 'file', path: file });
    const source = make({ clock, random: seededRandom(1), parseEndpoints });
    cleanups.push(
      () => source.close(),
      () => rmSync(folder, { recursive: true }),
    );
    const log: string[] = [];
    let wake: () => void = () => {};
    const note = (line: string): void => {
      log.push(line.replaceAll(file, 'FILE'));
      wake();
    };
    return {
      file,
      source,
      log,
      start: () =>
        source.start(
          (set) => note(set.map(({ address }) => address).join(' ')),
          (message) => note(message),
        ),
      /** Until the log has so many lines. */
      lines: (count: number): Promise<void> =>
        new Promise((resolve) => {
          wake = () => {
            if (log.length >= count) resolve();
          };
          wake();
        }),
    };
  }

  it('follows the file, and keeps the last good set when it is broken or gone', async () => {
    const { file, start, log, lines } = await setUp(systemClock);
    writeFileSync(file, 'a:1 b:2');
    start();
    expect(log).toEqual(['a:1 b:2']);
    writeFileSync(`${file}.tmp`, 'c:3');
    renameSync(`${file}.tmp`, file);
    await lines(2);
    writeFileSync(file, 'c:3 !');
    await lines(3);
    rmSync(file);
    await lines(4);
    writeFileSync(file, 'd:4');
    await lines(5);
    expect(log).toEqual([
      'a:1 b:2',
      'c:3',
      'FILE:1:5: "!" is no address; the last 1 endpoints stay in use',
      'FILE: the endpoint file is missing; the last 1 endpoints stay in use',
      'd:4',
    ]);
  });

  it('waits for a file that is not there yet', async () => {
    const { file, start, log, lines } = await setUp(systemClock);
    start();
    expect(log).toEqual(['FILE: the endpoint file is missing; no endpoints are known yet']);
    writeFileSync(file, 'a:1');
    await lines(2);
    expect(log[1]).toBe('a:1');
  });

  it('refresh reads again after 5 s, and repeats neither a set nor a complaint', async () => {
    const clock = new VirtualClock();
    const { file, source, start, log } = await setUp(clock);
    writeFileSync(file, 'a:1');
    start();
    writeFileSync(file, 'b:2');
    clock.advance(4_999);
    source.refresh();
    expect(log).toEqual(['a:1']);
    clock.advance(1);
    source.refresh();
    expect(log).toEqual(['a:1', 'b:2']);
    for (const text of ['!', '!', 'b:2', '!', 'b:2']) {
      writeFileSync(file, text);
      clock.advance(5_000);
      source.refresh();
    }
    const complaint = 'FILE:1:1: "!" is no address; the last 1 endpoints stay in use';
    expect(log).toEqual(['a:1', 'b:2', complaint, complaint]);
    source.close();
    writeFileSync(file, 'c:3');
    clock.advance(5_000);
    source.refresh();
    expect(log).toHaveLength(4);
  });
});

it('no source keeps the process alive', async () => {
  const folder = new URL('../../src/', import.meta.url);
  const script = `
    import { systemClock, systemRandom } from '${new URL('core/clock.ts', folder)}';
    import { loadSource } from '${new URL('discovery/source.ts', folder)}';
    const resolver = { resolve4: async () => [{ address: '10.0.0.1', ttl: 1 }] };
    const deps = { clock: systemClock, random: systemRandom, parseEndpoints: () => [], resolver };
    const dns = (await loadSource({ kind: 'dns', host: 'reviews', port: 80, record: 'A' }))(deps);
    const file = (await loadSource({ kind: 'file', path: 'nowhere.yaml' }))(deps);
    for (const source of [dns, file]) source.start((set) => console.log(set.length), console.log);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 10_000 });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on('exit', resolve));
  expect(code).toBe(0);
  expect(output).toMatch(/nowhere\.yaml: the endpoint file is missing/);
});
