import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call, Reply, RouteRef } from '../../src/core/call.ts';
import type { PathMatch, RouteMatch, StringMatch } from '../../src/model/route.ts';
import { compileMatches } from '../../src/route/match.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { type RouterEntry, router } from '../../src/route/router.ts';
import { fakeReply, testCall } from '../support/fake-service.ts';

const regex = await loadRegex();
const ref = (name: string): RouteRef => ({ name, service: 'reviews', timeoutMs: 1 });

/** An entry whose service answers with its own place in the list as status. */
function entry(index: number, matches: RouterEntry['matches']): RouterEntry {
  return { ref: ref(`r${index}`), matches, service: () => Promise.resolve(fakeReply(200 + index)) };
}

describe('router', () => {
  const onPath = (path: string) => (call: Call) => call.path === path;

  it('gives the call to the first that matches, and writes it down', async () => {
    const route = router([entry(0, onPath('/a')), entry(1, onPath('/b')), entry(2, onPath('/a')), entry(3, null)]);
    for (const [path, expected] of [
      ['/a', 0],
      ['/b', 1],
      ['/c', 3],
    ] as const) {
      const call = testCall({ path, route: null });
      expect((await route(call)).status).toBe(200 + expected);
      expect(call.route).toEqual(ref(`r${expected}`));
    }
  });

  it('goes no further than the first that matches everything', async () => {
    for (const last of [null, onPath('/b')]) {
      const route = router([entry(0, onPath('/a')), entry(1, null), entry(2, onPath('/b')), entry(3, last)]);
      expect((await route(testCall({ path: '/b' }))).status).toBe(201);
    }
  });

  it.each([23, 24, 25])('of %i rules with conditions finds the first, a middle one, the last and none', async (count) => {
    const named = (i: number): RouterEntry => {
      const rules: RouteMatch[] = [{ path: { kind: 'exact', value: `/${i}`, invert: false }, headers: {}, queryParams: {} }];
      return { ...entry(i, compileMatches(rules, regex.compile)), rules };
    };
    const entries = Array.from({ length: count }, (_, i) => named(i));
    for (const list of [entries, entries.map((one, i): RouterEntry => (i === 5 ? entry(5, onPath('/5')) : one))]) {
      const route = router([...list, entry(count, null)]);
      for (const [path, expected] of [
        ['/0', 0],
        ['/5', 5],
        [`/${count - 1}`, count - 1],
        ['/none', count],
      ] as const) {
        const call = testCall({ path, route: null });
        expect((await route(call)).status).toBe(200 + expected);
        expect(call.route).toEqual(ref(`r${expected}`));
      }
    }
  });

  it('hands the promise on as it is', () => {
    const promise: Promise<Reply> = Promise.resolve(fakeReply(200));
    const service = (): Promise<Reply> => promise;
    expect(router([{ ref: ref('only'), matches: null, service }])(testCall())).toBe(promise);
    expect(router([entry(0, () => false), { ref: ref('last'), matches: null, service }])(testCall())).toBe(promise);
  });

  it.each([
    ['no route', []],
    ['routes that all have a match', [entry(0, () => true)]],
  ])('refuses %s', (_title, routes) => expect(() => router(routes)).toThrow(/must match every call/));
});

