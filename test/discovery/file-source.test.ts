// A file whose text takes long to read: the last reading counts, whatever comes back first.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileSource } from '../../src/discovery/file-source.ts';
import type { EndpointConfig } from '../../src/model/destination.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Reading {
  readonly text: string;
  resolve(endpoints: readonly EndpointConfig[]): void;
  reject(error: Error): void;
}

const endpoint = (address: string): EndpointConfig => ({ address, labels: {}, locality: '', weight: 1 });
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function slowSource() {
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-file-source-'));
  const file = join(folder, 'endpoints.yaml');
  const clock = new VirtualClock();
  const readings: Reading[] = [];
  const log: string[] = [];
  const parseEndpoints = (text: string): Promise<readonly EndpointConfig[]> =>
    new Promise((resolve, reject) => void readings.push({ text, resolve, reject }));
  const source = fileSource(file, { clock, parseEndpoints } as never);
  cleanups.push(
    () => source.close(),
    () => rmSync(folder, { recursive: true }),
  );
  return {
    readings,
    log,
    source,
    start: () =>
      source.start(
        (set) => void log.push(set.map(({ address }) => address).join(' ')),
        (message) => void log.push(message.replaceAll(file, 'FILE')),
      ),
    write: (text: string) => writeFileSync(file, text),
    again: () => {
      clock.advance(60_000);
      source.refresh();
    },
  };
}

describe('a file that takes long to read', () => {
  it('never lets an old text overtake a new one, nor an old fault', async () => {
    const { readings, log, start, write, again } = slowSource();
    for (const [i, text] of ['old', 'wrong', 'new'].entries()) {
      write(text);
      if (i === 0) start();
      else again();
    }
    const [old, wrong, last] = readings;
    expect(readings.map(({ text }) => text)).toEqual(['old', 'wrong', 'new']);
    last?.resolve([endpoint('c:3')]);
    old?.resolve([endpoint('a:1')]);
    wrong?.reject(new Error('FILE: wrong'));
    await settle();
    expect(log).toEqual(['c:3']);
  });

  it('tells a fault once, says what stays in use, and is silent after the same text', async () => {
    const { readings, log, start, write, again } = slowSource();
    write('one');
    start();
    readings[0]?.reject(new Error('FILE: no list'));
    await settle();
    again();
    readings[1]?.reject(new Error('FILE: no list'));
    await settle();
    expect(log).toEqual(['FILE: no list; no endpoints are known yet']);
    again();
    readings[2]?.resolve([endpoint('a:1'), endpoint('b:2')]);
    await settle();
    again();
    expect([log.slice(1), readings.length]).toEqual([['a:1 b:2'], 3]);
    write('two');
    again();
    readings[3]?.reject(new Error('FILE: no list'));
    await settle();
    expect(log.slice(2)).toEqual(['FILE: no list; the last 2 endpoints stay in use']);
  });

  it('says nothing after it was closed, nor reads again', async () => {
    const { readings, log, source, start, write, again } = slowSource();
    write('one');
    start();
    source.close();
    readings[0]?.resolve([endpoint('a:1')]);
    await settle();
    write('two');
    again();
    expect([log, readings.length]).toEqual([[], 1]);
  });

  it('is not asked more often than every few seconds', () => {
    const { readings, source, start, write } = slowSource();
    write('one');
    start();
    write('two');
    source.refresh();
    expect(readings).toHaveLength(1);
  });
});
