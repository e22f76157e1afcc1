import { describe, expect, it } from 'vitest';
import { Call } from '../../../src/core/call.ts';
import type { RouteConfig } from '../../../src/model/config.ts';
import { compileMatches } from '../../../src/route/match.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import { documents, SERVICES, virtualService } from './documents.ts';
import { goodText } from './load-text.ts';

const regex = await loadRegex();
const ROUTE = 'route: [ { destination: { host: reviews } } ]';

async function routesOf(http: string, self = ''): Promise<readonly RouteConfig[]> {
  const config = await goodText(documents(`${self}${SERVICES}`, virtualService(http)));
  return config.services.reviews?.routes ?? [];
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly headers?: readonly string[];
}

function matches(route: RouteConfig | undefined, asked: Asked): boolean {
  const { path = '/', method = 'GET', authority = 'reviews', scheme = 'http', headers = [] } = asked;
  const call = new Call({ scheme, authority, method, path, headers: [...headers], body: null }, 0);
  return compileMatches(route?.matches ?? [], (pattern) => regex.compile(pattern))?.(call) ?? true;
}

type Row = readonly [name: string, match: string, yes: readonly Asked[], no: readonly Asked[]];

const rows: readonly Row[] = [
  [
    'a prefix is a text, not a folder',
    '{ uri: { prefix: /foo } }',
    [{ path: '/foobar' }, { path: '/foo?x=1' }],
    [{ path: '/fo' }, { path: '/Foo' }],
  ],
  ['exact leaves the query out', '{ uri: { exact: /foo } }', [{ path: '/foo?a=b' }], [{ path: '/foo/' }, { path: '/foobar' }]],
  ['a pattern fits the whole path', '{ uri: { regex: "/a.*z" } }', [{ path: '/abz?q' }], [{ path: '/abzz1' }]],
  ['a prefix without regard to case', '{ uri: { prefix: /foo }, ignoreUriCase: true }', [{ path: '/FOO/x' }], [{ path: '/bar' }]],
  ['exact without regard to case', '{ uri: { exact: /Foo }, ignoreUriCase: true }', [{ path: '/fOO' }], [{ path: '/foo/' }]],
  ['a pattern with regard to case all the same', '{ uri: { regex: "/foo" }, ignoreUriCase: true }', [{ path: '/foo' }], [{ path: '/FOO' }]],
  ['an empty prefix', '{ uri: { prefix: "" }, method: { exact: GET } }', [{ path: '/any' }], [{ method: 'POST' }]],
  ['method with regard to case', '{ method: { exact: GET } }', [{}], [{ method: 'get' }, { method: 'POST' }]],
  ['authority as it was sent', '{ authority: { exact: "reviews:9080" } }', [{ authority: 'reviews:9080' }], [{ authority: 'reviews' }]],
  ['authority by prefix', '{ authority: { prefix: rev } }', [{ authority: 'reviews:9080' }], [{ authority: 'ratings' }]],
  ['scheme', '{ scheme: { exact: https } }', [{ scheme: 'https' }], [{}]],
  ['a header that is there', '{ headers: { x: {} } }', [{ headers: ['X', ''] }], [{}]],
  ['a header without value in the document', '{ headers: { x: } }', [{ headers: ['x', '1'] }], [{}]],
  ['a star for a pattern', '{ headers: { x: { regex: "*" } } }', [{ headers: ['x', '1'] }], [{}]],
  ['exact header', '{ headers: { x: { exact: a } } }', [{ headers: ['x', 'a'] }], [{ headers: ['x', 'A'] }, {}]],
  ['several values as one', '{ headers: { x: { exact: "a,b" } } }', [{ headers: ['x', 'a', 'x', 'b'] }], [{ headers: ['x', 'a'] }]],
  ['a header in capitals', '{ headers: { User-Type: { exact: a } } }', [{ headers: ['user-type', 'a'] }], [{}]],
  ['without: missing is empty', '{ withoutHeaders: { x: { exact: "" } } }', [{ headers: ['x', 'a'] }], [{}, { headers: ['x', ''] }]],
  ['without: any text', '{ withoutHeaders: { x: { regex: ".*" } } }', [], [{}, { headers: ['x', 'a'] }]],
  ['without: a value', '{ withoutHeaders: { x: { exact: a } } }', [{}, { headers: ['x', 'b'] }], [{ headers: ['x', 'a'] }]],
  ['without: the header itself', '{ withoutHeaders: { x: {} } }', [{}], [{ headers: ['x', 'a'] }]],
  [
    'with and without one name',
    '{ headers: { x: { prefix: a } }, withoutHeaders: { x: { exact: ab } } }',
    [{ headers: ['x', 'ac'] }],
    [{ headers: ['x', 'ab'] }],
  ],
  ['a query parameter', '{ queryParams: { q: { exact: "1" } } }', [{ path: '/?q=1' }], [{ path: '/?q=2' }, {}]],
  ['a query parameter that is there', '{ queryParams: { q: { exact: "" } } }', [{ path: '/?q' }, { path: '/?q=1' }], [{}]],
  ['a query parameter of no kind', '{ queryParams: { q: {} } }', [{ path: '/?a&q=' }], [{ path: '/?qq' }]],
  ['the method in the guise of a header', '{ headers: { ":method": { exact: PUT } } }', [{ method: 'PUT' }], [{}]],
  ['the authority in the guise of a header', '{ headers: { ":authority": { prefix: rev } } }', [{}], [{ authority: 'x' }]],
  ['not the method in the guise of a header', '{ withoutHeaders: { ":method": { exact: PUT } } }', [{}], [{ method: 'PUT' }]],
  [
    'names that have fields of their own',
    '{ headers: { uri: { exact: /x } }, method: { exact: GET } }',
    [{ path: '/y' }],
    [{ method: 'PUT' }],
  ],
  ['a port that was named', '{ port: 9080 }', [{ authority: 'reviews:9080' }], [{}, { authority: 'reviews:80' }]],
  ['a port of the scheme', '{ port: 80 }', [{}, { authority: 'reviews:80' }], [{ scheme: 'https' }]],
  [
    'all of it',
    '{ uri: { prefix: /a }, headers: { x: { exact: y } } }',
    [{ path: '/ab', headers: ['x', 'y'] }],
    [{ path: '/ab' }, { headers: ['x', 'y'] }],
  ],
];

