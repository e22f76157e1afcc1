import { describe, expect, it } from 'vitest';
import { asyncFaults, headerFaults, lengthFaults, nameFaults } from './shape.ts';
import { repository } from './tree.ts';

describe('shape', () => {
  it.each([
    ['no file over 400 lines, no function over 70', lengthFaults],
    ['every source file says what it is', headerFaults],
    ['names say something, file names are kebab-case', nameFaults],
    ['async functions await', asyncFaults],
  ])('%s', (_, check) => {
    expect(check(repository())).toEqual([]);
  });
});

const lines = (count: number): string => 'x();\n'.repeat(count);
const one = (path: string, text: string): ReadonlyMap<string, string> => new Map([[path, text]]);

describe('the checker of length', () => {
  it.each([
    ['a file of 401 lines', lines(401), 1],
    ['a file of 400 lines', lines(400), 0],
    ['a function of 71 lines', `function f(): void {\n${lines(69)}}`, 1],
    ['a function of 70 lines', `function f(): void {\n${lines(68)}}`, 0],
    ['a method', `class A {\n  async run<T>(a: { b: T }): Promise<{ c: T }> {\n${lines(70)}}\n}`, 1],
    ['an arrow', `const f = (a: () => { b: 1 }): { c: 1 } => {\n${lines(70)}};`, 1],
    ['an accessor', `class A {\n  get size(): number {\n${lines(70)}}\n}`, 1],
    ['a long class of short methods', `class A {\n${'  m(): void {\n  }\n'.repeat(50)}}`, 0],
    ['a long loop is part of its function', `function f() {\nfor (const x of y) {\n${lines(70)}}\n}`, 1],
    ['a long interface', `interface A {\n${'  a(): { b: 1 };\n'.repeat(100)}}`, 0],
    ['braces in strings, templates, comments and patterns', `function f() {\n'}'; "}"; \`}\${g({})}\`; /}/; // }\n${lines(70)}}`, 1],
  ])('%s', (_, text, count) => {
    expect(lengthFaults(one('src/a.ts', text))).toHaveLength(count);
  });

  it('refuses what it cannot read', () => {
    expect(() => lengthFaults(one('src/a.ts', 'const x = `${'))).toThrow('src/a.ts, line 1');
  });
});

describe('the checker of opening comments', () => {
  it.each([
    ['nothing', 'export const x = 1;\n', 1],
    ['a blank line first', '\n// What it is.\n', 1],
    ['seven lines', '// a\n'.repeat(7), 1],
    ['one line', '// What it is.\nexport const x = 1;\n', 0],
    ['six lines after a shebang', `#!/usr/bin/env node\n${'// a\n'.repeat(6)}`, 0],
  ])('%s', (_, text, count) => {
    expect(headerFaults(one('src/a.ts', text))).toHaveLength(count);
  });
});

describe('the checker of names', () => {
  it.each([
    ['src/core/utils.ts', ''],
    ['src/helpers/a.ts', ''],
    ['src/core/call-manager.ts', ''],
    ['src/core/RetryLayer.ts', ''],
    ['src/core/retry_layer.ts', ''],
    ['src/a.ts', 'class PoolManager {}'],
    ['src/a.ts', 'export const retryHelper = 1;'],
    ['src/a.ts', 'function commonHeaders() {}'],
  ])('finds %s %s', (path, text) => {
    expect(nameFaults(one(path, text))).toHaveLength(1);
  });

  it.each([
    ['src/core/retry-layer.ts', 'const community = 1;'],
    ['test/core/call.test.ts', ''],
    ['.ci/setup.mjs', ''],
    ['src/a.ts', "const manager = 'manager';"],
  ])('allows %s %s', (path, text) => {
    expect(nameFaults(one(path, text))).toEqual([]);
  });
});

describe('the checker of async functions', () => {
  it.each([
    ['async function f() { return g(); }', 1],
    ['const f = async (x: number): Promise<void> => { g(x); };', 1],
    ['class A { async run(): Promise<void> { this.g(); } }', 1],
    ['async function f() { await g(); }', 0],
    ['async function* f() { yield 1; }', 0],
    ['function f() { return g(); }', 0],
  ])('%s', (text, count) => {
    expect(asyncFaults(one('src/a.ts', text))).toHaveLength(count);
  });
});
