import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathMatch, RouteMatch, StringMatch } from '../../src/model/route.ts';
import { compileMatches } from '../../src/route/match.ts';
import { queryParam } from '../../src/route/query-param.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { testCall } from '../support/fake-service.ts';

const regex = await loadRegex();

interface Asked {
  readonly scheme?: string;
  readonly authority?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: string[];
}
type Wanted = Partial<RouteMatch>;

const whole = (match: Wanted): RouteMatch => ({ headers: {}, queryParams: {}, ...match });
const test = (matches: Wanted[], asked: Asked): boolean => compileMatches(matches.map(whole), regex.compile)?.(testCall(asked)) ?? true;

const exact = (value: string, invert = false): StringMatch => ({ kind: 'exact', value, invert });
const prefix = (value: string, invert = false): StringMatch => ({ kind: 'prefix', value, invert });
const pattern = (value: string, invert = false): StringMatch => ({ kind: 'regex', value, invert });
const present = (invert = false): StringMatch => ({ kind: 'present', invert });
const path = (kind: PathMatch['kind'], value: string, invert = false): Wanted => ({ path: { kind, value, invert } });

describe('compileMatches: what matches everything', () => {
  it.each([
    ['no match', []],
    ['an empty match', [{}]],
    ['an empty match beside others', [path('exact', '/a'), {}]],
    ['pathPrefix /', [path('pathPrefix', '/')]],
    ['prefix /', [path('prefix', '/')]],
    ['empty prefix', [path('prefix', '')]],
    ['method present', [{ method: present() }]],
  ] as [string, Wanted[]][])('%s', (_title, matches) => {
    expect(compileMatches(matches.map(whole), regex.compile)).toBeNull();
  });

  it('but not its inverse, which matches nothing', () => {
    expect(test([path('pathPrefix', '/', true)], { path: '/a' })).toBe(false);
  });
});

describe('compileMatches: path', () => {
  it.each<[PathMatch['kind'], string, string, boolean]>([
    ['exact', '/foo', '/foo', true],
    ['exact', '/foo', '/foo?x=1', true],
    ['exact', '/foo', '/foo?', true],
    ['exact', '/foo', '/foo/', false],
    ['exact', '/foo', '/foobar', false],
    ['exact', '/foo', '/fo', false],
    ['exact', '/foo', '/FOO', false],
    ['exact', '/foo?x=1', '/foo?x=1', false],
    ['exact', '/foo', '/bar?/foo', false],
    ['prefix', '/foo', '/foo', true],
    ['prefix', '/foo', '/foobar', true],
    ['prefix', '/foo', '/foo/bar', true],
    ['prefix', '/foo/', '/foo', false],
    ['prefix', '/foo', '/bar?/foo', false],
    ['prefix', '/foo?', '/foo?x', false],
    ['prefix', '/foo', '/xoo', false],
    ['pathPrefix', '/foo', '/foo', true],
    ['pathPrefix', '/foo', '/foo/', true],
    ['pathPrefix', '/foo', '/foo/bar', true],
    ['pathPrefix', '/foo', '/foo?x', true],
    ['pathPrefix', '/foo', '/foo/?x', true],
    ['pathPrefix', '/foo', '/foobar', false],
    ['pathPrefix', '/foo', '/fo', false],
    ['pathPrefix', '/foo', '/xoo/bar', false],
    ['pathPrefix', '/foo/', '/foo', true],
    ['pathPrefix', '/foo/', '/foo/bar', true],
    ['pathPrefix', '/foo/', '/foobar', false],
    ['pathPrefix', '/foo/bar', '/foo?/bar', false],
    ['pathPrefix', '/', '/anything?x', true],
    ['regex', '/a/[0-9]+', '/a/12', true],
    ['regex', '/a/[0-9]+', '/a/12?b=c', true],
    ['regex', '/a/[0-9]+', '/a/12/', false],
    ['regex', '/a/[0-9]+', '/x/a/12', false],
    ['regex', '.*x.*', '/a?x', false],
  ])('%s %s on %s: %s', (kind, value, asked, expected) => {
    expect(test([path(kind, value)], { path: asked })).toBe(expected);
    expect(test([path(kind, value, true)], { path: asked })).toBe(!expected);
  });
});

describe('compileMatches: method', () => {
  it.each<[StringMatch, string, boolean]>([
    [exact('GET'), 'GET', true],
    [exact('GET'), 'get', false],
    [exact('GET'), 'POST', false],
    [prefix('P'), 'PUT', true],
    [pattern('GET|HEAD'), 'HEAD', true],
    [pattern('GET|HEAD'), 'HEADER', false],
    [present(), 'GET', true],
  ])('%o on %s: %s', (method, asked, expected) => {
    expect(test([{ method }], { method: asked })).toBe(expected);
    expect(test([{ method: { ...method, invert: true } }], { method: asked })).toBe(!expected);
  });
});

