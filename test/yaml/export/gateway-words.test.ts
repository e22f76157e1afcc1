// What the writer for the Gateway API makes of single policies, those that only other meshes can say included; and what it says is lost.
import { describe, expect, it } from 'vitest';
import type { RouteConfig, ServiceConfig } from '../../../src/model/config.ts';
import type { RouteMatch } from '../../../src/model/route.ts';
import type { MirrorPolicy } from '../../../src/model/traffic.ts';
import { onePolicy } from './one-policy.ts';

const match = (own: Partial<RouteMatch>): RouteMatch => ({ headers: {}, queryParams: {}, ...own });
const segments = match({ path: { kind: 'pathPrefix', value: '/x', invert: false } });
const many = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));
const none = { set: {}, add: {}, remove: [] } as const;
const target = { service: 'a', weight: 1 };
const MIRROR: MirrorPolicy = { target: { service: 'b', weight: 1 }, percent: 100, hostSuffix: '', stripHeaders: [], bodyBytesMax: 65_536 };
const RETRIES = {
  attempts: 2,
  perTryTimeoutMs: 0,
  retryOn: [503],
  backoff: { baseMs: 25, maxMs: 250 },
  retryAfterMaxMs: 0,
  methods: ['*'],
  acrossSubsets: true,
  bodyBytesMax: 1,
} as unknown as ServiceConfig['retries'];
const KEYS: Readonly<Record<string, string>> = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  URLRewrite: 'urlRewrite',
  RequestRedirect: 'requestRedirect',
  RequestMirror: 'requestMirror',
};
const modified = (type: string, modifier: object): object => ({ filters: [{ type, [KEYS[type] as string]: modifier }] });
const UNCHANGED = {};

describe('a policy of a rule, for the Gateway API', () => {
  it.each<[string, Partial<RouteConfig>, object | undefined, RegExp | null]>([
    [
      'a header that is called as no other',
      { requestHeaders: { set: {}, add: { constructor: 'a' }, remove: ['constructor'] } },
      modified('RequestHeaderModifier', { set: [{ name: 'constructor', value: 'a' }] }),
      /one action for a name/,
    ],
    [
      'a header that is removed and called so',
      { requestHeaders: { ...none, remove: ['constructor'] } },
      modified('RequestHeaderModifier', { remove: ['constructor'] }),
      null,
    ],
    [
      'a header that is set and added to',
      { responseHeaders: { ...none, set: { 'x-a': 'a' }, add: { 'x-a': 'b' } } },
      modified('ResponseHeaderModifier', { set: [{ name: 'x-a', value: 'a,b' }] }),
      /one action for a name/,
    ],
    [
      'values that the call fills',
      { requestHeaders: { ...none, set: { 'x-a': '%REQ(x-b)%' }, formatted: true } },
      UNCHANGED,
      /puts nothing of the call into a value/,
    ],
    [
      'several values of a name',
      { requestHeaders: { ...none, set: { 'x-a': 'a' }, append: [['x-b', 'c']] } },
      {},
      /headers\.request\.append: .*the Gateway API adds a header once/,
    ],
    ['more headers than a filter has', { requestHeaders: { ...none, set: many(17) } }, {}, /a filter changes at most 16 headers of a kind/],
    [
      'a value that is too long',
      { requestHeaders: { ...none, set: { 'x-a': 'a'.repeat(5_000) } } },
      UNCHANGED,
      /a value has 1 to 4096 characters there/,
    ],
    ['a host alone', { rewrite: { authority: 'b.example' } }, modified('URLRewrite', { hostname: 'b.example' }), null],
    ['a host with a port', { rewrite: { authority: 'b.example:1' } }, UNCHANGED, /a hostname has no port there/],
    [
      'a redirect to an address',
      { redirect: { host: '10.0.0.1', status: 302, port: 'keep' } as never },
      modified('RequestRedirect', { statusCode: 302 }),
      /a hostname is a name there, not an address/,
    ],
    [
      'a redirect that keeps the port of the call',
      { redirect: { host: 'b', scheme: 'https', status: 302, port: 'keep' } as never },
      modified('RequestRedirect', { hostname: 'b', scheme: 'https' }),
      /with a scheme the port is the usual one of it there/,
    ],
    [
      'a redirect to the usual port',
      { redirect: { host: 'b', status: 302, port: 'scheme' } as never },
      modified('RequestRedirect', { hostname: 'b' }),
      /without a scheme the port of the call stays there/,
    ],
    ['a copy as the Gateway API makes it', { mirrors: [MIRROR] }, modified('RequestMirror', { backendRef: { name: 'b', port: 80 } }), null],
    [
      'a share of copies',
      { mirrors: [{ ...MIRROR, percent: 12.5 }] },
      modified('RequestMirror', { backendRef: { name: 'b', port: 80 }, fraction: { numerator: 125_000, denominator: 1_000_000 } }),
      null,
    ],
    [
      'shares that are no whole numbers',
      {
        targets: [
          { service: 'a', weight: Math.PI },
          { service: 'b', weight: 1e-9 },
        ],
      },
      { backendRefs: [{ weight: 1_000_000 }, { weight: 1 }] },
      /^approximated to: .*weights are whole numbers$/,
    ],
    [
      'a path of a share',
      { matches: [segments], targets: [{ ...target, rewrite: { path: { kind: 'full', value: '/y' } } }] },
      { backendRefs: [{ filters: [{ type: 'URLRewrite' }] }] },
      null,
    ],
    [
      'a redirect of a share',
      { targets: [{ ...target, redirect: { host: 'b', status: 302, port: 'keep' } as never }] },
      { backendRefs: [{ filters: [{ type: 'RequestRedirect' }] }] },
      null,
    ],
    [
      'as many retries as the budget pays for',
      { retries: { ...RETRIES, attempts: Number.POSITIVE_INFINITY, perTryTimeoutMs: 100 }, timeoutMs: 0 },
      { retry: { attempts: 100 }, timeouts: { backendRequest: '100ms' } },
      /a number is needed/,
    ],
    [
      'attempts that are as long as the call',
      { retries: { ...RETRIES, perTryTimeoutMs: 5_000 }, timeoutMs: 1_000 },
      { retry: { attempts: 2 }, timeouts: { request: '1s' } },
      null,
    ],
    [
      'more matches than a rule has',
      { matches: Array.from({ length: 70 }, (_, i) => match({ path: { kind: 'exact', value: `/${i}`, invert: false } })) },
      { matches: expect.objectContaining({ length: 64 }) },
      null,
    ],
    [
      'two conditions on one header',
      {
        matches: [
          match({
            headers: { 'x-a': { kind: 'exact', value: 'a', invert: false } },
            withoutHeaders: { 'x-a': { kind: 'present', invert: false } },
          }),
        ],
      },
      undefined,
      /the header x-a has two conditions/,
    ],
    [
      'a name that is none there',
      { matches: [match({ queryParams: { 'a b': { kind: 'exact', value: 'c', invert: false } } })] },
      undefined,
      /is no name of a/,
    ],
    [
      'a value that is too long there',
      { matches: [match({ queryParams: { a: { kind: 'exact', value: 'c'.repeat(5_000), invert: false } } })] },
      undefined,
      /has 1 to \d+ characters/,
    ],
    [
      'more conditions than a match has',
      {
        matches: [
          match({
            headers: Object.fromEntries(Object.keys(many(17)).map((name) => [name, { kind: 'exact', value: 'v', invert: false } as const])),
          }),
        ],
      },
      undefined,
      /at most 16 conditions of the same kind/,
    ],
    [
      'a path that is too long',
      { matches: [match({ path: { kind: 'regex', value: `/${'a'.repeat(1_100)}`, invert: false } })] },
      undefined,
      /at most 1024 characters/,
    ],
    [
      'a prefix whatever the case',
      { matches: [match({ path: { kind: 'prefix', value: '/X', invert: false, ignoreCase: true } })] },
      { matches: [{ path: { type: 'RegularExpression', value: '(?i)/X.*' } }] },
      null,
    ],
  ])('%s', async (_name, route, expected, loss) => {
    const { specs, losses } = await onePolicy('gateway-api', { route });
    const rule = (specs('HTTPRoute')[0]?.rules as readonly { name?: string }[] | undefined)?.find(({ name }) => name === 'r');
    if (expected === undefined) expect(rule).toBeUndefined();
    else expect(rule).toMatchObject(expected);
    if (expected === UNCHANGED) expect(rule).not.toHaveProperty('filters');
    if (loss !== null) expect(losses).toContainEqual(expect.stringMatching(loss));
  });
});

