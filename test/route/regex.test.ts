import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { loadRegex, PATTERN_LENGTH_MAX } from '../../src/route/regex.ts';
import { simpleRegex } from '../../src/route/simple-regex.ts';

const regex = await loadRegex();
const re2 = (pattern: string, text: string): boolean => RE2JS.compile(pattern).testExact(text);

describe('loadRegex', () => {
  it.each([
    ['/api/v[12]/.*', '/api/v1/x', true],
    ['/api/v[12]/.*', '/api/v3/x', false],
    ['/api/v[12]', '/api/v1/x', false],
    ['a|ab', 'ab', true],
    ['^a|ab$', 'ab', true],
    ['(?i)chrome', 'ChRoMe', true],
    ['.', '\n', false],
    ['[^a]', '\n', true],
    ['(?s).', '\n', true],
    ['a$', 'a\n', false],
    ['\\d+', '123', true],
    ['\\d+', '١٢٣', false],
    ['', '', true],
    ['', 'a', false],
  ])('%j on %j: %j', (pattern, text, expected) => {
    expect(regex.check(pattern)).toBeNull();
    expect(regex.compile(pattern)(text)).toBe(expected);
  });

  it('says what is wrong without preamble', () => expect(regex.check('(')).toMatch(/^missing closing/));

  it.each(['x', '[x]'.repeat(2) + 'x'])('takes %s with as many characters as a pattern may have, and no more', (start) => {
    const longest = start.padEnd(PATTERN_LENGTH_MAX, 'x');
    expect(regex.check(longest)).toBeNull();
    expect(regex.compile(longest)(longest.replaceAll(/[[\]]/g, ''))).toBe(true);
    expect(regex.check(`${longest}x`)).toMatch(/1025 characters/);
    expect(() => regex.compile(`${longest}x`)).toThrow(/1025 characters/);
  });

  it.each([
    ['(', /missing closing \)/],
    ['a**', /nested repetition/],
    ['.**', /nested repetition/],
    ['(?=a)', /unsupported Perl syntax/],
    ['(?<=a)b', /invalid named capture/],
    ['(a)\\1', /invalid escape sequence/],
    ['a{1,1001}', /repeat count/],
    ['*', /missing argument/],
    ['\\', /trailing backslash/],
    ['x'.repeat(PATTERN_LENGTH_MAX + 1), /1025 characters, more than 1024/],
  ])('refuses %j', (pattern, says) => {
    expect(regex.check(pattern)).toMatch(says);
    expect(() => regex.compile(pattern)).toThrow(says);
  });
});

describe('simpleRegex', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['^abc$', 'abc', true],
    ['.*mobile.*', 'a mobile b', true],
    ['.*mobile.*', 'mobil', false],
    ['.*mobile.*', 'mobile\n', false],
    ['/api/.*', '/api/', true],
    ['/api/.+', '/api/', false],
    ['.*\\.js', 'a.js', true],
    ['.*\\.js', 'axjs', false],
    ['ab.*bc', 'abc', false],
    ['ab.*bc', 'abbc', true],
    ['ab.+bc', 'abbc', false],
    ['.*a.*a.*', 'a', false],
    ['.*', '', true],
    ['.+', '', false],
    ['a\\$', 'a$', true],
    ['a\\\\$', 'a\\', true],
  ])('%j on %j: %j', (pattern, text, expected) => {
    expect(simpleRegex(pattern)?.(text)).toBe(expected);
    expect(re2(pattern, text)).toBe(expected);
  });

  it.each([
    'a.c',
    'a*',
    'a+',
    'a?',
    '(a)',
    'a|b',
    '[a]',
    'a{2}',
    '.*?',
    '.+?',
    '.*.*',
    '\\d',
    '(?i)a',
    'a^b',
    'a$b',
    '\ud83d.*',
    'a\nb',
    '\\',
    '^*',
    '$$',
  ])('leaves %j to the engine', (pattern) => expect(simpleRegex(pattern)).toBeNull());

  // Small alphabets, so that patterns are often simple and texts often match.
  const piece = fc.constantFrom('a', 'b', 'ab', '.*', '.+', '\\.', '\\$', '\\\\', '/', '-', '^', '$', '?', '{', '\n', '😀', ' ', 'ß');
  const patterns = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
  const texts = fc
    .array(fc.constantFrom('a', 'b', 'ab', '.', '$', '\\', '/', '\n', '\r', '😀', '\ud83d', ' ', 'ß', '\u2028'), { maxLength: 7 })
    .map((units) => units.join(''));

  it('agrees with RE2 on every text', () => {
    let simple = 0;
    let matched = 0;
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        const test = simpleRegex(pattern);
        if (test === null) return;
        simple++;
        const expected = re2(pattern, text);
        if (expected) matched++;
        expect(test(text)).toBe(expected);
      }),
      { numRuns: 20_000, seed: 1 },
    );
    expect(simple).toBeGreaterThan(2_000);
    expect(matched).toBeGreaterThan(100);
  });

  it('agrees with RE2 on texts made from the pattern', () => {
    const gap = fc.constantFrom('', 'x', 'xy', 'ab', '\n', '😀');
    const pieces = fc.array(
      fc.record({ literal: fc.constantFrom('a', 'ab', 'ba', ''), gap: fc.constantFrom('.*', '.+', ''), filler: gap }),
      {
        maxLength: 5,
      },
    );
    let matched = 0;
    fc.assert(
      fc.property(pieces, (list) => {
        const pattern = list.map((each) => each.literal + each.gap).join('');
        const text = list.map((each) => each.literal + each.filler).join('');
        const test = simpleRegex(pattern);
        if (test === null) return;
        const expected = re2(pattern, text);
        if (expected) matched++;
        expect(test(text)).toBe(expected);
      }),
      { numRuns: 10_000, seed: 2 },
    );
    expect(matched).toBeGreaterThan(500);
  });
});