describe('compileMatches: headers', () => {
  const rows: [StringMatch, string[], boolean][] = [
    [exact('v2'), ['x-version', 'v2'], true],
    [exact('v2'), ['X-Version', 'v2'], true],
    [exact('v2'), ['x-version', 'V2'], false],
    [exact('v2'), ['x-versio', 'v2', 'y-version', 'v2'], false],
    [exact('v2'), [], false],
    [exact(''), [], false],
    [exact(''), ['x-version', ''], true],
    [exact('a,b'), ['x-version', 'a', 'accept', '*/*', 'X-VERSION', 'b'], true],
    [exact('a'), ['x-version', 'a', 'x-version', 'b'], false],
    [prefix('v'), ['x-version', 'v2'], true],
    [prefix('v'), ['x-version', '2v'], false],
    [prefix(''), [], false],
    [pattern('v[0-9]'), ['x-version', 'v2'], true],
    [pattern('v[0-9]'), ['x-version', 'v22'], false],
    [pattern('.*v2.*'), ['x-version', 'a', 'x-version', 'v2'], true],
    [pattern('.*'), [], false],
    [present(), ['x-version', ''], true],
    [present(), ['x-other', 'v2'], false],
  ];
  it.each(rows)('%o on %j: %s, and its inverse the opposite', (wanted, headers, expected) => {
    expect(test([{ headers: { 'x-version': wanted } }], { headers })).toBe(expected);
    expect(test([{ headers: { 'x-version': { ...wanted, invert: true } } }], { headers })).toBe(!expected);
  });

  it('finds names that begin with no letter', () => {
    expect(test([{ headers: { _x: exact('1') } }], { headers: ['_X', '1'] })).toBe(true);
    expect(test([{ headers: { _x: exact('1') } }], { headers: ['\x7fx', '1'] })).toBe(false);
  });

  it('takes names of the user as names', () => {
    expect(test([{ headers: { constructor: present() } }], {})).toBe(false);
    expect(test([{ headers: { constructor: present() } }], { headers: ['constructor', 'x'] })).toBe(true);
  });
});

describe('compileMatches: query parameters', () => {
  it.each<[StringMatch, string, boolean]>([
    [exact('ada'), '/?user=ada', true],
    [exact('ada'), '/?User=ada', false],
    [exact('ada'), '/?user=ada&user=bob', true],
    [exact('bob'), '/?user=ada&user=bob', false],
    [exact('ada'), '/?x=1&user=ada#', false],
    [exact('a b'), '/?user=a+b', true],
    [exact('a b'), '/?user=a%20b', true],
    [exact('a+b'), '/?user=a%2Bb', true],
    [exact('ada'), '/?us%65r=ada', true],
    [exact('ü'), '/?user=ü', true],
    [exact('ü%'), '/?user=%C3%BC%', true],
    [exact(''), '/?user', true],
    [exact(''), '/?user=', true],
    [exact(''), '/', false],
    [exact('a=b'), '/?user=a=b', true],
    [prefix('a'), '/?user=ada', true],
    [pattern('a.a'), '/?user=ada', true],
    [pattern('a'), '/?user=ada', false],
    [present(), '/?user', true],
    [present(), '/user?x=user', false],
    [present(), '/', false],
  ])('%o on %s: %s', (wanted, asked, expected) => {
    expect(test([{ queryParams: { user: wanted } }], { path: asked })).toBe(expected);
    expect(test([{ queryParams: { user: { ...wanted, invert: true } } }], { path: asked })).toBe(!expected);
  });

  it('reads like URLSearchParams', () => {
    const unit = fc.constantFrom(
      'a',
      'b',
      'user',
      '=',
      '&',
      '+',
      '%',
      '%20',
      '%2',
      '%41',
      '%e2%82%ac',
      '%e2',
      '%ff',
      '%26',

      '?',
      '/',
      '%EF%BB%BF',
    );
    // Mostly well-formed pairs, so that names are found.
    const word = fc.array(unit, { maxLength: 2 }).map((units) => units.join(''));
    const pair = fc.tuple(fc.oneof(fc.constantFrom('a', 'user', 'a+b', '%61'), word), word).map((both) => both.join('='));
    const queries = fc.array(fc.oneof(pair, pair, fc.constantFrom('&', '&', '&'), unit), { maxLength: 9 }).map((units) => units.join(''));
    const names = fc.constantFrom('a', 'b', 'user', '', 'a b', '%', '€', '%20', 'a+b', ' ', '+', '\ufeff', '\ufffd');
    let found = 0;
    fc.assert(
      fc.property(queries, names, (query, name) => {
        const expected = new URLSearchParams(`?${query}`).get(name) ?? undefined;
        if (expected !== undefined) found++;
        expect(queryParam(`/p?${query}`, name)).toBe(expected);
      }),
      { numRuns: 20_000, seed: 3 },
    );
    expect(found).toBeGreaterThan(1_000);
  });
});

