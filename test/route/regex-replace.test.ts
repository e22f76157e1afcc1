import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadRegex, PATTERN_LENGTH_MAX } from '../../src/route/regex.ts';

const regex = await loadRegex();

describe('replacer', () => {
  it.each([
    // Source: the examples of Envoy's RegexMatchAndSubstitute.
    ['^/service/([^/]+)(/.*)$', '\\2/instance/\\1', '/service/foo/v1/api', '/v1/api/instance/foo'],
    ['one', 'two', '/xxx/one/yyy/one/zzz', '/xxx/two/yyy/two/zzz'],
    ['^(.*?)one(.*)$', '\\1two\\2', '/xxx/one/yyy/one/zzz', '/xxx/two/yyy/one/zzz'],
    ['(?i)/xxx/', '/yyy/', '/aaa/XxX/bbb', '/aaa/yyy/bbb'],
    // Source: RE2's own table of GlobalReplace.
    ['b', 'bb', 'ababababab', 'abbabbabbabbabb'],
    ['b+', 'bb', 'bbbbbb', 'bb'],
    ['b*', 'bb', 'bbbbbb', 'bb'],
    ['b*', 'bb', 'aaaaa', 'bbabbabbabbabbabb'],
    ['x*', '-', 'abxd', '-a-b-d-'],
    ['a.*a', '(\\0)', 'aba\naba', '(aba)\n(aba)'],
    ['', '-', 'ab', '-a-b-'],
    // Groups that took no part are empty; a dollar is a dollar.
    ['(a)|(b)', '[\\1\\2]', 'ab', '[a][b]'],
    ['a(b)?', '<\\1>', 'a', '<>'],
    ['a', '$1$&\\\\', 'a', '$1$&\\'],
    ['^/api', '', '/api/x', '/x'],
    ['nothing', 'x', '/api', '/api'],
  ])('%j to %j: %j becomes %j', (pattern, substitution, text, expected) => {
    expect(regex.replacer(pattern, substitution)(text)).toBe(expected);
  });

  it.each([
    ['(a)', '\\2', /names group 2, the pattern has 1/],
    ['a', '\\1', /names group 1, the pattern has 0/],
    ['a', '\\x', /before a digit or another backslash, not before "x"/],
    ['a', 'b\\', /not before ""/],
    ['(', 'b', /missing closing \)/],
    ['x'.repeat(PATTERN_LENGTH_MAX + 1), '', /1025 characters/],
  ])('refuses %j to %j', (pattern, substitution, says) => {
    expect(() => regex.replacer(pattern, substitution)).toThrow(says);
  });

  it('with the match itself as substitution changes nothing', () => {
    const patterns = ['/', '[a-c]+', 'a*', '(a)(b)?', '^/a', '.$', 'b|', '\\d*'];
    const text = fc.string({ unit: fc.constantFrom('/', 'a', 'b', 'c', '1', '-') });
    fc.assert(
      fc.property(fc.constantFrom(...patterns), text, (pattern, path) => {
        expect(regex.replacer(pattern, '\\0')(path)).toBe(path);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