describe('TLS of a service, for the Gateway API', () => {
  it.each<[string, ServiceConfig['tls'], object | undefined, RegExp | null]>([
    [
      'with the roots of the system',
      { mode: 'simple', serverName: 'b' },
      { validation: { hostname: 'b', wellKnownCACertificates: 'System' } },
      null,
    ],
    [
      'with roots as text',
      {
        mode: 'simple',
        serverName: 'b',
        ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        subjectAltNames: ['spiffe://x/y', 'c'],
      },
      {
        validation: {
          caCertificateRefs: [{ kind: 'ConfigMap' }],
          subjectAltNames: [
            { type: 'URI', uri: 'spiffe://x/y' },
            { type: 'Hostname', hostname: 'c' },
          ],
        },
      },
      null,
    ],
    [
      'that verifies nothing',
      { mode: 'simple', verify: 'none' },
      { validation: { wellKnownCACertificates: 'System' } },
      /tls\.verify: .*the Gateway API always verifies/,
    ],
    [
      'with too many names',
      { mode: 'simple', subjectAltNames: ['a', 'b', 'c', 'd', 'e', 'f'] },
      { validation: { subjectAltNames: expect.objectContaining({ length: 5 }) } },
      /at most 5 names; the first are written/,
    ],
    ['between workloads', { mode: 'mutual' }, undefined, /the business of the mesh/],
  ])('%s', async (_name, tls, expected, loss) => {
    const { specs, losses } = await onePolicy('gateway-api', { service: { tls } });
    if (expected === undefined) expect(specs('BackendTLSPolicy')).toEqual([]);
    else expect(specs('BackendTLSPolicy')[0]).toMatchObject(expected);
    if (loss !== null) expect(losses).toContainEqual(expect.stringMatching(loss));
  });
});
