import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linkFaults } from './links.ts';
import { ROOT, repository } from './tree.ts';

it('links in the docs lead somewhere', () => {
  expect(linkFaults(repository(), (path) => existsSync(join(ROOT, path)))).toEqual([]);
});

describe('the checker of links', () => {
  const files = new Map([
    ['docs/b.md', '# Title\n\n## Two words, *three*\n\n## `code_x`\n'],
    ['docs/a.md', ''],
  ]);
  const check = (text: string): string[] => linkFaults(new Map([...files, ['docs/a.md', text]]), (path) => files.has(path));

  it.each(['[x](c.md)', '[x](b.md#four)', '[x](#none)', '[x](../b.md)', '![x](b.svg)', '[x](c.md "title")'])('finds %s', (text) => {
    expect(check(text)).toHaveLength(1);
  });

  it.each(['[x](b.md)', '[x](b.md#two-words-three)', '[x](./b.md#code_x)', '[x](https://example.org/c.md)'])('allows %s', (text) => {
    expect(check(text)).toEqual([]);
  });

  it('leaves code alone', () => {
    expect(check('```md\n[x](c.md)\n```')).toEqual([]);
  });

  it('makes anchors as GitHub does', () => {
    expect([...anchorsOf('# A b\n## A b\n### no_route\n```sh\n# not a heading\n```\n')]).toEqual(['a-b', 'a-b-1', 'no_route']);
  });
});
