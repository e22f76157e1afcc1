// HTTPRouteGroups: what their matches take, and what a split makes of them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../../src/model/config.ts';
import { anchoredAtStart } from '../../../src/yaml/smi/read-route-group.ts';
import { goodText } from '../istio/load-text.ts';
import { type Asked, checkRegex, takes } from '../takes.ts';

const SERVICES = `
services:
  a: { endpoints: [10.0.0.1:80] }
  b: { endpoints: [10.0.0.2:80] }
`;

/** The rules of the root service `a`. */
async function routesOf(matches: string, version = 'v1alpha4'): Promise<readonly RouteConfig[]> {
  const group = version === 'v1alpha4' ? `spec: { matches: ${matches} }` : `matches: ${matches}`;
  const { services } = await goodText(`${SERVICES}---
apiVersion: specs.smi-spec.io/${version}
kind: HTTPRouteGroup
metadata: { name: g }
${group}
---
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: { name: s }
spec: { service: a, backends: [{ service: b, weight: 1 }], matches: [{ kind: HTTPRouteGroup, name: g }] }
`);
  return services.a?.routes ?? [];
}

/** Where a call goes: to the backends of the split, or to the root service. */
async function isSplit(matches: string, asked: Asked): Promise<boolean> {
  const routes = await routesOf(matches);
  return routes.find((route) => takes(route.matches, asked))?.name === 's';
}

type Row = readonly [matches: string, yes: readonly Asked[], no: readonly Asked[]];

const rows: readonly Row[] = [
  ['[{ name: m, pathRegex: /a }]', [{ path: '/a' }, { path: '/ab/c?x=1' }], [{ path: '/b/a' }, { path: '/' }]],
  ['[{ name: m, pathRegex: "^/a$" }]', [{ path: '/a' }, { path: '/a?x' }], [{ path: '/ab' }]],
  ['[{ name: m, pathRegex: "/a|/b" }]', [{ path: '/a' }, { path: '/bc' }], [{ path: '/c/a' }, { path: '/c/b' }]],
  ['[{ name: m, methods: [GET, POST] }]', [{ method: 'GET' }, { method: 'POST' }], [{ method: 'PUT' }, { method: 'GETS' }]],
  ['[{ name: m, methods: [GET] }]', [{ method: 'GET' }], [{ method: 'HEAD' }]],
  [
    '[{ name: m, headers: { user-agent: ".*Firefox.*" } }]',
    [{ headers: ['User-Agent', 'a Firefox b'] }],
    [{ headers: ['User-Agent', 'firefox'] }, {}],
  ],
  ['[{ name: m, headers: { x: a } }]', [{ headers: ['x', 'a'] }], [{ headers: ['x', 'ab'] }]],
  [
    '[{ name: m, methods: [GET], pathRegex: /a, headers: { x: a } }]',
    [{ path: '/a', headers: ['x', 'a'] }],
    [{ path: '/a' }, { path: '/b', headers: ['x', 'a'] }, { method: 'POST', path: '/a', headers: ['x', 'a'] }],
  ],
  ['[{ name: m, pathRegex: /a }, { name: n, pathRegex: /b }]', [{ path: '/a' }, { path: '/b' }], [{ path: '/c' }]],
];

describe('matches of an HTTPRouteGroup', () => {
  it.each(rows)('%s', async (matches, yes, no) => {
    for (const asked of yes) expect([asked, await isSplit(matches, asked)]).toEqual([asked, true]);
    for (const asked of no) expect([asked, await isSplit(matches, asked)]).toEqual([asked, false]);
  });

  it.each(['[{ name: m }]', '[{ name: m, pathRegex: ".*" }]', '[{ name: m, methods: [GET, "*"] }]', '[{ name: m, pathRegex: "" }]'])(
    '%s takes every call, so there is no rule behind it',
    async (matches) => {
      expect((await routesOf(matches)).map(({ name, matches: own }) => [name, own])).toEqual([['s', []]]);
    },
  );

  it('none at all take nothing, so every call goes to the root service', async () => {
    expect((await routesOf('[]')).map(({ name }) => name)).toEqual(['root']);
  });

  it('stand at the top in older versions', async () => {
    expect((await routesOf('[{ name: m, pathRegex: /a }]', 'v1alpha2')).map(({ name }) => name)).toEqual(['s', 'root']);
  });

  it('are anchored at the start of the path alone', () => {
    const piece = fc.constantFrom('/a', '/b', 'a', '|', '(', ')', '^', '$', '.*', '[ab]', '.');
    const path = fc.array(fc.constantFrom('/', 'a', 'b', 'c'), { maxLength: 5 }).map((parts) => `/${parts.join('')}`);
    let kept = 0;
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), path, (pieces, asked) => {
        const pattern = pieces.join('');
        if (checkRegex(pattern) !== null) return;
        kept++;
        const match = { path: { kind: 'regex', value: anchoredAtStart(pattern), invert: false }, headers: {}, queryParams: {} } as const;
        expect([pattern, asked, takes([match], { path: asked })]).toEqual([pattern, asked, new RegExp(`^(?:${pattern})`).test(asked)]);
      }),
      { numRuns: 1000, seed: 1 },
    );
    expect(kept).toBeGreaterThan(400);
  });
});