describe('compileMatches: and, or', () => {
  const both: Wanted = { ...path('exact', '/a'), headers: { x: exact('1') } };
  const four: Wanted = { ...both, method: exact('GET'), queryParams: { q: exact('1') } };
  it.each<[string, Wanted[], Asked, boolean]>([
    ['both hold', [both], { path: '/a', headers: ['x', '1'] }, true],
    ['the second fails', [both], { path: '/a' }, false],
    ['the first fails', [both], { path: '/b', headers: ['x', '1'] }, false],
    ['four hold', [four], { path: '/a?q=1', headers: ['x', '1'] }, true],
    ['the last of four fails', [four], { path: '/a?q=2', headers: ['x', '1'] }, false],
    ['one of two', [path('exact', '/a'), path('exact', '/b')], { path: '/b' }, true],
    ['none of two', [path('exact', '/a'), path('exact', '/b')], { path: '/c' }, false],
    ['the last of three', [path('exact', '/a'), path('exact', '/b'), path('exact', '/c')], { path: '/c' }, true],
    ['none of three', [path('exact', '/a'), path('exact', '/b'), path('exact', '/c')], { path: '/d' }, false],
  ])('%s', (_title, matches, asked, expected) => expect(test(matches, asked)).toBe(expected));
});

describe('compileMatches: what the rules of other meshes ask', () => {
  it.each<[RouteMatch['port'] & number, string, string, boolean]>([
    [80, 'http', 'a', true],
    [80, 'http', 'a:80', true],
    [80, 'https', 'a', false],
    [443, 'https', 'a', true],
    [443, 'https', '[::1]', true],
    [443, 'https', '[::1]:8443', false],
    [8080, 'http', 'a:8080', true],
    [8080, 'http', 'a:18080', false],
    [8080, 'http', 'a', false],
    [8080, 'https', 'a', false],
  ])('port %i of %s://%s: %s', (port, scheme, authority, expected) => {
    expect(test([{ port }], { scheme, authority })).toBe(expected);
  });

  it.each<[Wanted, Asked, boolean]>([
    [{ scheme: exact('https') }, { scheme: 'https' }, true],
    [{ scheme: exact('https') }, { scheme: 'http' }, false],
    [{ authority: prefix('a.') }, { authority: 'a.b:80' }, true],
    [{ authority: exact('a.b') }, { authority: 'a.b:80' }, false],
  ])('%o of %o: %s', (wanted, asked, expected) => {
    expect(test([wanted], asked)).toBe(expected);
  });

  it.each<[PathMatch['kind'], string, string, boolean]>([
    ['exact', '/Foo', '/fOO', true],
    ['exact', '/Foo', '/foo?X=Y', true],
    ['exact', '/Foo', '/foobar', false],
    ['prefix', '/Foo', '/fOObar', true],
    ['prefix', '/Foo', '/bar', false],
    ['pathPrefix', '/Foo', '/foo', false],
  ])('%s %s, case ignored where it can be, of %s: %s', (kind, value, asked, expected) => {
    expect(test([{ path: { kind, value, invert: false, ignoreCase: true } }], { path: asked })).toBe(expected);
  });

  // mesh-semantics: Envoy takes a missing header for an empty one in inverted comparisons of values.
  it.each<[StringMatch, string[], boolean]>([
    [{ ...pattern('.*', true), absentIsEmpty: true }, [], false],
    [{ ...exact('', true), absentIsEmpty: true }, [], false],
    [{ ...exact('v', true), absentIsEmpty: true }, [], true],
    [{ ...exact('v', true), absentIsEmpty: true }, ['x', 'v'], false],
    [{ ...present(true), absentIsEmpty: true }, [], true],
    [{ ...present(true), absentIsEmpty: true }, ['x', ''], false],
  ])('without header x %o, of %o: %s', (value, headers, expected) => {
    expect(test([{ withoutHeaders: { x: value } }], { headers })).toBe(expected);
  });

  it('may ask two things of one header', () => {
    const wanted = { headers: { x: prefix('a') }, withoutHeaders: { x: exact('ab', true) } };
    expect(test([wanted], { headers: ['x', 'ac'] })).toBe(true);
    expect(test([wanted], { headers: ['x', 'ab'] })).toBe(false);
  });

  it.each<[string, string, boolean]>([
    [':method', 'GET', true],
    [':scheme', 'http', true],
    [':authority', 'reviews', true],
    [':path', '/a?b=c', true],
    [':path', '/a', false],
  ])('%s %s among the headers: %s', (name, value, expected) => {
    expect(test([{ headers: { [name]: exact(value) } }], { path: '/a?b=c' })).toBe(expected);
  });
});
