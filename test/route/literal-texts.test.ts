import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literalTexts } from '../../src/route/literal-texts.ts';
import { loadRegex } from '../../src/route/regex.ts';

const regex = await loadRegex();

describe('literal texts of a pattern', () => {
  it.each<[pattern: string, head: string, parts: readonly string[]]>([
    ['/items/[0-9]+', '/items/', ['/items/']],
    ['.*mobile.*', '', ['mobile']],
    ['^(.*?;)?(user=jason)(;.*)?$', '', ['user=jason']],
    ['/v[12]/a\\.b', '/v', ['/v', '/a.b']],
    ['ab*c+d', 'a', ['a', 'c', 'd']],
    ['(ab)?c', '', ['c']],
    ['(?:ab)+c', '', ['ab', 'c']],
    ['a{2}b', '', ['b']],
    ['a{b', '', ['b']],
    ['[^]x]abc', '', ['abc']],
    ['^ab', 'ab', ['ab']],
    ['ab]c}d', 'ab', ['ab', 'c', 'd']],
    ['ab{12}c{3,45}d', 'a', ['a', 'd']],
    ['a\\dbc', 'a', ['a', 'bc']],
    ['x(?P<name>ab)c', 'x', ['x', 'ab', 'c']],
    ['x(?<name>ab)c', 'x', ['x', 'ab', 'c']],
    ['x((ab)c)+d', 'x', ['x', 'ab', 'c', 'd']],
    ['x(a[)]b)c', 'x', ['x', 'a', 'b', 'c']],
    ['x(a\\)b)c', 'x', ['x', 'a)b', 'c']],
    ['x(ab)*c', 'x', ['x', 'c']],
    ['x(ab){0}c', 'x', ['x', 'c']],
    ['x(a|b)c', 'x', ['x', 'c']],
    ['[^ab]c', '', ['c']],
    ['[a]b', '', ['b']],
    // Nothing is said of what may mean something else.
    ['abc|abd', '', []],
    ['(?i)abc', '', []],
    ['abc(?i:d)', '', []],
    ['\\Qa.b\\E', '', []],
    ['[[:alpha:]]abc', '', []],
    ['ab?{|[ab]{0,1}', '', []],
    ['x(ab', '', []],
    ['ab)c', '', []],
    ['x(a(?i)b)c', '', []],
    ['x(a\\Qb)c', '', []],
    ['x[a\\]b]c', '', []],
    ['x([a\\]b])c', '', []],
    ['\u{1f600}', '', []],
  ])('%s', (pattern, head, parts) => expect(literalTexts(pattern)).toEqual({ head, parts }));

  it('are in whatever the engine lets through', () => {
    const pieces = [
      'a',
      'b',
      'ab',
      'c',
      '.',
      '*',
      '+',
      '?',
      '.*',
      '(',
      ')',
      '(?:',
      '(?P<n>',
      '(?i)',
      '|',
      '[',
      ']',
      '[^',
      '[ab]',
      '[^]a]',
      '[]b]',
      '{2}',
      '{0,1}',
      '{',
      '}',
      '^',
      '$',
      '\\d',
      '\\.',
      '\\Q',
      '\\E',
      '\\b',
      '\\',
      '(ab)',
      '(a|b)',
      '(ab)?',
      '(?i:ab)',
      '\\x61',
      '\\(',
    ];
    const words = ['a', 'b', 'A', 'B', 'ab', 'c', '2', '.', '|', 'QE', '(', '[', '{2}', '1'];
    const pattern = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((list) => list.join(''));
    const text = fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((list) => list.join(''));
    let told = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 10, maxLength: 10 }), (one, tried) => {
        if (regex.check(one) !== null) return;
        const { head, parts } = literalTexts(one);
        const test = regex.compile(one);
        for (const value of tried) {
          if (!test(value)) continue;
          if (parts.length > 0) told++;
          expect(value.startsWith(head), `${one} begins ${value}`).toBe(true);
          for (const part of parts) expect(value, `${one} is in ${value}`).toContain(part);
        }
      }),
      { numRuns: 20_000, seed: 1 },
    );
    expect(told).toBeGreaterThan(100);
  });
});
