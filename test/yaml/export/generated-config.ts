// Configurations of the concise form that make sense, for round trips; and calls that they have something to say about.
import fc from 'fast-check';
import type { HeaderOperationsInput, MeshInput, RouteInput } from '../../../src/model/input.ts';
import { policies, route } from '../../model/valid-input.ts';
import type { TestCall } from './decisions.ts';

const some = { requiredKeys: [] };
const values = fc.constantFrom({ 'x-a': 'b' }, { 'x-c': '100 %', 'x-d': 'e' }, { 'X-A': '' });
const operations: fc.Arbitrary<HeaderOperationsInput> = fc.record(
  { set: values, add: values, remove: fc.constantFrom(['x-gone'], ['x-a', 'x-c']) },
  some,
);

const condition = fc.constantFrom(
  'b',
  { exact: 'b' },
  { prefix: 'b' },
  { regex: 'a|b' },
  { regex: '.*b' },
  { present: true as const },
  { exact: 'b', not: true },
  { present: true as const, not: true },
);
const path = fc.constantFrom(
  '/a',
  { exact: '/a/b' },
  { prefix: '/a' },
  { prefix: '/a/' },
  { pathPrefix: '/a' },
  { pathPrefix: '/a/b' },
  { regex: '/a/.*' },
  { regex: '/a|/b' },
  { prefix: '/A', ignoreCase: true },
  { exact: '/a', not: true },
);
const match = fc.record(
  {
    path,
    method: fc.constantFrom('GET', 'POST', { regex: 'GET|HEAD' }, { exact: 'GET', not: true }),
    headers: fc
      .constantFrom({ 'x-a': 'b' }, { 'x-b': { present: true as const } })
      .chain((one) => condition.map((value) => ({ ...one, 'x-c': value }))),
    queryParams: fc.record({ q: fc.constantFrom('1', { prefix: '1' }, { present: true as const }) }),
  },
  some,
);

/** Rules of every shape; those of the other generator have rewrites and policies that belong to their matches. */
const plainRoute: fc.Arbitrary<RouteInput> = fc.record(
  {
    match: fc.oneof(match, fc.array(match, { minLength: 1, maxLength: 3 })),
    to: fc.constantFrom('v1', 'b', { v1: 80, v2: 20 }, { v1: 1, b: 1.5 }, { v1: 0, v2: 1 }),
    headers: fc.record({ request: operations, response: operations }, some),
    sticky: fc.constantFrom({ cookie: 'sid' }, { header: 'x-user' }),
    timeout: fc.constantFrom('250ms', '1.5s', '1m30s'),
  },
  { requiredKeys: ['to'] },
);

const named = fc.tuple(fc.oneof(route, plainRoute), fc.boolean()).map(([one, isNamed]) => ({ one, isNamed }));

/** `a` with the subsets v1 and v2, and `b`, which DNS knows. */
export const configs: fc.Arbitrary<MeshInput> = fc
  .record({
    a: policies,
    b: policies,
    routes: fc.array(named, { maxLength: 4 }),
    unknownHosts: fc.constantFrom('pass' as const, 'refuse' as const),
    protocol: fc.constantFrom('http1' as const, 'http2' as const),
  })
  .map(({ a, b, routes, unknownHosts, protocol }) => ({
    unknownHosts,
    services: {
      a: {
        ...a,
        protocol,
        endpoints: [
          { address: '10.0.0.1:80', labels: { version: 'v1' } },
          { address: '10.0.0.2:81', labels: { version: 'v2' }, weight: 3, locality: 'r/z' },
        ],
        subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
        ...(routes.length === 0
          ? {}
          : { routes: routes.map(({ one, isNamed }, i) => (isNamed ? { ...one, name: `rule-${'abcd'[i]}` } : one)) }),
      },
      b: { ...b, dns: 'b.internal:8080' },
    },
  }));

/** Objects say literally what a file takes for a variable. */
export function hasVariable(input: MeshInput): boolean {
  return JSON.stringify(input).includes('${');
}

export const calls: fc.Arbitrary<TestCall> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PATCH'),
  path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/b', '/A', '/a?q=1', '/b/x?q=12'),
  headers: fc.record(
    {
      'x-a': fc.constantFrom('a', 'b', 'bc'),
      'x-b': fc.constant('z'),
      'x-c': fc.constantFrom('a', 'b', ''),
      'idempotency-key': fc.constant('k'),
    },
    some,
  ),
});
