import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathRewrite } from '../../src/model/traffic.ts';
import { compileRewrite } from '../../src/route/path-rewrite.ts';
import { loadRegex } from '../../src/route/regex.ts';

const { replacer } = await loadRegex();
const rewritten = (rewrite: PathRewrite, path: string): string => compileRewrite(rewrite, replacer)(path);
const segment = (prefix: string, value: string): PathRewrite => ({ kind: 'prefix', prefix, value, by: 'segment' });
const text = (prefix: string, value: string): PathRewrite => ({ kind: 'prefix', prefix, value, by: 'text' });
const full = (value: string): PathRewrite => ({ kind: 'full', value });
const pattern = (match: string, substitution: string): PathRewrite => ({ kind: 'regex', pattern: match, substitution });

describe('compileRewrite: prefix by segments', () => {
  // Source: the table in the comment of Gateway API's HTTPPathModifier.replacePrefixMatch, row by row.
  it.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
  ])('Gateway API: %j, %j to %j: %j', (path, prefix, value, expected) => {
    expect(rewritten(segment(prefix, value), path)).toBe(expected);
    // The query stays, whatever is in it.
    expect(rewritten(segment(prefix, value), `${path}?a=/foo/b&c`)).toBe(`${expected}?a=/foo/b&c`);
  });

  // Source: the conformance suite, HTTPRouteRewritePath and HTTPRouteRedirectPath.
  it.each([
    ['/prefix/one/two', '/prefix/one', '/one', '/one/two'],
    ['/strip-prefix/three', '/strip-prefix', '/', '/three'],
    ['/strip-prefix', '/strip-prefix', '/', '/'],
    ['/prefix/rewrite-path-and-modify-headers/one', '/prefix/rewrite-path-and-modify-headers', '/prefix', '/prefix/one'],
    ['/original-prefix/lemon', '/original-prefix', '/replacement-prefix', '/replacement-prefix/lemon'],
    ['/path-and-host', '/path-and-host', '/replacement-prefix', '/replacement-prefix'],
  ])('conformance: %j, %j to %j: %j', (path, prefix, value, expected) => {
    expect(rewritten(segment(prefix, value), path)).toBe(expected);
  });

  it.each([
    ['/', '/', '/xyz', '/xyz/'],
    ['/bar', '/', '/xyz', '/xyz/bar'],
    ['/bar', '/', '/', '/bar'],
    ['/foobar', '/foo', '/xyz', '/foobar'],
    ['/foo%2Fbar', '/foo', '/xyz', '/foo%2Fbar'],
    ['/FOO/bar', '/foo', '/xyz', '/FOO/bar'],
    ['/fo', '/foo', '/xyz', '/fo'],
    ['/foo//bar', '/foo', '/xyz', '/xyz//bar'],
    ['*', '/', '/xyz', '*'],
  ])('ours: %j, %j to %j: %j', (path, prefix, value, expected) => {
    expect(rewritten(segment(prefix, value), path)).toBe(expected);
  });
});

describe('compileRewrite: prefix as text, whole path, regex', () => {
  // Source: Envoy prefix_rewrite, as Istio's rewrite.uri; its documentation's examples come first.
  it.each([
    ['/prefix', '/prefix', '/', '/'],
    ['/prefix/etc', '/prefix', '/', '//etc'],
    ['/prefix/etc', '/prefix/', '/', '/etc'],
    ['/ratings/7', '/ratings', '/v1/bookRatings', '/v1/bookRatings/7'],
    ['/ratingsfoo', '/ratings', '/v1/bookRatings', '/v1/bookRatingsfoo'],
    ['/ratings?x=/ratings', '/ratings', '/v1', '/v1?x=/ratings'],
    ['/foobar', '/foo', '', '/bar'],
    ['/foo?a', '/foo', '', '/?a'],
    ['/foo', '/foo', 'v1', '/v1'],
    // The match may ignore the case.
    ['/Ratings/7', '/ratings', '/v1', '/v1/7'],
    ['/other', '/ratings', '/v1', '/other'],
  ])('text: %j, %j to %j: %j', (path, prefix, value, expected) => {
    expect(rewritten(text(prefix, value), path)).toBe(expected);
  });

  it.each([
    ['/full/one/two', '/one', '/one'],
    ['/a?b=c', '/x', '/x?b=c'],
    ['/a?b=c', 'x', '/x?b=c'],
    ['/a?b=c', '', '/?b=c'],
    ['/a?', '/x', '/x?'],
    // Source: Envoy path_redirect: a query of its own takes precedence.
    ['/a?b=c', '/x?y=1', '/x?y=1'],
    ['*', '/x', '*'],
  ])('full: %j to %j: %j', (path, value, expected) => {
    expect(rewritten(full(value), path)).toBe(expected);
  });

  it.each([
    ['/service/foo/v1/api', '^/service/([^/]+)(/.*)$', '\\2/instance/\\1', '/v1/api/instance/foo'],
    ['/xxx/one/yyy/one/zzz', 'one', 'two', '/xxx/two/yyy/two/zzz'],
    ['/one?x=one', 'one', 'two', '/two?x=one'],
    ['/a/b?$', '/b$', '/c', '/a/c?$'],
    ['/bookinfo/12', '^/bookinfo', '', '/12'],
    ['/a', '.*', 'b', '/b'],
  ])('regex: %j, %j to %j: %j', (path, match, substitution, expected) => {
    expect(rewritten(pattern(match, substitution), path)).toBe(expected);
  });
});

describe('compileRewrite: properties', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '.', '%41'), minLength: 1, maxLength: 4 });
  const segments = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
  const rest = fc.array(name, { maxLength: 4 }).map((names) => names.map((one) => `/${one}`).join(''));
  const query = fc.option(fc.string({ unit: fc.constantFrom('a', '=', '&', '/', '?') }), { nil: null });
  const slash = fc.constantFrom('', '/');
  const asked = (path: string, tail: string | null): string => (tail === null ? path : `${path}?${tail}`);

  it('property: by segments the rest and the query come through whole, slashes at the ends of a rule do not count, and the way back leads home', () => {
    fc.assert(
      fc.property(segments, segments, rest, query, slash, slash, (prefix, value, tail, own, after, afterValue) => {
        const path = asked(prefix + tail, own);
        const there = rewritten(segment(prefix + after, value + afterValue), path);
        expect(there).toBe(asked(value + tail, own));
        expect(rewritten(segment(value, prefix), there)).toBe(path);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it('property: by segments a path beside the prefix is left alone', () => {
    fc.assert(
      fc.property(segments, name, rest, query, (prefix, longer, tail, own) => {
        const path = asked(prefix + longer + tail, own);
        expect(rewritten(segment(prefix, '/xyz'), path)).toBe(path);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  const anything = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '?', '.') });
  const rules = fc.oneof(
    anything.map(full),
    fc.tuple(segments, anything).map(([prefix, value]) => segment(prefix, value)),
    fc.tuple(segments, anything).map(([prefix, value]) => text(prefix, value)),
    fc.tuple(fc.constantFrom('a', '/', '^/', '.*', '[ab]+', '$'), anything).map(([match, value]) => pattern(match, value)),
  );

  it('property: whatever the rule, a path has a slash in front, and the last thing in it is the query of the call', () => {
    fc.assert(
      fc.property(rules, segments, query, (rule, path, own) => {
        const output = rewritten(rule, asked(path, own));
        expect(output.startsWith('/')).toBe(true);
        if (own !== null && !(rule.kind === 'full' && rule.value.includes('?'))) expect(output.endsWith(`?${own}`)).toBe(true);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