// The rules read off the documentation, in the most naive words; shares no code with the compiled matchers.
function naive(match: RouteMatch, call: Call): boolean {
  const url = new URL(`http://x${call.path}`);
  const path = call.path.split('?')[0] as string;
  const holds = (wanted: StringMatch, value: string | null): boolean => {
    if (wanted.kind === 'present') return (value !== null) !== wanted.invert;
    if (value === null) return wanted.invert;
    const positive =
      wanted.kind === 'exact'
        ? value === wanted.value
        : wanted.kind === 'prefix'
          ? value.indexOf(wanted.value) === 0
          : new RegExp(`^(?:${wanted.value})$`).test(value);
    return positive !== wanted.invert;
  };
  if (match.path !== undefined) {
    const { kind, value, invert } = match.path;
    const segmentsOf = (text: string): string[] => text.replace(/\/$/, '').split('/');
    const positive =
      kind === 'exact'
        ? path === value
        : kind === 'prefix'
          ? path.slice(0, value.length) === value
          : kind === 'regex'
            ? new RegExp(`^(?:${value})$`).test(path)
            : segmentsOf(value).every((segment, i) => path.split('/')[i] === segment);
    if (positive === invert) return false;
  }
  if (match.method !== undefined && !holds(match.method, call.method)) return false;
  const headers = new Headers();
  for (let i = 0; i < call.headers.length; i += 2) headers.append(call.headers[i] as string, call.headers[i + 1] as string);
  for (const [name, wanted] of Object.entries(match.headers))
    if (!holds(wanted, headers.get(name)?.replaceAll(', ', ',') ?? null)) return false;
  for (const [name, wanted] of Object.entries(match.queryParams)) if (!holds(wanted, url.searchParams.get(name))) return false;
  return true;
}

describe('router against a naive reading of the rules', () => {
  const values = fc.constantFrom('a', 'b', 'ab', 'a,b', '');
  const patterns = fc.constantFrom('a', '.*b', 'a.*', '[ab]+', 'a|b', '.*');
  const strings: fc.Arbitrary<StringMatch> = fc.oneof(
    fc.record({ kind: fc.constantFrom('exact' as const, 'prefix' as const), value: values, invert: fc.boolean() }),
    fc.record({ kind: fc.constant('regex' as const), value: patterns, invert: fc.boolean() }),
    fc.record({ kind: fc.constant('present' as const), invert: fc.boolean() }),
  );
  const segments = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 });
  const plainPaths = fc.tuple(segments, fc.boolean()).map(([list, slash]) => `/${list.join('/')}${slash && list.length > 0 ? '/' : ''}`);
  const paths: fc.Arbitrary<PathMatch> = fc.oneof(
    fc.record({
      kind: fc.constantFrom('exact' as const, 'prefix' as const, 'pathPrefix' as const),
      value: plainPaths,
      invert: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('/a.*', '/a/[ab]', '.*/b', '/(a|b)/?'), invert: fc.boolean() }),
  );
  const names = fc.constantFrom('x', 'y');
  const wanted: fc.Arbitrary<RouteMatch> = fc
    .record(
      {
        path: paths,
        method: strings,
        headers: fc.dictionary(names, strings, { maxKeys: 2 }),
        queryParams: fc.dictionary(names, strings, { maxKeys: 1 }),
      },
      { requiredKeys: ['headers', 'queryParams'] },
    )
    .map((match) => match as RouteMatch);
  const calls = fc.record({
    method: fc.constantFrom('a', 'b', 'ab'),
    path: fc.tuple(plainPaths, fc.constantFrom('', '?', '?x=a', '?y=b&x=ab', '?x=&x=a', '?/a')).map((parts) => parts.join('')),
    headers: fc
      .array(fc.tuple(fc.constantFrom('x', 'X', 'y', 'z'), fc.constantFrom('a', 'b', 'ab')), { maxLength: 3 })
      .map((list) => list.flat()),
  });

  it('finds the same route', () => {
    const drawn = new Map<number, number>();
    fc.assert(
      fc.property(fc.array(fc.array(wanted, { maxLength: 3 }), { maxLength: 4 }), calls, (rules, asked) => {
        const all = [...rules, []];
        const call = testCall({ ...asked, route: null });
        const expected = all.findIndex((matches) => matches.length === 0 || matches.some((match) => naive(match, call)));
        const route = router(all.map((matches, index) => entry(index, compileMatches(matches, regex.compile))));
        void route(call);
        expect(call.route?.name).toBe(`r${expected}`);
        drawn.set(expected, (drawn.get(expected) ?? 0) + 1);
      }),
      { numRuns: 5_000, seed: 4 },
    );
    // All places are reached, so the property is no tautology.
    for (const index of [0, 1, 2, 3]) expect(drawn.get(index)).toBeGreaterThan(100);
  });
});