describe('a match of Istio', () => {
  it.each(rows)('%s', async (_name, match, yes, no) => {
    const [route] = await routesOf(`[ { match: [ ${match} ], ${ROUTE} } ]`);
    expect(route?.matches.length).toBe(1);
    expect(yes.filter((asked) => !matches(route, asked))).toEqual([]);
    expect(no.filter((asked) => matches(route, asked))).toEqual([]);
  });

  it.each([
    ['no match', ''],
    ['an empty list', 'match: [],'],
    ['a match of nothing', 'match: [ {} ],'],
    ['the prefix of all', 'match: [ { uri: { prefix: / } } ],'],
    ['the pattern of all', 'match: [ { uri: { regex: ".*" } } ],'],
    ['a uri of no kind', 'match: [ { uri: {} } ],'],
    ['a method that is there', 'match: [ { method: {} } ],'],
    ['one of several', 'match: [ { uri: { prefix: /a } }, {} ],'],
  ])('takes every call with %s, and what comes after it goes', async (_name, match) => {
    const routes = await routesOf(
      `[ { ${match} ${ROUTE} }, { match: [ { uri: { prefix: /b } } ], route: [ { destination: { host: ratings } } ] } ]`,
    );
    expect(routes.map((route) => route.matches)).toEqual([[]]);
  });

  it('answers 404 for what no rule takes', async () => {
    const routes = await routesOf(`[ { match: [ { uri: { prefix: /b } } ], ${ROUTE} } ]`);
    expect(routes.map(({ name, matches: own, directResponse }) => [name, own.length, directResponse?.status])).toEqual([
      ['reviews-1', 1, undefined],
      ['no-route', 0, 404],
    ]);
  });

  it('names rules by rule and match, each once', async () => {
    const rules = [
      `{ name: a, match: [ { name: x, uri: { prefix: /1 } }, { uri: { prefix: /2 } }, { uri: { prefix: /3 } } ], ${ROUTE} }`,
      `{ name: a, match: [ { uri: { prefix: /4 } } ], ${ROUTE} }`,
      `{ match: [ { uri: { prefix: /5 } } ], ${ROUTE} }`,
    ];
    const routes = await routesOf(`[ ${rules.join(', ')} ]`);
    expect(routes.map(({ name, matches: own }) => `${name} ${own.length}`)).toEqual(['a.x 1', 'a 2', 'a-2 1', 'reviews-3 1', 'no-route 0']);
  });
});

describe('what depends on who calls', () => {
  const RULES = `[ { name: one, match: [ MATCH ], ${ROUTE} }, { name: rest, ${ROUTE} } ]`;
  const names = async (match: string, self: string): Promise<string[]> =>
    (await routesOf(RULES.replace('MATCH', match), self)).map(({ name }) => name);

  it.each([
    ['labels that it has', '{ sourceLabels: { app: shop } }', ['one']],
    ['labels that it has not', '{ sourceLabels: { app: other } }', ['rest']],
    ['its namespace', '{ sourceNamespace: default }', ['one']],
    ['another namespace', '{ sourceNamespace: other }', ['rest']],
    ['the mesh', '{ gateways: [mesh] }', ['one']],
    ['another gateway', '{ gateways: [istio-system/ingress] }', ['rest']],
    ['gateways, and then nothing else counts', '{ gateways: [mesh], sourceLabels: { app: other } }', ['one']],
    ['one of two', '{ sourceLabels: { app: other } }, { sourceNamespace: default, uri: { prefix: /x } }', ['one', 'rest']],
  ])('%s', async (_name, match, expected) => {
    expect(await names(match, 'self: { labels: { app: shop, version: v1 } }\n')).toEqual(expected);
  });

  it('goes on as if there were no rules, when none is meant for it', async () => {
    const routes = await routesOf(`[ { match: [ { sourceNamespace: other } ], ${ROUTE} } ]`);
    expect(routes.map(({ name, dialect }) => [name, dialect])).toEqual([['default', 'inmesh']]);
  });

  it('calls the host as if there were no rules, on ports that no rule is for', async () => {
    const routes = await routesOf(`[ { match: [ { port: 80, uri: { prefix: /a } } ], ${ROUTE} } ]`);
    expect(routes.map(({ name, matches: own, directResponse }) => [name, own.map(({ port }) => port), directResponse?.status])).toEqual([
      ['reviews-1', [80], undefined],
      ['no-route', [80], 404],
      ['default', [], undefined],
    ]);
  });
});