describe('evil patterns, each on 100 kB', () => {
  const same = 'a'.repeat(100_000);
  const mixed = Array.from({ length: 100_000 }, (_, i) => ((i * i) % 7 < 3 ? 'a' : 'b')).join('');
  const evil = [
    '(a+)+',
    '(a+)+b',
    '(a*)*b',
    '(a|a)*b',
    '(a|aa)+b',
    '(.*a){20}',
    '(.*)*b',
    '(a?){50}a{50}',
    '([a-z]+)*b',
    '(\\w+\\s?)*b',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(.*a.*){20}x',
    '(.*,){11}P',
    '^(\\S+\\s*)+b$',
    '(?i)(A+)+b',
    '.*.*.*.*.*b',
    '(a+a+)+b',
    '((a+)*)*b',
    '(a|a?)+b',
    '(\\d+)*x',
    '(.+)+x',
    '(([^b]*)*)*b',
    '([^,]*,)*b',
    '(a.*)*b',
    '(.*a.*)*b',
    '(ab*)*c',
    '((ab)*)*c',
    '(a|b|ab)*c',
    '(?:a*)*?b',
    '(?:a+?)+?b',
    '\\s*(\\s*)*x',
    '(^a*)*b',
    '(a*$)*b',
    '(\\pL+)*b',
    '[\\s\\S]*[\\s\\S]*x',
    '(a|b|c|d|e)*z',
    '(a*?)*?b',
    '(.|\\s)*x',
    '(a*a*)*b',
  ];
  // Counted repetition is unrolled, and these defeat the DFA: slower, yet in proportion to the text.
  const large = ['(a|b)*a(a|b){12}', '(a|b)*a(a|b){20}', '(a{1,30}){1,30}b', '(a{0,100}){10}b', '.*a.{200}'];

  /** CPU time, since the machine may be busy with something else. */
  const slowest = (patterns: readonly string[]): number => {
    let worstMs = 0;
    for (const pattern of patterns) {
      const test = regex.compile(pattern);
      for (const text of [same, mixed]) {
        const before = process.cpuUsage();
        test(text);
        const { user, system } = process.cpuUsage(before);
        worstMs = Math.max(worstMs, (user + system) / 1_000);
      }
    }
    return worstMs;
  };

  it(`${evil.length} that take V8 for ever: within 100 ms`, () => {
    expect(evil.length).toBeGreaterThanOrEqual(40);
    expect(slowest(evil)).toBeLessThan(100);
  });

  it(`${large.length} large ones: within 2 s`, () => {
    expect(slowest(large)).toBeLessThan(2_000);
  });
});
