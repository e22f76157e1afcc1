import { describe, expect, it } from 'vitest';
import type { PathMatch, RouteMatch, StringMatch } from '../../src/model/route.ts';
import { type CallMatch, compileMatches } from '../../src/route/match.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { RouteIndex } from '../../src/route/route-index.ts';
import { type TestCallInit, testCall } from '../support/fake-service.ts';

const regex = await loadRegex();
const RULES = 60;

const bare = (more: Partial<RouteMatch>): RouteMatch => ({ headers: {}, queryParams: {}, ...more });
const exact = (value: string): StringMatch => ({ kind: 'exact', value, invert: false });
const prefix = (value: string): StringMatch => ({ kind: 'prefix', value, invert: false });
const like = (value: string): StringMatch => ({ kind: 'regex', value, invert: false });
const path = (kind: PathMatch['kind'], value: string, ignoreCase = false): Partial<RouteMatch> => ({
  path: { kind, value, invert: false, ...(ignoreCase ? { ignoreCase } : {}) },
});
/** Three letters, others for each number. */
const word = (i: number): string => [i, i * 7 + 3, i * 11 + 5].map((n) => String.fromCharCode(97 + (n % 26))).join('') + String(100 + i);

/** The place that is found, and how many rules were asked for it. */
function find(rules: readonly RouteMatch[], init: TestCallInit): { readonly found: number; readonly asked: number } {
  let asked = 0;
  const index = new RouteIndex(
    rules.map((rule) => {
      const test = compileMatches([rule], regex.compile) as CallMatch;
      const counted: CallMatch = (call) => {
        asked++;
        return test(call);
      };
      return { matches: [rule], test: counted };
    }),
  );
  return { found: index.find(testCall(init)), asked };
}

describe('the index leads a call past rules that cannot match, which it tells by', () => {
  it.each<[string, (i: number) => Partial<RouteMatch>, (i: number) => TestCallInit]>([
    ['an exact path', (i) => path('exact', `/${word(i)}`), (i) => ({ path: `/${word(i)}?q` })],
    ['a prefix', (i) => path('prefix', `/${word(i)}/`), (i) => ({ path: `/${word(i)}/x` })],
    ['a prefix by segments', (i) => path('pathPrefix', `/${word(i)}/`), (i) => ({ path: `/${word(i)}` })],
    ['a path in any case', (i) => path('prefix', `/${word(i)}`.toUpperCase(), true), (i) => ({ path: `/${word(i)}X` })],
    ['how a pattern begins', (i) => path('regex', `/${word(i)}/[0-9]+`), (i) => ({ path: `/${word(i)}/12` })],
    ['what a pattern holds', (i) => path('regex', `.*/${word(i)}/.*`), (i) => ({ path: `/x/${word(i)}/y` })],
    ['the method', (i) => ({ method: exact(word(i)) }), (i) => ({ method: word(i) })],
    ['the authority', (i) => ({ authority: exact(word(i)) }), (i) => ({ authority: word(i) })],
    ['the scheme', (i) => ({ scheme: exact(word(i)) }), (i) => ({ scheme: word(i) })],
    ['the name of a header', (i) => ({ headers: { [word(i)]: { kind: 'present', invert: false } } }), (i) => ({ headers: [word(i), '1'] })],
    ['the value of a header', (i) => ({ headers: { x: exact(word(i)) } }), (i) => ({ headers: ['X', word(i)] })],
    ['how a header begins', (i) => ({ headers: { x: prefix(word(i)) } }), (i) => ({ headers: ['x', `${word(i)}!`] })],
    ['what a header holds', (i) => ({ headers: { x: like(`.*${word(i)}.*`) } }), (i) => ({ headers: ['x', `a ${word(i)} b`] })],
    ['a second condition on a header', (i) => ({ withoutHeaders: { x: exact(word(i)) } }), (i) => ({ headers: ['x', word(i)] })],
    ['the name of a parameter', (i) => ({ queryParams: { [word(i)]: like('.*') } }), (i) => ({ path: `/?${word(i)}=1` })],
    ['the value of a parameter', (i) => ({ queryParams: { q: exact(word(i)) } }), (i) => ({ path: `/?q=${word(i)}` })],
  ])('%s', (_name, rule, init) => {
    const rules = Array.from({ length: RULES }, (_, i) => bare(rule(i)));
    for (const wanted of [0, 1, 30, RULES - 1]) {
      const { found, asked } = find(rules, init(wanted));
      expect(found).toBe(wanted);
      expect(asked).toBeLessThanOrEqual(3);
    }
    const none = find(rules, { path: '/nothing-of-all', method: 'NONE', authority: 'nobody', scheme: 'none' });
    expect(none.found).toBe(-1);
    expect(none.asked).toBeLessThanOrEqual(3);
  });

  it('the rarest of several, whatever the order', () => {
    for (const place of ['path', 'header'] as const) {
      const rules = Array.from({ length: RULES }, (_, i) =>
        place === 'path'
          ? bare({ ...path('exact', `/${word(i)}`), headers: { x: exact('same') } })
          : bare({ ...path('exact', '/same'), headers: { x: exact(word(i)) } }),
      );
      const init = place === 'path' ? { path: `/${word(40)}`, headers: ['x', 'same'] } : { path: '/same', headers: ['x', word(40)] };
      const { found, asked } = find(rules, init);
      expect([found, asked]).toEqual([40, 1]);
    }
  });
});

describe('the index asks all whose conditions a call fulfills by lacking something', () => {
  const others = Array.from({ length: RULES }, (_, i) => bare(path('exact', `/${word(i)}`)));

  it.each<[string, Partial<RouteMatch>, TestCallInit]>([
    ['an inverted path', { path: { kind: 'exact', value: '/a', invert: true } }, { path: '/b' }],
    ['an inverted header', { headers: { x: { kind: 'exact', value: '1', invert: true } } }, {}],
    ['a header that counts as empty', { headers: { x: { kind: 'regex', value: '|a', invert: false, absentIsEmpty: true } } }, {}],
    ['the prefix of every path', path('prefix', '/'), { path: '*' }],
    ['the prefix of every path, by segments', path('pathPrefix', '/'), { path: '*' }],
    ['a pattern that says nothing', path('regex', '[^x]*'), { path: '*' }],
    ['an inverted parameter', { queryParams: { q: { kind: 'present', invert: true } } }, { path: '/?r' }],
  ])('%s', (_name, rule, init) => {
    // A rule that every call fulfills is none that the index is given.
    if (compileMatches([bare(rule)], regex.compile) === null) return;
    expect(find([...others, bare(rule)], init).found).toBe(RULES);
  });
});
