import { describe, expect, it } from 'vitest';
import { compileAccess } from '../../src/access/access.ts';
import { EXTENSION_PROVIDER_DEFAULTS } from '../../src/model/extension-provider.ts';
import type { InboundInput } from '../../src/model/input.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import { peer, request } from '../access/cases.ts';

const SELF = { service: 'reviews', namespace: 'books' };

function resolved(inbound: InboundInput): ReturnType<typeof resolveConfig> {
  return resolveConfig({ self: SELF, services: {}, inbound });
}

function policiesOf(
  inbound: InboundInput,
): NonNullable<Extract<ReturnType<typeof resolveConfig>, { config: unknown }>['config']['inbound']['policies']> {
  const result = resolved(inbound);
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return result.config.inbound.policies ?? [];
}

function may(inbound: InboundInput, call: Parameters<typeof request>[0]): boolean {
  const self = { ...SELF, serviceAccount: 'default', labels: {} };
  return compileAccess(policiesOf(inbound), self).decide(request(call)).allowed;
}

describe('who may call, in the concise form', () => {
  it('says nothing where nothing is written', () => {
    expect(resolved({})).toMatchObject({ config: { inbound: { admission: {} } } });
    expect(policiesOf({})).toEqual([]);
  });

  it('becomes one policy for each list, in the order in which they count', () => {
    const policies = policiesOf({
      allow: [{}],
      deny: [{}],
      ask: [{ provider: 'a' }, { provider: 'b' }, { provider: 'a', methods: ['GET'] }],
    });
    expect(policies).toMatchObject([
      { name: 'inbound.ask.a', action: 'custom', provider: 'a', rules: [{ to: [] }, { to: [{ methods: { values: ['GET'] } }] }] },
      { name: 'inbound.ask.b', action: 'custom', provider: 'b', rules: [{}] },
      { name: 'inbound.deny', action: 'deny', rules: [{}] },
      {
        name: 'inbound.allow',
        action: 'allow',
        rules: [{ from: [], to: [], when: [] }],
        dialect: 'inmesh',
        namespace: 'books',
        dryRun: false,
      },
    ]);
    expect(policies[3]).not.toHaveProperty('provider');
  });

  it('an empty allow lets nobody in', () => {
    expect(may({ allow: [] }, {})).toBe(false);
    expect(resolved({ deny: [] })).toMatchObject({ issues: [{ path: ['inbound', 'deny'] }] });
  });

  const CALLERS = ['books/app', 'other/app', 'books/x']
    .map((name) => name.split('/'))
    .map(([ns, sa]) => ({ peer: peer(`td/ns/${ns}/sa/${sa}`) }));
  it.each([
    [['app'], [true, false, false]],
    [['other/app'], [false, true, false]],
    [['books/*'], [true, false, true]],
    [['*'], [true, true, true]],
    [['spiffe://td/ns/other/*'], [false, true, false]],
    [
      ['spiffe://td/ns/books/sa/x', 'other/*'],
      [false, true, true],
    ],
  ])('from %j', (from, expected) => {
    expect(CALLERS.map((caller) => may({ allow: [{ from }] }, caller))).toEqual(expected);
    expect(may({ allow: [{ from }] }, {})).toBe(false);
  });

  it('callers and addresses must both fit', () => {
    const rule = { from: ['app', 'other/*', '*'], addresses: ['10.0.0.0/8'] };
    expect(CALLERS.map((caller) => may({ allow: [rule] }, caller))).toEqual([true, true, true]);
    expect(CALLERS.map((caller) => may({ allow: [rule] }, { ...caller, peerAddress: '11.0.0.1' }))).toEqual([false, false, false]);
    expect([may({ allow: [{ addresses: ['10.0.0.7'] }] }, {}), may({ allow: [{ addresses: ['10.0.0.8'] }] }, {})]).toEqual([true, false]);
  });

  it.each([
    [{ methods: ['GET'] }, {}, { method: 'PUT' }],
    [{ paths: ['/a/*'] }, { target: '/a/b' }, { target: '/b' }],
    [{ hosts: ['a.test'] }, { authority: 'A.test:80' }, { authority: 'b.test' }],
    [{ ports: [9_080] }, {}, { localPort: 1 }],
    [{ headers: { 'X-User': 'a' } }, { headers: ['x-user', 'a'] }, { headers: ['x-user', 'b'] }],
    [{ headers: { x: ['a', 'b'] } }, { headers: ['x', 'b'] }, { headers: ['x', 'c'] }],
  ])('%j', (rule, good, bad) => {
    expect([may({ allow: [rule] }, good), may({ allow: [rule] }, bad)]).toEqual([true, false]);
    expect([may({ deny: [rule] }, good), may({ deny: [rule] }, bad)]).toEqual([false, true]);
  });

  it.each(['/app', 'a/b/c', 'a/', 'a*', '*/app', 'a/b*', ''])('%j is no caller', (caller) => {
    expect(resolved({ allow: [{ from: ['app', caller] }] })).toMatchObject({ issues: [{ path: ['inbound', 'allow', 0, 'from', 1] }] });
  });

  it.each(['10.0.0.0/33', '10.0.0', 'a', '::1/129', '10.0.0.0/8/8', '10.0.0.0/x', ''])('%j is no range', (range) => {
    expect(resolved({ deny: [{ addresses: ['::1/128', '10.0.0.0/0', range] }] })).toMatchObject({
      issues: [{ path: ['inbound', 'deny', 0, 'addresses', 2] }],
    });
  });
});

