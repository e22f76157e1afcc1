import { describe, expect, it } from 'vitest';
import { repository } from './tree.ts';
import { anyFaults, focusFaults, sleepFaults, wordFaults } from './words.ts';

describe('words', () => {
  it.each([
    ['no any', anyFaults],
    ['no focused test', focusFaults],
    ['no sleep in a test', sleepFaults],
    ['no note for later, no private path or name', wordFaults],
  ])('%s', (_, check) => {
    expect(check(repository())).toEqual([]);
  });
});

const one = (path: string, text: string): ReadonlyMap<string, string> => new Map([[path, text]]);

describe('the checker of any', () => {
  it.each([
    'const x: any = 1;',
    'const x = y as any;',
    'function f(a: any) {}',
    'const x: Map<string, any> = y;',
    'const x: any[] = y;',
    'type A = any;',
    'const f = (): any => 1;',
    'function f(): any {}',
  ])('finds: %s', (text) => {
    expect(anyFaults(one('src/a.ts', text))).toHaveLength(1);
  });

  it.each(['AbortSignal.any([a, b]);', "const record = 'any';", '// any of them', 'const x = { any: 1 };', 'any(1);'])(
    'allows: %s',
    (text) => {
      expect(anyFaults(one('src/a.ts', text))).toEqual([]);
    },
  );
});

describe('the checker of focused tests', () => {
  it.each(['it.o_nly("x", f);', 'describe.o_nly("x", f);', 'test.concurrent.o_nly("x", f);'])('finds: %s', (text) => {
    expect(focusFaults(one('test/a.test.ts', text.replace('o_nly', 'only')))).toHaveLength(1);
  });

  it('allows other things of that name', () => {
    expect(focusFaults(one('test/a.test.ts', 'read.only = true; // it.only'))).toEqual([]);
  });
});

describe('the checker of sleeps', () => {
  it.each([
    'await new Promise((done) => setTimeout(done, 10));',
    'const timer = setInterval(run, 10);',
    "import * as timers from 'node:timers/promises';",
    'Atomics.wait(a, 0, 0, 10);',
  ])('finds: %s', (text) => {
    expect(sleepFaults(one('test/a.test.ts', text))).toHaveLength(1);
  });

  it.each([
    ['test/interop/a.test.ts', 'setTimeout(run, 10);'],
    ['test/core/file-watch.test.ts', 'setTimeout(run, 10);'],
    ['test/a.test.ts', 'socket.setTimeout(10);'],
    ['test/a.test.ts', "const text = 'setTimeout(run, 10)';"],
  ])('allows in %s: %s', (path, text) => {
    expect(sleepFaults(one(path, text))).toEqual([]);
  });
});

describe('the checker of words', () => {
  /** The bad words are put together here, so that this file holds none of them. */
  const bad = (...parts: string[]): string => parts.join('');

  it.each([
    ['a note for later', 'src/a.ts', bad('// TO', 'DO: later')],
    ['another one', 'docs/a.md', bad('FIX', 'ME')],
    ['an escape from the types', 'src/a.ts', bad('// @ts-', 'ignore')],
    ['a checkout', 'docs/a.md', bad('see `/wo', 'rk/main`')],
    ['a home', 'README.md', bad('cd /ho', 'me/me/inmesh')],
    ['the home of root', 'docs/a.md', bad('cache in /ro', 'ot/.npm')],
    ['a page that is not here', 'src/a.ts', bad('// Source: refer', 'ence/performance.md')],
    ['a registry', '.npmrc', bad('registry=https://regi', 'stry.example.org/')],
    ['a tool', 'docs/a.md', bad('written by Clau', 'de')],
    ['a colleague', 'docs/a.md', bad('the inte', 'grator writes it')],
  ])('finds %s', (_, path, text) => {
    expect(wordFaults(one(path, text))).toHaveLength(1);
  });

  it.each([
    ['docs/a.md', 'unix:///run/spire/agent.sock'],
    ['docs/a.md', 'the framework/ folder, network/interface, roots/ca.pem'],
    ['src/a.ts', '// hackle, todos'],
  ])('allows in %s: %s', (path, text) => {
    expect(wordFaults(one(path, text))).toEqual([]);
  });
});
