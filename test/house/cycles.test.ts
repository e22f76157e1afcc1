import { describe, expect, it } from 'vitest';
import { cycleFaults } from './cycles.ts';
import { repository } from './tree.ts';

it('src has no import cycle, types included', () => {
  expect(cycleFaults(repository())).toEqual([]);
});

describe('the cycle checker', () => {
  const graph = (edges: Record<string, string[]>): string[] =>
    cycleFaults(
      new Map(
        Object.entries(edges).map(([from, to]) => [
          `src/m/${from}.ts`,
          to.map((name) => `import type { X } from './${name}.ts';`).join('\n'),
        ]),
      ),
    );

  it.each([
    ['a pair', { a: ['b'], b: ['a'] }, ['src/m/a.ts, src/m/b.ts']],
    ['a file that imports itself', { a: ['a'] }, ['src/m/a.ts']],
    ['a long way round', { a: ['b'], b: ['c'], c: ['d'], d: ['b'] }, ['src/m/b.ts, src/m/c.ts, src/m/d.ts']],
    ['two circles', { a: ['b'], b: ['a'], c: ['d', 'a'], d: ['c'] }, ['src/m/a.ts, src/m/b.ts', 'src/m/c.ts, src/m/d.ts']],
  ])('finds %s', (_, edges, groups) => {
    const faults = graph(edges as Record<string, string[]>);
    expect(faults).toHaveLength(groups.length);
    for (const group of groups) expect(faults.join('\n')).toContain(group);
  });

  it('allows a diamond', () => {
    expect(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })).toEqual([]);
  });
});
