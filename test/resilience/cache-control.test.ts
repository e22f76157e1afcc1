import { describe, expect, it } from 'vitest';
import { directivesOf, secondsOf, writeDirectives } from '../../src/resilience/cache-control.ts';

describe('directivesOf', () => {
  it.each<[string | undefined, Record<string, string>]>([
    [undefined, {}],
    ['', {}],
    ['no-store', { 'no-store': '' }],
    ['Max-Age=60, PRIVATE', { 'max-age': '60', private: '' }],
    ['max-age = 60 ,no-cache', { 'max-age': '60', 'no-cache': '' }],
    ['max-age="60"', { 'max-age': '60' }],
    ['private="a, no-store", max-age=5', { private: 'a, no-store', 'max-age': '5' }],
    ['max-age=5, max-age=500', { 'max-age': '5' }],
    ['max-age=', { 'max-age': '' }],
    [',, ;a', { a: '' }],
    ['x="a\\"b"', { x: 'a\\"b' }],
    ['constructor, __proto__=1', { constructor: '', ['__proto__']: '1' }],
  ])('%s', (text, expected) => {
    expect([...directivesOf(text)]).toEqual(Object.entries(expected));
  });

  it.each([
    ['max-age=60', 60],
    ['max-age=0', 0],
    ['max-age', 0],
    ['max-age=-5', 0],
    ['max-age=soon', 0],
    ['no-cache', -1],
  ])('seconds of %s: %i', (text, expected) => {
    expect(secondsOf(directivesOf(text), 'max-age')).toBe(expected);
  });

  it('are written as they were, without those that are not wanted', () => {
    expect(writeDirectives(directivesOf('Max-Age=60, must-revalidate, private="a, b"'), ['must-revalidate'])).toBe(
      'max-age=60, private="a, b"',
    );
  });

  it.each(['a=";"', 'a=","', 'a="="', 'a="b c"'])('%s keeps its quotes', (text) =>
    expect(writeDirectives(directivesOf(text), [])).toBe(text),
  );
});
