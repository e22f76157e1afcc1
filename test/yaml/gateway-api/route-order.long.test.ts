import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/core/call.ts';
import { compileMatches } from '../../../src/route/match.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import type { HttpMatchSpec } from '../../../src/yaml/gateway-api/route-spec.ts';
import { testCall } from '../../support/fake-service.ts';
import { goodText } from '../istio/load-text.ts';
import { GATEWAY, httpRoute, service, text } from './route-documents.ts';

const regex = await loadRegex();

const SEGMENT = fc.constantFrom('a', 'b', 'ab');
const PATH = fc.array(SEGMENT, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const SLASHED = fc.tuple(PATH, fc.boolean()).map(([path, isSlashed]) => (isSlashed && path !== '/' ? `${path}/` : path));

const MATCH: fc.Arbitrary<HttpMatchSpec> = fc.record(
  {
    path: fc.record({ type: fc.constantFrom('Exact' as const, 'PathPrefix' as const), value: SLASHED }),
    method: fc.constantFrom('GET', 'POST'),
    headers: fc.uniqueArray(fc.record({ name: fc.constantFrom('x-a', 'x-b'), value: fc.constantFrom('1', '2') }), {
      selector: ({ name }) => name,
      maxLength: 2,
    }),
    queryParams: fc.uniqueArray(fc.record({ name: fc.constantFrom('q', 'r'), value: fc.constantFrom('1', '2') }), {
      selector: ({ name }) => name,
      maxLength: 2,
    }),
  },
  { requiredKeys: [] },
);

interface TestRoute {
  readonly name: string;
  readonly age: number;
  readonly rules: readonly (readonly HttpMatchSpec[])[];
}

const ROUTES: fc.Arbitrary<TestRoute[]> = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
    age: fc.integer({ min: 1, max: 2 }),
    rules: fc.array(fc.array(MATCH, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 4 },
);

function documentOf({ name, age, rules }: TestRoute): unknown {
  const spec = {
    parentRefs: GATEWAY,
    hostnames: ['shop.example'],
    rules: rules.map((matches) => ({ matches, backendRefs: [{ name: 'a', port: 80 }] })),
  };
  return httpRoute(spec, { name, created: `2026-01-0${age}T00:00:00Z` });
}

async function routesOf(routes: readonly TestRoute[]) {
  const { services } = await goodText(text(service('a'), ...routes.map(documentOf)));
  return services['shop.example']?.routes ?? [];
}

interface Asked {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ASKED: fc.Arbitrary<Asked> = fc.record({
  path: SLASHED,
  query: fc.dictionary(fc.constantFrom('q', 'r'), fc.constantFrom('1', '2'), { noNullPrototype: true }),
  method: fc.constantFrom('GET', 'POST'),
  headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2'), { noNullPrototype: true }),
});

function callOf({ path, query, method, headers }: Asked): Call {
  const search = new URLSearchParams(query).toString();
  return testCall({ method, path: search === '' ? path : `${path}?${search}`, headers: Object.entries(headers).flat() });
}

/** The specification, written down a second time. */
function isMeant({ path = {}, method, headers = [], queryParams = [] }: HttpMatchSpec, asked: Asked): boolean {
  const { type = 'PathPrefix', value = '/' } = path;
  const steps = (one: string): string[] => one.split('/').filter((step) => step !== '');
  const isPath = type === 'Exact' ? asked.path === value : steps(value).every((step, i) => steps(asked.path)[i] === step);
  return (
    isPath &&
    (method === undefined || method === asked.method) &&
    headers.every(({ name, value: wanted }) => asked.headers[name] === wanted) &&
    queryParams.every(({ name, value: wanted }) => asked.query[name] === wanted)
  );
}

/** The best of all matches that are meant, or null. */
function bestOf(routes: readonly TestRoute[], asked: Asked): string | null {
  const found = routes.flatMap((route) =>
    route.rules.flatMap((matches, rule) =>
      matches.flatMap((match, index) => {
        if (!isMeant(match, asked)) return [];
        const { type = 'PathPrefix', value = '/' } = match.path ?? {};
        const length = value.length - (type === 'PathPrefix' && value !== '/' && value.endsWith('/') ? 1 : 0);
        const counts = [
          type === 'Exact' ? 1 : 0,
          length,
          match.method === undefined ? 0 : 1,
          match.headers?.length ?? 0,
          match.queryParams?.length ?? 0,
        ];
        return [{ name: `default/${route.name}/${rule}`, key: [...counts.map((count) => -count), route.age, route.name, rule, index] }];
      }),
    ),
  );
  const byKey = (a: (typeof found)[number], b: (typeof found)[number]): number => {
    for (const [i, one] of a.key.entries()) {
      const other = b.key[i] as string | number;
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  };
  return found.sort(byKey)[0]?.name ?? null;
}

describe('the order of routes', () => {
  it('law: it knows nothing of the order of the documents', async () => {
    await fc.assert(
      fc.asyncProperty(ROUTES, fc.infiniteStream(fc.nat()), async (routes, keys) => {
        const shuffled = routes.map((route) => ({ route, key: keys.next().value as number })).sort((a, b) => a.key - b.key);
        const plain = async (list: readonly TestRoute[]): Promise<unknown> =>
          (await routesOf(list)).map(({ name, matches }) => ({ name, matches }));
        expect(await plain(shuffled.map(({ route }) => route))).toEqual(await plain(routes));
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 60_000);

  it('law: the first route that matches is the one that the specification prefers', async () => {
    await fc.assert(
      fc.asyncProperty(ROUTES, fc.array(ASKED, { minLength: 5, maxLength: 20 }), async (routes, asked) => {
        const compiled = (await routesOf(routes)).map(({ name, matches }) => ({ name, matches: compileMatches(matches, regex.compile) }));
        for (const one of asked) {
          const call = callOf(one);
          const first = compiled.find(({ matches }) => matches === null || matches(call))?.name;
          expect(first === 'no-route' ? null : first).toBe(bestOf(routes, one));
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 60_000);

  it('law: a prefix goes by segments, and its last slash does not count', async () => {
    await fc.assert(
      fc.asyncProperty(SLASHED, SLASHED, async (prefix, path) => {
        const [route] = await routesOf([{ name: 'r1', age: 1, rules: [[{ path: { value: prefix } }]] }]);
        const matches = compileMatches(route?.matches ?? [], regex.compile);
        const isMatched = matches === null || matches(callOf({ path, query: { q: '/' }, method: 'GET', headers: {} }));
        expect(isMatched).toBe(`${path}/`.replace('//', '/').startsWith(`${prefix}/`.replace('//', '/')));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