describe('external authorizers', () => {
  it('have defaults', () => {
    const result = resolved({ extensionProviders: [{ name: 'opa', address: 'opa.test:9191' }] });
    expect(result).toMatchObject({
      config: {
        inbound: { extensionProviders: [{ ...EXTENSION_PROVIDER_DEFAULTS, name: 'opa', kind: 'http', host: 'opa.test', port: 9_191 }] },
      },
    });
  });

  it('say everything else', () => {
    const input = {
      name: 'opa',
      kind: 'grpc' as const,
      address: '[::1]:1',
      timeout: '1s' as const,
      failOpen: true,
      statusOnError: 503,
      pathPrefix: '/check',
      includeRequestHeadersInCheck: ['a'],
      includeAdditionalHeadersInCheck: { b: 'c' },
      headersToUpstreamOnAllow: ['d'],
      headersToDownstreamOnAllow: ['e'],
      headersToDownstreamOnDeny: ['f'],
      includeRequestBodyInCheck: { maxRequestBytes: 1, allowPartialMessage: true, packAsBytes: true },
    };
    expect(resolved({ extensionProviders: [input] })).toMatchObject({
      config: {
        inbound: {
          extensionProviders: [
            {
              name: 'opa',
              kind: 'grpc',
              host: '::1',
              port: 1,
              timeoutMs: 1_000,
              failOpen: true,
              statusOnError: 503,
              pathPrefix: '/check',
              includeHeaders: ['a'],
              additionalHeaders: { b: 'c' },
              headersToUpstreamOnAllow: ['d'],
              headersToDownstreamOnAllow: ['e'],
              headersToDownstreamOnDeny: ['f'],
              body: { bytesMax: 1, allowsPartial: true, isBytes: true },
            },
          ],
        },
      },
    });
  });

  it('see bodies only when they are told to, and whole ones then', () => {
    const inputs = [
      { name: 'a', address: 'x:1' },
      { name: 'b', address: 'x:1', includeRequestBodyInCheck: { maxRequestBytes: 5 } },
    ];
    const whole = { bytesMax: 5, allowsPartial: false, isBytes: false };
    const result = resolved({ extensionProviders: inputs });
    const providers = 'issues' in result ? [] : (result.config.inbound.extensionProviders ?? []);
    expect(providers.map(({ body }) => body)).toEqual([undefined, whole]);
  });

  it('need an address, and a name of their own', () => {
    const two = [
      { name: 'a', address: 'x' },
      { name: 'a', address: 'x:1' },
    ];
    expect(resolved({ extensionProviders: two })).toMatchObject({
      issues: [{ path: ['inbound', 'extensionProviders', 0, 'address'] }, { path: ['inbound', 'extensionProviders', 1, 'name'] }],
    });
  });
});
