import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../src/model/config.ts';
import type { RouteInput } from '../../src/model/input.ts';
import { issuesOf, routesOf, saidOf, saidOfRoute, serviceOf } from './resolved.ts';

const prefix = (text: string, by: 'text' | 'segment', value: string): object => ({ kind: 'prefix', prefix: text, value, by });

describe('a route changes', () => {
  const rows: [name: string, input: RouteInput, expected: Partial<RouteConfig>][] = [
    ['the whole path', { rewrite: { path: '/x' } }, { rewrite: { path: { kind: 'full', value: '/x' } } }],
    ['the host', { rewrite: { authority: 'b.internal:8080' } }, { rewrite: { authority: 'b.internal:8080' } }],
    [
      'what matches, and the host',
      { rewrite: { regex: { match: '^/(a)/(b)', substitution: '/\\2\\\\' }, authority: 'b' } },
      { rewrite: { path: { kind: 'regex', pattern: '^/(a)/(b)', substitution: '/\\2\\\\' }, authority: 'b' } },
    ],
    [
      'a prefix by segments',
      { match: { path: { pathPrefix: '/v1' } }, rewrite: { prefix: '/' } },
      { rewrite: { path: prefix('/v1', 'segment', '/') as never } },
    ],
    [
      'a prefix as a text',
      { match: [{ path: { prefix: '/v1' } }, { path: { prefix: '/v1' }, method: 'GET' }], rewrite: { prefix: '/v2' } },
      { rewrite: { path: prefix('/v1', 'text', '/v2') as never } },
    ],
    [
      'the prefix of every call',
      { match: { path: { prefix: '/' } }, rewrite: { prefix: '/api/' } },
      { matches: [], rewrite: { path: prefix('/', 'text', '/api/') as never } },
    ],
    ['the scheme', { redirect: { scheme: 'https' } }, { redirect: { scheme: 'https', port: 'scheme', status: 302 } }],
    ['the host of a redirect', { redirect: { host: 'b' } }, { redirect: { host: 'b', port: 'keep', status: 302 } }],
    [
      'everything of a redirect',
      { redirect: { scheme: 'http', host: 'b', port: 8080, path: '/x', status: 308 } },
      { redirect: { scheme: 'http', host: 'b', port: 8080, path: { kind: 'full', value: '/x' }, status: 308 } },
    ],
    [
      'the prefix of a redirect',
      { match: { path: { pathPrefix: '/a' } }, redirect: { prefix: '/b', port: 'scheme' } },
      { redirect: { port: 'scheme', path: prefix('/a', 'segment', '/b') as never, status: 302 } },
    ],
    [
      'nothing, but answers',
      { directResponse: { status: 404, body: 'gone', headers: { 'X-A': '1' } } },
      { directResponse: { status: 404, body: 'gone', headers: { 'x-a': '1' } } },
    ],
    [
      'nothing, but answers without a body',
      { directResponse: { status: 204 } },
      { directResponse: { status: 204, body: '', headers: {} } },
    ],
  ];
  it.each(rows)('%s', (_name, input, expected) => {
    const routes = routesOf({ match: { path: '/m' }, ...input });
    expect(routes).toHaveLength(1);
    expect(routes[0]).toMatchObject(expected);
  });
});

describe('several prefixes', () => {
  const match = (path: RouteInput['match'] & object): never => path as never;
  const of = (routes: readonly RouteConfig[]): unknown[] =>
    routes.map(({ name, matches, rewrite }) => [
      name,
      matches.map(({ path }) => path?.value),
      rewrite?.path?.kind === 'prefix' ? `${rewrite.path.prefix} ${rewrite.path.by}` : '',
    ]);

  it('become rules of their own, in the order of the matches', () => {
    const input: RouteInput = {
      name: 'api',
      match: match([
        { path: { pathPrefix: '/a' }, method: 'GET' },
        { path: { pathPrefix: '/a' }, method: 'PUT' },
        { path: { prefix: '/a' } },
        { path: { pathPrefix: '/b' } },
        { path: { pathPrefix: '/a' }, method: 'POST' },
      ]),
      rewrite: { prefix: '/' },
      timeout: '1s',
    };
    const routes = routesOf(input);
    expect(of(routes)).toEqual([
      ['api', ['/a', '/a'], '/a segment'],
      ['api-2', ['/a'], '/a text'],
      ['api-3', ['/b'], '/b segment'],
      ['api-4', ['/a'], '/a segment'],
    ]);
    expect(routes.every(({ timeoutMs }) => timeoutMs === 1_000)).toBe(true);
  });

  it('take names that nobody has', () => {
    const input: RouteInput = {
      name: 'api',
      match: match([{ path: { prefix: '/a' } }, { path: { prefix: '/b' } }]),
      rewrite: { prefix: '/' },
    };
    const { routes } = serviceOf({ routes: [input, { name: 'api-2', match: { path: '/c' } }, { name: 'default', match: { path: '/d' } }] });
    expect(routes.map(({ name }) => name)).toEqual(['api', 'api-3', 'api-2', 'default', 'default-2']);
  });

  it('end the list when one of them is everything', () => {
    const input: RouteInput = { match: match([{ path: { prefix: '/a' } }, { path: { prefix: '/' } }]), rewrite: { prefix: '/x' } };
    expect(of(serviceOf({ routes: [input] }).routes)).toEqual([
      ['route-1', ['/a'], '/a text'],
      ['route-1-2', [], '/ text'],
    ]);
  });

  it('have a bucket each, which is said', () => {
    const route = {
      match: [{ path: { prefix: '/a' } }, { path: { prefix: '/b' } }],
      rewrite: { prefix: '/' },
      rateLimit: { requests: 1 },
    };
    expect(saidOfRoute(route)).toEqual([
      'rateLimit: warning rateLimit: this route replaces 2 prefixes, and each has a bucket of its own; write a route for each to say how large',
    ]);
  });
});

