import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathMatch, RouteMatch, StringMatch } from '../../src/model/route.ts';
import { type CallMatch, compileMatches } from '../../src/route/match.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { RouteIndex } from '../../src/route/route-index.ts';
import { type RouterEntry, router } from '../../src/route/router.ts';
import { fakeReply, testCall } from '../support/fake-service.ts';

const regex = await loadRegex();

const words = fc.constantFrom('a', 'ab', 'abc', 'abcd', 'b', '');
const patterns = fc.constantFrom('.*abc.*', 'a.*', 'abc', '^(.*?;)?(abc)(;.*)?$', '[ab]+', 'abc|b', '(?i)ABC', '.*');
const inverted = fc.boolean().map((invert) => ({ invert }));
const texts: fc.Arbitrary<StringMatch> = fc
  .oneof(
    fc.record({ kind: fc.constantFrom('exact' as const, 'prefix' as const), value: words }),
    fc.record({ kind: fc.constant('regex' as const), value: patterns }),
    fc.record({ kind: fc.constant('present' as const) }),
  )
  .chain((match) =>
    fc.tuple(inverted, fc.constantFrom({}, {}, { absentIsEmpty: true as const })).map((more) => Object.assign({}, match, ...more)),
  );
const plainPath = fc.array(fc.constantFrom('a', 'ab', 'abc', 'A', 'b'), { maxLength: 3 }).map((list) => `/${list.join('/')}`);
const path: fc.Arbitrary<PathMatch> = fc
  .oneof(
    fc.record({
      kind: fc.constantFrom('exact' as const, 'prefix' as const, 'pathPrefix' as const),
      value: fc.oneof(
        plainPath,
        plainPath.map((one) => `${one}/`),
        fc.constant(''),
      ),
    }),
    fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('/a.*', '/abc/[ab]+', '.*/abc', '/(a|b)/?', '/a|/b', '\\*') }),
  )
  .chain((match) =>
    fc.tuple(inverted, fc.constantFrom({}, {}, { ignoreCase: true as const })).map((more) => Object.assign({}, match, ...more)),
  );
const headerName = fc.constantFrom('x', 'y', 'X');
const rule: fc.Arbitrary<RouteMatch> = fc
  .record(
    {
      path,
      method: texts,
      authority: texts,
      scheme: texts,
      port: fc.constantFrom(80, 81),
      headers: fc.dictionary(headerName, texts, { maxKeys: 2 }),
      withoutHeaders: fc.dictionary(headerName, texts, { maxKeys: 1 }),
      queryParams: fc.dictionary(headerName, texts, { maxKeys: 1 }),
    },
    { requiredKeys: ['headers', 'queryParams'] },
  )
  .map((match) => match as RouteMatch);
const query = fc.constantFrom('', '?', '?x=abc', '?y=b&x=ab', '?%78=a', '?x&x=a', '?=', '?X=a+b');
const asked = fc.record({
  method: fc.constantFrom('a', 'abc', 'b'),
  scheme: fc.constantFrom('http', 'https', 'a'),
  authority: fc.constantFrom('a', 'abc', 'b:81'),
  path: fc.oneof(
    fc.tuple(plainPath, query).map((parts) => parts.join('')),
    fc.constant('*'),
  ),
  headers: fc
    .array(fc.tuple(fc.constantFrom('x', 'X', 'y', 'z'), fc.constantFrom('a', 'ab', 'abc', 'xabcx', 'abcabc', 'é;abc;', '')), {
      maxLength: 4,
    })
    .map((list) => list.flat()),
});

describe('the index', () => {
  it('finds the rule that asking one after the other finds', () => {
    const found = new Map<boolean, number>();
    fc.assert(
      fc.property(
        fc.array(fc.array(rule, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 30 }),
        fc.array(asked),
        (rules, calls) => {
          const conditional = rules.flatMap((matches) => {
            const test = compileMatches(matches, regex.compile);
            return test === null ? [] : [{ matches, test }];
          });
          const index = new RouteIndex(conditional);
          for (const one of calls) {
            const call = testCall(one);
            const expected = conditional.findIndex(({ test }) => test(call));
            expect(index.find(call)).toBe(expected);
            found.set(expected > 2, (found.get(expected > 2) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 2_000, seed: 1 },
    );
    expect(found.get(true), 'not always one of the first').toBeGreaterThan(500);
  });

  it('asks each rule once, however often a call repeats itself', () => {
    let asked = 0;
    const never: CallMatch = () => {
      asked++;
      return false;
    };
    const match = (more: Partial<RouteMatch>): RouteMatch => ({ headers: {}, queryParams: {}, ...more });
    const like = (value: string): StringMatch => ({ kind: 'regex', value, invert: false });
    const index = new RouteIndex([
      { matches: [match({ headers: { x: like('.*abc.*') } })], test: never },
      { matches: [match({ queryParams: { q: { kind: 'present', invert: false } } })], test: never },
      { matches: [match({ headers: { y: { kind: 'present', invert: false } } })], test: never },
    ]);
    const headers = ['x', 'abc'.repeat(1_000), ...Array.from({ length: 100 }, () => ['y', '1']).flat()];
    expect(index.find(testCall({ path: `/?${'q=1&'.repeat(100)}`, headers }))).toBe(-1);
    expect(asked).toBe(3);
  });
});

describe('router of many rules', () => {
  it('asks the few that can match', async () => {
    let asked = 0;
    const entries = Array.from({ length: 1_000 }, (_, i): RouterEntry => {
      const rules: RouteMatch[] = [{ path: { kind: 'exact', value: `/item-${i}`, invert: false }, headers: {}, queryParams: {} }];
      const test = compileMatches(rules, regex.compile) as CallMatch;
      const matches: CallMatch = (call) => {
        asked++;
        return test(call);
      };
      return { ref: { name: `r${i}`, service: 's', timeoutMs: 0 }, matches, rules, service: () => Promise.resolve(fakeReply(200)) };
    });
    const last: RouterEntry = { ...(entries[0] as RouterEntry), ref: { name: 'last', service: 's', timeoutMs: 0 }, matches: null };
    const route = router([...entries, last]);
    for (const [path, name] of [
      ['/item-999', 'r999'],
      ['/item-9?x', 'r9'],
      ['/none', 'last'],
    ]) {
      const call = testCall({ path: path as string, route: null });
      await route(call);
      expect(call.route?.name).toBe(name);
    }
    expect(asked).toBeLessThan(10);
  });
});