describe('a route does not take', () => {
  const none = (place: string): string =>
    `rewrite.prefix: error prefix replaces the prefix that the match names, and the one at ${place} names none; match by pathPrefix, or write path for the whole path`;
  const both = (key: string, first: string): string =>
    `${key}: error this route has both ${key} and ${first} (${first}), which asks no endpoint; keep one`;
  const redirect = { host: 'b' };
  const rows: [name: string, input: unknown, said: readonly string[]][] = [
    [
      'a prefix without a match',
      { rewrite: { prefix: '/' } },
      [
        'rewrite.prefix: error prefix replaces the prefix that the match names, and this route has no match; add match: { path: { pathPrefix: … } }',
      ],
    ],
    ['a prefix under an exact match', { match: { path: '/a' }, rewrite: { prefix: '/' } }, [none('match')]],
    [
      'a prefix under a pattern',
      { match: [{ path: { prefix: '/a' } }, { path: { regex: '/b' } }], rewrite: { prefix: '/' } },
      [none('match[1]')],
    ],
    ['a prefix under its opposite', { match: { path: { prefix: '/a', not: true } }, rewrite: { prefix: '/' } }, [none('match')]],
    ['a prefix under a method', { match: { method: 'GET' }, redirect: { prefix: '/' } }, [none('match').replace('rewrite', 'redirect')]],
    [
      'two ways to rewrite',
      { match: { path: { prefix: '/a' } }, rewrite: { path: '/', prefix: '/' } },
      ['rewrite.prefix: error rewrite has both path and prefix; keep one'],
    ],
    [
      'a rewrite of nothing',
      { rewrite: {} },
      ['rewrite: error rewrite does not say what to change; add path, prefix, regex, or authority'],
    ],
    [
      'a path without a slash',
      { rewrite: { path: 'x' } },
      ['rewrite.path: error rewrite.path must be a path that begins with "/", without query, not "x"'],
    ],
    [
      'a host with a scheme',
      { rewrite: { authority: 'http://b' } },
      ['rewrite.authority: error rewrite.authority must be a host name, with :port if it has one, not "http://b"'],
    ],
    [
      'a group that there is not',
      { rewrite: { regex: { match: '/(?:a)([(])\\(', substitution: '/\\1\\2' } } },
      [
        'rewrite.regex.substitution: error rewrite: \\2 names a group, but the pattern has one group; put ( ) around what it should stand for',
      ],
    ],
    [
      'an escape that there is not',
      { rewrite: { regex: { match: 'a', substitution: '\\n' } } },
      ['rewrite.regex.substitution: error rewrite: in a substitution a backslash stands before a digit or a backslash, not as "\\\\n"'],
    ],
    [
      'a redirect to itself',
      { redirect: { status: 301 } },
      ['redirect: error redirect leads to where the call came from; add scheme, host, port, path, or prefix'],
    ],
    [
      'a status that is no redirect',
      { redirect: { host: 'b', status: 300 } },
      ['redirect.status: error redirect.status must be one of 301, 302, 303, 307, 308, not 300'],
    ],
    [
      'two paths of a redirect',
      { match: { path: { prefix: '/a' } }, redirect: { path: '/', prefix: '/' } },
      ['redirect.prefix: error redirect has both path and prefix; keep one'],
    ],
    [
      'two answers',
      { redirect, directResponse: { status: 200 } },
      ['directResponse: error this route has both directResponse and redirect (redirect); keep one'],
    ],
    [
      'a body that cannot be',
      { directResponse: { status: 304, body: 'x' } },
      ['directResponse.body: error an answer with status 304 has no body; remove body, or change the status'],
    ],
    ['an answer without a status', { directResponse: { body: 'x' } }, ['directResponse.status: error directResponse.status is missing']],
    ['a redirect that sends', { redirect, to: 'v1', timeout: '1s' }, [both('to', 'redirect'), both('timeout', 'redirect')]],
    ['a redirect that repeats', { redirect, retries: {}, idempotent: true }, [both('retries', 'redirect'), both('idempotent', 'redirect')]],
    ['an answer with a copy', { directResponse: { status: 200 }, mirror: 'v1' }, [both('mirror', 'directResponse')]],
    ['an answer that is rewritten', { directResponse: { status: 200 }, rewrite: { path: '/' } }, [both('rewrite', 'directResponse')]],
    [
      'an answer with faults',
      { directResponse: { status: 200 }, fault: { delay: { fixedDelay: 1, percentage: 1 } } },
      [both('fault', 'directResponse')],
    ],
  ];
  it.each(rows)('%s', (_name, input, said) => {
    expect(saidOfRoute(input)).toEqual(said);
  });

  it('but what is switched off is nothing', () => {
    expect(saidOfRoute({ redirect, retries: false, cache: false, rateLimit: { requests: 1 }, criticality: 'critical' })).toEqual([]);
  });

  it('a pattern that the engine does not take', () => {
    const input = { services: { a: { endpoints: ['x:1'], routes: [{ rewrite: { regex: { match: '(', substitution: 'a' } } }] } } };
    expect(saidOf(input, { checkRegex: (pattern) => `no ${pattern}` })).toEqual([
      'services.a.routes[0].rewrite.regex.match: error "(" is not a regular expression in RE2 syntax: no (',
    ]);
    expect(issuesOf(input)).toEqual([]);
  });
});
